// FakeRuntime: a Runtime without a kernel, for tests and simulations of whatever stands above it.
// Its states, idempotence, reasons and errors are those of runtime.h; the same contract tests run
// over it and over EmbeddedRuntime. Time is its own and moves only by Advance and by the grace
// periods of StopContainer.
//
//   FakeRuntime runtime;
//   runtime.Script("job", {.exits_after = 3s, .exit_code = 1});   // containers by that name
//   runtime.Fail("RunPodSandbox", Error(Code::kUnavailable, "no address is left"), 2);
//   ...
//   runtime.Advance(3s);                     // the containers named job exit
//   runtime.Exit(container_id, 137, "OOMKilled");
//   EXPECT_THAT(runtime.calls(), Contains("StartContainer job"));
//
// Events are delivered on the thread that causes them, before its call returns.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/runtime.h"
#include "runtime/usage.h"
#include "runtime/views.h"

namespace podium::runtime {

class FakeRuntime : public Runtime, public UsageReader {
 public:
  using Duration = std::chrono::nanoseconds;

  // How the containers of a name behave.
  struct Behaviour {
    std::optional<Duration> exits_after =
        {};  // from its start; otherwise it runs until it is stopped
    int32_t exit_code = 0;
    std::string reason = {};                      // OOMKilled; otherwise by the code
    std::optional<std::string> start_error = {};  // StartContainer fails with this
    bool ignores_stop_signal = false;             // only the kill after the grace period ends it
    int32_t stop_code = 0;                        // what it exits with upon the stop signal
    uint64_t writable_layer = 0;                  // bytes
  };
  // What an exec does.
  struct ExecResult {
    std::string stdout_text = {};
    std::string stderr_text = {};
    int32_t exit_code = 0;
    Duration takes{0};  // longer than the timeout: kDeadlineExceeded
  };
  using ExecScript = std::function<ExecResult(const std::string& container_name,
                                              const std::vector<std::string>& command)>;

  // `start`: the time of day at the beginning, since 1970.
  explicit FakeRuntime(Duration start = std::chrono::hours(24 * 365 * 50));

  // By the container's name (metadata.name); counts for those started from now on.
  void Script(std::string container_name, Behaviour behaviour);
  void ScriptExec(ExecScript script);
  // By the pod's name. Without one every connection is refused.
  void ScriptPorts(std::function<Result<UniqueFd>(const std::string& pod, uint16_t port)> connect);
  // Of every sandbox, from now on.
  void SetPortHolders(std::vector<PortHolder> holders);
  // The next `times` calls of a method ("StartContainer") fail. `name`: only those whose container
  // or pod has this name.
  void Fail(std::string method, Error error, int times = 1, std::string name = {});
  // What was to fail does not.
  void ClearFailures();
  // What containers of this name use from now on; 1 MiB otherwise.
  void SetMemoryUsage(std::string container_name, uint64_t bytes);

  Duration now() const;
  // In order of time, whatever is due happens.
  void Advance(Duration by);
  // A running container ends now. kNotFound.
  Result<void> Exit(std::string_view container_id, int32_t code, std::string reason = {});
  // The infra process dies: the sandbox is NOTREADY and its containers are killed (137).
  Result<void> KillInfra(std::string_view sandbox_id);
  // What the runtime tells when so much is in a container's log.
  void TellLogGrown(const std::string& container_id, uint64_t written);
  // SetLogHandler's.
  uint64_t log_bound() const;

  // What was called, in order: the method, and the container's or pod's name.
  std::vector<std::string> calls() const;
  void ClearCalls();
  // Sessions of exec and attach that somebody holds.
  long sessions() const { return sessions_.use_count() - 1; }
  // What a container or sandbox was made with; resources as last updated.
  Result<cri::ContainerConfig> ConfigOf(std::string_view container_id) const;
  Result<cri::PodSandboxConfig> SandboxConfigOf(std::string_view sandbox_id) const;

