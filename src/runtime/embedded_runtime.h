// EmbeddedRuntime: the Runtime of this machine's kernel.
//
//   RUN/sandboxes/<id>/config.json        PodSandboxConfig; written first: the intent
//   RUN/sandboxes/<id>/state.json         PodSandboxStatus; written last: the sandbox is whole
//   RUN/sandboxes/<id>/network.json       its address
//   RUN/sandboxes/<id>/{hostname,hosts,resolv.conf}   mounted in its containers
//   RUN/sandboxes/<id>/shim.sock          its shim listens here
//   RUN/sandboxes/<id>/containers/<cid>/{config.json,state.json,exit}   likewise; `exit` by the
//   shim DATA/containers/<cid>/{upper,work,volumes}   its writable layer
//   DATA/roots/<any>/{upper,work}         of containers that nobody has asked for yet
//   RUN/sandboxes/<id>.ended/             of one that is gone, until its cgroups are gone too
//
// What has a config.json and no state.json was half-made when its maker died: Recover undoes it. So
// does whoever fails on the way: the same code in both cases, and all of it may be repeated.
//
// A pod's processes are its shim's children, in no way this process's: they live on when it ends,
// and Recover finds them by their sockets. A container that was created and not started has no
// process; it goes with the process that created it, and Recover removes it.
//
// Threads: four of its own (two of ShimLoop, and two for what need not be waited for:
// LayerRemover's and one for all else).
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/instance.h"
#include "image/image_store.h"
#include "linux/cgroup.h"
#include "linux/process.h"
#include "network/network.h"
#include "runtime/draft.h"
#include "runtime/layer_remover.h"
#include "runtime/roots_ahead.h"
#include "runtime/runtime.h"
#include "runtime/shim_client.h"
#include "runtime/usage.h"
#include "runtime/views.h"

namespace podium::runtime {

struct EmbeddedOptions {
  Instance instance;
  // Sandboxes made ahead: shim, infra process and network namespace wait for a pod; and at most as
  // many roots, which wait for a container (roots_ahead.h). 0: none.
  size_t prepared = 4;
  // Where seccomp profiles of type Localhost are, if their names are relative.
  std::string seccomp_folder = "/var/lib/kubelet/seccomp";
  // A sandbox's cgroup_parent is its caller's, as a kubelet has it: a path from where cgroups are
  // mounted (so the driver has the whole hierarchy), made where it is missing, not limited, and
  // never removed. Sandboxes that have none get one below the instance's root.
  bool pod_cgroups_are_callers = false;
};

class EmbeddedRuntime : public Runtime, public UsageReader {
 public:
  // All three outlive it. kUnsupported names what this machine lacks.
  static Result<std::unique_ptr<EmbeddedRuntime>> Open(EmbeddedOptions options,
                                                       image::ImageStore& images,
                                                       network::Network& network,
                                                       kernel::CgroupDriver& cgroups);
  // Pods run on.
  ~EmbeddedRuntime() override;

  // What was gone on without: one sentence each, each once (no CAP_SYS_RESOURCE and so on).
  std::vector<std::string> TakeWarnings();
  // Whether files of containers that are gone are still being removed.
  bool IsRemoving() const { return layers_.busy(); }
  // How many prepared sandboxes wait.
  size_t prepared() const;
  // And roots.
  size_t roots_ahead() const { return roots_.size(); }

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

  std::vector<PodUsage> PodsUsage(kernel::CgroupDetail detail) override;
  Result<GroupUsage> CgroupUsage(std::string_view path, kernel::CgroupDetail detail) override;

 private:
  class ExecSession;
  class AttachSession;

