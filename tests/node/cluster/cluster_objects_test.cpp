#include "node/cluster/cluster_objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "client/paths.h"
#include "client/virtual_time.h"
#include "node/cluster/token_server.h"
#include "node/pods.h"

namespace podium::node {
namespace {

using client::VirtualTime;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

template <class T>
client::Target TargetFor(const T& object) {
  return *client::TargetOf(reflect::TypeOf<T>(),
                           {object.metadata.namespace_, object.metadata.name});
}

v1::ConfigMap MapOf(const std::string& name, const std::string& value) {
  v1::ConfigMap map;
  map.metadata.namespace_ = "ns";
  map.metadata.name = name;
  map.data["key"] = value;
  return map;
}

v1::Secret SecretOf(const std::string& name, const std::string& value) {
  v1::Secret secret;
  secret.metadata.namespace_ = "ns";
  secret.metadata.name = name;
  secret.data["key"].data = value;
  return secret;
}

v1::Pod PodNamed(const std::string& uid, const std::string& spec) {
  v1::Pod pod = PodOf(spec);
  pod.metadata.uid = uid;
  pod.metadata.name = uid;
  return pod;
}

// Refers to the ConfigMap in its environment.
v1::Pod PodWithMap(const std::string& uid, const std::string& map) {
  return PodNamed(uid, "containers: [{name: a, envFrom: [{configMapRef: {name: " + map + "}}]}]");
}

class ClusterObjectsTest : public ::testing::Test {
 protected:
  ClusterObjects::Options Options() {
    return {.connection = &server_,
            .executor = &time_,
            .clock = &time_,
            .changed = [this](const std::string& name_space) { told_.push_back(name_space); }};
  }
  template <class T>
  void Create(const T& object) {
    client::Target target = TargetFor(object);
    target.name.clear();
    const auto created = server_.Create(target, object, {});
    ASSERT_TRUE(created.ok()) << created.error().message();
  }
  template <class T>
  void Update(T object) {
    const auto now = server_.Get(TargetFor(object), {});
    ASSERT_TRUE(now.ok()) << now.error().message();
    object.metadata.resourceVersion = now->meta()->resourceVersion;
    const auto updated = server_.Update(TargetFor(object), object, {});
    ASSERT_TRUE(updated.ok()) << updated.error().message();
  }
  // The value, or the error.
  std::string Map(const std::string& name) {
    const auto map = objects_->GetConfigMap("ns", name);
    return map.ok() ? (*map)->data.at("key") : map.error().message();
  }
  std::string Secret(const std::string& name) {
    const auto secret = objects_->GetSecret("ns", name);
    return secret.ok() ? (*secret)->data.at("key").data : secret.error().message();
  }

