#include "cli/server_resources.h"

#include <gtest/gtest.h>

#include <map>

#include "cli/command_line.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

// What a server answers at each path.
using Answers = std::map<std::string, std::string>;

Result<ServerResources> DiscoverFrom(const Answers& answers) {
  return ServerResources::Discover([&](const std::string& path) -> Result<JsonValue> {
    const auto found = answers.find(path);
    if (found == answers.end()) return Error(Code::kNotFound, "no " + path);
    return reflect::ParseJson(found->second);
  });
}

constexpr const char* kCore = R"({"kind": "APIGroupDiscoveryList", "items": [{"metadata": {},
  "versions": [{"version": "v1", "resources": [
    {"resource": "pods", "responseKind": {"kind": "Pod"}, "scope": "Namespaced",
     "singularResource": "pod", "verbs": ["get", "list"], "shortNames": ["po"],
     "categories": ["all"], "subresources": [{"subresource": "status"}]},
    {"resource": "nodes", "responseKind": {"kind": "Node"}, "scope": "Cluster",
     "singularResource": "node", "verbs": ["get"]}]}]}]})";
constexpr const char* kGroups = R"({"kind": "APIGroupDiscoveryList", "items": [
  {"metadata": {"name": "metrics.example.com"}, "versions": [
    {"version": "v2", "resources": [
      {"resource": "pods", "responseKind": {"kind": "PodMetrics"}, "scope": "Namespaced",
       "singularResource": "pod", "verbs": ["get"]},
      {"resource": "pos", "responseKind": {"kind": "PointOfSale"}, "scope": "Cluster",
       "singularResource": "po", "verbs": ["get"]}]},
    {"version": "v1", "freshness": "Stale", "resources": [
      {"resource": "pods", "responseKind": {"kind": "PodMetrics"}, "scope": "Namespaced",
       "singularResource": "pod", "verbs": ["get"]}]}]}]})";

std::string Resolved(const ServerResources& resources, std::string_view word) {
  const auto found = resources.Resolve(word);
  return found.ok() ? (*found)->GroupResource() + " " + (*found)->version : found.error().message();
}

TEST(ServerResources, WordsThatPeopleSay) {
  const auto resources = DiscoverFrom({{"/api", kCore}, {"/apis", kGroups}});
  ASSERT_TRUE(resources.ok()) << resources.error().message();
  for (const auto& [word, means] : std::map<std::string, std::string>{
           {"pods", "pods v1"},
           {"pod", "pods v1"},
           {"Pod", "pods v1"},
           // A name is stronger than a short name of a group before it.
           {"po", "pos.metrics.example.com v2"},
           {"pods.metrics.example.com", "pods.metrics.example.com v2"},
           {"pods.metrics", "pods.metrics.example.com v2"},
           {"pods.v1.metrics.example.com", "pods.metrics.example.com v1"},
           {"pods.v1.", "pods v1"},
           {"podmetrics", "pods.metrics.example.com v2"},
           {"PointOfSale", "pos.metrics.example.com v2"},
           {"nosuch", "the server doesn't have a resource type \"nosuch\""},
           {"pods.nosuch", "the server doesn't have a resource type \"pods\""}}) {
    EXPECT_EQ(Resolved(*resources, word), means) << word;
  }
  EXPECT_EQ(resources->OfCategory("all").size(), 1U);
  EXPECT_TRUE(resources->OfCategory("none").empty());
  ASSERT_EQ(resources->missing().size(), 1U);
  EXPECT_NE(resources->OfKind("metrics.example.com/v1", "PodMetrics"), nullptr);
  EXPECT_EQ(resources->OfKind("v1", "PodMetrics"), nullptr);
}

TEST(ServerResources, ServersOfOldAreAskedForEachVersion) {
  const auto resources = DiscoverFrom(
      {{"/api", R"({"kind": "APIVersions", "versions": ["v1"]})"},
       {"/api/v1", R"({"resources": [
          {"name": "pods", "singularName": "", "namespaced": true, "kind": "Pod",
           "verbs": ["get"], "shortNames": ["po"]},
          {"name": "pods/log", "namespaced": true, "kind": "Pod", "verbs": ["get"]}]})"},
       {"/apis", R"({"kind": "APIGroupList", "groups": [
          {"name": "apps", "versions": [{"groupVersion": "apps/v1beta1"},
                                        {"groupVersion": "apps/v1"}],
           "preferredVersion": {"groupVersion": "apps/v1"}}]})"},
       {"/apis/apps/v1", R"({"resources": [{"name": "deployments", "singularName": "deployment",
          "namespaced": true, "kind": "Deployment", "verbs": ["get"]}]})"}});
  ASSERT_TRUE(resources.ok()) << resources.error().message();
  EXPECT_EQ(Resolved(*resources, "pod"), "pods v1");
  EXPECT_EQ(Resolved(*resources, "deployment"), "deployments.apps v1");
  EXPECT_EQ(resources->all()[0].subresources, std::vector<std::string>{"log"});
  ASSERT_EQ(resources->missing().size(), 1U);
  EXPECT_EQ(resources->missing()[0].message(), "apps/v1beta1: no /apis/apps/v1beta1");
}

TEST(ServerResources, PathsLeadNowhereElse) {
  const auto resources = DiscoverFrom({{"/api", kCore}, {"/apis", kGroups}});
  ASSERT_TRUE(resources.ok());
  const ServerResource& pods = **resources->Resolve("pods");
  EXPECT_EQ(*pods.Path("ns", "web", "status"), "/api/v1/namespaces/ns/pods/web/status");
  EXPECT_EQ(*pods.Path("", "", ""), "/api/v1/pods");
  EXPECT_EQ(*pods.Path("ns", "a/b?c"), "/api/v1/namespaces/ns/pods/a%2Fb%3Fc");
  EXPECT_FALSE(pods.Path("ns", "..").ok());
  EXPECT_EQ(*(*resources->Resolve("nodes"))->Path("ns", "n"), "/api/v1/nodes/n");
}

constexpr Option kSome[] = {{.name = "output", .letter = 'o', .value = "FORM"},
                            {.name = "dry-run", .value = "HOW", .implied = "client"},
                            {.name = "watch", .letter = 'w'}};

TEST(CommandLine, FormsThatKubectlTakes) {
  const char* words[] = {"-o=json",          "--dry-run", "a",  "-o",  "-o=x",
                         "--dry-run=server", "-w",        "--", "-o=y"};
  EXPECT_EQ(NormalWords(kSome, words),
            (std::vector<std::string>{"-o", "json", "--dry-run=client", "a", "-o", "-o=x",
                                      "--dry-run=server", "-w", "--", "-o=y"}));
  // What is empty stays so, and takes no other word.
  const char* empty[] = {"--output=", "a", "--output=b=", "--dry-run=", "--watch="};
  EXPECT_EQ(
      NormalWords(kSome, empty),
      (std::vector<std::string>{"--output", "", "a", "--output=b=", "--dry-run", "", "--watch="}));
  const char* leading[] = {"-o", "get", "-w", "--output=x", "get", "-w"};
  EXPECT_EQ(LeadingOptions(kSome, leading), 4U);
  const char* cut[] = {"-o"};
  EXPECT_EQ(LeadingOptions(kSome, cut), 1U);
}

}  // namespace
}  // namespace podium::cli
