#include "network/bridge_network.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "linux/namespaces.h"
#include "network/conntrack.h"
#include "network/host_ports.h"
#include "network/traffic_shaping.h"

namespace podium::network {
namespace {

constexpr int kDeviceTries = 8;
constexpr uint32_t kDeviceNumbers = 1 << 24;

uint32_t Random() {
  uint32_t number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number) return 0;
  return number;
}

// Devices of two instances on one machine differ by this part of their names: FNV-1a of the
// bridge's name, which is the instance's own.
std::string DevicePrefix(std::string_view bridge) {
  uint32_t hash = 2166136261U;
  for (const char c : bridge) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return fmt::format("veth{:05x}", (hash ^ hash >> 20) & 0xfffff);
}

// The ranges, sorted by family.
Result<RulesConfig> ReadRanges(const BridgeOptions& options) {
  RulesConfig rules;
  rules.table = options.table;
  rules.bridge = options.bridge;
  rules.device_prefix = DevicePrefix(options.bridge);
  TRY(rules.pods, ParseIpv4Range(options.pod_range));
  if (!options.pod_range6.empty()) {
    TRY(rules.pods6, ParseIpv6Range(options.pod_range6));
    if (!HasIpv6()) return Error(Code::kUnsupported, "this machine has no IPv6");
  }
  for (const std::string& text : options.cluster_ranges) {
    if (text.find(':') == std::string::npos) {
      TRY(const Ipv4Range range, ParseIpv4Range(text));
      rules.cluster.push_back(range);
    } else {
      TRY(const Ipv6Range range, ParseIpv6Range(text));
      rules.cluster6.push_back(range);
    }
  }
  return rules;
}

}  // namespace

BridgeOptions BridgeOptionsOf(const Instance& instance) {
  BridgeOptions options;
  options.bridge = instance.bridge;
  options.table = instance.nftables_table;
  options.pod_range = instance.pod_range;
  options.pod_range6 = instance.pod_range6;
  return options;
}

BridgeNetwork::BridgeNetwork(const BridgeOptions& options, AddressPool addresses, RulesConfig rules,
                             uint32_t first_device)
    : options_(options),
      bridge_{.name = options.bridge,
              .gateway = addresses.gateway(),
              .pods = rules.pods,
              .pods6 = rules.pods6,
              .mtu = options.mtu != 0 ? options.mtu : UplinkMtu()},
      device_prefix_(rules.device_prefix),
      rules_(std::move(rules)),
      addresses_(std::move(addresses)),
      next_device_(first_device) {}

Result<std::unique_ptr<BridgeNetwork>> BridgeNetwork::Open(const BridgeOptions& options) {
  TRY(RulesConfig rules, ReadRanges(options));
  TRY(AddressPool addresses, AddressPool::Create(rules.pods, rules.pods6, Random()));
  rules.gateway = addresses.gateway().mac;
  std::unique_ptr<BridgeNetwork> network(
      new BridgeNetwork(options, std::move(addresses), std::move(rules), Random()));
  TRY_VOID(network->EnsureHost());
  if (options.spare_namespaces > 0) {
    network->keeper_ = std::thread(&BridgeNetwork::KeepSpares, network.get());
  }
  return network;
}

std::string BridgeNetwork::NameOf(const PodNetworkRequest& request) {
  return request.pod_namespace + "/" + request.pod_name;
}

BridgeNetwork::~BridgeNetwork() { StopKeeping(); }

Result<void> BridgeNetwork::EnsureHost() {
  TRY(bridge_index_, EnsureBridge(bridge_));
  if (options_.enable_forwarding) TRY_VOID(EnableForwarding(bridge_.pods6.has_value()));
  return {};
}

std::string BridgeNetwork::NextDevice() {
  const std::lock_guard lock(mutex_);
  return fmt::format("{}{:06x}", device_prefix_, next_device_++ % kDeviceNumbers);
}

Result<PodAddress> BridgeNetwork::TakeAddress() {
  const std::lock_guard lock(mutex_);
  auto address = addresses_.Take();
  if (address.ok() || spares_.empty()) return address;
  // The last addresses are better used by pods than by spares.
  addresses_.Free(spares_.front().address.number);
  spares_.pop_front();
  return addresses_.Take();
}

void BridgeNetwork::FreeAddress(uint32_t number) {
  const std::lock_guard lock(mutex_);
  addresses_.Free(number);
}

std::optional<std::string> BridgeNetwork::PortHolder(const std::string& sandbox_id,
                                                     const std::vector<PortMapping>& ports) const {
  for (const auto& [id, pod] : pods_) {
    if (id == sandbox_id) continue;
    for (const PortMapping& held : pod.rules.ports) {
      for (const PortMapping& port : ports) {
        if (!Collide(port, held)) continue;
        return fmt::format("hostPort {} is taken by pod {}", ToText(port), pod.rules.comment);
      }
    }
  }
  return std::nullopt;
}

