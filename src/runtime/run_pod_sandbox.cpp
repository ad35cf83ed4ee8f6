// RunPodSandbox, and its undoing.
#include <fcntl.h>

#include <utility>

#include "base/trace.h"
#include "linux/path.h"
#include "reflect/json.h"
#include "runtime/embedded_runtime.h"
#include "runtime/filters.h"
#include "runtime/host_facts.h"
#include "runtime/isolators/all.h"
#include "runtime/sandbox_files.h"

namespace podium::runtime {
namespace {

constexpr mode_t kPrivate = 0700;
constexpr mode_t kSecret = 0600;
constexpr mode_t kReadable = 0644;

// A sandbox made ahead has the usual namespaces and nothing else.
bool FitsPrepared(const cri::PodSandboxConfig& config) {
  const cri::NamespaceOption& options = NamespacesOf(config);
  return options.network == cri::NamespaceMode::kPod && options.ipc == cri::NamespaceMode::kPod &&
         options.pid != cri::NamespaceMode::kNode && !HasUserNamespace(config);
}

// Below the instance's root, for pods that are told no cgroup.
constexpr std::string_view kPodsFolder = "pods";

network::Protocol ProtocolOf(cri::Protocol protocol) {
  switch (protocol) {
    case cri::Protocol::kTcp:
      break;
    case cri::Protocol::kUdp:
      return network::Protocol::kUdp;
    case cri::Protocol::kSctp:
      return network::Protocol::kSctp;
  }
  return network::Protocol::kTcp;
}

}  // namespace

network::PodNetworkRequest NetworkRequestOf(const cri::PodSandboxConfig& config,
                                            const std::string& id, int netns) {
  network::PodNetworkRequest request;
  request.sandbox_id = id;
  request.netns = netns;
  request.pod_name = config.metadata->name;
  request.pod_namespace = config.metadata->namespace_;
  request.pod_uid = config.metadata->uid;
  for (const cri::PortMapping& port : config.port_mappings) {
    request.ports.push_back({.protocol = ProtocolOf(port.protocol),
                             .container_port = static_cast<uint16_t>(port.container_port),
                             .host_port = static_cast<uint16_t>(port.host_port),
                             .host_ip = port.host_ip});
  }
  for (const auto& [key, value] : config.annotations) request.annotations[key] = value;
  if (config.dns_config) {
    request.dns = {config.dns_config->servers, config.dns_config->searches,
                   config.dns_config->options};
  }
  return request;
}

std::string EmbeddedRuntime::OwnCgroup(std::string_view path) const {
  if (!options_.pod_cgroups_are_callers) return std::string(path);
  const std::string& root = options_.instance.cgroup_root;
  return path.empty() ? root : root + '/' + std::string(path);
}

std::string EmbeddedRuntime::SandboxCgroup(const cri::PodSandboxConfig& config,
                                           const std::string& id) const {
  std::string parent = config.linux_ ? config.linux_->cgroup_parent : "";
  parent.erase(0, parent.find_first_not_of('/'));
  while (parent.ends_with('/')) parent.pop_back();
  return parent.empty() ? OwnCgroup(kPodsFolder) + '/' + id : parent;
}

bool EmbeddedRuntime::IsCallersCgroup(std::string_view cgroup) const {
  return options_.pod_cgroups_are_callers && !cgroup.starts_with(OwnCgroup(kPodsFolder) + '/');
}

Result<std::string> EmbeddedRuntime::RunPodSandbox(const cri::PodSandboxConfig& config,
                                                   std::string_view runtime_handler) {
  if (!runtime_handler.empty() && runtime_handler != "podium") {
    return Error(Code::kInvalidArgument,
                 "no runtime for \"" + std::string(runtime_handler) + "\" is configured");
  }
  TRY_VOID(CheckSandboxConfig(config));
  TRY_VOID(CheckLabels(SecurityOf(config).selinux_options.get()));
  const Starting starting(*this);
  std::optional<Prepared> prepared;
  if (FitsPrepared(config)) prepared = TakePrepared();
  const auto sandbox = std::make_shared<Sandbox>();
  sandbox->id = prepared ? prepared->id : NewId();
  sandbox->config = config;
  sandbox->handler = runtime_handler;
  sandbox->cgroup = SandboxCgroup(config, sandbox->id);
  sandbox->created_at = Now();
  const std::string name = SandboxName(*config.metadata);
  const TraceSpan whole("RunPodSandbox");
  Result<void> made = Reserve("sandbox", name, sandbox->id);
  if (!made.ok()) {
    if (prepared) Discard(*std::move(prepared));
    return std::move(made).error();
  }
  TakeSelinux(&sandbox->config);
  const std::lock_guard operation(sandbox->operation);
  made = MakeSandbox(sandbox, std::move(prepared));
  if (!made.ok()) {
    const auto undone = DestroySandbox(sandbox);
    if (!undone.ok()) Warn("undoing a failed sandbox: " + undone.error().message());
    return std::move(made).error();
  }
  {
    const std::lock_guard lock(mutex_);
    sandboxes_[sandbox->id] = sandbox;
    Emit(cri::ContainerEventType::kContainerCreatedEvent, sandbox->id, *sandbox);
    Emit(cri::ContainerEventType::kContainerStartedEvent, sandbox->id, *sandbox);
  }
  DeliverEvents();
  return sandbox->id;
}

void EmbeddedRuntime::TakeSelinux(cri::PodSandboxConfig* config) {
  if (!host_.selinux_contexts) return;
  auto& options = config->linux_.ensure().security_context.ensure().selinux_options;
  const std::lock_guard lock(mutex_);
  options = PodSelinux(*host_.selinux_contexts, options.get(), selinux_levels_);
  selinux_levels_.insert(options->level);
}

void EmbeddedRuntime::KeepSelinux(const cri::PodSandboxConfig& config) {
  if (!host_.selinux_contexts || !SecurityOf(config).selinux_options) return;
  const std::lock_guard lock(mutex_);
  selinux_levels_.insert(SecurityOf(config).selinux_options->level);
}

void EmbeddedRuntime::LeaveSelinux(const cri::PodSandboxConfig& config) {
  if (!host_.selinux_contexts || !SecurityOf(config).selinux_options) return;
  const std::lock_guard lock(mutex_);
  const auto level = selinux_levels_.find(SecurityOf(config).selinux_options->level);
  if (level != selinux_levels_.end()) selinux_levels_.erase(level);
}

Result<void> EmbeddedRuntime::MakeSandbox(const SandboxRef& sandbox,
                                          std::optional<Prepared> prepared) {
  const auto step = [&](const char* name, auto&& body) -> Result<void> {
    const TraceSpan span(name);
    return body();
  };
  Result<void> written = step("sandbox files", [&] { return WriteSandboxFiles(*sandbox); });
  if (!written.ok()) {
    // Nobody else knows of the shim yet.
    if (prepared) Discard(*std::move(prepared));
    return written;
  }
  TRY_VOID(step("shim and infra", [&] { return StartShim(sandbox.get(), std::move(prepared)); }));
  {
    const std::lock_guard lock(mutex_);
    sandbox->state = cri::PodSandboxState::kSandboxReady;
    by_key_[sandbox->shim.key] = sandbox;
  }
  TRY_VOID(step("pod cgroup", [&] { return MakePodCgroup(*sandbox); }));
  TRY_VOID(step("network", [&] { return ConnectNetwork(sandbox.get()); }));
  return step("sandbox state", [&] { return WriteSandboxState(*sandbox); });
}

Result<void> EmbeddedRuntime::WriteSandboxFiles(const Sandbox& sandbox) {
  const std::string path = SandboxFolder(sandbox.id);
  TRY(const std::string json, reflect::ToJson(sandbox.config));
  TRY(const UniqueFd folder, kernel::MakeFolders(path, kPrivate));
  TRY_VOID(kernel::ReplaceFile(folder.get(), "config.json", json, kSecret));
  TRY(const SandboxFiles files, MakeSandboxFiles(sandbox.config));
  TRY_VOID(kernel::ReplaceFile(folder.get(), "hostname", files.hostname, kReadable));
  TRY_VOID(kernel::ReplaceFile(folder.get(), "hosts", files.hosts, kReadable));
  TRY_VOID(kernel::ReplaceFile(folder.get(), "resolv.conf", files.resolv_conf, kReadable));
  TRY_VOID(kernel::MakeFolders(path + "/containers", kPrivate));
  return {};
}

Result<void> EmbeddedRuntime::MakePodCgroup(const Sandbox& sandbox) {
  kernel::CgroupLimits limits;
  const bool callers = IsCallersCgroup(sandbox.cgroup);
  if (!callers && sandbox.config.linux_ && sandbox.config.linux_->resources) {
    limits = LimitsOf(*sandbox.config.linux_->resources);
  }
  KeepPodCgroup(sandbox.cgroup);
  return cgroups_.Create(sandbox.cgroup, limits);
}

Result<void> EmbeddedRuntime::ConnectNetwork(Sandbox* sandbox) {
  if (NamespacesOf(sandbox->config).network == cri::NamespaceMode::kNode) return {};
  auto made =
      network_.Setup(NetworkRequestOf(sandbox->config, sandbox->id, sandbox->shim.net.get()));
  if (!made.ok()) {
    return std::move(made).error().WithContext("failed to setup network for sandbox \"" +
                                               sandbox->id + '"');
  }
  TRY(const UniqueFd folder, kernel::OpenPath(SandboxFolder(sandbox->id), O_RDONLY | O_DIRECTORY));
  TRY_VOID(
      kernel::ReplaceFile(folder.get(), "network.json", network::EncodePodNetwork(*made), kSecret));
  const std::lock_guard lock(mutex_);
  sandbox->network = *std::move(made);
  return {};
}

Result<void> EmbeddedRuntime::WriteSandboxState(const Sandbox& sandbox) {
  cri::PodSandboxStatus status;
  {
    const std::lock_guard lock(mutex_);
    status = StatusOf(sandbox);
  }
  TRY(const std::string json, reflect::ToJson(status));
  TRY(const UniqueFd folder, kernel::OpenPath(SandboxFolder(sandbox.id), O_RDONLY | O_DIRECTORY));
  return kernel::ReplaceFile(folder.get(), "state.json", json, kSecret);
}

void EmbeddedRuntime::DropNamespaces(Sandbox* sandbox) {
  UniqueFd net;
  const std::lock_guard lock(mutex_);
  net = std::move(sandbox->shim.net);
  sandbox->user_namespace.reset();
}

Result<void> EmbeddedRuntime::DestroySandbox(const SandboxRef& sandbox) {
  std::vector<ContainerRef> containers;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, container] : sandbox->containers) containers.push_back(container);
    by_key_.erase(sandbox->shim.key);
    sandbox->state = cri::PodSandboxState::kSandboxNotready;
  }
  EndShim(&sandbox->shim);
  for (const ContainerRef& container : containers) TRY_VOID(DestroyContainer(container, true));
  if (NamespacesOf(sandbox->config).network != cri::NamespaceMode::kNode) {
    TRY_VOID(network_.Teardown(sandbox->id));
  }
  DropNamespaces(sandbox.get());
  LeaveSelinux(sandbox->config);
  // Last, because the folder is the record that all this has to be done.
  TRY_VOID(Leave(sandbox));
  Release("sandbox " + SandboxName(*sandbox->config.metadata), sandbox->id);
  const std::lock_guard lock(mutex_);
  sandbox->removed = true;
  sandboxes_.erase(sandbox->id);
  changed_.notify_all();
  return {};
}

}  // namespace podium::runtime
