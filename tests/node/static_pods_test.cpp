#include "node/static_pods.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/executor.h"
#include "node/fake_services.h"
#include "node/object_store.h"
#include "node/pods.h"

namespace podium::node {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

std::string Manifest(const std::string& name, const std::string& spec) {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec: {" + spec + "}\n";
}

constexpr const char* kSpec = "containers: [{name: a, image: 'busybox:1'}]";

NodeConfig Config() {
  NodeConfig config;
  config.name = "node7";
  return config;
}

TEST(StaticPodOf, IsAPodOfThisNode) {
  const v1::Pod pod = *StaticPodOf(Manifest("web", kSpec), "/m/web.yaml", Config());
  EXPECT_EQ(pod.metadata.name, "web-node7");
  EXPECT_EQ(pod.metadata.namespace_, "default");
  EXPECT_EQ(pod.spec.nodeName, "node7");
  EXPECT_EQ(pod.metadata.uid.size(), 32U);
  EXPECT_EQ(pod.metadata.annotations.at("kubernetes.io/config.hash"), pod.metadata.uid);
  EXPECT_EQ(pod.status.phase, "Pending");
  ASSERT_EQ(pod.spec.tolerations.size(), 1U);
  EXPECT_EQ(pod.spec.tolerations[0].operator_, "Exists");
  EXPECT_EQ(pod.spec.tolerations[0].effect, "NoExecute");
  EXPECT_EQ(pod.spec.restartPolicy, "Always");
}

TEST(StaticPodOf, AnotherTextFileOrNodeIsAnotherPod) {
  const auto uid = [](const std::string& text, const char* file, const NodeConfig& config) {
    return StaticPodOf(text, file, config)->metadata.uid;
  };
  const std::string first = uid(Manifest("web", kSpec), "/m/a", Config());
  EXPECT_EQ(uid(Manifest("web", kSpec), "/m/a", Config()), first);
  // What says the same is the same.
  EXPECT_EQ(uid("# a comment\n" + Manifest("web", kSpec), "/m/a", Config()), first);
  EXPECT_NE(uid(Manifest("web", kSpec), "/m/b", Config()), first);
  EXPECT_NE(uid(Manifest("web", std::string(kSpec) + ", hostNetwork: true"), "/m/a", Config()),
            first);
  NodeConfig other = Config();
  other.name = "node8";
  EXPECT_NE(uid(Manifest("web", kSpec), "/m/a", other), first);
}

TEST(StaticPodOf, MayNotReferenceWhatTheServerHas) {
  const auto refusal = [](const std::string& more) {
    auto pod =
        StaticPodOf(Manifest("web", std::string(kSpec) + ", " + more), "/m/web.yaml", Config());
    return pod.ok() ? std::string() : pod.error().message();
  };
  EXPECT_EQ(refusal("serviceAccountName: x"), "static pods may not reference serviceaccounts");
  EXPECT_EQ(refusal("imagePullSecrets: [{name: x}]"), "static pods may not reference secrets");
  EXPECT_EQ(refusal("volumes: [{name: v, configMap: {name: x}}]"),
            "static pods may not reference configmaps");
  EXPECT_EQ(refusal("volumes: [{name: v, persistentVolumeClaim: {claimName: x}}]"),
            "static pods may not reference persistentvolumeclaims");
  EXPECT_EQ(refusal("volumes: [{name: v, projected: {sources: [{secret: {name: x}}]}}]"),
            "static pods may not reference secrets");
  EXPECT_EQ(refusal("volumes: [{name: v, emptyDir: {}}, {name: d, downwardAPI: {items: [{path: l, "
                    "fieldRef: {fieldPath: metadata.labels}}]}}]"),
            "");
}

TEST(StaticPodOf, WhatIsNoPod) {
  const auto refusal = [](const std::string& text) {
    return StaticPodOf(text, "/m/x", Config()).error().message();
  };
  EXPECT_EQ(refusal(""), "the file is empty");
  EXPECT_EQ(refusal("apiVersion: apps/v1\nkind: Deployment\n"),
            "a v1 Pod is wanted, and this is apps/v1 Deployment");
  EXPECT_EQ(refusal("hello: 1"), "a v1 Pod is wanted, and this is of no kind");
  EXPECT_EQ(refusal("apiVersion: v1\nkind: Pod\nspec: {}"),
            "invalid pod: name is needed for the pod");
  EXPECT_EQ(refusal(Manifest("a", kSpec) + "---\n" + Manifest("b", kSpec)),
            "a manifest has one pod, and this has several documents");
  EXPECT_THAT(refusal(Manifest("a", "containers: []")), HasSubstr("spec.containers: Required"));
}

class StaticPodsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(node_.config.run_dir);
    folder_ = node_.folder.path() + "/manifests";
    auto opened = Agent::Open(PartsOf(node_, objects_, clock_, executor_));
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    agent_ = *std::move(opened);
  }
  void Start() {
    auto started = StaticPods::Start({.folder = folder_,
                                      .agent = agent_.get(),
                                      .look_every = 200ms,
                                      .on_error = [this](const std::string& text) {
                                        const std::lock_guard lock(mutex_);
                                        errors_.push_back(text);
                                      }});
    ASSERT_TRUE(started.ok()) << started.error().message();
    pods_ = *std::move(started);
  }
  void Write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ + "/." + file) << text;
    std::filesystem::rename(folder_ + "/." + file, folder_ + "/" + file);
  }
  std::vector<std::string> Names() {
    uint64_t version = 0;
    std::vector<std::string> names;
    for (const auto& pod : agent_->ListPods("", &version)) names.push_back(pod->metadata.name);
    return names;
  }
  template <class F>
  static bool Eventually(F probe) {
    for (int i = 0; i < 500; ++i) {
      if (probe()) return true;
      std::this_thread::sleep_for(20ms);
    }
    return false;
  }

  FakeNode node_;
  SystemClock clock_;
  ObjectStore objects_{node_.config};
  std::string folder_;
  std::mutex mutex_;
  std::vector<std::string> errors_;
  ThreadExecutor executor_;
  std::unique_ptr<Agent> agent_;
  std::unique_ptr<StaticPods> pods_;
};