  // A shim, and what it has made. From the pool or for a pod.
  struct Shim {
    uint64_t key = 0;
    uint16_t version = shim::kMessageVersion;
    std::shared_ptr<ShimClient> client;
    kernel::PidFd process;  // of the shim, if it is our child
    pid_t infra_pid = 0;
    kernel::PidFd infra;
    UniqueFd net;  // the pod's network namespace
  };
  struct Prepared {
    std::string id;
    Shim shim;
  };
  struct Sandbox;
  struct Container {
    std::string id;
    std::shared_ptr<Sandbox> sandbox;
    cri::ContainerConfig config;
    std::string cgroup;
    // Only the holder of the sandbox's operation touches these.
    std::unique_ptr<Draft> draft;  // from its creation to its start
    image::ImagePin pin;
    std::vector<image::ImagePin> volume_pins;
    std::mutex cleaning;  // of its cgroup
    // The rest: mutex_.
    cri::ContainerStatus status;
    std::shared_ptr<const shim::Plan> process;  // what an exec's plan is made of
    pid_t pid = 0;
    bool starting = false;
    bool started_event = false;
    bool cgroup_empty = false;  // it has ended, and so has all that it had started
    bool cgroup_gone = true;    // nothing is left of it
    bool removed = false;
    std::optional<std::chrono::steady_clock::time_point> stop_by;
    // Of sessions that are attached.
    std::map<const Session*, std::function<void()>> on_end;
  };
  struct Sandbox {
    std::string id;
    cri::PodSandboxConfig config;
    std::string handler;
    std::string cgroup;    // what its containers' cgroups are in
    std::mutex operation;  // one call at a time that changes it
    // Set by the holder of the operation; client and net are taken away under mutex_.
    Shim shim;
    UniqueFd user_namespace;
    // The rest: mutex_.
    cri::PodSandboxState state = cri::PodSandboxState::kSandboxNotready;
    int64_t created_at = 0;
    std::optional<network::PodNetwork> network;
    std::map<std::string, std::shared_ptr<Container>> containers;
    bool removed = false;

    SandboxView view() const { return {id, config, state, created_at, handler}; }
  };
  struct ExecEnd {
    std::optional<int32_t> code;
    bool lost = false;  // its shim is gone
    std::function<void()> on_end;
    uint64_t shim_key = 0;
  };
  // What a shim has told before its sandbox was known.
  struct Early {
    std::vector<shim::ProcessState> exited;
    bool gone = false;
  };
  using SandboxRef = std::shared_ptr<Sandbox>;
  using ContainerRef = std::shared_ptr<Container>;

  EmbeddedRuntime(EmbeddedOptions options, image::ImageStore& images, network::Network& network,
                  kernel::CgroupDriver& cgroups);
  Result<void> Prepare();

  // embedded_runtime.cpp
  std::string SandboxFolder(std::string_view id) const;
  std::string ContainerFolder(const Container& container) const;
  std::string LayerFolder(std::string_view id) const;
  Result<SandboxRef> GetSandbox(std::string_view id) const;
  Result<ContainerRef> GetContainer(std::string_view id) const;
  // For exec and its like.
  Result<ContainerRef> GetRunning(std::string_view id) const;
  Result<void> Reserve(const std::string& kind, const std::string& name, const std::string& id);
  void Release(const std::string& name, const std::string& id);
  void Warn(const std::string& sentence);
  void Later(std::function<void()> work);
  void WorkLoop();

  // shims.cpp
  Result<Shim> SpawnShim();
  Result<Prepared> PrepareSandbox();
  std::optional<Prepared> TakePrepared();
  // Sandboxes are made ahead when no pod is being made, and has not been for a moment.
  class Starting {
   public:
    explicit Starting(EmbeddedRuntime& runtime);
    Starting(const Starting&) = delete;
    Starting& operator=(const Starting&) = delete;
    ~Starting();

   private:
    EmbeddedRuntime& runtime_;
  };
  bool RefillSandbox();
  void Refill();
  void Discard(Prepared prepared);
  void EndShim(Shim* shim);
  // Another thread may be ending the shim: this is how it is asked by all but those who make or end
  // it. kUnavailable when it is gone.
  Result<std::shared_ptr<ShimClient>> ClientOf(const Sandbox& sandbox) const;

