#include "api/scheme.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "api/types/apps_v1.h"
#include "api/types/columns.h"
#include "api/types/core_v1.h"
#include "api/types/events_v1.h"
#include "api/types/meta_v1.h"
#include "api/types/registry.h"
#include "api/types/resources.h"

namespace podium::api {
namespace {

using reflect::Type;

TEST(SchemeTest, ParsesApiVersions) {
  struct Case {
    const char* text;
    bool ok;
    const char* group;
    const char* version;
  };
  for (const Case& c :
       {Case{"v1", true, "", "v1"}, Case{"apps/v1", true, "apps", "v1"}, Case{"", false, "", ""},
        Case{"apps/", false, "", ""}, Case{"a/b/c", false, "", ""}}) {
    const auto gv = ParseApiVersion(c.text);
    ASSERT_EQ(gv.has_value(), c.ok) << c.text;
    if (!gv) continue;
    EXPECT_EQ(gv->group, c.group);
    EXPECT_EQ(gv->version, c.version);
  }
}

TEST(SchemeTest, FindsTypesByApiVersionAndKind) {
  struct Case {
    const char* api_version;
    const char* kind;
    const Type* type;
  };
  const Case cases[] = {
      {"v1", "Pod", &core::v1::kPodType},
      {"v1", "PodList", &core::v1::kPodListType},
      {"apps/v1", "Deployment", &apps::v1::kDeploymentType},
      {"v1", "List", &meta::v1::kListType},
      {"v1", "Status", &meta::v1::kStatusType},
      {"meta.k8s.io/v1", "Table", &meta::v1::kTableType},
      {"meta.k8s.io/v1", "PartialObjectMetadata", &meta::v1::kPartialObjectMetadataType},
      {"v1", "DeleteOptions", &meta::v1::kDeleteOptionsType},
      {"apps/v1", "DeleteOptions", &meta::v1::kDeleteOptionsType},
      {"batch/v1", "WatchEvent", &meta::v1::kWatchEventType},
      {"v1", "Event", &core::v1::kEventType},
      {"events.k8s.io/v1", "Event", &events::v1::kEventType},
      {"v1", "pod", nullptr},
      {"v1", "PodSpec", nullptr},
      {"v2", "Pod", nullptr},
      {"apps/v1", "Pod", nullptr},
      {"apps/v1", "Status", nullptr},
      {"example.com/v1", "DeleteOptions", nullptr},
      {"", "Pod", nullptr},
      {"v1", "", nullptr},
  };
  for (const Case& c : cases) EXPECT_EQ(FindType(c.api_version, c.kind), c.type) << c.kind;
}

TEST(SchemeTest, KindsAreSortedAndAllCanBeFound) {
  EXPECT_GT(kKinds.size(), 150u);
  for (const KindEntry& entry : kKinds) {
    std::string api_version = entry.group;
    if (!api_version.empty()) api_version += '/';
    api_version += entry.version;
    EXPECT_EQ(FindType(api_version, entry.kind), entry.type) << api_version << ' ' << entry.kind;
    EXPECT_TRUE(entry.type->has(reflect::kRootKind));
    EXPECT_EQ(entry.type->fields[0].name(), "kind");
    EXPECT_EQ(entry.type->fields[1].name(), "apiVersion");
  }
}

TEST(SchemeTest, ResolvesWhatPeopleType) {
  struct Case {
    const char* text;
    const char* group;
    const char* version;
    const char* plural;  // empty: none
  };
  const Case cases[] = {
      {"pods", "", "v1", "pods"},
      {"pod", "", "v1", "pods"},
      {"po", "", "v1", "pods"},
      {"Pod", "", "v1", "pods"},
      {"pods.", "", "v1", "pods"},
      {"deploy", "apps", "v1", "deployments"},
      {"deployments.apps", "apps", "v1", "deployments"},
      {"deploy.ap", "apps", "v1", "deployments"},
      {"deployments.v1.apps", "apps", "v1", "deployments"},
      {"events", "", "v1", "events"},
      {"ev.events.k8s.io", "events.k8s.io", "v1", "events"},
      {"hpa", "autoscaling", "v2", "horizontalpodautoscalers"},
      {"hpa.v1.autoscaling", "autoscaling", "v1", "horizontalpodautoscalers"},
      {"cronjobs.v1beta1.batch", "batch", "v1beta1", "cronjobs"},
      {"pods.metrics.k8s.io", "metrics.k8s.io", "v1beta1", "pods"},
      {"crds", "apiextensions.k8s.io", "v1", "customresourcedefinitions"},
      {"endpoints", "", "v1", "endpoints"},
      {"netpol", "networking.k8s.io", "v1", "networkpolicies"},
      {"deployments.v2.apps", "", "", ""},
      {"deployments.batch", "", "", ""},
      {"nosuch", "", "", ""},
      {"", "", "", ""},
      {".", "", "", ""},
  };
  for (const Case& c : cases) {
    const Resource* resource = ResolveResource(c.text);
    ASSERT_EQ(resource != nullptr, c.plural[0] != '\0') << c.text;
    if (!resource) continue;
    EXPECT_EQ(resource->group, c.group) << c.text;
    EXPECT_EQ(resource->version, c.version) << c.text;
    EXPECT_EQ(resource->plural, c.plural) << c.text;
  }
}

TEST(SchemeTest, EveryResourceIsFoundByEachOfItsNames) {
  std::set<std::string> seen;
  for (const Resource& r : kResources) {
    SCOPED_TRACE(std::string(r.group) + "/" + std::string(r.version) + " " + std::string(r.plural));
    EXPECT_EQ(FindResource(r.group, r.version, r.plural), &r);
    EXPECT_EQ(FindResourceByKind(r.group, r.version, r.kind), &r);
    EXPECT_EQ(r.type->name, r.kind);
    EXPECT_FALSE(r.verbs.empty());
    const std::string qualified =
        "." + std::string(r.version) + (r.group.empty() ? "." : "." + std::string(r.group));
    EXPECT_EQ(ResolveResource(std::string(r.plural) + qualified), &r);
    if (!r.singular.empty()) EXPECT_EQ(ResolveResource(std::string(r.singular) + qualified), &r);
    for (std::string_view name : r.short_names) {
      EXPECT_EQ(ResolveResource(std::string(name) + qualified), &r);
    }
  }
}

TEST(SchemeTest, SubresourcesNameTheirKindAndVerbs) {
  const Resource* pods = FindResource("", "v1", "pods");
  ASSERT_NE(pods, nullptr);
  const Subresource* eviction = pods->FindSubresource("eviction");
  ASSERT_NE(eviction, nullptr);
  EXPECT_EQ(eviction->group, "policy");
  EXPECT_EQ(eviction->version, "v1");
  EXPECT_EQ(eviction->kind, "Eviction");
  EXPECT_EQ(pods->FindSubresource("nosuch"), nullptr);
  EXPECT_TRUE(pods->HasVerb("deletecollection"));
  EXPECT_FALSE(FindResource("", "v1", "namespaces")->HasVerb("deletecollection"));
  for (const Resource& resource : kResources) {
    for (const Subresource& sub : resource.subresources) {
      std::string api_version(sub.group);
      if (!api_version.empty()) api_version += '/';
      api_version += sub.version;
      EXPECT_NE(FindType(api_version, sub.kind), nullptr) << resource.plural << '/' << sub.name;
    }
  }
}

// The field selectors of a resource, beyond names that upstream only uses as labels, are paths.
TEST(SchemeTest, PodsHaveTheirFieldSelectorsAndHash) {
  const Resource* pods = FindResource("", "v1", "pods");
  EXPECT_NE(std::ranges::find(pods->field_selectors, "spec.nodeName"), pods->field_selectors.end());
  EXPECT_EQ(pods->storage_version_hash, "xPOwRZ+Yhw8=");
  EXPECT_EQ(pods->stored_version, "v1");
  EXPECT_EQ(FindResource("batch", "v1beta1", "cronjobs")->stored_version, "v1");
}

TEST(SchemeTest, ColumnsOfKinds) {
  const TableColumns& pod = ColumnsOf("", "v1", "Pod");
  ASSERT_EQ(pod.columns.size(), 9u);
  EXPECT_EQ(pod.columns[0].name, "Name");
  EXPECT_EQ(pod.columns[0].format, "name");
  EXPECT_EQ(pod.columns[7].name, "Nominated Node");
  EXPECT_EQ(pod.columns[7].priority, 1);
  EXPECT_EQ(pod.columns[7].cell, "status.nominatedNodeName else <none>");
  ASSERT_EQ(pod.conditions.size(), 2u);
  EXPECT_EQ(pod.conditions[1].message, "The pod failed.");

  const TableColumns& fallback = ColumnsOf("", "v1", "LimitRange");
  ASSERT_EQ(fallback.columns.size(), 2u);
  EXPECT_EQ(fallback.columns[1].name, "Created At");
  EXPECT_EQ(&ColumnsOf("example.com", "v1", "Thing"), &fallback);
  EXPECT_EQ(&ColumnsOf("batch", "v1beta1", "CronJob"), &ColumnsOf("batch", "v1", "CronJob"));
  for (const TableColumns& columns : kTableColumns) {
    EXPECT_EQ(&ColumnsOf(columns.group, columns.version, columns.kind), &columns) << columns.kind;
  }
}

}  // namespace
}  // namespace podium::api
