// What upstream's resource_quota_controller_test.go asks (what is counted of a quota, whatever its
// status was, and what is a reason to count anew), and where this one does more.
#include "controllers/resource_quota.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <string>
#include <thread>

#include "api/types/apps_v1.h"
#include "controllers/cluster.h"

namespace podium::controllers {
namespace {

using namespace std::chrono_literals;
using api::core::v1::ConfigMap;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using api::core::v1::ResourceQuota;
using api::core::v1::Secret;
using api::core::v1::Service;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

using Amounts = std::map<std::string, std::string>;

reflect::Map<api::Quantity> Quantities(const Amounts& amounts) {
  reflect::Map<api::Quantity> quantities;
  for (const auto& [name, text] : amounts) quantities[name] = *api::Quantity::Parse(text);
  return quantities;
}
Amounts Texts(const reflect::Map<api::Quantity>& quantities) {
  Amounts texts;
  for (const auto& [name, quantity] : quantities) texts[name] = quantity.String();
  return texts;
}

Pod PodOf(const std::string& name, const std::string& cpu, const std::string& phase = "Running") {
  Pod pod;
  pod.metadata.namespace_ = "a";
  pod.metadata.name = name;
  auto& container = pod.spec.containers.emplace_back();
  container.name = "c";
  if (!cpu.empty()) container.resources.requests = Quantities({{"cpu", cpu}});
  pod.status.phase = phase;
  return pod;
}

ResourceQuota QuotaOf(const Amounts& hard, const Amounts& status_hard = {},
                      const Amounts& used = {}) {
  ResourceQuota quota;
  quota.metadata.namespace_ = "a";
  quota.metadata.name = "q";
  quota.spec.hard = Quantities(hard);
  quota.status.hard = Quantities(status_hard);
  quota.status.used = Quantities(used);
  return quota;
}

template <class T>
client::SharedObject Share(T object) {
  return std::make_shared<const T>(std::move(object));
}

TEST(RecountQuota, PodsThatAreOverUseTheirCountAlone) {
  const CountedResource pods{
      .resource = "pods",
      .objects = {Share(PodOf("one", "500m")), Share(PodOf("two", "1500m")),
                  Share(PodOf("done", "1", "Succeeded")), Share(PodOf("sad", "1", "Failed"))}};
  const auto status = RecountQuota(
      QuotaOf({{"cpu", "3"}, {"pods", "9"}, {"count/pods", "9"}, {"requests.memory", "1Gi"}}),
      {pods}, 0);
  EXPECT_EQ(
      Texts(status.hard),
      (Amounts{{"cpu", "3"}, {"pods", "9"}, {"count/pods", "9"}, {"requests.memory", "1Gi"}}));
  EXPECT_EQ(Texts(status.used),
            (Amounts{{"cpu", "2"}, {"pods", "2"}, {"count/pods", "4"}, {"requests.memory", "0"}}));
}

TEST(RecountQuota, WhatNobodyCountsStaysAndWhatIsNotLimitedGoes) {
  const auto status =
      RecountQuota(QuotaOf({{"pods", "5"}, {"count/things.example.com", "2"}, {"count/new.x", "1"}},
                           {}, {{"count/things.example.com", "1"}, {"cpu", "7"}, {"pods", "3"}}),
                   {{.resource = "pods"}}, 0);
  EXPECT_EQ(Texts(status.used), (Amounts{{"count/things.example.com", "1"}, {"pods", "0"}}));
}

TEST(RecountQuota, ScopesGoByTheSpec) {
  ResourceQuota quota = QuotaOf({{"pods", "5"}});
  quota.spec.scopes = {"BestEffort"};
  const auto status = RecountQuota(
      quota, {{.resource = "pods", .objects = {Share(PodOf("a", "1")), Share(PodOf("b", ""))}}}, 0);
  EXPECT_EQ(Texts(status.used), (Amounts{{"pods", "1"}}));
}

class ResourceQuotaTest : public ControllersTest {
 public:
  Amounts Used() { return Texts(Get<ResourceQuota>("a", "q")->status.used); }
};

TEST_F(ResourceQuotaTest, NothingIsFollowedThatNoQuotaNames) {
  const auto controller = MakeResourceQuotaController(Context());
  Start(*controller);
  time.RunFor(10min);
  EXPECT_EQ(server.watches(), 1U);  // quotas
  Put(QuotaOf({{"services", "2"}}));
  time.RunFor(1s);
  EXPECT_EQ(server.watches(), 2U);
  EXPECT_EQ(Used(), (Amounts{{"services", "0"}}));
  EXPECT_EQ(server.calls("update"), 1);
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(ResourceQuotaTest, GivesBackWhatGoesAndWhatIsOver) {
  Put(QuotaOf({{"pods", "9"}, {"requests.cpu", "9"}}));
  Put(PodOf("stays", "1"));
  Put(PodOf("goes", "2"));
  Put(PodOf("ends", "4"));
  const auto controller = MakeResourceQuotaController(Context());
  Start(*controller);
  EXPECT_EQ(Used(), (Amounts{{"pods", "3"}, {"requests.cpu", "7"}}));
  Delete<Pod>("a", "goes");
  time.RunFor(100ms);
  EXPECT_EQ(Used(), (Amounts{{"pods", "2"}, {"requests.cpu", "5"}}));
  Pod over = reflect::Copy(*Get<Pod>("a", "ends"));
  over.status.phase = "Succeeded";
  client::Target status = At<Pod>("a", "ends");
  status.subresource = "status";
  ASSERT_TRUE(server.Update(status, over, {}).ok());
  time.RunFor(100ms);
  EXPECT_EQ(Used(), (Amounts{{"pods", "1"}, {"requests.cpu", "1"}}));
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(ResourceQuotaTest, ChangesThatUseAsMuchCountNothing) {
  Put(QuotaOf({{"pods", "9"}}));
  Put(PodOf("stays", "1"));
  const auto controller = MakeResourceQuotaController(Context());
  Start(*controller);
  // Somebody's hand in the status is seen at the next count, which a new label is no reason for.
  ResourceQuota wrong = reflect::Copy(*Get<ResourceQuota>("a", "q"));
  wrong.status.used = Quantities({{"pods", "8"}});
  client::Target status = At<ResourceQuota>("a", "q");
  status.subresource = "status";
  ASSERT_TRUE(server.Update(status, wrong, {}).ok());
  Pod labelled = reflect::Copy(*Get<Pod>("a", "stays"));
  labelled.metadata.labels["a"] = "b";
  ASSERT_TRUE(server.Update(At<Pod>("a", "stays"), labelled, {}).ok());
  time.RunFor(10s);
  EXPECT_EQ(Used(), (Amounts{{"pods", "8"}}));
  time.RunFor(5min);
  EXPECT_EQ(Used(), (Amounts{{"pods", "1"}}));
}

TEST_F(ResourceQuotaTest, TheSpecIsTakenOver) {
  Put(QuotaOf({{"configmaps", "3"}}, {{"configmaps", "3"}}, {{"configmaps", "0"}}));
  PutIn<ConfigMap>("a", "one");
  PutIn<ConfigMap>("b", "elsewhere");
  const auto controller = MakeResourceQuotaController(Context());
  Start(*controller);
  EXPECT_EQ(Used(), (Amounts{{"configmaps", "1"}}));
  ResourceQuota changed = reflect::Copy(*Get<ResourceQuota>("a", "q"));
  changed.spec.hard = Quantities({{"configmaps", "4"}, {"count/secrets", "2"}});
  ASSERT_TRUE(server.Update(At<ResourceQuota>("a", "q"), changed, {}).ok());
  time.RunFor(1s);
  EXPECT_EQ(Used(), (Amounts{{"configmaps", "1"}, {"count/secrets", "0"}}));
  EXPECT_EQ(Texts(Get<ResourceQuota>("a", "q")->status.hard),
            (Amounts{{"configmaps", "4"}, {"count/secrets", "2"}}));
}

TEST_F(ResourceQuotaTest, KindsThatComeLaterAreFound) {
  Put(QuotaOf({{"count/deployments.apps", "3"}, {"configmaps", "3"}}));
  PutIn<api::apps::v1::Deployment>("a", "web");
  const auto controller = MakeResourceQuotaController(Context());
  Start(*controller);
  EXPECT_EQ(Used(), (Amounts{{"configmaps", "0"}}));
  server.groups = R"({"groups":[{"name":"apps",
    "versions":[{"groupVersion":"apps/v1","version":"v1"}],
    "preferredVersion":{"groupVersion":"apps/v1","version":"v1"}}]})";
  server.documents["/apis/apps/v1"] = R"({"groupVersion":"apps/v1","resources":[
    {"name":"deployments","namespaced":true,"kind":"Deployment","verbs":["list","watch","delete"]}]})";
  time.RunFor(31s);
  EXPECT_EQ(Used(), (Amounts{{"configmaps", "0"}, {"count/deployments.apps", "1"}}));
  Delete<api::apps::v1::Deployment>("a", "web");
  time.RunFor(1s);
  EXPECT_EQ(Used(), (Amounts{{"configmaps", "0"}, {"count/deployments.apps", "0"}}));
}

