#include "network/cni_network.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <utility>

#include "base/text.h"
#include "linux/namespaces.h"
#include "linux/netlink_socket.h"
#include "network/cni_exec.h"
#include "network/cni_result.h"
#include "network/host_ports.h"
#include "network/links.h"
#include "network/route_messages.h"

namespace podium::network {

using reflect::JsonValue;
namespace fs = std::filesystem;

namespace {

constexpr const char* kLastResult = "prevResult";
constexpr uint64_t kUnboundBurst = UINT32_MAX;  // the most that the bandwidth plugin takes

JsonValue ListOf(const std::vector<std::string>& texts) {
  JsonValue::Array list;
  for (const std::string& text : texts) list.push_back(JsonValue::String(text));
  return JsonValue::Of(std::move(list));
}

JsonValue Number(uint64_t value) { return JsonValue::Number(std::to_string(value)); }

// The arguments for plugins that offer to take them, by the names of the conventions.
JsonValue CapabilitiesOf(const PodNetworkRequest& request, const std::vector<PortMapping>& ports,
                         const Bandwidth& bandwidth) {
  JsonValue all = JsonValue::Of(JsonValue::Object{});
  if (!ports.empty()) {
    JsonValue::Array list;
    for (const PortMapping& port : ports) {
      JsonValue one = JsonValue::Of(JsonValue::Object{});
      one.Set("hostPort", Number(port.host_port));
      one.Set("containerPort", Number(port.container_port));
      one.Set("protocol", JsonValue::String(std::string(ProtocolName(port.protocol))));
      one.Set("hostIP", JsonValue::String(port.host_ip));
      list.push_back(std::move(one));
    }
    all.Set("portMappings", JsonValue::Of(std::move(list)));
  }
  if (bandwidth != Bandwidth{}) {
    JsonValue limits = JsonValue::Of(JsonValue::Object{});
    if (bandwidth.ingress_rate != 0) {
      limits.Set("ingressRate", Number(bandwidth.ingress_rate));
      limits.Set("ingressBurst", Number(kUnboundBurst));
    }
    if (bandwidth.egress_rate != 0) {
      limits.Set("egressRate", Number(bandwidth.egress_rate));
      limits.Set("egressBurst", Number(kUnboundBurst));
    }
    all.Set("bandwidth", std::move(limits));
  }
  const DnsConfig& dns = request.dns;
  if (!dns.servers.empty() || !dns.searches.empty() || !dns.options.empty()) {
    JsonValue config = JsonValue::Of(JsonValue::Object{});
    config.Set("servers", ListOf(dns.servers));
    config.Set("searches", ListOf(dns.searches));
    config.Set("options", ListOf(dns.options));
    all.Set("dns", std::move(config));
  }
  JsonValue annotations = JsonValue::Of(JsonValue::Object{});
  for (const auto& [key, value] : request.annotations) {
    annotations.Set(key, JsonValue::String(value));
  }
  // containerd's; some plugins know it.
  all.Set("io.kubernetes.cri.pod-annotations", std::move(annotations));
  return all;
}

std::string ArgumentsOf(const PodNetworkRequest& request) {
  return fmt::format(
      "IgnoreUnknown=1;K8S_POD_NAMESPACE={};K8S_POD_NAME={};K8S_POD_INFRA_CONTAINER_ID={};"
      "K8S_POD_UID={}",
      request.pod_namespace, request.pod_name, request.sandbox_id, request.pod_uid);
}

// CNI leaves the loopback device to whoever runs the plugins.
Result<void> SetLoopbackUp(int netns) {
  TRY(auto socket, kernel::NetlinkSocket::OpenIn(NETLINK_ROUTE, netns));
  kernel::NetlinkBatch batch;
  PutUp(&batch, "lo");
  return socket.Execute(&batch);
}

Result<void> MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return Error::FromErrno(error.value(), path);
  return {};
}

}  // namespace

CniOptions CniOptionsOf(const Instance& instance) {
  CniOptions options;
  options.config_dir = instance.cni_dir;
  options.plugin_dirs = {"/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"};
  options.cache_dir = instance.data_dir + "/cni/results";
  options.netns_dir = instance.run_dir + "/netns";
  return options;
}

Result<std::unique_ptr<CniNetwork>> CniNetwork::Open(CniOptions options) {
  TRY_VOID(MakeFolder(options.cache_dir));
  TRY_VOID(MakeFolder(options.netns_dir));
  return std::unique_ptr<CniNetwork>(new CniNetwork(std::move(options)));
}

std::string CniNetwork::NetnsPath(const std::string& sandbox_id) const {
  return options_.netns_dir + "/" + sandbox_id;
}

