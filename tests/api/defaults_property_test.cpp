// What holds for the defaulting of every kind: doing it twice is doing it once, what was set stays,
// and a rule reaches its type wherever it occurs.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <set>

#include "api/defaults_support.h"
#include "api/described_json.h"
#include "api/quantity.h"
#include "api/types/registry.h"
#include "reflect/json.h"

namespace podium::api::test {
namespace {

using reflect::Field;
using reflect::Form;
using reflect::Kind;
using reflect::Shape;
using reflect::Type;

// Objects of each kind; PODIUM_TEST_LONG asks for more.
int Rounds() {
  return std::getenv("PODIUM_TEST_LONG") ? 300 : 25;  // NOLINT(concurrency-mt-unsafe): set before
}

// Kinds that stand under their own name: batch/v1beta1 shares some of v1's types.
bool IsOwnKind(const KindEntry& entry) {
  return entry.type->ApiVersion() ==
         std::string(entry.group) + (*entry.group ? "/" : "") + entry.version;
}

// The object as it is read, without defaults.
json::value Decoded(const Type& type, const json::value& object) {
  reflect::AnyObject decoded(type);
  for (const auto& problem : reflect::DecodeJson(json::serialize(object), type, decoded.get())) {
    ADD_FAILURE() << problem.Text() << " in " << object;
  }
  std::string out;
  EXPECT_TRUE(reflect::EncodeJson(type, decoded.get(), &out).ok());
  return json::parse(out);
}

bool IsUnset(const json::value& value) {
  return value.is_null() || value == json::value("") || value == json::value(false) ||
         (value.is_number() && value.to_number<double>() == 0) ||
         (value.is_array() && value.as_array().empty()) ||
         (value.is_object() && value.as_object().empty());
}

bool IsRounded(const json::value& before, const json::value& after) {
  if (!before.is_string() || !after.is_string()) return false;
  auto quantity = Quantity::Parse(json::value_to<std::string>(before));
  if (!quantity.ok()) return false;
  quantity->RoundUp(Quantity::kMilli);
  return quantity->String() == after.as_string();
}

// The exceptions that defaults.h names.
bool MayChange(const std::string& path, const json::value& before) {
  return path.ends_with("/serviceAccount") || path.ends_with("/sessionAffinityConfig") ||
         path.ends_with("/kubernetes.io~1metadata.name") ||
         (path.ends_with("/targetPort") && before == json::value(""));
}

void ExpectKept(const std::string& path, const json::value& before, const json::value& after) {
  if (IsUnset(before) || before == after || MayChange(path, before) || IsRounded(before, after)) {
    return;
  }
  if (before.is_object() && after.is_object()) {
    for (const auto& [key, value] : before.as_object()) {
      const json::value* found = after.as_object().if_contains(key);
      ExpectKept(path + "/" + std::string(key), value, found ? *found : json::value());
    }
  } else if (before.is_array() && after.is_array() &&
             before.as_array().size() == after.as_array().size()) {
    for (size_t i = 0; i < before.as_array().size(); ++i) {
      ExpectKept(path + "/" + std::to_string(i), before.as_array()[i], after.as_array()[i]);
    }
  } else {
    ADD_FAILURE() << path << " was " << before << " and is " << after;
  }
}

TEST(DefaultsProperties, TwiceIsOnceAndWhatIsSetStays) {
  const int rounds = Rounds();
  std::mt19937_64 random(20260711);
  for (const KindEntry& entry : kKinds) {
    if (!IsOwnKind(entry)) continue;
    for (int round = 0; round < rounds && !HasFailure(); ++round) {
      const json::value object = RandomObject(*entry.type, random);
      const json::value once = Defaulted(object);
      EXPECT_EQ(Defaulted(once), once) << object;
      ExpectKept("", Decoded(*entry.type, object), once);
      if (HasFailure())
        std::cout << entry.type->ApiVersion() << " " << entry.kind << ": " << object;
    }
  }
}

// A field that shows whether the rule of its type was applied.
struct Sign {
  const char* field;
  const char* value;
};
const std::map<std::string, Sign>& Signs() {
  static const std::map<std::string, Sign> kSigns = {
      {"v1.Container", {"imagePullPolicy", R"("IfNotPresent")"}},
      {"v1.EphemeralContainer", {"terminationMessagePath", R"("/dev/termination-log")"}},
      {"v1.Probe", {"periodSeconds", "10"}},
      {"v1.HTTPGetAction", {"scheme", R"("HTTP")"}},
      {"v1.ObjectFieldSelector", {"apiVersion", R"("v1")"}},
      {"v1.PodSpec", {"dnsPolicy", R"("ClusterFirst")"}},
      {"v1.SecretVolumeSource", {"defaultMode", "420"}},
      {"v1.ConfigMapVolumeSource", {"defaultMode", "420"}},
      {"v1.DownwardAPIVolumeSource", {"defaultMode", "420"}},
      {"v1.ProjectedVolumeSource", {"defaultMode", "420"}},
      {"v1.ServiceAccountTokenProjection", {"expirationSeconds", "3600"}},
      {"v1.HostPathVolumeSource", {"type", R"("")"}},
      {"v1.ImageVolumeSource", {"pullPolicy", R"("IfNotPresent")"}},
      {"v1.PersistentVolumeClaimSpec", {"volumeMode", R"("Filesystem")"}},
      {"v1.EndpointPort", {"protocol", R"("TCP")"}},
      {"batch/v1.PodFailurePolicyOnPodConditionsPattern", {"status", R"("True")"}},
      {"networking.k8s.io/v1.NetworkPolicyPort", {"protocol", R"("TCP")"}},
      {"discovery.k8s.io/v1.EndpointPort", {"protocol", R"("TCP")"}},
      {"discovery.k8s.io/v1beta1.EndpointPort", {"protocol", R"("TCP")"}},
      {"admissionregistration.k8s.io/v1.MatchResources", {"matchPolicy", R"("Equivalent")"}},
      {"admissionregistration.k8s.io/v1.RuleWithOperations", {"scope", R"("*")"}},
      {"admissionregistration.k8s.io/v1.NamedRuleWithOperations", {"scope", R"("*")"}},
      {"admissionregistration.k8s.io/v1.ServiceReference", {"port", "443"}},
      {"apiextensions.k8s.io/v1.ServiceReference", {"port", "443"}},
      {"apiregistration.k8s.io/v1.ServiceReference", {"port", "443"}},
      {"flowcontrol.apiserver.k8s.io/v1.QueuingConfiguration", {"queues", "64"}},
      {"resource.k8s.io/v1.ExactDeviceRequest", {"count", "1"}},
      {"resource.k8s.io/v1.DeviceSubRequest", {"count", "1"}},
      {"resource.k8s.io/v1.DeviceTaint", {"timeAdded", R"("2023-11-14T22:13:20Z")"}},
  };
  return kSigns;
}

class ReachChecker {
 public:
  void Check(const std::string& path, const Type& type, const json::value& value) {
    if (type.form != Form::kStruct || !value.is_object()) return;
    const std::string name = type.ApiVersion() + "." + type.name;
    if (auto sign = Signs().find(name); sign != Signs().end()) {
      seen_.insert(name);
      Expect(path, value, sign->second.field, sign->second.value);
    }
    for (const Field& field : type.fields) {
      if (*field.facts->default_value) CheckDeclared(path, value, field);
      const json::value* found = value.as_object().if_contains(field.name());
      if (!found) continue;
      if (field.kind == Kind::kLeaf && field.shape == Shape::kMap) {
        CheckQuantities(path + "." + std::string(field.name()), name, *found);
      }
      if (field.kind == Kind::kStruct) CheckField(path, field, *found);
    }
  }

