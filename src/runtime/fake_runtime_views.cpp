// FakeRuntime's scripts, and what it shows: lists, statuses, sessions, statistics.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "runtime/fake_runtime.h"

namespace podium::runtime {
namespace {

// A file in memory: reads like a finished stream, and takes whatever is written.
Result<UniqueFd> MakeStream(const std::string& text) {
  UniqueFd file(memfd_create("stream", MFD_CLOEXEC));
  if (!file) return Error::FromErrno(errno, "memfd_create");
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count =
        pwrite(file.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (count <= 0) return Error::FromErrno(errno, "writing a stream");
    done += static_cast<size_t>(count);
  }
  return file;
}

class FakeSession : public Session {
 public:
  FakeSession(UniqueFd in, UniqueFd out, UniqueFd err, bool tty, std::optional<int32_t> code,
              std::shared_ptr<const int> counted)
      : in_(std::move(in)),
        out_(std::move(out)),
        err_(std::move(err)),
        tty_(tty),
        code_(code),
        counted_(std::move(counted)) {}

  int stdin_fd() const override { return in_.get(); }
  void CloseStdin() override { in_.reset(); }
  int stdout_fd() const override { return out_.get(); }
  int stderr_fd() const override { return err_.get(); }
  Result<void> Resize(uint16_t, uint16_t) override {
    if (!tty_) return Error(Code::kInvalidArgument, "the process has no terminal");
    return {};
  }
  Result<int32_t> Wait(std::chrono::milliseconds) override {
    if (!code_) return Error(Code::kDeadlineExceeded, "the process still runs");
    return *code_;
  }
  void NotifyEnd(std::function<void()> ended) override {
    if (code_) ended();
  }

