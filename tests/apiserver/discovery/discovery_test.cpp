#include "apiserver/discovery/discovery.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "api/status.h"
#include "api/types/apidiscovery_v2.h"
#include "api/types/meta_v1.h"
#include "apiserver/read_support.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "reflect/protobuf.h"

namespace podium::apiserver {
namespace {

class SetClock : public Clock {
 public:
  int64_t Now() const override { return now; }
  std::atomic<int64_t> now = kNoon;
};

// Timers that fire when they are told to.
class HandExecutor : public Executor {
 public:
  void Post(Task task) override { tasks.push_back(std::move(task)); }
  TimerId PostAfter(std::chrono::nanoseconds /*delay*/, Task task) override {
    tasks.push_back(std::move(task));
    return tasks.size();
  }
  void Cancel(TimerId /*timer*/) override { ++cancelled; }
  void Fire() {
    std::vector<Task> due;
    due.swap(tasks);
    for (const Task& task : due) task();
  }
  std::vector<Task> tasks;
  int cancelled = 0;
};

class DiscoveryTest : public testing::Test {
 protected:
  Answer Get(const std::string& target, http::Headers headers = {}) {
    const CallPtr call = MakeCall(target, std::move(headers));
    auto answer = discovery_.Serve(call, catalog_);
    if (!answer.ok()) return Answer{.status = api::StatusOf(answer.error()).code};
    EXPECT_TRUE(answer->has_value()) << target;
    return answer->has_value() ? *std::move(*answer) : Answer{.status = 0};
  }

  SetClock clock_;
  HandExecutor executor_;
  const CatalogPtr catalog_ = Catalog::Make({});
  Discovery discovery_{"10.0.0.1:6443", clock_, executor_};
};

TEST_F(DiscoveryTest, GroupsAndVersions) {
  EXPECT_EQ(
      Get("/api").body,
      R"({"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[{"clientCIDR":"0.0.0.0/0","serverAddress":"10.0.0.1:6443"}]})"
      "\n");
  EXPECT_EQ(
      Get("/apis/autoscaling").body,
      R"({"kind":"APIGroup","apiVersion":"v1","name":"autoscaling","versions":[{"groupVersion":"autoscaling/v2","version":"v2"},{"groupVersion":"autoscaling/v1","version":"v1"}],"preferredVersion":{"groupVersion":"autoscaling/v2","version":"v2"}})"
      "\n");
  const auto groups = reflect::FromJson<api::meta::v1::APIGroupList>(Get("/apis").body);
  ASSERT_TRUE(groups.ok());
  EXPECT_EQ(groups->groups[0].name, "apps");
  for (const auto& group : groups->groups) {
    EXPECT_FALSE(group.name.empty());
    EXPECT_NE(group.name, "resource.k8s.io") << "what is not served is not told";
  }
  EXPECT_EQ(Get("/apis/none").status, 404);
  EXPECT_EQ(Get("/apis/apps/v9").status, 404);
  EXPECT_EQ(Get("/api/v1/").status, 200);
}

TEST_F(DiscoveryTest, Resources) {
  const std::string core = Get("/api/v1").body;
  EXPECT_TRUE(core.starts_with(
      R"({"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"bindings","singularName":"binding","namespaced":true,"kind":"Binding","verbs":["create"]},)"))
      << core.substr(0, 300);
  EXPECT_NE(
      core.find(
          R"({"name":"pods/eviction","singularName":"","namespaced":true,"group":"policy","version":"v1","kind":"Eviction","verbs":["create"]})"),
      std::string::npos);
  const std::string apps = Get("/apis/apps/v1").body;
  EXPECT_TRUE(apps.starts_with(
      R"({"kind":"APIResourceList","apiVersion":"v1","groupVersion":"apps/v1","resources":[)"));
  EXPECT_NE(
      apps.find(
          R"({"name":"deployments","singularName":"deployment","namespaced":true,"kind":"Deployment","verbs":["create","delete","deletecollection","get","list","patch","update","watch"],"shortNames":["deploy"],"categories":["all"],"storageVersionHash":"8aSe+NMegvE="})"),
      std::string::npos);
}

