// StartContainer, and what happens when a process of a pod ends.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <utility>

#include "base/trace.h"
#include "linux/path.h"
#include "runtime/embedded_runtime.h"
#include "runtime/filters.h"
#include "runtime/host_facts.h"

namespace podium::runtime {
namespace {

constexpr mode_t kLogMode = 0640;
constexpr int32_t kKilled = 128 + SIGKILL;

// A message's descriptors, by number.
class Passed {
 public:
  int32_t Add(int fd) {
    fds_.push_back(fd);
    return static_cast<int32_t>(fds_.size() - 1);
  }
  const std::vector<int>& fds() const { return fds_; }

 private:
  std::vector<int> fds_;
};

std::string_view Text(const char* field, size_t size) { return {field, strnlen(field, size)}; }

// By one message, where the shim's version has it.
Result<shim::ProcessState> CreateAndStart(ShimClient& shim, uint16_t version,
                                          shim::CreateContainer create,
                                          const std::vector<int>& descriptors) {
  const bool at_once = version >= 2;
  if (at_once) create.flags |= shim::kProcessStart;
  const TraceSpan span("container stage, exec");
  TRY(ShimReply reply, shim.Call(shim::MessageType::kCreateContainer, create, descriptors));
  if (!at_once) {
    shim::Target target{};
    std::memcpy(target.id, create.id, sizeof target.id);
    TRY(reply, shim.Call(shim::MessageType::kStartContainer, target));
  }
  return reply.As<shim::ProcessInfo>().state;
}

}  // namespace

Result<void> EmbeddedRuntime::StartContainer(std::string_view container_id) {
  TRY(const ContainerRef container, GetContainer(container_id));
  const Starting starting(*this);
  const TraceSpan whole("StartContainer");
  const std::lock_guard operation(container->sandbox->operation);
  {
    const std::lock_guard lock(mutex_);
    if (container->removed || container->status.state != cri::ContainerState::kContainerCreated) {
      return Error(Code::kInvalidArgument,
                   "container is in " + std::string(StateName(container->status.state)) + " state");
    }
    if (container->sandbox->state != cri::PodSandboxState::kSandboxReady) {
      return Error(Code::kUnavailable,
                   "sandbox container \"" + container->sandbox->id + "\" is not running");
    }
    container->starting = true;
    container->cgroup_gone = false;
  }
  EmptyCgroupsBefore(container);
  Result<void> started = LaunchContainer(container);
  // Mounts and descriptors are the container's now, or nobody's.
  container->draft.reset();
  if (!started.ok()) {
    {
      const std::lock_guard lock(mutex_);
      container->started_event = true;  // there is none
    }
    EndContainer(container, kStartErrorCode, std::string(kReasonStartError),
                 started.error().message(), Now());
    return started;
  }
  {
    const std::lock_guard lock(mutex_);
    container->starting = false;
    // It may have ended meanwhile.
    if (container->status.state == cri::ContainerState::kContainerCreated) {
      container->status.state = cri::ContainerState::kContainerRunning;
    }
    if (!container->started_event) {
      container->started_event = true;
      Emit(cri::ContainerEventType::kContainerStartedEvent, container->id, *container->sandbox);
    }
  }
  const auto written = WriteContainerState(*container);
  if (!written.ok()) Warn("recording a container: " + written.error().message());
  DeliverEvents();
  return {};
}

Result<UniqueFd> EmbeddedRuntime::OpenLog(const Container& container) const {
  const std::string& path = container.status.log_path;
  if (path.empty()) return UniqueFd();
  TRY_VOID(kernel::MakeFolders(path.substr(0, path.rfind('/')), 0755));
  auto log = kernel::OpenPath(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, kLogMode);
  if (!log.ok()) return std::move(log).error().WithContext("failed to create container log");
  return log;
}

Result<void> EmbeddedRuntime::LaunchContainer(const ContainerRef& container) {
  Draft& draft = *container->draft;
  const std::shared_ptr<ShimClient>& shim = container->sandbox->shim.client;
  kernel::CgroupEntry entry;
  {
    const TraceSpan span("cgroup");
    TRY_VOID(cgroups_.Create(container->cgroup, draft.limits));
    TRY(entry, cgroups_.OpenForSpawn(container->cgroup));
  }
  TRY(const UniqueFd log, OpenLog(*container));
  TRY(const std::string bytes, shim::EncodePlan(draft.plan));
  TRY(const UniqueFd plan, kernel::SealedMemory("plan", bytes));
  UniqueFd kill;
  if (entry.directory) {
    kill.reset(openat(entry.directory.get(), "cgroup.kill", O_WRONLY | O_CLOEXEC));
  }

  Passed passed;
  shim::CreateContainer create{};
  create.plan = passed.Add(plan.get());
  create.log = log ? passed.Add(log.get()) : -1;
  create.cgroups.folder = entry.directory ? passed.Add(entry.directory.get()) : -1;
  create.cgroups.kill = kill ? passed.Add(kill.get()) : -1;
  for (const UniqueFd& tasks : entry.tasks) {
    if (create.cgroups.procs_count >= shim::kMaxCgroups) {
      return Error(Code::kUnsupported, "too many cgroup hierarchies");
    }
    create.cgroups.procs[create.cgroups.procs_count++] = passed.Add(tasks.get());
  }
  if (container->config.tty) create.flags |= shim::kProcessTerminal;
  if (container->config.stdin_) create.flags |= shim::kProcessStdin;
  std::memcpy(create.id, container->id.data(),
              std::min(container->id.size(), sizeof create.id - 1));
  const std::string& sees = NamespacesOf(container->config).target_id;
  std::memcpy(create.target, sees.data(), std::min(sees.size(), sizeof create.target - 1));
  create.first_plan_descriptor = static_cast<uint32_t>(passed.fds().size());
  create.plan_descriptor_count = static_cast<uint32_t>(draft.descriptors.size());
  for (const UniqueFd& fd : draft.descriptors) passed.Add(fd.get());
  if (passed.fds().size() > shim::kMaxDescriptors) {
    return Error(Code::kResourceExhausted, "too many mounts");
  }
  TRY(const shim::ProcessState state,
      CreateAndStart(*shim, container->sandbox->shim.version, create, passed.fds()));
  if ((state.refused & shim::kRefusedOomScore) != 0) {
    Warn("oom_score_adj is not lowered: no CAP_SYS_RESOURCE");
  }
  if ((state.refused & shim::kRefusedRlimit) != 0) {
    Warn("hard limits are not raised: no CAP_SYS_RESOURCE");
  }
  const std::lock_guard lock(mutex_);
  // It may have ended before this is known, and its number be somebody else's.
  if (container->status.state != cri::ContainerState::kContainerExited) container->pid = state.pid;
  container->status.started_at = static_cast<int64_t>(state.started_ns);
  return {};
}

void EmbeddedRuntime::OnExited(uint64_t key, const shim::ProcessState& state) {
  const std::string id(Text(state.id, sizeof state.id));
  SandboxRef sandbox;
  ContainerRef container;
  if (state.kind == shim::ProcessKind::kExec) return OnExecExited(id, state.exit_code);
  {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) sandbox = found->second.lock();
    if (sandbox) {
      const auto at = sandbox->containers.find(id);
      if (at != sandbox->containers.end()) container = at->second;
    }
    const bool known = sandbox && (container || state.kind != shim::ProcessKind::kContainer);
    if (!known && !recovered_) early_[key].exited.push_back(state);
    if (!sandbox) return;
  }
  if (state.kind == shim::ProcessKind::kContainer) {
    if (container) OnContainerExited(container, state);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (sandbox->state == cri::PodSandboxState::kSandboxNotready) return;
    sandbox->state = cri::PodSandboxState::kSandboxNotready;
    Emit(cri::ContainerEventType::kContainerStoppedEvent, sandbox->id, *sandbox);
    changed_.notify_all();
  }
  const auto written = WriteSandboxState(*sandbox);
  if (!written.ok()) Warn("recording a sandbox: " + written.error().message());
  DeliverEvents();
}