TEST_F(ResourceQuotaTest, AKindThatGoesIsAskedForNoMoreUntilItIsThereAgain) {
  Put(QuotaOf({{"count/deployments.apps", "3"}}));
  PutIn<api::apps::v1::Deployment>("a", "web");
  const std::string there = R"({"groups":[{"name":"apps",
    "versions":[{"groupVersion":"apps/v1","version":"v1"}],
    "preferredVersion":{"groupVersion":"apps/v1","version":"v1"}}]})";
  server.groups = there;
  server.documents["/apis/apps/v1"] = R"({"groupVersion":"apps/v1","resources":[
    {"name":"deployments","namespaced":true,"kind":"Deployment","verbs":["list","watch","delete"]}]})";
  const auto controller = MakeResourceQuotaController(Context());
  Start(*controller);
  time.RunFor(31s);
  EXPECT_EQ(Used(), (Amounts{{"count/deployments.apps", "1"}}));
  Delete<api::apps::v1::Deployment>("a", "web");
  time.RunFor(1s);
  int asked = 0;
  server.groups = R"({"groups":[]})";
  server.SetFault([&](std::string_view, const client::Target& target) -> std::optional<Error> {
    if (target.resource != "deployments") return std::nullopt;
    ++asked;
    return Error(Code::kNotFound, "the server could not find the requested resource");
  });
  server.EndWatches();
  time.RunFor(10min);
  EXPECT_GT(asked, 0);
  asked = 0;
  time.RunFor(60min);
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(Used(), (Amounts{{"count/deployments.apps", "0"}}));
  server.SetFault({});
  server.groups = there;
  PutIn<api::apps::v1::Deployment>("a", "again");
  time.RunFor(60s);
  EXPECT_EQ(Used(), (Amounts{{"count/deployments.apps", "1"}}));
}