  // run_pod_sandbox.cpp
  Result<void> MakeSandbox(const SandboxRef& sandbox, std::optional<Prepared> prepared);
  Result<void> WriteSandboxFiles(const Sandbox& sandbox);
  Result<void> MakePodCgroup(const Sandbox& sandbox);
  Result<void> StartShim(Sandbox* sandbox, std::optional<Prepared> prepared);
  Result<void> ConnectNetwork(Sandbox* sandbox);
  Result<void> WriteSandboxState(const Sandbox& sandbox);
  // Undoes all that MakeSandbox does, however far it came. May be repeated.
  Result<void> DestroySandbox(const SandboxRef& sandbox);
  void DropNamespaces(Sandbox* sandbox);

  // create_container.cpp
  // Of a sandbox or a container (selinux.h).
  Result<void> CheckLabels(const cri::SELinuxOption* options);
  // Those of the sandbox are in its configuration, so that they outlive this process.
  void TakeSelinux(cri::PodSandboxConfig* config);
  void KeepSelinux(const cri::PodSandboxConfig& config);  // of a sandbox that is there already
  void LeaveSelinux(const cri::PodSandboxConfig& config);
  SelinuxLabels LabelsOf(const Container& container) const;
  // The whole id of the container whose processes a new one is to see; empty without one.
  Result<std::string> TargetOf(const std::string& sandbox_id,
                               const cri::NamespaceOption& namespaces) const;
  Result<void> MakeContainer(const ContainerRef& container, std::vector<MountSource>* sources);
  Result<ContainerContext> ContextOf(const Container& container, const image::ImageInfo& image,
                                     std::vector<MountSource>* sources);
  Result<void> WriteContainerState(const Container& container);
  Result<void> DestroyContainer(const ContainerRef& container, bool with_sandbox = false);
  // What an exec's plan is made of; after Recover made anew from the image.
  Result<std::shared_ptr<const shim::Plan>> ProcessOf(const ContainerRef& container);

  // start_container.cpp
  Result<void> LaunchContainer(const ContainerRef& container);
  Result<UniqueFd> OpenLog(const Container& container) const;
  void OnExited(uint64_t key, const shim::ProcessState& state);
  void OnExecExited(const std::string& id, int32_t code);
  void LoseExecs(uint64_t key);
  void OnContainerExited(const ContainerRef& container, const shim::ProcessState& state);
  void OnGone(uint64_t key);
  void EndContainer(const ContainerRef& container, int32_t code, std::string reason,
                    std::string message, int64_t finished_at);

  // remains.cpp
  // Later than Later: when no pod is being made or removed, or after a second at the most. What was
  // not done when this ends is done then.
  void InTime(std::function<void()> work);
  std::optional<std::chrono::steady_clock::time_point> RemainsAt() const;
  void TakeAllAway();
  // What a container's first process has left running ends with it.
  void EmptyCgroup(const ContainerRef& container);
  // Nothing is left running of earlier runs of this container, which is about to start.
  void EmptyCgroupsBefore(const ContainerRef& container);
  void RemoveCgroup(const ContainerRef& container);
  void RemovePodCgroup(const std::string& cgroup);
  // It is about to be used again: it is not removed, or has been.
  void KeepPodCgroup(const std::string& cgroup);
  void Leave(const ContainerRef& container);
  Result<void> Leave(const SandboxRef& sandbox);
  void LeaveRecord(const std::string& folder, const std::string& cgroup,
                   std::vector<std::string> containers);
  void LeaveShim(kernel::PidFd process);
  void RecoverRemains(const std::vector<std::string>& names);

  // stop_container.cpp
  Result<void> Kill(const ContainerRef& container);
  Result<void> SignalContainer(const ContainerRef& container, int signal);
  int StopSignalOf(const Container& container) const;
  Result<void> StopSandboxLocked(const SandboxRef& sandbox);
  bool WaitForEnd(const ContainerRef& container, std::chrono::steady_clock::time_point until);

  // recover.cpp
  // How a container has ended, if its shim came to write it down.
  std::optional<shim::ProcessState> ExitRecordOf(const Container& container) const;
  // What a shim that an earlier process started is told once its version is known.
  void Greet(const Sandbox& sandbox) const;
  static Result<void> JoinInfra(Sandbox* sandbox);
  Result<SandboxRef> RecoverSandbox(const std::string& id, Recovery* recovery);
  void CatchUp(uint64_t key);
  void RecoverContainers(const SandboxRef& sandbox, const std::vector<ShimReply>& states,
                         Recovery* recovery);
  // `state`: what its shim says of it, or null; `shim_answered`: whether it could be asked.
  void RecoverContainer(const ContainerRef& container, const shim::ProcessState* state,
                        bool shim_answered, Recovery* recovery);

