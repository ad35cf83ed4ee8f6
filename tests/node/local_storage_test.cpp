#include "node/local_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "node/agent.h"
#include "node/fake_services.h"
#include "node/pods.h"

namespace podium::node {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

constexpr uint64_t kMi = 1 << 20;

constexpr const char* kLimits =
    "volumes: [{name: cache, emptyDir: {sizeLimit: 2Mi}}, {name: free, emptyDir: {}}, "
    "{name: mem, emptyDir: {medium: Memory, sizeLimit: 1Mi}}], "
    "containers: [{name: a, resources: {limits: {ephemeral-storage: 3Mi}}}, "
    "{name: b, resources: {limits: {ephemeral-storage: 4Mi}}}]";

std::string Exceeded(const v1::Pod& pod, const StorageUsage& usage) {
  const auto excess = ExceededStorage(pod, usage);
  return excess ? excess->message : "";
}

TEST(LocalStorageTest, WhoHasLimits) {
  EXPECT_TRUE(HasStorageLimit(PodOf(kLimits)));
  EXPECT_FALSE(
      HasStorageLimit(PodOf("volumes: [{name: v, emptyDir: {}}], containers: [{name: a, "
                            "resources: {requests: {ephemeral-storage: 3Mi}}}]")));
  EXPECT_TRUE(HasStorageLimit(
      PodOf("volumes: [{name: v, emptyDir: {sizeLimit: 1}}], containers: [{name: a}]")));
  EXPECT_FALSE(HasStorageLimit(
      PodOf("volumes: [{name: v, emptyDir: {sizeLimit: 0}}], containers: [{name: a}]")));
  EXPECT_FALSE(HasStorageLimit(PodOf(
      "volumes: [{name: v, emptyDir: {medium: Memory, sizeLimit: 1}}], containers: [{name: a}]")));
}

TEST(LocalStorageTest, WordsAndOrder) {
  const v1::Pod pod = PodOf(kLimits);
  // As much as the limit is not more than it.
  StorageUsage usage{
      .volumes = {{"cache", 2 * kMi}, {"free", 90 * kMi}, {"mem", 9 * kMi}},
      .containers = {{"a", 3 * kMi}, {"b", 4 * kMi}},
      .pod = 7 * kMi,
  };
  EXPECT_EQ(Exceeded(pod, usage), "");
  usage.containers["b"] += 1;
  EXPECT_EQ(Exceeded(pod, usage),
            "Container b exceeded its local ephemeral storage limit \"4Mi\". ");
  usage.pod += 1;
  EXPECT_EQ(Exceeded(pod, usage),
            "Pod ephemeral local storage usage exceeds the total limit of containers 7Mi. ");
  usage.volumes["cache"] += 1;
  EXPECT_EQ(Exceeded(pod, usage), "Usage of EmptyDir volume \"cache\" exceeds the limit \"2Mi\". ");
}

class StorageEvictionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(node_.config.run_dir);
    auto opened = Agent::Open(PartsOf(node_, objects_));
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    agent_ = *std::move(opened);
  }
  void Start(const std::string& spec, int32_t priority = 0) {
    v1::Pod pod = PodOf(spec);
    pod.spec.priority = priority;
    const auto created = agent_->CreatePod(std::move(pod));
    ASSERT_TRUE(created) << created.error().message();
    uid_ = created->metadata.uid;
    node_.time.Settle();
    ASSERT_EQ(agent_->GetPod("ns", "p")->status.phase, "Running");
  }
  void Write(const std::string& path, uint64_t bytes) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << std::string(bytes, 'x');
  }
  std::string InPod(const std::string& path) { return PodFolder(node_.config, uid_) + path; }
  std::string InLogs(const std::string& path) {
    return PodLogFolder(node_.config, "ns", "p", uid_) + path;
  }
  // "" while it runs, then why it does not.
  std::string Look() {
    agent_->CheckStorage();
    node_.time.RunFor(3s);
    const v1::PodStatus status = agent_->GetPod("ns", "p")->status;
    if (status.phase == "Running") return "";
    return status.phase + " " + status.reason + ": " + status.message;
  }

  FakeNode node_;
  ObjectStore objects_{node_.config};
  std::unique_ptr<Agent> agent_;
  std::string uid_;
};

