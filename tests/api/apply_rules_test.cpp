// What strategies reset, and where the number of replicas is, for the resources that there are.
// After upstream's integration test reset_fields_test.go: who applies an object to the resource and
// another to its status has no conflict, as each owns its part.
#include "api/apply_rules.h"

#include <gtest/gtest.h>

#include <string>

#include "api/types/resources.h"

namespace podium::api {
namespace {

using reflect::FieldSet;
using reflect::PathElement;

const Resource& ResourceOf(std::string_view group, std::string_view version,
                           std::string_view plural) {
  for (const Resource& resource : kResources) {
    if (resource.group == group && resource.version == version && resource.plural == plural) {
      return resource;
    }
  }
  ADD_FAILURE() << "no " << group << '/' << version << ' ' << plural;
  return kResources[0];
}

FieldSet FromText(std::string_view fields_v1) {
  return *FieldSet::FromJson(*reflect::ParseJson(fields_v1));
}

std::string Filtered(const Resource& resource, std::string_view subresource,
                     std::string_view api_version, std::string_view fields_v1) {
  const FieldFilter filter = OwnedFields(resource, subresource);
  if (!filter) return std::string(fields_v1);
  return ToText(filter(api_version, FromText(fields_v1)).ToJson());
}

constexpr const char* kAll =
    R"({"f:metadata":{"f:deletionTimestamp":{},"f:labels":{"f:a":{}},"f:ownerReferences":{}},)"
    R"("f:spec":{"f:replicas":{}},)"
    R"("f:status":{"f:certificate":{},"f:conditions":{"f:x":{}},"f:phase":{}}})";

TEST(ApplyRulesTest, ResetFields) {
  const struct {
    std::string_view group;
    std::string_view version;
    std::string_view plural;
    std::string_view subresource;
    std::string_view api_version;
    const char* left;
  } cases[] = {
      {"", "v1", "pods", "", "v1",
       R"({"f:metadata":{"f:deletionTimestamp":{},"f:labels":{"f:a":{}},"f:ownerReferences":{}},)"
       R"("f:spec":{"f:replicas":{}}})"},
      {"", "v1", "pods", "status", "v1",
       R"({"f:metadata":{"f:labels":{"f:a":{}}},)"
       R"("f:status":{"f:certificate":{},"f:conditions":{"f:x":{}},"f:phase":{}}})"},
      {"", "v1", "namespaces", "finalize", "v1",
       R"({"f:metadata":{"f:deletionTimestamp":{},"f:labels":{"f:a":{}},"f:ownerReferences":{}},)"
       R"("f:spec":{"f:replicas":{}}})"},
      {"apps", "v1", "deployments", "status", "apps/v1",
       R"({"f:metadata":{"f:deletionTimestamp":{},"f:ownerReferences":{}},)"
       R"("f:status":{"f:certificate":{},"f:conditions":{"f:x":{}},"f:phase":{}}})"},
      {"certificates.k8s.io", "v1", "certificatesigningrequests", "", "certificates.k8s.io/v1",
       R"({"f:metadata":{"f:deletionTimestamp":{},"f:labels":{"f:a":{}},"f:ownerReferences":{}}})"},
      {"certificates.k8s.io", "v1", "certificatesigningrequests", "approval",
       "certificates.k8s.io/v1",
       R"({"f:metadata":{"f:deletionTimestamp":{},"f:labels":{"f:a":{}},"f:ownerReferences":{}},)"
       R"("f:status":{"f:conditions":{"f:x":{}},"f:phase":{}}})"},
      {"storage.k8s.io", "v1", "volumeattachments", "status", "storage.k8s.io/v1",
       R"({"f:status":{"f:certificate":{},"f:conditions":{"f:x":{}},"f:phase":{}}})"},
      // Every version of the resource.
      {"autoscaling", "v2", "horizontalpodautoscalers", "status", "autoscaling/v1",
       R"({"f:metadata":{"f:deletionTimestamp":{},"f:labels":{"f:a":{}},"f:ownerReferences":{}},)"
       R"("f:status":{"f:certificate":{},"f:conditions":{"f:x":{}},"f:phase":{}}})"},
      // Other versions, other resources, other subresources: nothing.
      {"apps", "v1", "deployments", "status", "apps/v7", kAll},
      {"", "v1", "configmaps", "", "v1", kAll},
      {"apps", "v1", "deployments", "scale", "apps/v1", kAll},
      {"networking.k8s.io", "v1", "servicecidrs", "status", "networking.k8s.io/v1", kAll},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(
        Filtered(ResourceOf(c.group, c.version, c.plural), c.subresource, c.api_version, kAll),
        c.left)
        << c.plural << ' ' << c.subresource;
  }
}

TEST(ApplyRulesTest, SubresourcesThatKeepALittle) {
  const Resource& pods = ResourceOf("", "v1", "pods");
  constexpr const char* kPod =
      R"({"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"a\"}":)"
      R"({".":{},"f:image":{},"f:resizePolicy":{},"f:resources":{"f:limits":{"f:cpu":{}}}},)"
      R"("k:{\"name\":\"b\"}":{"f:image":{}}},)"
      R"("f:ephemeralContainers":{"k:{\"name\":\"d\"}":{".":{},"f:image":{}}}}})";
  EXPECT_EQ(Filtered(pods, "resize", "v1", kPod),
            R"({"f:spec":{"f:containers":{"k:{\"name\":\"a\"}":)"
            R"({".":{},"f:resizePolicy":{},"f:resources":{"f:limits":{"f:cpu":{}}}}}}})");
  EXPECT_EQ(Filtered(pods, "ephemeralcontainers", "v1", kPod),
            R"({"f:spec":{"f:ephemeralContainers":{"k:{\"name\":\"d\"}":{".":{},"f:image":{}}}}})");
  EXPECT_EQ(Filtered(pods, "resize", "v2", kPod), kPod);
}