TEST_F(StaticPodsTest, RunsWhatStandsInTheFolderFromTheStart) {
  Write("web.yaml", Manifest("web", kSpec));
  Write(".hidden", Manifest("hidden", kSpec));
  std::filesystem::create_directories(folder_ + "/folder");
  Start();
  EXPECT_THAT(Names(), ElementsAre("web-node7"));
  EXPECT_THAT(errors_, IsEmpty());
}

TEST_F(StaticPodsTest, FilesComeChangeAndGo) {
  Start();  // a folder that is not there yet
  EXPECT_THAT(Names(), IsEmpty());
  Write("web.yaml", Manifest("web", kSpec));
  EXPECT_TRUE(Eventually([&] { return Names().size() == 1; }));
  const std::string first = agent_->GetPod("default", "web-node7")->metadata.uid;
  Write("web.yaml", Manifest("web", std::string(kSpec) + ", hostNetwork: true"));
  EXPECT_TRUE(Eventually([&] {
    const auto pod = agent_->GetPod("default", "web-node7");
    return pod.ok() && pod->metadata.uid != first;
  }));
  EXPECT_TRUE(agent_->GetPod("default", "web-node7")->spec.hostNetwork);
  std::filesystem::remove(folder_ + "/web.yaml");
  EXPECT_TRUE(Eventually([&] { return Names().empty(); }));
}

TEST_F(StaticPodsTest, ABrokenFileIsToldOnceAndLeavesThePod) {
  Write("web.yaml", Manifest("web", kSpec));
  Start();
  Write("web.yaml", "apiVersion: v1\nkind: Po");
  const auto told = [&] {
    const std::lock_guard lock(mutex_);
    return errors_.size();
  };
  EXPECT_TRUE(Eventually([&] { return told() == 1; }));
  std::this_thread::sleep_for(600ms);
  EXPECT_EQ(told(), 1U);
  EXPECT_THAT(errors_, Contains(folder_ + "/web.yaml: a v1 Pod is wanted, and this is v1 Po"));
  EXPECT_THAT(Names(), ElementsAre("web-node7"));
}

}  // namespace
}  // namespace podium::node
