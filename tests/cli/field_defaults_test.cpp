#include "cli/field_defaults.h"

#include <gtest/gtest.h>

#include <map>

#include "api/types/registry.h"
#include "cli/field_names.h"

namespace podium::cli {
namespace {

// The defaults of a place's fields, by name; those without one are left out.
std::map<std::string, std::string> DefaultsOf(const char* path) {
  const Result<FieldPlace> place = FindFieldPlace(path, {});
  if (!place.ok() || !place->type()) return {{"no such place", path}};
  std::map<std::string, std::string> out;
  const std::vector<std::string> values = DefaultsAt(*place->resource->type, place->fields);
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].empty()) out.emplace(place->type()->fields[i].name(), values[i]);
  }
  return out;
}

using Defaults = std::map<std::string, std::string>;

TEST(FieldDefaults, AreWhatTheRulesSay) {
  EXPECT_EQ(DefaultsOf("pod"), Defaults());
  EXPECT_EQ(DefaultsOf("pod.spec"), (Defaults{{"dnsPolicy", "\"ClusterFirst\""},
                                              {"enableServiceLinks", "true"},
                                              {"restartPolicy", "\"Always\""},
                                              {"schedulerName", "\"default-scheduler\""},
                                              {"securityContext", "{}"},
                                              {"terminationGracePeriodSeconds", "30"}}));
  EXPECT_EQ(DefaultsOf("pod.spec.containers.livenessProbe"), (Defaults{{"failureThreshold", "3"},
                                                                       {"periodSeconds", "10"},
                                                                       {"successThreshold", "1"},
                                                                       {"timeoutSeconds", "1"}}));
  EXPECT_EQ(DefaultsOf("deployment.spec"), (Defaults{{"progressDeadlineSeconds", "600"},
                                                     {"replicas", "1"},
                                                     {"revisionHistoryLimit", "10"}}));
  EXPECT_EQ(DefaultsOf("deployment.spec.strategy"),
            (Defaults{{"rollingUpdate", R"({"maxUnavailable":"25%","maxSurge":"25%"})"},
                      {"type", "\"RollingUpdate\""}}));
  EXPECT_EQ(DefaultsOf("sts.spec.updateStrategy.rollingUpdate"),
            (Defaults{{"maxUnavailable", "1"}, {"partition", "0"}}));
  EXPECT_EQ(DefaultsOf("pod.spec.volumes.hostPath"), (Defaults{{"type", "\"\""}}));
  EXPECT_EQ(DefaultsOf("service.spec.sessionAffinityConfig"), Defaults());
}

// Every type that can be reached has an answer for each of its fields.
void Walk(const reflect::Type& root, const reflect::Type& type,
          std::vector<const reflect::Field*>* way) {
  ASSERT_EQ(DefaultsAt(root, *way).size(), type.fields.size()) << root.name << ' ' << type.name;
  for (const reflect::Field& field : type.fields) {
    const bool again = std::any_of(way->begin(), way->end(), [&](const reflect::Field* outer) {
      return outer->type == field.type;
    });
    if (!HasFields(field) || again) continue;
    way->push_back(&field);
    Walk(root, *field.type, way);
    way->pop_back();
  }
}

TEST(FieldDefaults, OfEveryKind) {
  for (const api::KindEntry& entry : api::kKinds) {
    std::vector<const reflect::Field*> way;
    Walk(*entry.type, *entry.type, &way);
  }
}

}  // namespace
}  // namespace podium::cli