void EmbeddedRuntime::OnExecExited(const std::string& id, int32_t code) {
  std::function<void()> on_end;
  {
    const std::lock_guard lock(mutex_);
    const auto found = execs_.find(id);
    if (found != execs_.end()) {
      found->second.code = code;
      on_end = std::move(found->second.on_end);
    }
    changed_.notify_all();
  }
  if (on_end) on_end();
}

void EmbeddedRuntime::OnContainerExited(const ContainerRef& container,
                                        const shim::ProcessState& state) {
  {
    const std::lock_guard lock(mutex_);
    // Its program never ran: who starts it says so.
    if (state.failed_step != 0 || state.started_ns == 0) return;
    if (container->status.started_at == 0) {
      container->status.started_at = static_cast<int64_t>(state.started_ns);
    }
  }
  // Before the cgroup goes, which takes the count along.
  const auto oom = cgroups_.OomKills(container->cgroup);
  std::string reason(oom.ok() && *oom > 0 ? kReasonOomKilled : std::string_view());
  EndContainer(container, state.exit_code, std::move(reason), "",
               static_cast<int64_t>(state.finished_ns));
}

void EmbeddedRuntime::EndContainer(const ContainerRef& container, int32_t code, std::string reason,
                                   std::string message, int64_t finished_at) {
  if (reason.empty()) reason = code == 0 ? kReasonCompleted : kReasonError;
  std::map<const Session*, std::function<void()>> on_end;
  {
    const std::lock_guard lock(mutex_);
    cri::ContainerStatus& status = container->status;
    if (status.state == cri::ContainerState::kContainerExited) return;
    status.state = cri::ContainerState::kContainerExited;
    status.exit_code = code;
    status.reason = std::move(reason);
    status.message = std::move(message);
    status.finished_at = finished_at;
    container->pid = 0;
    container->starting = false;
    if (!container->started_event) {
      container->started_event = true;
      Emit(cri::ContainerEventType::kContainerStartedEvent, container->id, *container->sandbox);
    }
    Emit(cri::ContainerEventType::kContainerStoppedEvent, container->id, *container->sandbox);
    on_end.swap(container->on_end);
    changed_.notify_all();
  }
  for (const auto& [session, ended] : on_end) ended();
  const auto written = WriteContainerState(*container);
  if (!written.ok() && written.error().code() != Code::kNotFound) {
    Warn("recording a container: " + written.error().message());
  }
  DeliverEvents();
  // What the first process left running in a shared pid namespace ends with it; its cgroup goes.
  Later([this, container] { EmptyCgroup(container); });
  InTime([this, container] { RemoveCgroup(container); });
}

