#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>

#include "api/types/core_v1.h"
#include "controllers/cluster.h"
#include "controllers/discovery.h"
#include "controllers/garbage_collector.h"
#include "controllers/namespace_deletion.h"
#include "controllers/root_ca_publisher.h"
#include "controllers/service_accounts.h"
#include "reflect/copy.h"

namespace podium::controllers {
namespace {

using namespace api::core::v1;  // NOLINT: named once
using namespace std::chrono_literals;
using client::Target;
using testing::ElementsAre;

TEST_F(ControllersTest, EveryNamespaceHasADefaultAccount) {
  PutNamespace("a");
  const auto controller = MakeServiceAccountController(Context());
  Start(*controller);
  EXPECT_NE(Get<ServiceAccount>("a", "default"), nullptr);
  PutNamespace("b");
  time.RunFor(1s);
  EXPECT_NE(Get<ServiceAccount>("b", "default"), nullptr);
  Delete<ServiceAccount>("a", "default");
  time.RunFor(1s);
  EXPECT_NE(Get<ServiceAccount>("a", "default"), nullptr);
  // Not in one that goes.
  Delete<Namespace>("", "a");
  time.RunFor(1s);
  Delete<ServiceAccount>("a", "default");
  time.RunFor(1s);
  EXPECT_EQ(Get<ServiceAccount>("a", "default"), nullptr);
  EXPECT_TRUE(errors.empty());
}

TEST_F(ControllersTest, TheRootCertificateIsPublished) {
  PutNamespace("a");
  const auto controller = MakeRootCaPublisher(Context(), "PEM");
  Start(*controller);
  auto map = Get<ConfigMap>("a", "kube-root-ca.crt");
  ASSERT_NE(map, nullptr);
  EXPECT_EQ(map->data.at("ca.crt"), "PEM");
  ConfigMap changed = reflect::Copy(*map);
  changed.data["ca.crt"] = "forged";
  changed.metadata.annotations["mine"] = "stays";
  ASSERT_TRUE(server.Update(At<ConfigMap>("a", "kube-root-ca.crt"), changed, {}).ok());
  time.RunFor(1s);
  map = Get<ConfigMap>("a", "kube-root-ca.crt");
  EXPECT_EQ(map->data.at("ca.crt"), "PEM");
  EXPECT_EQ(map->metadata.annotations.at("mine"), "stays");
  Delete<ConfigMap>("a", "kube-root-ca.crt");
  time.RunFor(1s);
  EXPECT_NE(Get<ConfigMap>("a", "kube-root-ca.crt"), nullptr);
  const int updates = server.calls("update");
  time.RunFor(60s);
  EXPECT_EQ(server.calls("update"), updates);
}

// The server has a new root since, and is slow to tell what is there.
TEST_F(ControllersTest, AnOldRootCertificateIsReplaced) {
  PutNamespace("a");
  PutIn<ConfigMap>("a", "kube-root-ca.crt");
  server.SetFault([](std::string_view verb, const Target& target) -> std::optional<Error> {
    if (verb != "list" || target.resource != "configmaps") return std::nullopt;
    return Error(Code::kUnavailable, "not yet");
  });
  const auto controller = MakeRootCaPublisher(Context(), "PEM");
  Start(*controller);
  server.SetFault({});
  time.RunFor(60s);
  EXPECT_TRUE(Get<ConfigMap>("a", "kube-root-ca.crt")->data.contains("ca.crt"));
}

TEST_F(ControllersTest, ANamespaceGoesWithItsContent) {
  for (const char* name : {"a", "b"}) {
    PutNamespace(name);
    PutIn<Pod>(name, "p");
    PutIn<ConfigMap>(name, "c");
    PutIn<Secret>(name, "s");
  }
  const auto controller = MakeNamespaceController(Context());
  Start(*controller);
  EXPECT_TRUE(server.finalized.empty());
  Delete<Namespace>("", "a");
  time.RunFor(2s);
  EXPECT_THAT(server.finalized, ElementsAre("a"));
  EXPECT_EQ(Get<Namespace>("", "a"), nullptr);
  EXPECT_EQ(Get<Pod>("a", "p"), nullptr);
  EXPECT_EQ(Get<ConfigMap>("a", "c"), nullptr);
  EXPECT_EQ(Get<Secret>("a", "s"), nullptr);
  EXPECT_NE(Get<Secret>("b", "s"), nullptr);
  EXPECT_NE(Get<Namespace>("", "b"), nullptr);
}

TEST_F(ControllersTest, PodsGoFirstAndWhatRemainsIsTold) {
  PutNamespace("a");
  PutIn<Pod>("a", "p", "x/y");
  PutIn<ConfigMap>("a", "c");
  const auto controller = MakeNamespaceController(Context());
  Start(*controller);
  Delete<Namespace>("", "a");
  time.RunFor(2s);
  ASSERT_NE(Get<Namespace>("", "a"), nullptr);
  EXPECT_EQ(Get<Namespace>("", "a")->status.phase, "Terminating");
  // What may guard the pod is still there.
  EXPECT_NE(Get<ConfigMap>("a", "c"), nullptr);
  EXPECT_THAT(Conditions("a"),
              ElementsAre("ResourcesDiscovered", "ParsedGroupVersions", "ContentDeleted",
                          "SomeResourcesRemain: Some resources are remaining: pods. has 1 resource "
                          "instances",
                          "SomeFinalizersRemain: Some content in the namespace has finalizers "
                          "remaining: x/y in 1 resource instances"));
  Pod pod = reflect::Copy(*Get<Pod>("a", "p"));
  pod.metadata.finalizers.clear();
  ASSERT_TRUE(server.Update(At<Pod>("a", "p"), pod, {}).ok());
  time.RunFor(20s);
  EXPECT_EQ(Get<Namespace>("", "a"), nullptr);
  EXPECT_EQ(Get<ConfigMap>("a", "c"), nullptr);
}

TEST_F(ControllersTest, WhatCannotBeDeletedIsToldAndTriedAgain) {
  PutNamespace("a");
  PutIn<Secret>("a", "s");
  server.groups = R"({"groups":[{"name":"x.io",
    "versions":[{"groupVersion":"x.io/v1","version":"v1"}],
    "preferredVersion":{"groupVersion":"x.io/v1","version":"v1"}}]})";
  server.SetFault([](std::string_view verb, const Target& target) -> std::optional<Error> {
    if (verb == "delete" && target.resource == "secrets") {
      return Error(Code::kPermissionDenied, "no");
    }
    return std::nullopt;
  });
  const auto controller = MakeNamespaceController(Context());
  Start(*controller);
  Delete<Namespace>("", "a");
  time.RunFor(1s);
  const auto conditions = Conditions("a");
  ASSERT_EQ(conditions.size(), 5U);
  EXPECT_THAT(conditions[0], testing::StartsWith("DiscoveryFailed: Discovery failed for some "
                                                 "groups, 1 failing: x.io/v1: "));
  EXPECT_EQ(conditions[2],
            "ContentDeletionFailed: Failed to delete all resource types, 1 remaining: no");
  EXPECT_FALSE(errors.empty());
  server.SetFault({});
  server.groups = R"({"groups":[]})";
  time.RunFor(60s);
  EXPECT_EQ(Get<Namespace>("", "a"), nullptr);
}