 private:
  UniqueFd in_;
  UniqueFd out_;
  UniqueFd err_;
  bool tty_;
  std::optional<int32_t> code_;
  const std::shared_ptr<const int> counted_;
};

Result<std::unique_ptr<Session>> MakeSession(bool has_stdin, bool has_stdout, bool has_stderr,
                                             bool tty, const FakeRuntime::ExecResult& result,
                                             std::optional<int32_t> code,
                                             std::shared_ptr<const int> counted) {
  UniqueFd in;
  UniqueFd out;
  UniqueFd err;
  if (has_stdin) {
    TRY(in, MakeStream(""));
  }
  if (has_stdout) {
    TRY(out, MakeStream(result.stdout_text));
  }
  if (has_stderr && !tty) {
    TRY(err, MakeStream(result.stderr_text));
  }
  return std::unique_ptr<Session>(new FakeSession(std::move(in), std::move(out), std::move(err),
                                                  tty, code, std::move(counted)));
}

}  // namespace

void FakeRuntime::Script(std::string container_name, Behaviour behaviour) {
  const Lock lock(mutex_);
  behaviours_[std::move(container_name)] = std::move(behaviour);
}

void FakeRuntime::ScriptExec(ExecScript script) {
  const Lock lock(mutex_);
  exec_ = std::move(script);
}

void FakeRuntime::ScriptPorts(
    std::function<Result<UniqueFd>(const std::string&, uint16_t)> connect) {
  const Lock lock(mutex_);
  ports_ = std::move(connect);
}

void FakeRuntime::Fail(std::string method, Error error, int times, std::string name) {
  const Lock lock(mutex_);
  failures_.push_back({std::move(method), std::move(name), std::move(error), times});
}

void FakeRuntime::ClearFailures() {
  const Lock lock(mutex_);
  failures_.clear();
}

void FakeRuntime::SetMemoryUsage(std::string container_name, uint64_t bytes) {
  const Lock lock(mutex_);
  memory_usage_[std::move(container_name)] = bytes;
}

FakeRuntime::Duration FakeRuntime::now() const {
  const Lock lock(mutex_);
  return now_;
}

void FakeRuntime::Advance(Duration by) {
  Lock lock(mutex_);
  AdvanceLocked(now_ + by);
  Deliver(std::move(lock));
}

Result<void> FakeRuntime::Exit(std::string_view container_id, int32_t code, std::string reason) {
  Lock lock(mutex_);
  TRY(const auto container, GetContainer(container_id));
  if (container->second.status.state != cri::ContainerState::kContainerRunning) {
    return Error(Code::kInvalidArgument, "the container does not run");
  }
  End(container, code, std::move(reason));
  Deliver(std::move(lock));
  return {};
}

Result<void> FakeRuntime::KillInfra(std::string_view sandbox_id) {
  Lock lock(mutex_);
  TRY(const auto sandbox, GetSandbox(sandbox_id));
  StopSandboxLocked(sandbox);
  Deliver(std::move(lock));
  return {};
}

std::vector<std::string> FakeRuntime::calls() const {
  const Lock lock(mutex_);
  return calls_;
}

void FakeRuntime::ClearCalls() {
  const Lock lock(mutex_);
  calls_.clear();
}

Result<cri::ContainerConfig> FakeRuntime::ConfigOf(std::string_view container_id) const {
  const Lock lock(mutex_);
  const auto found = FindById(containers_, container_id);
  if (found == containers_.end()) return Error(Code::kNotFound, std::string(container_id));
  return found->second.config;
}

Result<cri::PodSandboxConfig> FakeRuntime::SandboxConfigOf(std::string_view sandbox_id) const {
  const Lock lock(mutex_);
  const auto found = FindById(sandboxes_, sandbox_id);
  if (found == sandboxes_.end()) return Error(Code::kNotFound, std::string(sandbox_id));
  return found->second.config;
}

Result<cri::StatusResponse> FakeRuntime::Status() {
  const Lock lock(mutex_);
  TRY_VOID(Enter("Status", ""));
  cri::StatusResponse response = Abilities();
  auto& conditions = response.status.emplace().conditions;
  for (const std::string_view type : {cri::kRuntimeReady, cri::kNetworkReady}) {
    conditions.push_back({std::string(type), true, "", ""});
  }
  return response;
}

cri::RuntimeConfigResponse FakeRuntime::RuntimeConfig() {
  return {cri::LinuxRuntimeConfiguration{cri::CgroupDriver::kCgroupfs}};
}

SandboxView FakeRuntime::View(const Sandboxes::value_type& sandbox) {
  const auto& [id, known] = sandbox;
  return {id, known.config, known.state, known.created_at, known.handler};
}

std::vector<cri::ContainerStatus> FakeRuntime::StatusesIn(std::string_view sandbox_id) const {
  std::vector<cri::ContainerStatus> statuses;
  for (const auto& [id, entry] : containers_) {
    if (entry.sandbox_id == sandbox_id) statuses.push_back(entry.status);
  }
  SortByAge(&statuses);
  return statuses;
}

Result<cri::PodSandboxStatusResponse> FakeRuntime::PodSandboxStatus(std::string_view sandbox_id,
                                                                    bool verbose) {
  const Lock lock(mutex_);
  TRY(const auto sandbox, GetSandbox(sandbox_id));
  TRY_VOID(Enter("PodSandboxStatus", sandbox->second.config.metadata->name));
  cri::PodSandboxStatusResponse response;
  response.status = StatusOf(View(*sandbox), sandbox->second.addresses);
  response.containers_statuses = StatusesIn(sandbox->first);
  response.timestamp = now_.count();
  if (verbose) response.info["info"] = "{}";
  return response;
}

Result<std::vector<cri::PodSandbox>> FakeRuntime::ListPodSandbox(
    const cri::PodSandboxFilter& filter) {
  const Lock lock(mutex_);
  TRY_VOID(Enter("ListPodSandbox", ""));
  return ListMatching(filter, sandboxes_,
                      [](const auto& sandbox) { return Listed(View(sandbox)); });
}

Result<void> FakeRuntime::UpdatePodSandboxResources(std::string_view sandbox_id,
                                                    const cri::LinuxContainerResources& resources) {
  const Lock lock(mutex_);
  TRY(const auto sandbox, GetSandbox(sandbox_id));
  TRY_VOID(Enter("UpdatePodSandboxResources", sandbox->second.config.metadata->name));
  sandbox->second.config.linux_.ensure().resources = resources;
  return {};
}

Result<std::vector<cri::Container>> FakeRuntime::ListContainers(
    const cri::ContainerFilter& filter) {
  const Lock lock(mutex_);
  TRY_VOID(Enter("ListContainers", ""));
  return ListMatching(filter, containers_, [](const auto& container) {
    return Listed(container.second.sandbox_id, container.second.status);
  });
}

Result<cri::ContainerStatusResponse> FakeRuntime::ContainerStatus(std::string_view container_id,
                                                                  bool verbose) {
  const Lock lock(mutex_);
  TRY(const auto container, GetContainer(container_id));
  TRY_VOID(Enter("ContainerStatus", container->second.config.metadata->name));
  cri::ContainerStatusResponse response;
  response.status = container->second.status;
  if (verbose) response.info["info"] = "{}";
  return response;
}

Result<void> FakeRuntime::UpdateContainerResources(std::string_view container_id,
                                                   const cri::LinuxContainerResources& resources) {
  const Lock lock(mutex_);
  TRY(const auto container, GetContainer(container_id));
  TRY_VOID(Enter("UpdateContainerResources", container->second.config.metadata->name));
  container->second.config.linux_.ensure().resources = resources;
  container->second.status.resources.ensure().linux_ = resources;
  return {};
}

Result<void> FakeRuntime::ReopenContainerLog(std::string_view container_id) {
  const Lock lock(mutex_);
  TRY([[maybe_unused]] const auto container, GetRunning(container_id, "ReopenContainerLog"));
  return {};
}

Result<cri::ExecSyncResponse> FakeRuntime::ExecSync(std::string_view container_id,
                                                    const std::vector<std::string>& command,
                                                    std::chrono::seconds timeout) {
  Lock lock(mutex_);
  TRY(const auto container, GetRunning(container_id, "ExecSync"));
  const std::string name = container->second.config.metadata->name;
  const ExecScript script = exec_;
  lock.unlock();
  const ExecResult result = script ? script(name, command) : ExecResult{};
  if (timeout > timeout.zero() && result.takes > timeout) {
    Advance(timeout);
    return Error(Code::kDeadlineExceeded, "command timed out");
  }
  Advance(result.takes);
  cri::ExecSyncResponse response;
  response.stdout_.data = result.stdout_text.substr(0, kMaxExecSyncOutput);
  response.stderr_.data = result.stderr_text.substr(0, kMaxExecSyncOutput);
  response.exit_code = result.exit_code;
  return response;
}

Result<std::unique_ptr<Session>> FakeRuntime::Exec(const cri::ExecRequest& request,
                                                   const WindowSize& /*window*/) {
  Lock lock(mutex_);
  TRY(const auto container, GetRunning(request.container_id, "Exec"));
  const std::string name = container->second.config.metadata->name;
  const ExecScript script = exec_;
  lock.unlock();
  const ExecResult result = script ? script(name, request.cmd) : ExecResult{};
  return MakeSession(request.stdin_, request.stdout_, request.stderr_, request.tty, result,
                     result.exit_code, sessions_);
}

Result<std::unique_ptr<Session>> FakeRuntime::Attach(const cri::AttachRequest& request) {
  const Lock lock(mutex_);
  TRY(const auto container, GetRunning(request.container_id, "Attach"));
  return MakeSession(request.stdin_, request.stdout_, request.stderr_, container->second.config.tty,
                     {}, std::nullopt, sessions_);
}

void FakeRuntime::SetPortHolders(std::vector<PortHolder> holders) {
  const Lock lock(mutex_);
  port_holders_ = std::move(holders);
}

Result<std::vector<PortHolder>> FakeRuntime::PortHolders(std::string_view sandbox_id) {
  Lock lock(mutex_);
  TRY(const auto sandbox, GetSandbox(sandbox_id));
  TRY_VOID(Enter("PortHolders", sandbox->second.config.metadata->name));
  return port_holders_;
}

Result<UniqueFd> FakeRuntime::PortForward(std::string_view sandbox_id, uint16_t port) {
  Lock lock(mutex_);
  TRY(const auto sandbox, GetSandbox(sandbox_id));
  const std::string name = sandbox->second.config.metadata->name;
  TRY_VOID(Enter("PortForward", name));
  if (sandbox->second.state != cri::PodSandboxState::kSandboxReady) {
    return Error(Code::kUnavailable, "sandbox container \"" + sandbox->first + "\" is not running");
  }
  const auto connect = ports_;
  lock.unlock();
  if (!connect) return Error::FromErrno(ECONNREFUSED, "port " + std::to_string(port));
  return connect(name, port);
}

cri::ContainerStats FakeRuntime::StatsOf(const std::string& id, const Entry& entry) const {
  cri::ContainerStats stats;
  stats.attributes = cri::ContainerAttributes{id, entry.config.metadata, entry.config.labels,
                                              entry.config.annotations};
  auto& layer = stats.writable_layer.emplace();
  layer.timestamp = now_.count();
  layer.used_bytes = cri::UInt64Value{entry.behaviour.writable_layer};
  if (entry.status.state != cri::ContainerState::kContainerRunning) return stats;
  auto& cpu = stats.cpu.emplace();
  cpu.timestamp = now_.count();
  cpu.usage_core_nano_seconds =
      cri::UInt64Value{static_cast<uint64_t>(now_.count() - entry.status.started_at)};
  auto& memory = stats.memory.emplace();
  memory.timestamp = now_.count();
  const auto set = memory_usage_.find(entry.config.metadata->name);
  const uint64_t used = set == memory_usage_.end() ? uint64_t{1} << 20 : set->second;
  memory.working_set_bytes = cri::UInt64Value{used};
  memory.usage_bytes = cri::UInt64Value{used};
  return stats;
}

Result<cri::ContainerStats> FakeRuntime::ContainerStats(std::string_view container_id) {
  const Lock lock(mutex_);
  TRY(const auto container, GetContainer(container_id));
  TRY_VOID(Enter("ContainerStats", container->second.config.metadata->name));
  return StatsOf(container->first, container->second);
}

Result<std::vector<cri::ContainerStats>> FakeRuntime::ListContainerStats(
    const cri::ContainerStatsFilter& filter) {
  const Lock lock(mutex_);
  TRY_VOID(Enter("ListContainerStats", ""));
  std::vector<cri::ContainerStats> list;
  for (const auto& [id, entry] : containers_) {
    if (Matches(filter, Listed(entry.sandbox_id, entry.status))) list.push_back(StatsOf(id, entry));
  }
  return list;
}

cri::PodSandboxStats FakeRuntime::StatsOf(const std::string& id, const Sandbox& sandbox) const {
  cri::PodSandboxStats stats;
  stats.attributes = cri::PodSandboxAttributes{id, sandbox.config.metadata, sandbox.config.labels,
                                               sandbox.config.annotations};
  auto& containers = stats.linux_.emplace().containers;
  uint64_t used = 0;
  for (const auto& [container_id, entry] : containers_) {
    if (entry.sandbox_id != id) continue;
    const cri::ContainerStats& own = containers.emplace_back(StatsOf(container_id, entry));
    if (own.memory) used += own.memory->usage_bytes->value;
  }
  stats.linux_->memory.ensure().usage_bytes = cri::UInt64Value{used};
  return stats;
}

Result<cri::PodSandboxStats> FakeRuntime::PodSandboxStats(std::string_view sandbox_id) {
  const Lock lock(mutex_);
  TRY(const auto sandbox, GetSandbox(sandbox_id));
  TRY_VOID(Enter("PodSandboxStats", sandbox->second.config.metadata->name));
  return StatsOf(sandbox->first, sandbox->second);
}

Result<std::vector<cri::PodSandboxStats>> FakeRuntime::ListPodSandboxStats(
    const cri::PodSandboxStatsFilter& filter) {
  const Lock lock(mutex_);
  TRY_VOID(Enter("ListPodSandboxStats", ""));
  std::vector<cri::PodSandboxStats> list;
  for (const auto& sandbox : sandboxes_) {
    if (Matches(filter, Listed(View(sandbox))))
      list.push_back(StatsOf(sandbox.first, sandbox.second));
  }
  return list;
}

std::vector<PodUsage> FakeRuntime::PodsUsage(kernel::CgroupDetail detail) {
  const Lock lock(mutex_);
  (void)Enter("PodsUsage", detail == kernel::CgroupDetail::kAll ? "all" : "use");
  constexpr uint64_t kMemory = uint64_t{1} << 20;
  std::vector<PodUsage> pods;
  for (const auto& [id, sandbox] : sandboxes_) {
    if (sandbox.state != cri::PodSandboxState::kSandboxReady) continue;
    PodUsage& pod = pods.emplace_back();
    pod.sandbox_id = id;
    pod.metadata = *sandbox.config.metadata;
    pod.created_at = sandbox.created_at;
    pod.read_at = now_.count();
    pod.cgroup = "/fake/pod" + pod.metadata.uid;
    pod.used.cpu.emplace();
    pod.used.memory.emplace();
    for (const auto& [container_id, entry] : containers_) {
      if (entry.sandbox_id != id || entry.status.state != cri::ContainerState::kContainerRunning) {
        continue;
      }
      ContainerUsage& container = pod.containers.emplace_back();
      container.id = container_id;
      container.name = entry.config.metadata->name;
      container.attempt = entry.config.metadata->attempt;
      container.image = entry.config.image ? entry.config.image->image : "";
      container.created_at = entry.status.created_at;
      container.started_at = entry.status.started_at;
      container.read_at = now_.count();
      container.cgroup = pod.cgroup + "/" + container_id;
      container.used.cpu.emplace().usage_ns =
          static_cast<uint64_t>(now_.count() - entry.status.started_at);
      auto& memory = container.used.memory.emplace();
      memory.usage = memory.working_set = memory.rss = kMemory;
      pod.used.cpu->usage_ns += container.used.cpu->usage_ns;
      pod.used.memory->usage += kMemory;
      pod.used.memory->working_set += kMemory;
      pod.used.memory->rss += kMemory;
    }
  }
  return pods;
}

void FakeRuntime::SetCgroup(std::string path, kernel::CgroupStats used) {
  const Lock lock(mutex_);
  cgroups_[std::move(path)] = std::move(used);
}

Result<GroupUsage> FakeRuntime::CgroupUsage(std::string_view path, kernel::CgroupDetail) {
  const Lock lock(mutex_);
  const auto found = cgroups_.find(path);
  if (found == cgroups_.end()) return Error(Code::kNotFound, "cgroup " + std::string(path));
  return GroupUsage{
      .read_at = now_.count(), .cgroup = "/fake/" + std::string(path), .used = found->second};
}

}  // namespace podium::runtime