Result<BridgeNetwork::Pod> BridgeNetwork::Reserve(const PodNetworkRequest& request,
                                                  std::vector<PortMapping> ports, bool* connected) {
  TRY(const ino_t inode, kernel::NamespaceInode(request.netns));
  *connected = false;
  std::optional<Pod> pod;
  {
    const std::lock_guard lock(mutex_);
    if (auto holder = PortHolder(request.sandbox_id, ports)) {
      return Error(Code::kAlreadyExists, *std::move(holder));
    }
    if (const auto found = pods_.find(request.sandbox_id); found != pods_.end()) {
      pod = found->second;
      if (pod->prepared == 0) {
        return Error(Code::kAlreadyExists, "sandbox " + request.sandbox_id + " is set up");
      }
      *connected = pod->prepared == inode;
    }
  }
  if (!pod) {
    TRY(const PodAddress address, TakeAddress());
    pod.emplace();
    pod->rules.address = address;
  }
  if (pod->prepared != 0 && !*connected) TRY_VOID(RemoveLink(pod->rules.device));
  pod->prepared = 0;
  pod->rules.ports = std::move(ports);
  pod->rules.comment = NameOf(request);
  const std::lock_guard lock(mutex_);
  // Between the two locks another pod may have come to the same port.
  if (auto holder = PortHolder(request.sandbox_id, pod->rules.ports)) {
    if (!pods_.contains(request.sandbox_id)) addresses_.Free(pod->rules.address.number);
    return Error(Code::kAlreadyExists, *std::move(holder));
  }
  pods_[request.sandbox_id] = *pod;
  return *std::move(pod);
}

Result<void> BridgeNetwork::Connect(const PodNetworkRequest& request, Pod* pod) {
  for (int i = 0;; ++i) {
    pod->rules.device = NextDevice();
    auto connected =
        ConnectPod(bridge_, bridge_index_, pod->rules.device, pod->rules.address, request.netns);
    // A device of that name may be left of a pod whose namespace still ends.
    const bool taken = !connected.ok() && connected.error().os_errno() == EEXIST &&
                       connected.error().code() == Code::kAlreadyExists &&
                       FindLink(pod->rules.device).ok();
    if (!taken || i == kDeviceTries) return connected;
  }
}

Result<void> BridgeNetwork::AddRules(const Pod& pod) {
  const std::lock_guard lock(rules_mutex_);
  auto added = rules_.Add(pod.rules);
  if (added.ok() || added.error().os_errno() != ENOENT) return added;
  // Never made yet, or removed by somebody (nft flush ruleset): all pods need them back.
  return ReplaceRules();
}

Result<void> BridgeNetwork::RemoveRules(const Pod& pod) {
  const std::lock_guard lock(rules_mutex_);
  auto removed = rules_.Remove(pod.rules);
  if (removed.ok() || removed.error().os_errno() != ENOENT) return removed;
  return ReplaceRules();
}

// With rules_mutex_ held.
Result<void> BridgeNetwork::ReplaceRules() {
  std::vector<PodRules> pods;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, pod] : pods_) {
      if (!pod.rules.comment.empty() && !pod.rules.device.empty()) pods.push_back(pod.rules);
    }
  }
  return rules_.Replace(pods);
}

// The host's 127.0.0.1 is led to pods only while one has a host port, and only with the rules in
// place that keep pods away from it.
Result<void> BridgeNetwork::UpdateLoopback() {
  const std::lock_guard rules(rules_mutex_);
  bool wanted = false;
  {
    const std::lock_guard lock(mutex_);
    wanted = std::ranges::any_of(
        pods_, [](const auto& entry) { return !entry.second.rules.ports.empty(); });
  }
  return LeadLoopback(bridge_.name, wanted);
}

Result<void> BridgeNetwork::Enable(const Pod& pod, const Bandwidth& bandwidth) {
  if (bandwidth != Bandwidth{}) {
    TRY(const Link link, FindLink(pod.rules.device));
    TRY_VOID(LimitRates(pod.rules.device, link.index, bandwidth));
  }
  TRY_VOID(AddRules(pod));
  if (!pod.rules.ports.empty()) {
    TRY_VOID(UpdateLoopback());
    TRY_VOID(ForgetFlows(pod.rules.ports, pod.rules.address));
  }
  return AddPodRoutes(bridge_, bridge_index_, pod.rules.address);
}