TEST(DecideCollectionTest, ByTheStatesOfTheOwners) {
  api::meta::v1::ObjectMeta object;
  object.ownerReferences.resize(2);
  object.ownerReferences[0].uid = "a";
  object.ownerReferences[1].uid = "b";
  const auto decide = [&](OwnerState a, OwnerState b, bool dependents = false) {
    const Collection decided = DecideCollection(object, {a, b}, dependents);
    std::string text = std::to_string(decided.action) + decided.policy;
    for (const std::string& uid : decided.drop) text += " " + uid;
    return text;
  };
  using enum OwnerState;
  EXPECT_EQ(decide(kSolid, kSolid), "0");
  EXPECT_EQ(decide(kSolid, kAbsent), "1 b");
  EXPECT_EQ(decide(kWaiting, kSolid), "1 a");
  EXPECT_EQ(decide(kAbsent, kAbsent), "2Background");
  EXPECT_EQ(decide(kWaiting, kAbsent), "2Background");
  EXPECT_EQ(decide(kWaiting, kAbsent, true), "2Foreground");
  object.finalizers = {"orphan"};
  EXPECT_EQ(decide(kAbsent, kAbsent), "2Orphan");
  object.finalizers = {"foregroundDeletion"};
  EXPECT_EQ(decide(kAbsent, kAbsent), "2Foreground");
}