TEST_F(StorageEvictionTest, AnEmptyDir) {
  Start(
      "terminationGracePeriodSeconds: 600, volumes: [{name: v, emptyDir: {sizeLimit: 1Mi}}], "
      "containers: [{name: a}]");
  Write(InPod("/volumes/kubernetes.io~empty-dir/v/deep/er/file"), kMi / 2);
  EXPECT_EQ(Look(), "");
  Write(InPod("/volumes/kubernetes.io~empty-dir/v/more"), kMi / 2 + 8192);
  constexpr const char* kMessage = "Usage of EmptyDir volume \"v\" exceeds the limit \"1Mi\". ";
  EXPECT_EQ(Look(), std::string("Failed Evicted: ") + kMessage);
  EXPECT_THAT(node_.Events(), Contains(std::string("Evicted: ") + kMessage));
  // What has ended is not looked at again.
  EXPECT_EQ(Look(), std::string("Failed Evicted: ") + kMessage);
  EXPECT_THAT(node_.Events(), Not(Contains(HasSubstr(" x2"))));
}

TEST_F(StorageEvictionTest, WritableLayersAndLogsAreTheContainers) {
  node_.runtime.Script("a", {.writable_layer = kMi / 2});
  Start(
      "containers: [{name: a, resources: {limits: {ephemeral-storage: 1Mi}}}, {name: b, "
      "resources: {limits: {ephemeral-storage: 9Mi}}}]");
  Write(InLogs("/b/0.log"), 2 * kMi);
  EXPECT_EQ(Look(), "");
  // What rotation has put aside counts as well.
  Write(InLogs("/a/0.log"), kMi / 4);
  Write(InLogs("/a/0.log.20261122-010203.gz"), kMi / 4 + 8192);
  EXPECT_EQ(Look(),
            "Failed Evicted: Container a exceeded its local ephemeral storage limit \"1Mi\". ");
}

TEST_F(StorageEvictionTest, ThePodsFilesCountTogether) {
  Start(
      "volumes: [{name: v, emptyDir: {}}], containers: [{name: a, resources: {limits: "
      "{ephemeral-storage: 1Mi}}}, {name: b}]");
  Write(InPod("/volumes/kubernetes.io~empty-dir/v/file"), kMi / 4);
  Write(InPod("/containers/a/0"), kMi / 4);  // its termination message
  Write(InLogs("/b/0.log"), kMi / 4);
  EXPECT_EQ(Look(), "");
  Write(InPod("/etc-hosts"), kMi / 4);
  EXPECT_EQ(Look(),
            "Failed Evicted: Pod ephemeral local storage usage exceeds the total limit of "
            "containers 1Mi. ");
}

TEST_F(StorageEvictionTest, CriticalPodsStay) {
  node_.runtime.Script("a", {.writable_layer = 9 * kMi});
  Start("containers: [{name: a, resources: {limits: {ephemeral-storage: 1Mi}}}]", 2'000'000'000);
  EXPECT_EQ(Look(), "");
}

TEST_F(StorageEvictionTest, StaticPodsStay) {
  node_.runtime.Script("a", {.writable_layer = 9 * kMi});
  v1::Pod pod = PodOf("containers: [{name: a, resources: {limits: {ephemeral-storage: 1Mi}}}]");
  ASSERT_TRUE(agent_->Assign(std::move(pod), PodOrigin::kFile).ok());
  node_.time.Settle();
  EXPECT_EQ(Look(), "");
}

TEST_F(StorageEvictionTest, PodsWithoutLimitsAreNotMeasured) {
  node_.runtime.Script("a", {.writable_layer = 9 * kMi});
  Start("containers: [{name: a, resources: {requests: {ephemeral-storage: 1Mi}}}]");
  node_.runtime.ClearCalls();
  EXPECT_EQ(Look(), "");
  EXPECT_THAT(node_.runtime.calls(), Not(Contains(HasSubstr("ListContainerStats"))));
}

}  // namespace
}  // namespace podium::node