// Whoever has a status subresource has rules for both, but servicecidrs.
TEST(ApplyRulesTest, EveryStatusIsReset) {
  for (const Resource& resource : kResources) {
    const bool expected =
        resource.FindSubresource("status") != nullptr && resource.plural != "servicecidrs";
    EXPECT_EQ(static_cast<bool>(OwnedFields(resource, "status")), expected) << resource.plural;
    EXPECT_EQ(static_cast<bool>(OwnedFields(resource, "")), expected) << resource.plural;
  }
}

TEST(ApplyRulesTest, CustomResources) {
  const auto left = [](bool has_status, std::string_view subresource) {
    const FieldFilter filter = CustomOwnedFields("a.b/v1", has_status, subresource);
    return filter ? ToText(filter("a.b/v1", FromText(R"({"f:metadata":{"f:labels":{}},"f:spec":{},)"
                                                     R"("f:status":{}})"))
                               .ToJson())
                  : "all";
  };
  EXPECT_EQ(left(true, ""), R"({"f:metadata":{"f:labels":{}},"f:spec":{}})");
  EXPECT_EQ(left(true, "status"), R"({"f:metadata":{"f:labels":{}},"f:status":{}})");
  EXPECT_EQ(left(true, "scale"), "all");
  EXPECT_EQ(left(false, ""), "all");
}

TEST(ApplyRulesTest, Replicas) {
  const reflect::FieldPathElements path{PathElement::Field("spec"), PathElement::Field("replicas")};
  for (const Resource& resource : kResources) {
    const reflect::ReplicasPaths paths = ReplicasPathsOf(resource);
    const bool scales = resource.plural == "deployments" || resource.plural == "replicasets" ||
                        resource.plural == "statefulsets" ||
                        resource.plural == "replicationcontrollers";
    ASSERT_EQ(!paths.empty(), scales) << resource.plural;
    if (!scales) continue;
    const auto found = paths.find(resource.group.empty() ? "v1" : "apps/v1");
    ASSERT_NE(found, paths.end());
    EXPECT_EQ(Shown(found->second), ".spec.replicas");
  }
  const CustomScale versions[] = {{"a.b/v1", ".spec.size.count"}, {"a.b/v2", ""}};
  const reflect::ReplicasPaths paths = CustomReplicasPaths(versions);
  ASSERT_EQ(paths.size(), 2U);
  EXPECT_EQ(Shown(paths.at("a.b/v1")), ".spec.size.count");
  EXPECT_TRUE(paths.at("a.b/v2").empty());
}

}  // namespace
}  // namespace podium::api