TEST_F(DiscoveryTest, TheAggregatedForm) {
  const std::string accept =
      "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
  const Answer answer = Get("/apis", {{"Accept", accept}});
  EXPECT_EQ(answer.headers.Get("Content-Type"),
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
  const auto list = reflect::FromJson<api::apidiscovery::v2::APIGroupDiscoveryList>(answer.body);
  ASSERT_TRUE(list.ok()) << list.error().message();
  EXPECT_EQ(list->items[0].metadata.name, "apps");
  const auto& deployments = list->items[0].versions[0].resources[2];
  EXPECT_EQ(deployments.resource, "deployments");
  EXPECT_EQ(deployments.subresources[0].subresource, "scale");
  EXPECT_EQ(deployments.subresources[0].responseKind->group, "autoscaling");
  // A client that has it gets it no second time.
  const std::string tag(answer.headers.Get("ETag"));
  EXPECT_EQ(tag.size(), 130U);
  const Answer same = Get("/apis", {{"Accept", accept}, {"If-None-Match", tag}});
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
  const auto core = reflect::FromJson<api::apidiscovery::v2::APIGroupDiscoveryList>(
      Get("/api", {{"Accept", accept}}).body);
  ASSERT_TRUE(core.ok());
  ASSERT_EQ(core->items.size(), 1U);
  EXPECT_EQ(core->items[0].metadata.name, "");
  // The form of old, for who wants another version of it.
  const Answer old =
      Get("/apis",
          {{"Accept",
            "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/"
            "json"}});
  EXPECT_TRUE(old.body.starts_with(R"({"kind":"APIGroupList")"));
  const Answer protobuf = Get(
      "/apis", {{"Accept",
                 "application/"
                 "vnd.kubernetes.protobuf;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}});
  EXPECT_TRUE(reflect::HasEnvelope(protobuf.body));
}

TEST_F(DiscoveryTest, Version) {
  const auto version = reflect::ParseJson(Get("/version").body);
  ASSERT_TRUE(version.ok());
  EXPECT_EQ(version->Find("minor")->string(), "36");
  EXPECT_TRUE(version->Find("gitVersion")->string().starts_with("v1.36."));
}

TEST_F(DiscoveryTest, OpenApiOfTheOldForm) {
  const Answer json = Get("/openapi/v2");
  EXPECT_EQ(json.headers.Get("Content-Type"), "application/json");
  EXPECT_TRUE(json.body.starts_with("{\"swagger\":\"2.0\""));
  const Answer protobuf = Get(
      "/openapi/v2", {{"Accept", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"}});
  EXPECT_EQ(protobuf.headers.Get("Content-Type"),
            "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
  EXPECT_NE(protobuf.body, json.body);
  const std::string tag(json.headers.Get("ETag"));
  EXPECT_EQ(Get("/openapi/v2", {{"If-None-Match", tag}}).status, 304);
  EXPECT_EQ(Get("/openapi/v2", {{"Accept", "text/html"}}).status, 406);
}

// What the tables have and the server does not serve is named nowhere.
TEST_F(DiscoveryTest, OpenApiHasWhatIsServed) {
  const auto document = reflect::ParseJson(Get("/openapi/v2").body);
  ASSERT_TRUE(document.ok());
  const auto has_path = [&](std::string_view path) {
    return document->Find("paths")->Find(path) != nullptr;
  };
  const auto defines = [&](std::string_view name) {
    return document->Find("definitions")->Find(name) != nullptr;
  };
  const std::string hooks = "/apis/admissionregistration.k8s.io/v1/";
  EXPECT_TRUE(has_path(hooks + "validatingwebhookconfigurations"));
  EXPECT_FALSE(has_path(hooks + "validatingadmissionpolicies"));
  EXPECT_FALSE(has_path("/apis/resource.k8s.io/"));
  EXPECT_FALSE(has_path("/apis/resource.k8s.io/v1/resourceclaims"));
  EXPECT_FALSE(has_path("/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas"));
  EXPECT_FALSE(defines("io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy"));
  EXPECT_FALSE(defines("io.k8s.api.flowcontrol.v1.FlowSchemaList"));
  EXPECT_FALSE(defines("io.k8s.api.resource.v1.ResourceClaim"));
  // Shared with what is served.
  EXPECT_TRUE(defines("io.k8s.api.admissionregistration.v1.RuleWithOperations"));
  size_t groups = 0;
  for (const auto& [path, item] : document->Find("paths")->object()) {
    const std::string_view rest = std::string_view(path).substr(path.starts_with("/apis/") ? 6 : 0);
    if (rest.empty() || !path.starts_with("/apis/")) continue;
    ++groups;
    EXPECT_TRUE(catalog_->HasGroup(rest.substr(0, rest.find('/')))) << path;
  }
  EXPECT_GT(groups, 10U);

  const auto index = reflect::ParseJson(Get("/openapi/v3").body);
  ASSERT_TRUE(index.ok());
  EXPECT_EQ(index->Find("paths")->Find("apis/resource.k8s.io/v1"), nullptr);
  EXPECT_EQ(index->Find("paths")->Find("apis/flowcontrol.apiserver.k8s.io"), nullptr);
  EXPECT_EQ(Get("/openapi/v3/apis/resource.k8s.io/v1").status, 404);
}

TEST_F(DiscoveryTest, OpenApiByGroups) {
  const auto index = reflect::ParseJson(Get("/openapi/v3").body);
  ASSERT_TRUE(index.ok());
  const auto* apps = index->Find("paths")->Find("apis/apps/v1");
  ASSERT_NE(apps, nullptr);
  const std::string url = apps->Find("serverRelativeURL")->string();
  const Answer answer = Get(url);
  EXPECT_EQ(answer.status, 200) << url;
  EXPECT_EQ(answer.headers.Get("Cache-Control"), "public, immutable");
  const Answer moved = Get("/openapi/v3/apis/apps/v1?hash=OLD");
  EXPECT_EQ(moved.status, 301);
  EXPECT_EQ(moved.headers.Get("Location"), url);
  EXPECT_EQ(Get("/openapi/v3/apis/none/v1").status, 404);
  EXPECT_EQ(Get("/openapi/v3/v2").status, 404);
}

TEST_F(DiscoveryTest, DocumentsGoWhenNobodyAsks) {
  EXPECT_EQ(discovery_.cached_bytes(), 0U);
  (void)Get("/openapi/v2");
  EXPECT_GT(discovery_.cached_bytes(), 1'000'000U);
  clock_.now += int64_t{4} * 60 * kNanosPerSecond;
  executor_.Fire();
  EXPECT_GT(discovery_.cached_bytes(), 0U);
  clock_.now += int64_t{2} * 60 * kNanosPerSecond;
  executor_.Fire();
  EXPECT_EQ(discovery_.cached_bytes(), 0U);
  EXPECT_TRUE(executor_.tasks.empty()) << "an idle server has no timer for it";
  // Those of a catalog go with the first document of the next one.
  (void)Get("/openapi/v2");
  (void)Get("/openapi/v3/apis/apps/v1");
  const size_t both = discovery_.cached_bytes();
  ASSERT_TRUE(discovery_.Serve(MakeCall("/openapi/v3/apis/apps/v1"), Catalog::Make({})).ok());
  EXPECT_LT(discovery_.cached_bytes(), both);
}

TEST_F(DiscoveryTest, WhatIsElsewhere) {
  for (const std::string path : {"/", "/healthz", "/openapi", "/apisx", "/metrics"}) {
    const auto answer = discovery_.Serve(MakeCall(path), catalog_);
    ASSERT_TRUE(answer.ok());
    EXPECT_FALSE(answer->has_value()) << path;
  }
  EXPECT_FALSE(discovery_.Serve(MakeCall("/version", {}, "POST"), catalog_).ok());
}

}  // namespace
}  // namespace podium::apiserver