Result<PodNetwork> BridgeNetwork::Setup(const PodNetworkRequest& request) {
  TRY_VOID(CheckSandboxId(request.sandbox_id));
  TRY(std::vector<PortMapping> ports, EffectivePorts(request.ports));
  TRY(const Bandwidth bandwidth, BandwidthOf(request.annotations));
  if (auto listener = ListenerOn(ports)) return Error(Code::kAlreadyExists, *std::move(listener));
  bool connected = false;
  TRY(Pod pod, Reserve(request, std::move(ports), &connected));
  pod.limited = bandwidth.egress_rate != 0;
  auto done = connected ? Result<void>() : Connect(request, &pod);
  if (done.ok()) {
    {
      const std::lock_guard lock(mutex_);
      pods_[request.sandbox_id] = pod;
    }
    done = Enable(pod, bandwidth);
  }
  if (!done.ok()) {
    // The first error counts. What cannot be undone now is found by Recover.
    (void)Disconnect(pod);
    (void)RemoveLink(pod.rules.device);
    Forget(request.sandbox_id, pod);
    return std::move(done).error();
  }
  const std::lock_guard lock(mutex_);
  pods_[request.sandbox_id].up = true;
  return Describe(pod);
}

Result<void> BridgeNetwork::Disconnect(const Pod& pod) {
  // All of it is tried; the first error counts.
  auto routes = RemovePodRoutes(bridge_, bridge_index_, pod.rules.address);
  auto rules = pod.rules.comment.empty() ? Result<void>() : RemoveRules(pod);
  auto flows = ForgetFlows(pod.rules.ports, pod.rules.address);
  auto rate = pod.limited ? RemoveRateDevice(pod.rules.device) : Result<void>();
  if (!routes.ok()) return routes;
  if (!rules.ok()) return rules;
  return flows.ok() ? std::move(rate) : std::move(flows);
}

Result<void> BridgeNetwork::Teardown(const std::string& sandbox_id) {
  const auto pod = FindPod(sandbox_id);
  if (!pod.ok()) return {};
  TRY_VOID(Disconnect(*pod));
  Forget(sandbox_id, *pod);
  return {};
}

void BridgeNetwork::Forget(const std::string& sandbox_id, const Pod& pod) {
  {
    const std::lock_guard lock(mutex_);
    pods_.erase(sandbox_id);
    addresses_.Free(pod.rules.address.number);
  }
  // Should it fail, the rules still keep pods away; Status tries again.
  if (!pod.rules.ports.empty()) (void)UpdateLoopback();
}

PodNetwork BridgeNetwork::Describe(const Pod& pod) const {
  const PodAddress& address = pod.rules.address;
  PodNetwork network;
  network.interface = kPodInterface;
  network.mac = ToText(address.mac);
  network.addresses.push_back(ToText(address.v4));
  network.gateways.push_back(ToText(bridge_.gateway.v4));
  if (address.v6) {
    network.addresses.push_back(ToText(*address.v6));
    network.gateways.push_back(ToText(*bridge_.gateway.v6));
  }
  network.host_interface = pod.rules.device;
  network.mtu = bridge_.mtu;
  return network;
}

Result<BridgeNetwork::Pod> BridgeNetwork::FindPod(const std::string& sandbox_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = pods_.find(sandbox_id);
  if (found == pods_.end()) {
    return Error(Code::kNotFound, "sandbox " + sandbox_id + " has no network");
  }
  return found->second;
}

Result<void> BridgeNetwork::Check(const std::string& sandbox_id) {
  TRY(const Pod pod, FindPod(sandbox_id));
  if (!pod.up) return Error(Code::kNotFound, "sandbox " + sandbox_id + " is not set up");
  TRY(const Link link, FindLink(pod.rules.device));
  if (!link.up || link.master != bridge_index_) {
    return Error(Code::kNotFound, fmt::format("the network device {} is down or off the bridge {}",
                                              link.name, bridge_.name));
  }
  TRY_VOID(CheckPodRoutes(bridge_, bridge_index_, pod.rules.address));
  const std::lock_guard lock(rules_mutex_);
  return rules_.Check(pod.rules);
}

Result<PodCounters> BridgeNetwork::Counters(const std::string& sandbox_id) {
  TRY(const Pod pod, FindPod(sandbox_id));
  TRY(const Link link, FindLink(pod.rules.device));
  // What the host's end sends is what the pod receives.
  const PodCounters& host = link.counters;
  return PodCounters{.rx_bytes = host.tx_bytes,
                     .rx_packets = host.tx_packets,
                     .rx_errors = host.tx_errors,
                     .rx_dropped = host.tx_dropped,
                     .tx_bytes = host.rx_bytes,
                     .tx_packets = host.rx_packets,
                     .tx_errors = host.rx_errors,
                     .tx_dropped = host.rx_dropped};
}

}  // namespace podium::network