class GarbageCollectorTest : public ControllersTest {
 protected:
  // A ConfigMap that owns.
  std::string Owner(const std::string& name, const std::string& finalizer = "") {
    PutIn<ConfigMap>("a", name, finalizer);
    return Get<ConfigMap>("a", name)->metadata.uid;
  }
  // A resource of a group of its own.
  void ServeThings() {
    server.groups = R"({"groups":[{"name":"x.io","versions":[{"groupVersion":"x.io/v1",
      "version":"v1"}],"preferredVersion":{"groupVersion":"x.io/v1","version":"v1"}}]})";
    server.documents["/apis/x.io/v1"] = R"({"groupVersion":"x.io/v1","resources":[{"name":"things",
      "namespaced":true,"kind":"Thing","verbs":["list","watch","delete"]}]})";
  }
  void Owned(const std::string& name_space, const std::string& name, const std::string& owner,
             const std::string& uid, bool blocks = false, const std::string& version = "v1",
             const std::string& kind = "ConfigMap") {
    Secret secret;
    secret.metadata.namespace_ = name_space;
    secret.metadata.name = name;
    auto& reference = secret.metadata.ownerReferences.emplace_back();
    reference.apiVersion = version;
    reference.kind = kind;
    reference.name = owner;
    reference.uid = uid;
    reference.blockOwnerDeletion = blocks;
    Put(secret);
  }
};

TEST_F(GarbageCollectorTest, DependentsGoWithTheirOwner) {
  const std::string uid = Owner("owner");
  Owned("a", "owned", "owner", uid);
  PutIn<Secret>("a", "free");
  const auto controller = MakeGarbageCollector(Context());
  Start(*controller);
  EXPECT_NE(Get<Secret>("a", "owned"), nullptr);
  Delete<ConfigMap>("a", "owner");
  time.RunFor(1s);
  EXPECT_EQ(Get<Secret>("a", "owned"), nullptr);
  EXPECT_NE(Get<Secret>("a", "free"), nullptr);
}

TEST_F(GarbageCollectorTest, OwnersThatNeverWere) {
  const std::string uid = Owner("owner");
  Owned("a", "absent", "nobody", "u-1");
  Owned("a", "namesake", "owner", "another-uid");
  Owned("b", "across", "owner", uid);
  Owned("a", "owned", "owner", uid);
  const auto controller = MakeGarbageCollector(Context());
  Start(*controller);
  EXPECT_EQ(Get<Secret>("a", "absent"), nullptr);
  EXPECT_EQ(Get<Secret>("a", "namesake"), nullptr);
  EXPECT_EQ(Get<Secret>("b", "across"), nullptr);
  EXPECT_NE(Get<Secret>("a", "owned"), nullptr);
}

TEST_F(GarbageCollectorTest, OrphansStay) {
  const std::string uid = Owner("owner", "orphan");
  Owned("a", "owned", "owner", uid);
  const auto controller = MakeGarbageCollector(Context());
  Start(*controller);
  Delete<ConfigMap>("a", "owner");
  time.RunFor(1s);
  EXPECT_EQ(Get<ConfigMap>("a", "owner"), nullptr);
  const auto orphan = Get<Secret>("a", "owned");
  ASSERT_NE(orphan, nullptr);
  EXPECT_TRUE(orphan->metadata.ownerReferences.empty());
}