  VirtualTime time_;
  TokenServer server_{time_};
  std::vector<std::string> told_;
  std::unique_ptr<ClusterObjects> objects_ = std::make_unique<ClusterObjects>(Options());
};

TEST_F(ClusterObjectsTest, WatchesEachObjectOfPodsOnce) {
  Create(MapOf("env", "1"));
  Create(SecretOf("pull", "2"));
  Create(SecretOf("volume", "3"));
  Create(SecretOf("other", "4"));
  const std::string spec =
      "imagePullSecrets: [{name: pull}, {name: ''}], "
      "volumes: [{name: v, projected: {sources: [{secret: {name: volume}}]}}], "
      "containers: [{name: a, env: [{name: X, valueFrom: {configMapKeyRef: {name: env, key: "
      "k}}}]}]";
  objects_->Follow(PodNamed("one", spec));
  objects_->Follow(PodNamed("two", spec));
  time_.Settle();
  EXPECT_EQ(objects_->watches(), 3U);
  EXPECT_EQ(server_.watches(), 4U);  // and that of services
  EXPECT_EQ(Map("env"), "1");
  EXPECT_EQ(Secret("pull"), "2");
  EXPECT_EQ(Secret("volume"), "3");
  EXPECT_EQ(Secret("other"), "object \"ns\"/\"other\" not registered");
  EXPECT_EQ(server_.calls("get"), 0);

  objects_->Unfollow("one");
  objects_->Unfollow("one");
  objects_->Unfollow("nobody");
  time_.Settle();
  EXPECT_EQ(server_.watches(), 4U);
  objects_->Unfollow("two");
  time_.Settle();
  EXPECT_EQ(objects_->watches(), 0U);
  EXPECT_EQ(server_.watches(), 1U);
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(ClusterObjectsTest, FollowsTheNewestSpecification) {
  Create(MapOf("a", "1"));
  Create(MapOf("b", "2"));
  objects_->Follow(PodWithMap("u", "a"));
  time_.Settle();
  objects_->Follow(PodWithMap("u", "b"));
  time_.Settle();
  EXPECT_EQ(Map("b"), "2");
  EXPECT_EQ(Map("a"), "object \"ns\"/\"a\" not registered");
  EXPECT_EQ(server_.watches(), 2U);
  // What stays is read once.
  const int lists = server_.calls("list");
  objects_->Follow(PodWithMap("u", "b"));
  time_.Settle();
  EXPECT_EQ(server_.calls("list"), lists);
}

TEST_F(ClusterObjectsTest, TellsOfWhatComesChangesAndGoes) {
  objects_->Follow(PodWithMap("u", "m"));
  time_.Settle();
  EXPECT_EQ(Map("m"), "configmap \"m\" not found");
  EXPECT_EQ(objects_->GetConfigMap("ns", "m").error().code(), Code::kNotFound);
  Create(MapOf("m", "1"));
  Create(MapOf("foreign", "1"));
  time_.Settle();
  EXPECT_EQ(Map("m"), "1");
  EXPECT_THAT(told_, ElementsAre("ns"));
  Update(MapOf("m", "2"));
  time_.Settle();
  EXPECT_EQ(Map("m"), "2");
  EXPECT_THAT(told_, ElementsAre("ns", "ns"));
  ASSERT_TRUE(server_.Delete(TargetFor(MapOf("m", "")), {}).ok());
  time_.Settle();
  EXPECT_EQ(Map("m"), "configmap \"m\" not found");
  EXPECT_THAT(told_, ElementsAre("ns", "ns", "ns"));
}

TEST_F(ClusterObjectsTest, WatchesNothingImmutable) {
  v1::ConfigMap map = MapOf("m", "1");
  map.immutable = true;
  Create(map);
  v1::Secret secret = SecretOf("s", "2");
  Create(secret);
  objects_->Follow(PodWithMap("u", "m"));
  objects_->Follow(PodNamed("v", "containers: [{name: a, envFrom: [{secretRef: {name: s}}]}]"));
  time_.Settle();
  EXPECT_EQ(objects_->watches(), 1U);
  EXPECT_EQ(server_.watches(), 2U);  // services, and the secret
  secret.immutable = true;
  Update(secret);
  time_.Settle();
  EXPECT_THAT(told_, ElementsAre("ns"));
  EXPECT_EQ(server_.watches(), 1U);
  // They are known nevertheless.
  EXPECT_EQ(Map("m"), "1");
  EXPECT_EQ(Secret("s"), "2");
  objects_->Unfollow("u");
  objects_->Unfollow("v");
  time_.Settle();
  EXPECT_EQ(server_.watches(), 1U);
}

TEST_F(ClusterObjectsTest, WaitsOnlyForAWhile) {
  Create(MapOf("m", "1"));
  server_.SetFault([](std::string_view, const client::Target&) -> std::optional<Error> {
    return Error(Code::kUnavailable, "connection refused");
  });
  objects_->Follow(PodWithMap("u", "m"));
  time_.Settle();
  const int64_t before = time_.Now();
  EXPECT_EQ(Map("m"), "failed to sync configmap cache: timed out waiting for the condition");
  EXPECT_EQ(time_.Now() - before, kNanosPerSecond);
  EXPECT_EQ(objects_->GetConfigMap("ns", "m").error().code(), Code::kUnavailable);
  // As soon as the server is there again, whoever did without hears of it.
  server_.SetFault(nullptr);
  time_.RunFor(30s);
  EXPECT_THAT(told_, ElementsAre("ns"));
  EXPECT_EQ(Map("m"), "1");
}

// A node may read what a pod names once the server's authorizer has seen the pod, which may be a
// moment after the node has.
TEST_F(ClusterObjectsTest, DoesNotWaitForABackOff) {
  Create(MapOf("m", "1"));
  bool refuse = true;
  server_.SetFault([&](std::string_view verb, const client::Target& target) {
    const bool reads = verb == "list" || verb == "watch";
    return refuse && reads && target.resource == "configmaps"
               ? std::optional(Error(Code::kPermissionDenied, "no relationship found"))
               : std::nullopt;
  });
  objects_->Follow(PodWithMap("u", "m"));
  objects_->Follow(PodWithMap("v", "none"));
  time_.Settle();
  const int64_t before = time_.Now();
  EXPECT_EQ(Map("m"), "1");
  EXPECT_EQ(Map("none"), "configmap \"none\" not found");
  EXPECT_LE(time_.Now() - before, int64_t{50'000'000});
  // What may have changed since then is told, for nobody has watched.
  Update(MapOf("m", "2"));
  refuse = false;
  time_.RunFor(30s);
  EXPECT_THAT(told_, ElementsAre("ns"));
  EXPECT_EQ(Map("m"), "2");
}

v1::Service ServiceOf(const std::string& name_space, const std::string& name,
                      const std::string& address) {
  v1::Service service;
  service.metadata.namespace_ = name_space;
  service.metadata.name = name;
  service.spec.clusterIP = address;
  return service;
}

class ServicesOfPods : public ClusterObjectsTest {
 protected:
  // "web=10.0.0.2, …", or the error.
  std::string Of(const v1::Pod& pod) {
    const auto services = objects_->ServicesFor(pod);
    if (!services.ok()) return services.error().message();
    std::string out;
    for (const auto& service : *services) {
      out += (out.empty() ? "" : ", ") + service->metadata.name + "=" + service->spec.clusterIP;
    }
    return out;
  }
};

TEST_F(ServicesOfPods, OfTheNamespaceAndTheMasters) {
  Create(ServiceOf("default", "kubernetes", "10.0.0.1"));
  Create(ServiceOf("default", "web", "10.0.0.9"));
  Create(ServiceOf("ns", "web", "10.0.0.2"));
  Create(ServiceOf("ns", "api", "10.0.0.3"));
  Create(ServiceOf("ns", "headless", "None"));
  Create(ServiceOf("ns", "elsewhere", ""));
  time_.Settle();
  v1::Pod pod = PodOf("containers: [{name: a}]");
  EXPECT_EQ(Of(pod), "api=10.0.0.3, kubernetes=10.0.0.1, web=10.0.0.2");
  pod.spec.enableServiceLinks = false;
  EXPECT_EQ(Of(pod), "kubernetes=10.0.0.1");
  // The namespace's own one is nearer.
  pod.spec.enableServiceLinks = true;
  Create(ServiceOf("ns", "kubernetes", "10.0.0.7"));
  time_.Settle();
  EXPECT_EQ(Of(pod), "api=10.0.0.3, kubernetes=10.0.0.7, web=10.0.0.2");
}

TEST_F(ServicesOfPods, MustHaveBeenReadUnlessThePodIsStatic) {
  server_.SetFault([](std::string_view, const client::Target&) -> std::optional<Error> {
    return Error(Code::kUnavailable, "connection refused");
  });
  time_.Settle();
  v1::Pod pod = PodOf("containers: [{name: a}]");
  EXPECT_EQ(Of(pod), "services have not yet been read at least once, cannot construct envvars");
  const int64_t before = time_.Now();
  pod.metadata.annotations["kubernetes.io/config.source"] = "file";
  EXPECT_EQ(Of(pod), "");
  EXPECT_EQ(time_.Now(), before);
}

class TokensOfPods : public ClusterObjectsTest {
 protected:
  TokensOfPods() {
    pod_.spec.serviceAccountName = "robot";
    pod_.metadata.name = "web";
  }
  // The token, or the error.
  std::string Token(std::optional<int64_t> seconds = 3600, const std::string& audience = "") {
    const auto token = objects_->GetServiceAccountToken(pod_, audience, seconds);
    if (!token.ok()) return token.error().message();
    refresh_in_ = std::chrono::nanoseconds(token->refresh_at - time_.Now());
    return token->token;
  }

  v1::Pod pod_ = PodOf("containers: [{name: a}]");
  std::chrono::nanoseconds refresh_in_{0};
};

TEST_F(TokensOfPods, AreBoundToThePod) {
  EXPECT_EQ(Token(7200, "vault"), "token-1");
  EXPECT_EQ(Token(std::nullopt), "token-2");
  ASSERT_EQ(server_.asked.size(), 2U);
  const auto& [target, request] = server_.asked[0];
  EXPECT_EQ(*client::PathOf(target), "/api/v1/namespaces/ns/serviceaccounts/robot/token");
  EXPECT_THAT(request.spec.audiences, ElementsAre("vault"));
  EXPECT_EQ(request.spec.expirationSeconds, 7200);
  EXPECT_EQ(request.spec.boundObjectRef->apiVersion, "v1");
  EXPECT_EQ(request.spec.boundObjectRef->kind, "Pod");
  EXPECT_EQ(request.spec.boundObjectRef->name, "web");
  EXPECT_EQ(request.spec.boundObjectRef->uid, pod_.metadata.uid);
  EXPECT_THAT(server_.asked[1].request.spec.audiences, IsEmpty());
  EXPECT_EQ(server_.asked[1].request.spec.expirationSeconds, std::nullopt);
}

TEST_F(TokensOfPods, AreMadeAnewAtFourFifthsOfTheirLife) {
  EXPECT_EQ(Token(), "token-1");
  EXPECT_EQ(refresh_in_, 2880s);
  time_.RunFor(2879s);
  EXPECT_EQ(Token(), "token-1");
  time_.RunFor(1s);
  EXPECT_EQ(Token(), "token-2");
  EXPECT_EQ(refresh_in_, 2880s);
  // One of a long life is a day old at most.
  EXPECT_EQ(Token(7 * 24 * 3600), "token-3");
  EXPECT_EQ(refresh_in_, 24h);
}

TEST_F(TokensOfPods, AreKeptWhileTheServerGivesNone) {
  EXPECT_EQ(Token(), "token-1");
  server_.refuses = Error(Code::kUnavailable, "connection refused");
  time_.RunFor(3000s);
  EXPECT_EQ(Token(), "token-1");
  EXPECT_EQ(refresh_in_, 60s);
  time_.RunFor(600s);
  EXPECT_EQ(Token(), "token expired and refresh failed: connection refused");
  EXPECT_EQ(Token(600), "failed to fetch token: connection refused");
  server_.refuses.reset();
  EXPECT_EQ(Token().substr(0, 6), "token-");
}

TEST_F(TokensOfPods, EndWithThePod) {
  EXPECT_EQ(Token(), "token-1");
  objects_->Follow(pod_);
  objects_->Unfollow(pod_.metadata.uid);
  EXPECT_EQ(Token(), "token-2");
}

TEST_F(TokensOfPods, OfAClockThatJumpedBackAreMadeAnew) {
  EXPECT_EQ(Token(), "token-1");
  time_.JumpBack(10s);
  EXPECT_EQ(Token(), "token-2");
}

TEST_F(TokensOfPods, AreNotAllMadeAnewAtOnce) {
  ClusterObjects::Options options = Options();
  options.random = [] { return 0.5; };
  objects_ = std::make_unique<ClusterObjects>(options);
  EXPECT_EQ(Token(), "token-1");
  EXPECT_EQ(refresh_in_, 2875s);
}

TEST_F(ClusterObjectsTest, ClaimsAreReadWhenTheyAreWanted) {
  v1::PersistentVolumeClaim claim;
  claim.metadata.namespace_ = "ns";
  claim.metadata.name = "data";
  claim.spec.volumeName = "disk";
  Create(claim);
  v1::PersistentVolume volume;
  volume.metadata.name = "disk";
  volume.spec.hostPath.ensure().path = "/srv";
  Create(volume);
  const auto found = objects_->GetClaim("ns", "data");
  ASSERT_TRUE(found.ok()) << found.error().message();
  EXPECT_EQ((*found)->spec.volumeName, "disk");
  const auto disk = objects_->GetPersistentVolume("disk");
  ASSERT_TRUE(disk.ok()) << disk.error().message();
  EXPECT_EQ((*disk)->spec.hostPath->path, "/srv");
  EXPECT_EQ(objects_->GetClaim("ns", "none").error().code(), Code::kNotFound);
  EXPECT_EQ(objects_->GetClaim("ns", "none").error().message(),
            "persistentvolumeclaims \"none\" not found");
}

// With threads: a pod's start asks while the first answer is on its way, and locks of whoever
// follows are taken by whoever hears of changes.
TEST(ClusterObjectsInThreads, AnswerAtOnceAndEndCleanly) {
  SystemClock clock;
  client::FakeServer server(clock);
  ThreadExecutor executor;
  std::mutex mutex;
  std::condition_variable told;
  int changes = 0;
  auto objects =
      std::make_unique<ClusterObjects>(ClusterObjects::Options{.connection = &server,
                                                               .executor = &executor,
                                                               .clock = &clock,
                                                               .changed = [&](const std::string&) {
                                                                 const std::lock_guard lock(mutex);
                                                                 ++changes;
                                                                 told.notify_all();
                                                               }});
  client::Target target = TargetFor(MapOf("m", "1"));
  ASSERT_TRUE(
      server
          .Create({.group = "", .version = "v1", .resource = "configmaps", .namespace_ = "ns"},
                  MapOf("m", "1"), {})
          .ok());
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, uid = std::to_string(i)] {
      for (int round = 0; round < 50; ++round) {
        const v1::Pod pod = PodWithMap(uid, "m");
        {
          const std::lock_guard lock(mutex);
          objects->Follow(pod);
        }
        const auto map = objects->GetConfigMap("ns", "m");
        if (!map.ok() || (*map)->data.at("key").empty()) ++wrong;
        const std::lock_guard lock(mutex);
        objects->Unfollow(uid);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  objects->Follow(PodWithMap("u", "m"));
  ASSERT_TRUE(objects->GetConfigMap("ns", "m").ok());
  const auto now = server.Get(target, {});
  ASSERT_TRUE(now.ok());
  v1::ConfigMap next = *now->As<v1::ConfigMap>();
  next.data["key"] = "2";
  ASSERT_TRUE(server.Update(target, next, {}).ok());
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(told.wait_for(lock, 10s, [&] { return changes > 0; }));
  }
  objects.reset();
  EXPECT_EQ(server.watches(), 0U);
}

}  // namespace
}  // namespace podium::node