  // exec.cpp
  Result<std::unique_ptr<Session>> StartExec(const ContainerRef& container,
                                             const cri::ExecRequest& request,
                                             const WindowSize& window);
  Result<int32_t> WaitForExec(const std::string& id, std::chrono::milliseconds timeout);
  void ForgetExec(const std::string& id);
  void NotifyExecEnd(const std::string& id, std::function<void()> ended);
  void NotifyContainerEnd(const ContainerRef& container, const Session* who,
                          std::function<void()> ended);

  // status.cpp
  static cri::PodSandboxStatus StatusOf(const Sandbox& sandbox);
  static std::vector<cri::ContainerStatus> StatusesIn(const Sandbox& sandbox);
  void Emit(cri::ContainerEventType type, const std::string& id, const Sandbox& sandbox);
  void DeliverEvents();

  // stats.cpp
  cri::ContainerStats StatsOf(const ContainerRef& container);
  cri::PodSandboxStats StatsOf(const SandboxRef& sandbox);

  // As the driver has it: of a path below the instance's root, and of a sandbox.
  std::string OwnCgroup(std::string_view path) const;
  std::string SandboxCgroup(const cri::PodSandboxConfig& config, const std::string& id) const;
  bool IsCallersCgroup(std::string_view cgroup) const;

  // usage.cpp
  std::string CgroupName(std::string_view path) const;
  // None: it is not ready, or its cgroup is gone.
  std::optional<PodUsage> UsageOf(const SandboxRef& sandbox, kernel::CgroupDetail detail);

  const EmbeddedOptions options_;
  image::ImageStore& images_;
  network::Network& network_;
  kernel::CgroupDriver& cgroups_;
  HostFacts host_;
  kernel::DefaultSeccomp default_seccomp_;
  std::string run_folder_;   // RUN/sandboxes
  std::string data_folder_;  // DATA/containers
  std::string places_;       // DATA/places, the lowest layer of every root
  UniqueFd shim_program_;
  UniqueFd infra_program_;
  std::unique_ptr<ShimLoop> loop_;
  std::atomic<uint64_t> next_key_ = 1;
  std::atomic<bool> recovered_ = false;
  std::atomic<uint64_t> log_bound_ = 0;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::string, SandboxRef, std::less<>> sandboxes_;
  std::map<std::string, ContainerRef, std::less<>> containers_;
  std::map<std::string, std::string, std::less<>> names_;
  std::map<uint64_t, std::weak_ptr<Sandbox>> by_key_;
  std::map<std::string, ExecEnd> execs_;
  std::vector<std::string> warnings_;
  std::vector<std::string> warned_;
  std::deque<cri::ContainerEventResponse> events_;
  std::deque<Prepared> prepared_;
  std::multiset<std::string, std::less<>> selinux_levels_;  // of pods that are there
  // Of shims whose sandboxes Recover is still reading.
  std::map<uint64_t, Early> early_;
  // Cgroups of pods that are gone, and whether they are just being removed.
  std::map<std::string, bool, std::less<>> leaving_;

  std::mutex event_mutex_;  // held while events are delivered, so that they keep their order
  EventHandler handler_;    // under event_mutex_
  LogHandler log_handler_;  // likewise

  std::mutex work_mutex_;
  std::condition_variable work_posted_;
  std::deque<std::function<void()>> work_;
  std::deque<std::pair<std::chrono::steady_clock::time_point, std::function<void()>>> remains_;
  int starting_ = 0;
  std::optional<std::chrono::steady_clock::time_point> refill_at_;
  bool stopping_ = false;
  std::thread worker_;
  LayerRemover layers_;
  RootsAhead roots_;  // under their own mutex

  // Behind all else: what it began is awaited first, and warns.
  DefaultApparmor default_apparmor_;
};

}  // namespace podium::runtime