TEST_F(ResourceQuotaTest, AKindThatCannotBeListedHoldsUpNoOther) {
  Put(QuotaOf({{"secrets", "3"}, {"configmaps", "3"}}, {}, {{"secrets", "2"}}));
  server.SetFault([](std::string_view verb, const client::Target& target) -> std::optional<Error> {
    if (verb == "list" && target.resource == "secrets") return Error(Code::kUnavailable, "no");
    return std::nullopt;
  });
  const auto controller = MakeResourceQuotaController(Context());
  Start(*controller);
  EXPECT_EQ(Used(), (Amounts{{"configmaps", "0"}, {"secrets", "2"}}));
  server.SetFault({});
  time.RunFor(60s);
  EXPECT_EQ(Used(), (Amounts{{"configmaps", "0"}, {"secrets", "0"}}));
}

// A count that came between admission's charge of a creation and the creation itself.
TEST_F(ResourceQuotaTest, ACreationIsCountedOnceMore) {
  Put(QuotaOf({{"pods", "2"}}));
  const auto controller = MakeResourceQuotaController(Context());
  Start(*controller);
  EXPECT_EQ(Used(), (Amounts{{"pods", "0"}}));
  Put(PodOf("late", "1"));
  time.RunFor(2s);
  EXPECT_EQ(Used(), (Amounts{{"pods", "1"}}));
}

// A count that goes on while the controller ends must not leave a handler behind.
TEST(ResourceQuotaThreads, EndsNotBeforeItsLastCount) {
  SystemClock clock;
  Cluster server(clock);
  server.groups = R"({"groups":[{"name":"apps",
    "versions":[{"groupVersion":"apps/v1","version":"v1"}],
    "preferredVersion":{"groupVersion":"apps/v1","version":"v1"}}]})";
  server.documents["/apis/apps/v1"] = R"({"groupVersion":"apps/v1","resources":[
    {"name":"deployments","namespaced":true,"kind":"Deployment","verbs":["list","watch","delete"]}]})";
  std::promise<void> begun;
  std::promise<void> released;
  server.on_groups = [&] {
    begun.set_value();
    released.get_future().wait();
  };
  const ResourceQuota quota = QuotaOf({{"count/deployments.apps", "3"}});
  ASSERT_TRUE(server.Create({"", "v1", "resourcequotas", "a"}, quota, {}).ok());
  api::apps::v1::Deployment deployment;
  deployment.metadata.namespace_ = "a";
  deployment.metadata.name = "web";
  ASSERT_TRUE(server.Create({"apps", "v1", "deployments", "a"}, deployment, {}).ok());
  ThreadExecutor executor(4);
  client::InformerFactory informers(server, {.executor = &executor, .clock = &clock});
  auto controller = MakeResourceQuotaController(
      {.connection = &server, .informers = &informers, .executor = &executor, .clock = &clock});
  controller->Start();
  informers.Start();
  begun.get_future().wait();
  std::thread releaser([&] {
    std::this_thread::sleep_for(50ms);
    released.set_value();
  });
  controller.reset();
  releaser.join();
  // What is still told of goes to nobody.
  ASSERT_TRUE(server.Delete({"apps", "v1", "deployments", "a", "web"}, {}).ok());
  std::this_thread::sleep_for(100ms);
}

}  // namespace
}  // namespace podium::controllers
