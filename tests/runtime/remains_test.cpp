// What is left of a pod that is gone goes too: when nobody waits for it, after the process that
// left it was killed, and never the next sandbox's.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "embedded_harness.h"

namespace podium::runtime {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

bool Within(std::chrono::seconds time, const std::function<bool()>& probe) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!probe()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

class RemainsTest : public EmbeddedTest {
 protected:
  std::string Sandboxes() const { return machine_->instance().run_dir + "/sandboxes"; }
  std::string Layers() const { return machine_->instance().data_dir + "/containers"; }
  bool HasCgroup(const std::string& path) { return machine_->cgroups().Populated(path).ok(); }
};

TEST_F(RemainsTest, GoByAndBy) {
  const std::string pod = RunPod(TestPod("p"));
  const std::string id = Start(pod, Shell("c", "touch /file; exec sleep 1000"));
  ASSERT_TRUE(HasCgroup("pods/" + pod + "/" + id));
  ASSERT_TRUE(runtime().RemovePodSandbox(pod).ok());
  EXPECT_FALSE(fs::exists(Sandboxes() + "/" + pod));
  EXPECT_TRUE(Within(std::chrono::seconds(10), [&] {
    return !HasCgroup("pods/" + pod) && fs::is_empty(Layers()) && fs::is_empty(Sandboxes());
  }));
}

TEST_F(RemainsTest, OfAProcessThatWasKilled) {
  const std::string pod(64, 'a');
  const std::string id(64, 'b');
  const std::string record = Sandboxes() + "/" + pod + ".ended";
  fs::create_directories(record + "/containers/" + id);
  WriteHostFile(record + "/config.json", "{\"metadata\":{\"name\":\"p\"}}");
  fs::create_directories(Layers() + "/" + id + "/upper");
  ASSERT_TRUE(machine_->cgroups().Create("pods/" + pod + "/" + id, {.pids_limit = 9}).ok());
  fs::create_directories(Sandboxes() + "/" + std::string(64, 'c') + ".ended");
  const Recovery recovery = machine_->Restart();
  EXPECT_TRUE(recovery.problems.empty() && recovery.ready.empty() && recovery.not_ready.empty());
  EXPECT_TRUE(Within(std::chrono::seconds(10), [&] {
    return !HasCgroup("pods/" + pod) && fs::is_empty(Layers()) && fs::is_empty(Sandboxes());
  }));
}

// A pod's sandboxes follow each other in the same cgroup.
TEST_F(RemainsTest, AreNotTheNextSandboxs) {
  for (int i = 0; i < 5; ++i) {
    cri::PodSandboxConfig config = TestPod("p" + std::to_string(i));
    config.linux_.ensure().cgroup_parent = "kubepods/podx";
    const std::string before = RunPod(config);
    const std::string old = Start(before, Shell("c", "exec sleep 1000"));
    ASSERT_TRUE(runtime().RemovePodSandbox(before).ok());
    if (i > 0) std::this_thread::sleep_for(milliseconds(15 * i));
    config.metadata->name += "again";
    const std::string next = RunPod(config);
    std::this_thread::sleep_for(milliseconds(100));
    EXPECT_TRUE(HasCgroup("kubepods/podx"));
    const std::string id = Start(next, Shell("c", "exec sleep 1000"));
    EXPECT_TRUE(
        Within(std::chrono::seconds(10), [&] { return !HasCgroup("kubepods/podx/" + old); }));
    EXPECT_TRUE(HasCgroup("kubepods/podx/" + id));
    ASSERT_TRUE(runtime().RemovePodSandbox(next).ok());
    EXPECT_TRUE(Within(std::chrono::seconds(10), [&] { return !HasCgroup("kubepods/podx"); }));
  }
}

// A container's end between the shim's answer and the moment when its sandbox is known again: it
// would run for ever, as far as anybody is told.
TEST_F(RemainsTest, AnEndWhileAnotherProcessTakesOver) {
  const std::string pod = RunPod(TestPod("p"));
  for (int i = 0; i < 30; ++i) {
    const std::string id = Start(pod, Shell("c" + std::to_string(i), "exec sleep 1000"));
    std::jthread killer([&] {
      // From its answer on it is a matter of milliseconds.
      std::this_thread::sleep_for(milliseconds(i));
      (void)machine_->cgroups().Kill("pods/" + pod + "/" + id, std::chrono::seconds(5));
    });
    machine_->Restart();
    killer.join();
    EXPECT_TRUE(Within(std::chrono::seconds(5),
                       [&] {
                         const auto status = runtime().ContainerStatus(id, false);
                         return status.ok() &&
                                status->status->state == cri::ContainerState::kContainerExited;
                       }))
        << "round " << i;
    ASSERT_TRUE(runtime().RemoveContainer(id).ok());
  }
}

}  // namespace
}  // namespace podium::runtime