Result<void> CniNetwork::BindNamespace(const std::string& sandbox_id, int netns) const {
  const std::string path = NetnsPath(sandbox_id);
  const UniqueFd place(open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!place) return Error::FromErrno(errno, path);
  const std::string source = fmt::format("/proc/thread-self/fd/{}", netns);
  if (mount(source.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    const int os_errno = errno;
    unlink(path.c_str());
    return Error::FromErrno(os_errno, "mounting the pod's network namespace on " + path);
  }
  return {};
}

Result<void> CniNetwork::UnbindNamespace(const std::string& sandbox_id) const {
  const std::string path = NetnsPath(sandbox_id);
  // Not a mount any more: after a boot, or when a call before this one was cut short.
  if (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL &&
      errno != ENOENT) {
    return Error::FromErrno(errno, "unmounting " + path);
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return Error::FromErrno(errno, path);
  return {};
}

Result<std::string> CniNetwork::FindPlugin(const std::string& type) const {
  std::string folders;
  for (const std::string& folder : options_.plugin_dirs) {
    std::string path = folder;
    path.append("/").append(type);
    if (access(path.c_str(), X_OK) == 0) return path;
    folders += " " + folder;
  }
  return Error(Code::kNotFound, fmt::format("failed to find plugin \"{}\" in path [{}]", type,
                                            folders.empty() ? folders : folders.substr(1)));
}

Result<std::string> CniNetwork::Run(const Attachment& attachment, const CniPlugin& plugin,
                                    const std::string& verb, const std::string& netns,
                                    const JsonValue::Object& extra) const {
  CniCall call;
  TRY(call.program, FindPlugin(plugin.type));
  JsonValue config = plugin.config;
  config.Set("cniVersion", JsonValue::String(attachment.config.version));
  config.Set("name", JsonValue::String(attachment.config.name));
  JsonValue wanted = JsonValue::Of(JsonValue::Object{});
  for (const std::string& capability : plugin.capabilities) {
    if (const JsonValue* value = attachment.capabilities.Find(capability)) {
      wanted.Set(capability, *value);
    }
  }
  if (!wanted.object().empty()) config.Set("runtimeConfig", std::move(wanted));
  for (const auto& [key, value] : extra) config.Set(key, value);
  call.input = ToText(config);
  call.timeout = options_.plugin_timeout;
  const std::string path = Join(options_.plugin_dirs, ":");
  call.environment = {{"CNI_COMMAND", verb},         {"CNI_CONTAINERID", attachment.sandbox_id},
                      {"CNI_NETNS", netns},          {"CNI_ARGS", attachment.arguments},
                      {"CNI_IFNAME", kPodInterface}, {"CNI_PATH", path}};
  TRY(CniOutcome outcome, RunCniPlugin(call));
  if (outcome.status == 0) return std::move(outcome.output);
  return CniFailure(plugin.type, LowerCase(verb), outcome.output, outcome.errors, outcome.status);
}

Result<std::string> CniNetwork::Add(const Attachment& attachment) const {
  std::string result;
  for (const CniPlugin& plugin : attachment.config.plugins) {
    JsonValue::Object extra;
    if (!result.empty()) {
      TRY(JsonValue last, reflect::ParseJson(result, {.max_depth = 100}));
      extra.push_back({kLastResult, std::move(last)});
    }
    TRY(result, Run(attachment, plugin, "ADD", NetnsPath(attachment.sandbox_id), extra));
  }
  return result;
}

Result<void> CniNetwork::Delete(const Attachment& attachment) const {
  JsonValue::Object extra;
  if (!attachment.result.empty() && CniAtLeast(attachment.config.version, "0.4.0")) {
    if (auto last = reflect::ParseJson(attachment.result, {.max_depth = 100}); last.ok()) {
      extra.push_back({kLastResult, *std::move(last)});
    }
  }
  // A namespace that is gone is no path: plugins then free what they hold elsewhere.
  std::string netns = NetnsPath(attachment.sandbox_id);
  const bool there = netns.size() > 1 && access(netns.c_str(), F_OK) == 0;
  if (!there) netns.clear();
  Result<void> all;
  const auto& plugins = attachment.config.plugins;
  for (auto plugin = plugins.rbegin(); plugin != plugins.rend(); ++plugin) {
    auto deleted = Run(attachment, *plugin, "DEL", netns, extra);
    if (!deleted.ok() && all.ok()) all = std::move(deleted).error();
  }
  return all;
}

Result<void> CniNetwork::Reserve(const PodNetworkRequest& request,
                                 const std::vector<PortMapping>& ports) {
  const std::lock_guard lock(mutex_);
  const auto found = pods_.find(request.sandbox_id);
  if (found != pods_.end()) {
    return Error(Code::kAlreadyExists, "sandbox " + request.sandbox_id + " is set up");
  }
  for (const auto& [id, holder] : pods_) {
    for (const PortMapping& held : holder.ports) {
      for (const PortMapping& port : ports) {
        if (!Collide(port, held)) continue;
        return Error(Code::kAlreadyExists,
                     fmt::format("hostPort {} is taken by pod {}", ToText(port), holder.pod));
      }
    }
  }
  pods_[request.sandbox_id] = {.pod = request.pod_namespace + "/" + request.pod_name,
                               .ports = ports};
  return {};
}

void CniNetwork::Release(const std::string& sandbox_id) {
  const std::lock_guard lock(mutex_);
  pods_.erase(sandbox_id);
}

Result<UniqueFd> CniNetwork::PrepareNamespace(const std::string& sandbox_id) {
  TRY_VOID(CheckSandboxId(sandbox_id));
  return kernel::NewNetNamespace();
}

Result<PodNetwork> CniNetwork::Setup(const PodNetworkRequest& request) {
  TRY_VOID(CheckSandboxId(request.sandbox_id));
  TRY(const std::vector<PortMapping> ports, EffectivePorts(request.ports));
  TRY(const Bandwidth bandwidth, BandwidthOf(request.annotations));
  if (auto listener = ListenerOn(ports)) return Error(Code::kAlreadyExists, *std::move(listener));
  TRY(auto config, LoadCniConfig(options_.config_dir));
  if (!config) {
    return Error(
        Code::kUnavailable,
        "cni plugin not initialized: there is no network configuration in " + options_.config_dir);
  }
  Attachment attachment{.sandbox_id = request.sandbox_id,
                        .config = *std::move(config),
                        .arguments = ArgumentsOf(request),
                        .capabilities = CapabilitiesOf(request, ports, bandwidth),
                        .result = {}};
  TRY_VOID(Reserve(request, ports));
  const auto connect = [&]() -> Result<PodNetwork> {
    TRY_VOID(SetLoopbackUp(request.netns));
    TRY_VOID(Save(attachment));
    TRY_VOID(BindNamespace(request.sandbox_id, request.netns));
    TRY(attachment.result, Add(attachment));
    TRY_VOID(Save(attachment));
    return ReadCniResult(attachment.result, kPodInterface);
  };
  auto network = connect();
  if (network.ok()) {
    const std::lock_guard lock(mutex_);
    pods_[request.sandbox_id].up = true;
    return network;
  }
  // The first error counts. What cannot be undone now is found by Recover.
  if (Delete(attachment).ok()) (void)Forget(attachment);
  (void)UnbindNamespace(request.sandbox_id);
  Release(request.sandbox_id);
  return network;
}

Result<void> CniNetwork::Teardown(const std::string& sandbox_id) {
  TRY_VOID(CheckSandboxId(sandbox_id));
  const auto attachment = Find(sandbox_id);
  if (!attachment.ok() && attachment.error().code() != Code::kNotFound) {
    return attachment.error();
  }
  if (attachment.ok()) {
    TRY_VOID(Delete(*attachment));
    TRY_VOID(UnbindNamespace(sandbox_id));
    TRY_VOID(Forget(*attachment));
  }
  Release(sandbox_id);
  return {};
}

Result<void> CniNetwork::Check(const std::string& sandbox_id) {
  TRY_VOID(CheckSandboxId(sandbox_id));
  TRY(const Attachment attachment, Find(sandbox_id));
  if (attachment.result.empty()) {
    return Error(Code::kNotFound, "sandbox " + sandbox_id + " is not set up");
  }
  if (attachment.config.disable_check || !CniAtLeast(attachment.config.version, "0.4.0")) return {};
  TRY(JsonValue last, reflect::ParseJson(attachment.result, {.max_depth = 100}));
  const JsonValue::Object extra = {{kLastResult, std::move(last)}};
  for (const CniPlugin& plugin : attachment.config.plugins) {
    TRY_VOID(Run(attachment, plugin, "CHECK", NetnsPath(sandbox_id), extra));
  }
  return {};
}

Result<PodCounters> CniNetwork::Counters(const std::string& sandbox_id) {
  TRY_VOID(CheckSandboxId(sandbox_id));
  const std::string path = NetnsPath(sandbox_id);
  const UniqueFd netns(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!netns) return Error(Code::kNotFound, "sandbox " + sandbox_id + " has no network");
  TRY(const auto there, kernel::NetNamespaceEntry::Enter(netns.get()));
  TRY(const Link link, FindLink(kPodInterface));
  return link.counters;
}

// What is not among the living is torn down, and plugins that know GC are told of the others.
Result<void> CniNetwork::Recover(std::span<const LiveSandbox> live) {
  std::set<std::string> ids;
  {
    const std::lock_guard lock(mutex_);
    pods_.clear();
    for (const LiveSandbox& sandbox : live) {
      const PodNetworkRequest& request = sandbox.request;
      if (!ids.insert(request.sandbox_id).second) {
        return Error(Code::kInvalidArgument,
                     "sandbox " + request.sandbox_id + " cannot be taken over: it is listed twice");
      }
      TRY(auto ports, EffectivePorts(request.ports));
      pods_[request.sandbox_id] = {.pod = request.pod_namespace + "/" + request.pod_name,
                                   .ports = std::move(ports),
                                   .up = true};
    }
  }
  Result<void> all;
  TRY(const std::vector<Attachment> attachments, All());
  for (const Attachment& attachment : attachments) {
    if (ids.contains(attachment.sandbox_id)) continue;
    auto gone = Teardown(attachment.sandbox_id);
    if (!gone.ok() && all.ok()) all = std::move(gone);
  }
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(options_.netns_dir, error)) {
    const std::string id = entry.path().filename();
    // Where DEL has failed the namespace is needed for the next try.
    if (ids.contains(id) || Find(id).ok()) continue;
    TRY_VOID(UnbindNamespace(id));
  }
  TRY_VOID(std::move(all));
  return CollectGarbage(live);
}

Result<void> CniNetwork::CollectGarbage(std::span<const LiveSandbox> live) const {
  TRY(const auto config, LoadCniConfig(options_.config_dir));
  if (!config || config->disable_gc || !CniAtLeast(config->version, "1.1.0")) return {};
  JsonValue::Array valid;
  for (const LiveSandbox& sandbox : live) {
    JsonValue one = JsonValue::Of(JsonValue::Object{});
    one.Set("containerID", JsonValue::String(sandbox.request.sandbox_id));
    one.Set("ifname", JsonValue::String(kPodInterface));
    valid.push_back(std::move(one));
  }
  const JsonValue list = JsonValue::Of(std::move(valid));
  // The second name is of the drafts before 1.1.
  const JsonValue::Object extra = {{"cni.dev/valid-attachments", list},
                                   {"cni.dev/attachments", list}};
  const Attachment nobody{.sandbox_id = {}, .config = *config, .arguments = {}, .result = {}};
  for (const CniPlugin& plugin : config->plugins) {
    TRY_VOID(Run(nobody, plugin, "GC", {}, extra));
  }
  return {};
}

NetworkStatus CniNetwork::Status() {
  NetworkStatus status;
  const auto ask = [&]() -> Result<void> {
    TRY(const auto config, LoadCniConfig(options_.config_dir));
    if (!config) return Error(Code::kUnavailable, "cni plugin not initialized");
    std::set<std::string> offered;
    for (const CniPlugin& plugin : config->plugins) {
      TRY_VOID(FindPlugin(plugin.type));
      offered.insert(plugin.capabilities.begin(), plugin.capabilities.end());
    }
    for (const char* capability : {"portMappings", "bandwidth"}) {
      if (offered.contains(capability)) continue;
      status.warnings.push_back(fmt::format(
          "no plugin of the network {} has the capability {}: unless one sees to it in its own "
          "way, "
          "{}",
          config->name, capability,
          std::string_view(capability) == "bandwidth" ? "bandwidth annotations have no effect"
                                                      : "host ports lead nowhere"));
    }
    if (!CniAtLeast(config->version, "1.1.0")) return {};
    const Attachment nobody{.sandbox_id = {}, .config = *config, .arguments = {}, .result = {}};
    for (const CniPlugin& plugin : config->plugins) {
      TRY_VOID(Run(nobody, plugin, "STATUS", {}, {}));
    }
    return {};
  };
  if (const auto ready = ask(); !ready.ok()) {
    status.reason = "NetworkPluginNotReady";
    status.message = "Network plugin returns error: " + ready.error().message();
    return status;
  }
  status.ready = true;
  return status;
}

Result<void> CniNetwork::Uninstall() {
  {
    const std::lock_guard lock(mutex_);
    if (!pods_.empty()) {
      return Error(Code::kConflict, "sandbox " + pods_.begin()->first + " has its network here");
    }
  }
  TRY_VOID(Recover({}));
  std::error_code error;
  fs::remove_all(options_.cache_dir, error);
  fs::remove(options_.netns_dir, error);
  return {};
}

}  // namespace podium::network