void EmbeddedRuntime::LoseExecs(uint64_t key) {
  std::vector<std::function<void()>> on_end;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, end] : execs_) {
      if (end.shim_key != key || end.code) continue;
      end.lost = true;
      if (end.on_end) on_end.push_back(std::exchange(end.on_end, nullptr));
    }
    changed_.notify_all();
  }
  for (const auto& ended : on_end) ended();
}

void EmbeddedRuntime::OnGone(uint64_t key) {
  SandboxRef sandbox;
  std::vector<ContainerRef> running;
  LoseExecs(key);
  {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) sandbox = found->second.lock();
    if (!sandbox && !recovered_) early_[key].gone = true;
    if (!sandbox) return;
    for (const auto& [id, container] : sandbox->containers) {
      if (container->status.state == cri::ContainerState::kContainerRunning) {
        running.push_back(container);
      }
    }
  }
  // The shim is dead, and its pod ends with it.
  if (sandbox->shim.infra) (void)sandbox->shim.infra.Signal(SIGKILL);
  for (const ContainerRef& container : running) {
    EmptyCgroup(container);
    // It may have been killed between writing how a container ended and saying so.
    if (const auto ended = ExitRecordOf(*container)) {
      OnContainerExited(container, *ended);
    } else {
      EndContainer(container, kKilled, "", "", Now());
    }
  }
  {
    const std::lock_guard lock(mutex_);
    if (sandbox->shim.process) (void)sandbox->shim.process.Reap();
  }
  shim::ProcessState infra{};
  infra.kind = shim::ProcessKind::kInfra;
  OnExited(key, infra);
}

}  // namespace podium::runtime