  Result<Recovery> Recover() override;
  void SetEventHandler(EventHandler handler) override;
  void SetLogHandler(LogHandler handler, uint64_t bound) override;
  Result<cri::StatusResponse> Status() override;
  cri::RuntimeConfigResponse RuntimeConfig() override;
  Result<std::string> RunPodSandbox(const cri::PodSandboxConfig& config,
                                    std::string_view runtime_handler) override;
  Result<void> StopPodSandbox(std::string_view sandbox_id) override;
  Result<void> RemovePodSandbox(std::string_view sandbox_id) override;
  Result<cri::PodSandboxStatusResponse> PodSandboxStatus(std::string_view sandbox_id,
                                                         bool verbose) override;
  Result<std::vector<cri::PodSandbox>> ListPodSandbox(const cri::PodSandboxFilter& filter) override;
  Result<void> UpdatePodSandboxResources(std::string_view sandbox_id,
                                         const cri::LinuxContainerResources& resources) override;
  Result<std::string> CreateContainer(std::string_view sandbox_id,
                                      const cri::ContainerConfig& config,
                                      std::vector<MountSource> sources) override;
  Result<void> StartContainer(std::string_view container_id) override;
  Result<void> StopContainer(std::string_view container_id, std::chrono::seconds timeout) override;
  Result<void> RemoveContainer(std::string_view container_id) override;
  Result<std::vector<cri::Container>> ListContainers(const cri::ContainerFilter& filter) override;
  Result<cri::ContainerStatusResponse> ContainerStatus(std::string_view container_id,
                                                       bool verbose) override;
  Result<void> UpdateContainerResources(std::string_view container_id,
                                        const cri::LinuxContainerResources& resources) override;
  Result<void> ReopenContainerLog(std::string_view container_id) override;
  Result<cri::ExecSyncResponse> ExecSync(std::string_view container_id,
                                         const std::vector<std::string>& command,
                                         std::chrono::seconds timeout) override;
  Result<std::unique_ptr<Session>> Exec(const cri::ExecRequest& request,
                                        const WindowSize& window) override;
  Result<std::unique_ptr<Session>> Attach(const cri::AttachRequest& request) override;
  Result<UniqueFd> PortForward(std::string_view sandbox_id, uint16_t port) override;
  Result<std::vector<PortHolder>> PortHolders(std::string_view sandbox_id) override;
  Result<cri::ContainerStats> ContainerStats(std::string_view container_id) override;
  Result<std::vector<cri::ContainerStats>> ListContainerStats(
      const cri::ContainerStatsFilter& filter) override;
  Result<cri::PodSandboxStats> PodSandboxStats(std::string_view sandbox_id) override;
  Result<std::vector<cri::PodSandboxStats>> ListPodSandboxStats(
      const cri::PodSandboxStatsFilter& filter) override;
  // A container uses a processor of its own from its start, and a mebibyte; a pod what its
  // containers use, and it has no device of its own.
  std::vector<PodUsage> PodsUsage(kernel::CgroupDetail detail) override;
  // Of the paths that were told.
  Result<GroupUsage> CgroupUsage(std::string_view path, kernel::CgroupDetail detail) override;
  void SetCgroup(std::string path, kernel::CgroupStats used);

 private:
  struct Sandbox {
    cri::PodSandboxConfig config;
    cri::PodSandboxState state = cri::PodSandboxState::kSandboxReady;
    int64_t created_at = 0;
    std::vector<std::string> addresses;
    std::string handler;
  };
  struct Entry {
    cri::ContainerConfig config;
    std::string sandbox_id;
    cri::ContainerStatus status;
    Behaviour behaviour;              // as of its start
    std::optional<Duration> exit_at;  // while it runs
  };
  struct Failure {
    std::string method;
    std::string name;
    Error error;
    int times;
  };
  using Sandboxes = std::map<std::string, Sandbox, std::less<>>;
  using Containers = std::map<std::string, Entry, std::less<>>;
  using Lock = std::unique_lock<std::mutex>;

  std::string NewId();
  // Notes the call; the scripted failure, if there is one.
  Result<void> Enter(std::string_view method, std::string_view name);
  Result<Sandboxes::iterator> GetSandbox(std::string_view id);
  Result<Containers::iterator> GetContainer(std::string_view id);
  // One that runs: exec, attach, logs.
  Result<Containers::iterator> GetRunning(std::string_view id, std::string_view what);
  void End(Containers::iterator container, int32_t code, std::string reason);
  void StopLocked(Containers::iterator container, Duration grace);
  void AdvanceLocked(Duration until);
  void StopSandboxLocked(Sandboxes::iterator sandbox);
  void QueueEvent(cri::ContainerEventType type, std::string_view id, std::string_view sandbox_id);
  void Deliver(Lock lock);
  static SandboxView View(const Sandboxes::value_type& sandbox);
  std::vector<cri::ContainerStatus> StatusesIn(std::string_view sandbox_id) const;
  cri::ContainerStats StatsOf(const std::string& id, const Entry& entry) const;
  cri::PodSandboxStats StatsOf(const std::string& id, const Sandbox& sandbox) const;

  mutable std::mutex mutex_;
  Duration now_;
  uint64_t ids_ = 0;
  uint32_t next_address_ = 1;
  Sandboxes sandboxes_;
  Containers containers_;
  std::map<std::string, Behaviour, std::less<>> behaviours_;
  std::vector<Failure> failures_;
  std::map<std::string, uint64_t, std::less<>> memory_usage_;
  std::vector<std::string> calls_;
  const std::shared_ptr<const int> sessions_ = std::make_shared<int>();  // held by each
  ExecScript exec_;
  std::function<Result<UniqueFd>(const std::string&, uint16_t)> ports_;
  std::vector<PortHolder> port_holders_;
  std::map<std::string, kernel::CgroupStats, std::less<>> cgroups_;
  EventHandler handler_;
  LogHandler log_handler_;
  uint64_t log_bound_ = 0;
  std::vector<cri::ContainerEventResponse> events_;
};

}  // namespace podium::runtime
