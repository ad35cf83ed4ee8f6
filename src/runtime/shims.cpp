// Shims: how they are started, and sandboxes that are made before anybody asks for them.
#include <fcntl.h>
#include <sys/mount.h>

#include <csignal>
#include <cstring>

#include "linux/namespaces.h"
#include "linux/open_files.h"
#include "linux/packet_socket.h"
#include "linux/path.h"
#include "runtime/embedded_runtime.h"
#include "runtime/host_facts.h"

namespace podium::runtime {
namespace {

constexpr uint64_t kPodShmSize = uint64_t{64} << 20;
constexpr uint32_t kUsualNamespaces =
    shim::kSandboxNewIpc | shim::kSandboxNewUts | shim::kSandboxNewPid;
// The last to be killed for memory, but for what is more important to the machine; as containerd.
constexpr int kInfraOomScore = -998;
constexpr auto kEndTimeout = std::chrono::seconds(10);
// After a start, until the next sandbox is made ahead: the steps of one pod follow each other
// faster, and what they wait for is not to be in the hands of one that nobody waits for.
constexpr auto kQuiet = std::chrono::milliseconds(3);

// As RunSandbox has them at its end.
std::string SysctlsOf(const cri::PodSandboxConfig& config, uint32_t* count) {
  std::string sysctls;
  if (!config.linux_) return sysctls;
  for (const auto& [name, value] : config.linux_->sysctls) {
    std::string path = name;
    for (char& c : path) c = c == '.' ? '/' : c;
    sysctls.append(path).push_back('\0');
    sysctls.append(value).push_back('\0');
    ++*count;
  }
  return sysctls;
}

}  // namespace

Result<EmbeddedRuntime::Shim> EmbeddedRuntime::SpawnShim() {
  const std::string own = OwnCgroup(kRuntimeCgroup);
  TRY_VOID(cgroups_.Create(own, {}));
  TRY(const kernel::CgroupEntry entry, cgroups_.OpenForSpawn(own));
  TRY(auto ends, kernel::PacketSocketPair());
  std::vector<int> descriptors = {ends.second.get()};
  std::string cgroups = shim::kCgroupsVariable;
  if (entry.directory) {
    descriptors.push_back(entry.directory.get());
    cgroups += shim::kCgroupFolder;
  }
  for (const UniqueFd& tasks : entry.tasks) {
    descriptors.push_back(tasks.get());
    cgroups += shim::kCgroupTasks;
  }
  TRY(kernel::Spawned spawned,
      kernel::Spawn({.program = shim_program_.get(),
                     .arguments = {"podium-shim", std::string(shim::kIdSize - 1, ' ')},
                     .environment = {std::move(cgroups)},
                     .descriptors = std::move(descriptors)}));
  Shim shim;
  shim.key = next_key_++;
  shim.process = std::move(spawned.process);
  // Its end of the socket is its own now: when ours closes it ends.
  ends.second.reset();
  Result<void> ready = [&]() -> Result<void> {
    TRY(shim.client, loop_->Attach(std::move(ends.first), shim.key));
    const shim::Hello hello{
        .header = {}, .version = shim::kMessageVersion, .pid = 0, .log_bound = log_bound_};
    TRY(const ShimReply reply, shim.client->Call(shim::MessageType::kHello, hello));
    const auto answer = reply.As<shim::Hello>();
    if (answer.version != shim::kMessageVersion) {
      return Error(Code::kInternal, "the shim is of another version");
    }
    if (answer.pid == spawned.pid) return {};
    // Born again: our child as well, so its number means it.
    TRY(kernel::PidFd reborn, kernel::PidFd::Open(answer.pid));
    kernel::RestoreOpenFiles(answer.pid);
    if (shim.process.WaitForEnd(kEndTimeout)) (void)shim.process.Reap();
    shim.process = std::move(reborn);
    return {};
  }();
  if (ready.ok()) return shim;
  ends.first.reset();
  EndShim(&shim);
  return std::move(ready).error();
}

Result<EmbeddedRuntime::Prepared> EmbeddedRuntime::PrepareSandbox() {
  Prepared prepared;
  prepared.id = NewId();
  TRY(prepared.shim, SpawnShim());
  Result<void> made = [&]() -> Result<void> {
    TRY(prepared.shim.net, network_.PrepareNamespace(prepared.id));
    shim::RunSandbox run{};
    run.flags = kUsualNamespaces | shim::kSandboxPrepare;
    run.listener = run.run_dir = -1;
    run.net = 0;
    run.infra = 1;
    run.cgroups.folder = run.cgroups.kill = -1;
    run.infra_oom_score_adj = kInfraOomScore;
    run.shm_size = kPodShmSize;
    const int descriptors[] = {prepared.shim.net.get(), infra_program_.get()};
    TRY(ShimReply reply,
        prepared.shim.client->Call(shim::MessageType::kRunSandbox, run, descriptors));
    prepared.shim.infra_pid = reply.As<shim::SandboxRunning>().infra_pid;
    if (reply.descriptors.empty()) return Error(Code::kInternal, "the shim sent no descriptor");
    prepared.shim.infra = kernel::PidFd(std::move(reply.descriptors[0]));
    return {};
  }();
  if (!made.ok()) {
    Discard(std::move(prepared));
    return std::move(made).error();
  }
  return prepared;
}

std::optional<EmbeddedRuntime::Prepared> EmbeddedRuntime::TakePrepared() {
  std::optional<Prepared> taken;
  const std::lock_guard lock(mutex_);
  while (!prepared_.empty() && !taken) {
    taken = std::move(prepared_.front());
    prepared_.pop_front();
    // One whose shim or infra somebody has killed meanwhile is no use.
    if (taken->shim.client->gone() || taken->shim.infra.WaitForEnd(std::chrono::milliseconds(0))) {
      Later([this, lost = std::make_shared<Prepared>(std::move(*taken))] {
        Discard(std::move(*lost));
      });
      taken.reset();
    }
  }
  return taken;
}

EmbeddedRuntime::Starting::Starting(EmbeddedRuntime& runtime) : runtime_(runtime) {
  const std::lock_guard lock(runtime_.work_mutex_);
  ++runtime_.starting_;
}

EmbeddedRuntime::Starting::~Starting() {
  const std::lock_guard lock(runtime_.work_mutex_);
  if (--runtime_.starting_ > 0) return;
  runtime_.refill_at_ = std::chrono::steady_clock::now() + kQuiet;
  runtime_.work_posted_.notify_one();
}

bool EmbeddedRuntime::RefillSandbox() {
  auto made = PrepareSandbox();
  // Without one a pod is made from nothing, and says itself what is wrong.
  if (!made.ok()) return false;
  const std::lock_guard lock(mutex_);
  prepared_.push_back(*std::move(made));
  return true;
}

void EmbeddedRuntime::Refill() {
  const bool enough = prepared() >= options_.prepared;
  if (!(enough ? roots_.Refill() : RefillSandbox())) return;
  // One at a time, so that other work gets its turn.
  const std::lock_guard lock(work_mutex_);
  refill_at_ = std::chrono::steady_clock::now();
}

void EmbeddedRuntime::Discard(Prepared prepared) {
  EndShim(&prepared.shim);
  prepared.shim.net.reset();
  const auto freed = network_.Teardown(prepared.id);
  if (!freed.ok()) Warn("freeing a prepared network: " + freed.error().message());
}

Result<std::shared_ptr<ShimClient>> EmbeddedRuntime::ClientOf(const Sandbox& sandbox) const {
  const std::lock_guard lock(mutex_);
  if (!sandbox.shim.client) return Error(Code::kUnavailable, "the pod's shim is gone");
  return sandbox.shim.client;
}

void EmbeddedRuntime::EndShim(Shim* shim) {
  std::shared_ptr<ShimClient> client;
  bool answered = false;
  {
    const std::lock_guard lock(mutex_);
    client = shim->client;
  }
  if (client) {
    // Answered when every process of the pod is gone.
    answered = client->Call(shim::MessageType::kShutdown, shim::Plain{}).ok();
    loop_->Detach(shim->key);
    // One that has not answered ends with its connection, unless a pod is its own.
    client.reset();
  }
  kernel::PidFd process;
  {
    const std::lock_guard lock(mutex_);
    shim->client.reset();
    // From here on OnGone, on the loop's thread, leaves it alone.
    process = std::exchange(shim->process, {});
  }
  if (shim->infra) (void)shim->infra.Signal(SIGKILL);
  if (!process) return;
  if (answered) return LeaveShim(std::move(process));
  if (!process.WaitForEnd(kEndTimeout)) (void)process.Signal(SIGKILL);
  if (process.WaitForEnd(kEndTimeout)) (void)process.Reap();
}

Result<void> EmbeddedRuntime::StartShim(Sandbox* sandbox, std::optional<Prepared> prepared) {
  const std::string folder = SandboxFolder(sandbox->id);
  TRY(const UniqueFd run_dir, kernel::OpenPath(folder, O_RDONLY | O_DIRECTORY));
  TRY(const UniqueFd listener, kernel::ListenPackets(run_dir.get(), "shim.sock"));
  if (prepared) {
    sandbox->shim = std::move(prepared->shim);
  } else {
    TRY(sandbox->shim, SpawnShim());
  }
  shim::RunSandbox run{};
  run.run_dir = 0;
  run.listener = 1;
  run.net = run.infra = run.cgroups.folder = run.cgroups.kill = -1;
  run.infra_oom_score_adj = kInfraOomScore;
  std::vector<int> descriptors = {run_dir.get(), listener.get()};
  const auto add = [&](int fd) {
    descriptors.push_back(fd);
    return static_cast<int32_t>(descriptors.size() - 1);
  };
  const cri::NamespaceOption& namespaces = NamespacesOf(sandbox->config);
  const bool host_network = namespaces.network == cri::NamespaceMode::kNode;
  if (namespaces.ipc != cri::NamespaceMode::kNode) run.flags |= shim::kSandboxNewIpc;
  if (namespaces.pid != cri::NamespaceMode::kNode) run.flags |= shim::kSandboxNewPid;
  if (!host_network) run.flags |= shim::kSandboxNewUts;
  if (HasUserNamespace(sandbox->config)) {
    run.flags |= shim::kSandboxNewUser | (host_network ? 0 : shim::kSandboxNewNet);
    const auto copy = [](const auto& from, shim::IdMapping* to) {
      uint32_t count = 0;
      for (const cri::IDMapping& mapping : from) {
        to[count++] = {mapping.container_id, mapping.host_id, mapping.length};
      }
      return count;
    };
    const auto& options = *namespaces.userns_options;
    run.uid_mapping_count = copy(options.uids, run.uid_mappings);
    run.gid_mapping_count = copy(options.gids, run.gid_mappings);
  } else if (!host_network && !prepared) {
    TRY(sandbox->shim.net, network_.PrepareNamespace(sandbox->id));
    run.net = add(sandbox->shim.net.get());
  }
  if (!prepared) {
    run.infra = add(infra_program_.get());
    if (namespaces.ipc != cri::NamespaceMode::kNode) run.shm_size = kPodShmSize;
  }
  std::memcpy(run.id, sandbox->id.data(), std::min(sandbox->id.size(), sizeof run.id - 1));
  const std::string& hostname = sandbox->config.hostname;
  if (!host_network) {
    std::memcpy(run.hostname, hostname.data(), std::min(hostname.size(), sizeof run.hostname - 1));
  }
  if (const auto& selinux = SecurityOf(sandbox->config).selinux_options;
      selinux && host_.selinux_contexts) {
    const std::string label = runtime::LabelsOf(*host_.selinux_contexts, *selinux, nullptr).mount;
    if (label.size() >= sizeof run.mount_label) {
      return Error(Code::kInvalidArgument, "the SELinux label " + label + " is too long");
    }
    std::memcpy(run.mount_label, label.data(), label.size());
  }
  const std::string sysctls = SysctlsOf(sandbox->config, &run.sysctl_count);
  if (run.sysctl_count > 0) run.sysctl_offset = sizeof run;
  TRY(ShimReply reply,
      sandbox->shim.client->Call(shim::MessageType::kRunSandbox, run, descriptors, sysctls));
  const auto running = reply.As<shim::SandboxRunning>();
  if (reply.descriptors.size() != 2) return Error(Code::kInternal, "the shim sent no descriptors");
  sandbox->shim.infra_pid = running.infra_pid;
  sandbox->shim.infra = kernel::PidFd(std::move(reply.descriptors[0]));
  sandbox->shim.net = std::move(reply.descriptors[1]);
  if (running.oom_score_refused != 0) {
    Warn("oom_score_adj of infra processes is not lowered: no CAP_SYS_RESOURCE");
  }
  if (HasUserNamespace(sandbox->config)) {
    TRY(sandbox->user_namespace, kernel::OpenNamespace(running.infra_pid, "user"));
    if (sandbox->shim.infra.WaitForEnd(std::chrono::milliseconds(0))) {
      return Error(Code::kUnavailable, "the infra process has ended");
    }
  }
  return {};
}

}  // namespace podium::runtime