TEST_F(GarbageCollectorTest, TheForegroundWaitsForThoseThatBlock) {
  const std::string uid = Owner("owner", "foregroundDeletion");
  Owned("a", "owned", "owner", uid, true);
  Secret held = reflect::Copy(*Get<Secret>("a", "owned"));
  held.metadata.finalizers = {"x/y"};
  ASSERT_TRUE(server.Update(At<Secret>("a", "owned"), held, {}).ok());
  const auto controller = MakeGarbageCollector(Context());
  Start(*controller);
  Delete<ConfigMap>("a", "owner");
  time.RunFor(1s);
  // The dependent is being deleted, and the owner waits for it.
  ASSERT_NE(Get<ConfigMap>("a", "owner"), nullptr);
  auto owned = Get<Secret>("a", "owned");
  ASSERT_NE(owned, nullptr);
  EXPECT_TRUE(owned->metadata.deletionTimestamp);
  held = reflect::Copy(*owned);
  held.metadata.finalizers.clear();
  ASSERT_TRUE(server.Update(At<Secret>("a", "owned"), held, {}).ok());
  time.RunFor(1s);
  EXPECT_EQ(Get<Secret>("a", "owned"), nullptr);
  EXPECT_EQ(Get<ConfigMap>("a", "owner"), nullptr);
}

TEST_F(GarbageCollectorTest, TheForegroundWaitsNoLongerForOneThatHasLeft) {
  const std::string uid = Owner("owner", "foregroundDeletion");
  Owned("a", "owned", "owner", uid, true);
  Secret held = reflect::Copy(*Get<Secret>("a", "owned"));
  held.metadata.finalizers = {"x/y"};
  ASSERT_TRUE(server.Update(At<Secret>("a", "owned"), held, {}).ok());
  const auto controller = MakeGarbageCollector(Context());
  Start(*controller);
  Delete<ConfigMap>("a", "owner");
  time.RunFor(1s);
  ASSERT_NE(Get<ConfigMap>("a", "owner"), nullptr);
  Secret free = reflect::Copy(*Get<Secret>("a", "owned"));
  free.metadata.ownerReferences.clear();
  ASSERT_TRUE(server.Update(At<Secret>("a", "owned"), free, {}).ok());
  time.RunFor(1s);
  EXPECT_EQ(Get<ConfigMap>("a", "owner"), nullptr);
  EXPECT_NE(Get<Secret>("a", "owned"), nullptr);
}

// Each waits for the next one.
TEST_F(GarbageCollectorTest, ACircleOfOwnersGoes) {
  const std::vector<std::string> names = {"one", "two", "three"};
  for (const std::string& name : names) Owner(name, "foregroundDeletion");
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string& owner = names[(i + 2) % names.size()];
    ConfigMap owned = reflect::Copy(*Get<ConfigMap>("a", names[i]));
    auto& reference = owned.metadata.ownerReferences.emplace_back();
    reference.apiVersion = "v1";
    reference.kind = "ConfigMap";
    reference.name = owner;
    reference.uid = Get<ConfigMap>("a", owner)->metadata.uid;
    reference.blockOwnerDeletion = true;
    ASSERT_TRUE(server.Update(At<ConfigMap>("a", names[i]), owned, {}).ok());
  }
  const auto controller = MakeGarbageCollector(Context());
  Start(*controller);
  Delete<ConfigMap>("a", "one");
  time.RunFor(5s);
  for (const std::string& name : names) EXPECT_EQ(Get<ConfigMap>("a", name), nullptr) << name;
}

// All that is seen of it after a watch was lost is that its uid is another.
TEST_F(GarbageCollectorTest, AnOwnerMadeAnewWhileNobodyWatched) {
  Owned("a", "owned", "owner", Owner("owner"));
  const auto controller = MakeGarbageCollector(Context());
  Start(*controller);
  ASSERT_NE(Get<Secret>("a", "owned"), nullptr);
  Delete<ConfigMap>("a", "owner");
  Owner("owner");
  server.Compact();
  time.RunFor(10s);
  EXPECT_EQ(Get<Secret>("a", "owned"), nullptr);
  EXPECT_NE(Get<ConfigMap>("a", "owner"), nullptr);
}

