// An EmbeddedRuntime with all that it needs: an image store with a root of busybox, a network whose
// namespaces are real and have a loopback only, and a cgroup subtree of the test's own. All in
// mount and network namespaces of the test's process; at the end it is checked that nothing is
// left.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "contract.h"
#include "image/image_store.h"
#include "linux/cgroup.h"
#include "network/fake_network.h"
#include "runtime/embedded_runtime.h"

namespace podium::runtime {

class LoopbackNetwork : public network::Network {
 public:
  Result<UniqueFd> PrepareNamespace(const std::string& sandbox_id) override;
  Result<network::PodNetwork> Setup(const network::PodNetworkRequest& request) override {
    return book_.Setup(request);
  }
  Result<void> Teardown(const std::string& sandbox_id) override {
    return book_.Teardown(sandbox_id);
  }
  Result<void> Check(const std::string& sandbox_id) override { return book_.Check(sandbox_id); }
  Result<network::PodCounters> Counters(const std::string& sandbox_id) override {
    return book_.Counters(sandbox_id);
  }
  Result<void> Recover(std::span<const network::LiveSandbox> live) override {
    return book_.Recover(live);
  }
  network::NetworkStatus Status() override { return book_.Status(); }
  Result<void> Uninstall() override { return book_.Uninstall(); }
  network::FakeNetwork& book() { return book_; }

 private:
  network::FakeNetwork book_;
};

// What tests write is in a tmpfs, which takes the owners of a user namespace since Linux 6.3.
bool MapsOwners();

// The namespaces and file systems of the test's process, made once; "" or why that cannot be.
std::string EnterTestWorld();

struct MachineOptions {
  size_t prepared = 0;
  std::string name = "a";  // of folders and cgroups
  bool limits_devices = true;
  LogHandler log_handler = nullptr;
  uint64_t log_bound = 0;
};

// Everything but the runtime, which can be closed and opened again as if its process had died.
class Machine {
 public:
  explicit Machine(MachineOptions options = {});
  // Removes what is there, and checks that nothing stays.
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  EmbeddedRuntime& runtime() { return *runtime_; }
  // Another EmbeddedRuntime over the same folders; the network too has forgotten all. `between`
  // runs while there is none.
  Recovery Restart(const std::function<void()>& between = nullptr);
  const Recovery& first_recovery() const { return first_recovery_; }
  LoopbackNetwork& network() { return *network_; }
  kernel::CgroupDriver& cgroups() { return *cgroups_; }
  image::ImageStore& images() { return *images_; }
  const std::string& folder() const { return folder_; }
  const Instance& instance() const { return instance_; }

  // An image of the busybox root under another name, with a configuration
  // ("\"User\":\"1000\"") and files on top.
  void AddImage(const std::string& name, const std::string& config,
                const std::string& more_layer = {});

 private:
  void OpenRuntime();

  MachineOptions options_;
  std::string folder_;
  Instance instance_;
  Recovery first_recovery_;
  std::unique_ptr<image::ImageStore> images_;
  std::unique_ptr<kernel::CgroupDriver> cgroups_;
  std::unique_ptr<LoopbackNetwork> network_;
  std::unique_ptr<EmbeddedRuntime> runtime_;
};

cri::ContainerConfig Shell(const std::string& name, const std::string& script);
cri::PodSandboxConfig TestPod(const std::string& name);

class EmbeddedHarness : public ContractHarness {
 public:
  explicit EmbeddedHarness(size_t prepared) : machine_({.prepared = prepared}) {}
  Runtime& runtime() override { return machine_.runtime(); }
  cri::ContainerConfig Runs(const std::string& name) override;
  cri::ContainerConfig IgnoresStop(const std::string& name) override;
  cri::ContainerConfig Exits(const std::string& name, int code) override;
  cri::ContainerConfig CannotStart(const std::string& name) override;
  void AwaitUp(const std::string& container) override;
  void Pass() override;

 private:
  Machine machine_;
};

// Tests of what containers see: one machine a test.
class EmbeddedTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override { machine_.reset(); }

  EmbeddedRuntime& runtime() { return machine_->runtime(); }
  std::string RunPod(const cri::PodSandboxConfig& config);
  std::string Start(const std::string& sandbox, const cri::ContainerConfig& config,
                    std::vector<MountSource> sources = {});
  cri::ContainerStatus Wait(const std::string& container);
  // What a container writes until its end; its log, joined.
  std::string Output(const cri::ContainerConfig& config) { return Output("p", config); }
  std::string Output(const std::string& pod, const cri::ContainerConfig& config);
  std::string LogOf(const cri::ContainerStatus& status) const;
  // The error of a container that is not made or started.
  std::string Refusal(const cri::ContainerConfig& config);

  std::unique_ptr<Machine> machine_;
};

pid_t ParentOf(pid_t pid);
std::string ReadHostFile(const std::string& path);
void WriteHostFile(const std::string& path, const std::string& text);

}  // namespace podium::runtime