  const std::set<std::string>& seen() const { return seen_; }

 private:
  void Expect(const std::string& path, const json::value& object, std::string_view field,
              const char* expected) {
    const json::value* found = object.as_object().if_contains(field);
    EXPECT_TRUE(found && *found == json::parse(expected))
        << path << "." << field << " is " << (found ? json::serialize(*found) : "absent")
        << ", not " << expected;
  }
  void CheckDeclared(const std::string& path, const json::value& object, const Field& field) {
    // An empty default of a field that is left out when empty cannot be seen.
    const bool shown =
        field.shape == Shape::kOptional || !IsUnset(json::parse(field.facts->default_value));
    if (shown) Expect(path, object, field.name(), field.facts->default_value);
  }
  void CheckField(const std::string& path, const Field& field, const json::value& value) {
    const std::string at = path + "." + std::string(field.name());
    if (field.shape == Shape::kList && value.is_array()) {
      for (const json::value& element : value.as_array()) Check(at + "[]", *field.type, element);
    } else if (field.shape == Shape::kMap && value.is_object()) {
      for (const auto& [key, element] : value.as_object()) Check(at + "{}", *field.type, element);
    } else {
      Check(at, *field.type, value);
    }
  }
  // Maps of quantities are rounded where upstream declares them as ResourceList and has a rule.
  void CheckQuantities(const std::string& path, const std::string& owner, const json::value& map) {
    static const std::set<std::string> kNot = {"node.k8s.io/v1.Overhead",
                                               "metrics.k8s.io/v1beta1.ContainerMetrics",
                                               "metrics.k8s.io/v1beta1.NodeMetrics",
                                               "v1.NodeAllocatableResourceClaimStatus",
                                               "resource.k8s.io/v1.CapacityRequirements",
                                               "resource.k8s.io/v1.DeviceRequestAllocationResult"};
    for (const auto& [key, value] : map.as_object()) {
      EXPECT_EQ(value, kNot.contains(owner) ? "1500u" : "2m") << path << " of " << owner;
    }
  }

  std::set<std::string> seen_;
};

TEST(DefaultsProperties, RulesReachTheirTypesEverywhere) {
  ReachChecker checker;
  for (const KindEntry& entry : kKinds) {
    if (!IsOwnKind(entry)) continue;
    checker.Check(entry.kind, *entry.type, Defaulted(FullSkeleton(*entry.type)));
  }
  for (const auto& [name, sign] : Signs()) {
    EXPECT_TRUE(checker.seen().contains(name)) << name << " was not met";
  }
}

}  // namespace
}  // namespace podium::api::test