// A resource that cannot be listed, as when its definition has gone again or its server is down.
TEST_F(GarbageCollectorTest, AResourceThatCannotBeReadHoldsUpNobodyForLong) {
  ServeThings();
  server.SetFault([](std::string_view, const Target& target) -> std::optional<Error> {
    if (target.resource != "things") return std::nullopt;
    return Error(Code::kNotFound, "the server could not find the requested resource");
  });
  Owned("a", "owned", "nobody", "u-1");
  const auto controller = MakeGarbageCollector(Context());
  Start(*controller);
  // At first it might be an owner's.
  time.RunFor(20s);
  EXPECT_NE(Get<Secret>("a", "owned"), nullptr);
  time.RunFor(11s);
  EXPECT_EQ(Get<Secret>("a", "owned"), nullptr);
}

// It may come back: an owner that nobody can ask for is not an owner that is gone.
TEST_F(GarbageCollectorTest, DependentsOfAKindThatIsNoLongerServedStay) {
  const std::string groups = server.groups;
  ServeThings();
  const auto controller = MakeGarbageCollector(Context());
  Start(*controller);
  server.groups = groups;
  time.RunFor(61s);
  Owned("a", "owned", "thing", "u-1", false, "x.io/v1", "Thing");
  time.RunFor(5s);
  EXPECT_NE(Get<Secret>("a", "owned"), nullptr);
}

TEST_F(GarbageCollectorTest, StartsWithoutWaitingForTheServer) {
  int asked = 0;
  server.on_groups = [&] { ++asked; };
  const auto controller = MakeGarbageCollector(Context());
  controller->Start();
  EXPECT_EQ(asked, 0);
  time.RunFor(1s);
  EXPECT_GT(asked, 0);
}

// A minute of its timers is 60 ms.
class HastyExecutor : public ThreadExecutor {
 public:
  using ThreadExecutor::ThreadExecutor;
  TimerId PostAfter(std::chrono::nanoseconds delay, Task task) override {
    return ThreadExecutor::PostAfter(delay / 1000, std::move(task));
  }
};

TEST(GarbageCollectorThreads, EndsNotBeforeItsLookForResources) {
  SystemClock clock;
  Cluster server(clock);
  std::promise<void> begun;
  std::promise<void> released;
  std::atomic<bool> ended = false;
  std::atomic<int> asked = 0;
  server.on_groups = [&] {
    if (++asked != 2) return;
    begun.set_value();
    released.get_future().wait();
    ended = true;
  };
  HastyExecutor executor(4);
  client::InformerFactory informers(server, {.executor = &executor, .clock = &clock});
  auto controller = MakeGarbageCollector(
      {.connection = &server, .informers = &informers, .executor = &executor, .clock = &clock});
  std::thread starter([&] { controller->Start(); });
  begun.get_future().wait();
  std::thread releaser([&] {
    std::this_thread::sleep_for(50ms);
    released.set_value();
  });
  starter.join();
  controller.reset();
  EXPECT_TRUE(ended);
  releaser.join();
}

// As client-go's ServerPreferredResources: what the preferred version lacks is taken from another.
TEST_F(ControllersTest, ResourcesOfOtherVersionsAreFound) {
  server.groups = R"({"groups":[{"name":"x.io",
    "versions":[{"groupVersion":"x.io/v2","version":"v2"},
                {"groupVersion":"x.io/v1","version":"v1"},
                {"groupVersion":"x.io/v1beta1","version":"v1beta1"}],
    "preferredVersion":{"groupVersion":"x.io/v1","version":"v1"}}]})";
  const auto resource = [](const std::string& name) {
    return R"({"name":")" + name + R"(","namespaced":true,"kind":"K","verbs":["delete"]})";
  };
  server.documents["/apis/x.io/v1"] = R"({"resources":[)" + resource("both") + "]}";
  server.documents["/apis/x.io/v2"] =
      R"({"resources":[)" + resource("both") + "," + resource("new") + "]}";
  const auto found = Discover(server);
  ASSERT_TRUE(found.ok()) << found.error().message();
  std::vector<std::string> names;
  for (const auto& each : found->resources) {
    if (each.target.group == "x.io") {
      names.push_back(each.target.version + "/" + each.target.resource);
    }
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("v1/both", "v2/new"));
  EXPECT_THAT(found->failures, ElementsAre(testing::StartsWith("x.io/v1beta1: ")));
}

}  // namespace
}  // namespace podium::controllers
