// Objects as large as a request may be, of the forms for which checks could take time or memory
// that grows with more than their size.
#include "api/validation/hostile_objects.h"

#include <string>
#include <string_view>

#include "api/types/apiextensions_v1.h"
#include "api/types/core_v1.h"
#include "api/types/networking_v1.h"
#include "api/types/storage_v1.h"

namespace podium::api {
namespace {

TEST(HostileObjects, QuotaOfManyScopes) {
  const auto quota = [](const std::string& spec) {
    return R"({"metadata":{"name":"q","namespace":"n"},"spec":{)" + spec + "}}";
  };
  const auto scopes = [&](std::string_view scope) {
    return quota("\"scopes\":[" + Repeated(scope, 50'000) + "]");
  };
  EXPECT_EQ(CountOfCreate<core::v1::ResourceQuota>(scopes("\"Terminating\"")), 0U);
  EXPECT_GT(CountOfCreate<core::v1::ResourceQuota>(scopes("\"X\"")), 0U);
  const auto selector = [&](std::string_view expression) {
    return quota(R"("scopeSelector":{"matchExpressions":[)" + Repeated(expression, 15'000) + "]}");
  };
  EXPECT_EQ(CountOfCreate<core::v1::ResourceQuota>(
                selector(R"({"scopeName":"Terminating","operator":"Exists"})")),
            0U);
  EXPECT_GT(
      CountOfCreate<core::v1::ResourceQuota>(selector(R"({"scopeName":"X","operator":"Exists"})")),
      0U);
}

std::string Definition(const std::string& versions) {
  return R"({"metadata":{"name":"cups.example.com"},"spec":{"group":"example.com",
    "scope":"Namespaced","names":{"plural":"cups","kind":"Cup"},"versions":[)" +
         versions + R"(]},"status":{"storedVersions":["v0"]}})";
}

std::string Version(const std::string& schema) {
  return R"({"name":"v0","served":true,"storage":true,"schema":{"openAPIV3Schema":)" + schema +
         "}}";
}

using apiextensions::v1::CustomResourceDefinition;

TEST(HostileObjects, DefinitionOfManyKeys) {
  const auto list = [](std::string_view key, const std::string& element) {
    return Definition(Version(
        R"({"type":"object","properties":{"a":{"type":"array","x-kubernetes-list-type":"map",
            "x-kubernetes-list-map-keys":[)" +
        Repeated(key, 100'000) + R"(],"items":{"type":"object",)" + element + "}}}}"));
  };
  EXPECT_GT(CountOfCreate<CustomResourceDefinition>(list("\"k\"", R"("nullable":false)")), 0U);
  const std::string required =
      R"("properties":{"k":{"type":"string"}},"required":[)" + Repeated("\"x#\"", 100'000) + "]";
  EXPECT_GT(CountOfCreate<CustomResourceDefinition>(list("\"k\"", required)), 0U);
}

TEST(HostileObjects, DefinitionOfManyRules) {
  const std::string rules = Repeated(R"({"rule":"true","message":"m","fieldPath":".a"})", 30'000);
  EXPECT_EQ(CountOfCreate<CustomResourceDefinition>(
                Definition(Version(R"({"type":"object","properties":{"a":{"type":"string"}},)"
                                   R"("x-kubernetes-validations":[)" +
                                   rules + "]}"))),
            0U);
}

TEST(HostileObjects, DefinitionOfManyVersions) {
  const std::string versions = Repeated(
      R"({"name":"v#","served":true,"storage":false,"subresources":{"scale":{"specReplicasPath":"#"}}})",
      20'000);
  EXPECT_GT(CountOfCreate<CustomResourceDefinition>(Definition(versions)), 0U);
}

TEST(HostileObjects, StorageOfManyParts) {
  EXPECT_EQ(CountOfCreate<storage::v1::StorageClass>(
                R"({"metadata":{"name":"s"},"provisioner":"p","allowedTopologies":[)" +
                Repeated("{}", 250'000) + "]}"),
            10'001U);
  const std::string drivers =
      R"({"metadata":{"name":"n","resourceVersion":"1"},"spec":{"drivers":[)" +
      Repeated(R"({"name":"d#","nodeID":"n","topologyKeys":null})", 30'000) + "]}}";
  EXPECT_EQ(CountOfUpdate<storage::v1::CSINode>(drivers, drivers), 0U);
}

TEST(HostileObjects, PolicyOfManyRanges) {
  const auto policy = [](std::string_view range) {
    return R"({"metadata":{"name":"p","namespace":"n","resourceVersion":"1"},"spec":{
      "podSelector":{},"ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.0/8","except":[)" +
           Repeated(range, 40'000) + "]}}]}]}}";
  };
  EXPECT_EQ(CountOfUpdate<networking::v1::NetworkPolicy>(policy("\"10.1.0.0/16\""),
                                                         policy("\"10.1.0.0/16\"")),
            0U);
  EXPECT_EQ(CountOfUpdate<networking::v1::NetworkPolicy>(policy("\"10.0.0.#/33\""),
                                                         policy("\"10.0.0.#/32\"")),
            10'001U);
}

}  // namespace
}  // namespace podium::api
