#include "commands/node_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "api/ip.h"
#include "api/names.h"
#include "api/time.h"
#include "base/text.h"
#include "commands/limit_options.h"
#include "commands/machine.h"
#include "commands/shutdown_options.h"
#include "node/cpus/cpu_set.h"
#include "node/sysctl_rules.h"
#include "reflect/go_text.h"
#include "reflect/go_trim.h"

namespace podium::commands {
namespace {

using api::Quantity;
using reflect::GoQuoted;
using reflect::TrimGoSpace;
using Pairs = std::map<std::string, std::string>;

constexpr cli::Option kOptions[] = {
    {.name = "node-ip",
     .value = "IP",
     .help = "the address by which others reach the node, or one of each family: A,B (the first "
             "ones of the machine)"},
    {.name = "hostname-override", .value = "NAME", .help = "the node's name (the machine's)"},
    {.name = "node-labels",
     .value = "KEY=VALUE,...",
     .help = "labels of the node, when it is registered for the first time"},
    {.name = "register-with-taints",
     .value = "KEY=VALUE:EFFECT,...",
     .help = "taints of the node, when it is registered for the first time"},
    {.name = "register-schedulable",
     .value = "BOOL",
     .help = "false: the node is registered as one that takes no pods yet (true)",
     .values = cli::Values::kWords,
     .words = "true false"},
    {.name = "kube-reserved",
     .value = "RESOURCE=QUANTITY,...",
     .help =
         "of cpu, memory and ephemeral-storage, what Kubernetes' own programs take of the node"},
    {.name = "system-reserved",
     .value = "RESOURCE=QUANTITY,...",
     .help = "the same for all other programs that are no pods"},
    {.name = "eviction-hard",
     .value = "SIGNAL<QUANTITY,...",
     .help = "what must stay free: it is not given to pods (memory.available<100Mi, ...), and, "
             "when this or --eviction-soft is said, pods are evicted for it"},
    {.name = "eviction-soft",
     .value = "SIGNAL<QUANTITY,...",
     .help = "what should stay free: pods are evicted when it is not for the grace period"},
    {.name = "eviction-soft-grace-period",
     .value = "SIGNAL=DURATION,...",
     .help = "how long a soft threshold must be passed"},
    {.name = "eviction-max-pod-grace-period",
     .value = "SECONDS",
     .help = "how long pods have to end at a soft threshold; negative: as long as they say (0)"},
    {.name = "eviction-minimum-reclaim",
     .value = "SIGNAL=QUANTITY,...",
     .help = "how much more than the threshold is made free"},
    {.name = "eviction-pressure-transition-period",
     .value = "DURATION",
     .help = "how long the node says that it is under pressure after it was (5m0s)"},
    {.name = "allowed-unsafe-sysctls",
     .value = "NAME,...",
     .help = "sysctls, or beginnings of them with *, that pods may set beside the safe ones"},
    {.name = "cpu-manager-policy",
     .value = "POLICY",
     .help = "static: containers of Guaranteed pods that ask for whole CPUs have them for "
             "themselves (none)",
     .values = cli::Values::kWords,
     .words = "none static"},
    {.name = "reserved-cpus",
     .value = "CPUS",
     .help = "0-1, say: CPUs for what is no pod, instead of the cpu that is reserved otherwise"},
    {.name = "max-pods", .value = "N", .help = "how many pods the node takes (110)"},
    {.name = "cluster-dns",
     .value = "IP,...",
     .help = "where pods resolve names (as the machine does)"},
    {.name = "cluster-domain",
     .value = "NAME",
     .help = "the domain of the cluster's services (cluster.local)"},
};

Error Bad(std::string text) { return Error(Code::kInvalidArgument, std::move(text)); }

// Go's flag package.
Error BadValue(std::string_view option, std::string_view value, std::string_view why) {
  return Bad(
      fmt::format("invalid argument {} for \"--{}\" flag: {}", GoQuoted(value), option, why));
}

std::string Trimmed(std::string_view text) { return std::string(TrimGoSpace(text)); }

// "a=b,c=d". A pair without a separator: `bare` stands for its value, if that may be.
Result<Pairs> ReadPairs(const cli::Invocation& invocation, const std::string& option,
                        char separator, bool bare = false) {
  Pairs pairs;
  for (const std::string& value : invocation.All(option)) {
    for (const std::string_view pair : Split(value, ',')) {
      if (pair.empty()) continue;
      const size_t at = pair.find(separator);
      if (at == pair.npos && !bare) {
        return BadValue(option, value,
                        fmt::format("malformed pair, expect string{}string", separator));
      }
      pairs[Trimmed(pair.substr(0, at))] = at == pair.npos ? "" : Trimmed(pair.substr(at + 1));
    }
  }
  return pairs;
}

// Upstream's parseResourceList.
Result<node::ResourceList> ReadReserved(const cli::Invocation& invocation,
                                        const std::string& option) {
  TRY(const Pairs pairs, ReadPairs(invocation, option, '='));
  const auto failed = [&](const std::string& why) {
    return Bad("--" + option + " value failed to parse: " + why);
  };
  node::ResourceList list;
  for (const auto& [name, text] : pairs) {
    if (name != "cpu" && name != "memory" && name != "ephemeral-storage") {
      return failed("cannot reserve " + GoQuoted(name) + " resource");
    }
    auto quantity = Quantity::Parse(text);
    if (!quantity.ok()) {
      return failed(fmt::format("failed to parse quantity {} for {} resource: {}", GoQuoted(text),
                                GoQuoted(name), quantity.error().message()));
    }
    if (quantity->Sign() < 0) {
      return failed(
          fmt::format("resource quantity for {} cannot be negative: {}", GoQuoted(name), text));
    }
    list[name] = *quantity;
  }
  return list;
}

// Nothing said: it stays as it is.
Result<void> ReadInt32(const cli::Invocation& invocation, const std::string& option, int32_t* to) {
  if (!invocation.Has(option)) return {};
  const std::string_view text = invocation.Get(option);
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, *to);
  if (error == std::errc() && at == end) return {};
  const bool range = error == std::errc::result_out_of_range;
  return BadValue(option, text,
                  "strconv.ParseInt: parsing " + GoQuoted(text) + ": " +
                      (range ? "value out of range" : "invalid syntax"));
}

// Those that are said stand for all. The hard ones also say how much of the node pods do not get.
Result<void> ReadEviction(const cli::Invocation& invocation, NodeOptions* options) {
  node::EvictionStatements said;
  TRY(said.hard, ReadPairs(invocation, "eviction-hard", '<'));
  TRY(said.soft, ReadPairs(invocation, "eviction-soft", '<'));
  TRY(said.soft_grace_period, ReadPairs(invocation, "eviction-soft-grace-period", '='));
  TRY(said.minimum_reclaim, ReadPairs(invocation, "eviction-minimum-reclaim", '='));
  if (!invocation.Has("eviction-hard")) said.hard = node::DefaultEvictionStatements();
  TRY(options->eviction.thresholds, node::ParseThresholds(said));
  auto& hard = options->description.settings.eviction_hard;
  hard.clear();
  std::ranges::copy_if(options->eviction.thresholds, std::back_inserter(hard),
                       &node::EvictionThreshold::hard);
  // Nobody is evicted who did not ask for it: by the defaults a disk that is six sevenths full, as
  // disks of developers are, takes no pod at all.
  if (!invocation.Has("eviction-hard") && !invocation.Has("eviction-soft")) {
    options->eviction.thresholds.clear();
  }
  const auto period = invocation.Get("eviction-pressure-transition-period", "5m0s");
  const auto parsed = api::Duration::Parse(period);
  if (!parsed.ok()) {
    return BadValue("eviction-pressure-transition-period", period, parsed.error().message());
  }
  if (parsed->nanos() < 0) {
    return BadValue("eviction-pressure-transition-period", period, "must not be negative");
  }
  options->eviction.transition_period = parsed->nanos();
  int32_t seconds = 0;
  TRY_VOID(ReadInt32(invocation, "eviction-max-pod-grace-period", &seconds));
  options->eviction.max_pod_grace_seconds = seconds;
  return {};
}

bool IsWithin(std::string_view name_space, std::string_view domain) {
  return name_space == domain || name_space.ends_with("." + std::string(domain));
}

// A label of Kubernetes' own that a node may not give itself (NodeRestriction refuses it).
bool IsForbiddenLabel(std::string_view key) {
  static constexpr std::array<std::string_view, 11> kLabels = {
      "beta.kubernetes.io/arch",
      "beta.kubernetes.io/instance-type",
      "beta.kubernetes.io/os",
      "failure-domain.beta.kubernetes.io/region",
      "failure-domain.beta.kubernetes.io/zone",
      "kubernetes.io/arch",
      "kubernetes.io/hostname",
      "kubernetes.io/os",
      "node.kubernetes.io/instance-type",
      "topology.kubernetes.io/region",
      "topology.kubernetes.io/zone",
  };
  const std::string_view name_space = key.substr(0, key.find('/'));
  if (name_space == key) return false;
  if (!IsWithin(name_space, "kubernetes.io") && !IsWithin(name_space, "k8s.io")) return false;
  return std::ranges::find(kLabels, key) == kLabels.end() &&
         !IsWithin(name_space, "kubelet.kubernetes.io") &&
         !IsWithin(name_space, "node.kubernetes.io");
}

// Upstream's ValidateKubeletFlags.
Result<void> ReadLabels(const cli::Invocation& invocation, node::NodeSettings* settings) {
  TRY(const Pairs labels, ReadPairs(invocation, "node-labels", '=', true));
  std::vector<std::string> unknown;
  std::vector<std::string> invalid;
  for (const auto& [key, value] : labels) {
    if (IsForbiddenLabel(key)) unknown.push_back(key);
    const auto check = [&](const std::string& what, const api::Messages& messages) {
      if (!messages.empty()) invalid.push_back("'" + what + "' - " + Join(messages, ", "));
    };
    check(key, api::IsQualifiedName(key));
    check(value, api::IsValidLabelValue(value));
    settings->labels[key] = value;
  }
  if (!unknown.empty()) {
    return Bad(
        "failed to validate kubelet flags: unknown 'kubernetes.io' or 'k8s.io' labels specified "
        "with --node-labels: [" +
        Join(unknown, " ") +
        "]\n--node-labels in the 'kubernetes.io' namespace must begin with an allowed prefix "
        "(kubelet.kubernetes.io, node.kubernetes.io) or be in the specifically allowed set "
        "(beta.kubernetes.io/arch, beta.kubernetes.io/instance-type, beta.kubernetes.io/os, "
        "failure-domain.beta.kubernetes.io/region, failure-domain.beta.kubernetes.io/zone, "
        "kubernetes.io/arch, kubernetes.io/hostname, kubernetes.io/os, "
        "node.kubernetes.io/instance-type, topology.kubernetes.io/region, "
        "topology.kubernetes.io/zone)");
  }
  if (!invalid.empty()) {
    return Bad("failed to validate kubelet flags: invalid node labels: " + Join(invalid, "; "));
  }
  return {};
}

// Upstream's pkg/util/taints: KEY=VALUE:EFFECT, KEY:EFFECT.
Result<node::v1::Taint> ParseTaint(std::string_view text) {
  const auto bad = [&](const api::Messages& why) {
    const std::string spec = "invalid taint spec: " + std::string(text);
    return why.empty() ? Bad(spec) : Bad(spec + ", " + Join(why, "; "));
  };
  const auto parts = Split(text, ':');
  if (parts.size() > 2) return bad({});
  node::v1::Taint taint;
  if (parts.size() == 2) taint.effect = parts[1];
  // The API takes no taint without one.
  static constexpr std::array<std::string_view, 3> kEffects = {"NoSchedule", "PreferNoSchedule",
                                                               "NoExecute"};
  if (std::ranges::find(kEffects, taint.effect) == kEffects.end()) {
    return Bad("invalid taint effect: " + taint.effect + ", unsupported taint effect");
  }
  const auto pair = Split(parts[0], '=');
  if (pair.size() > 2) return bad({});
  taint.key = pair[0];
  if (pair.size() == 2) {
    taint.value = pair[1];
    if (const auto why = api::IsValidLabelValue(taint.value); !why.empty()) return bad(why);
  }
  if (const auto why = api::IsQualifiedName(taint.key); !why.empty()) return bad(why);
  return taint;
}

Result<void> ReadTaints(const cli::Invocation& invocation, node::NodeSettings* settings) {
  for (const std::string& value : invocation.All("register-with-taints")) {
    if (value.empty()) continue;
    for (const std::string_view each : Split(value, ',')) {
      auto taint = ParseTaint(each);
      if (!taint.ok()) return BadValue("register-with-taints", value, taint.error().message());
      settings->taints.push_back(*std::move(taint));
    }
  }
  settings->register_schedulable = invocation.Get("register-schedulable", "true") == "true";
  return {};
}

Result<void> ReadMaxPods(const cli::Invocation& invocation, node::NodeSettings* settings) {
  if (!invocation.Has("max-pods")) return {};
  int32_t count = 0;
  TRY_VOID(ReadInt32(invocation, "max-pods", &count));
  if (count < 0) {
    return Bad("invalid configuration: maxPods (--max-pods) " + std::to_string(count) +
               " must not be a negative number");
  }
  settings->max_pods = count;
  return {};
}

bool IsUnspecified(const api::IPAddress& address) {
  return address == *api::ParseIP("0.0.0.0") || address == *api::ParseIP("::");
}

// Upstream's validateNodeIP; `own`: the machine's.
Result<void> CheckNodeAddress(const api::IPAddress& address, const std::vector<std::string>& own) {
  const std::string text = address.String();
  const bool v4 = address.IsIPv4();
  const uint8_t first = address.bytes[v4 ? 12 : 0];
  const uint8_t second = address.bytes[v4 ? 13 : 1];
  if (v4 ? first == 127 : address == *api::ParseIP("::1")) {
    return Bad("nodeIP can't be loopback address");
  }
  if (v4 ? (first & 0xf0) == 0xe0 : first == 0xff)
    return Bad("nodeIP can't be a multicast address");
  if (v4 ? first == 169 && second == 254 : first == 0xfe && (second & 0xc0) == 0x80) {
    return Bad("nodeIP can't be a link-local unicast address");
  }
  if (std::ranges::find(own, text) == own.end()) {
    return Bad("node IP: " + GoQuoted(text) + " not found in the host's network interfaces");
  }
  return {};
}

// The one of the default route, else the first of the family.
std::optional<std::string> OwnAddress(const std::vector<std::string>& own, bool v6) {
  std::string routed = DefaultRouteAddress(v6);
  if (std::ranges::find(own, routed) != own.end()) return routed;
  for (const std::string& each : own) {
    const auto parsed = api::ParseIP(each);
    if (parsed && parsed->IsIPv4() != v6) return each;
  }
  return std::nullopt;
}

// 0.0.0.0 and :: ask for that family of the machine's.
Result<std::vector<std::string>> NodeAddresses(std::string_view option,
                                               const std::vector<std::string>& own) {
  if (option.empty()) {
    auto found = OwnAddress(own, false);
    if (!found) found = OwnAddress(own, true);
    return found ? std::vector{*found} : own;
  }
  const auto bad = [&](const std::string& why) {
    return Bad("bad --node-ip " + GoQuoted(option) + ": " + why);
  };
  std::vector<api::IPAddress> addresses;
  for (const std::string_view text : Split(option, ',')) {
    const auto address = api::ParseIP(TrimGoSpace(text));
    if (!address) return bad("could not parse " + GoQuoted(text));
    addresses.push_back(*address);
  }
  if (addresses.size() > 2 ||
      (addresses.size() == 2 && addresses[0].IsIPv4() == addresses[1].IsIPv4())) {
    return bad("must contain either a single IP or a dual-stack pair of IPs");
  }
  if (addresses.size() == 2 && std::ranges::any_of(addresses, IsUnspecified)) {
    return bad("dual-stack node IP cannot include '0.0.0.0' or '::'");
  }
  if (IsUnspecified(addresses[0])) {
    const auto found = OwnAddress(own, !addresses[0].ipv4_text);
    return found ? Result(std::vector{*found}) : bad("the machine has no address of this family");
  }
  std::vector<std::string> out;
  for (const api::IPAddress& each : addresses) {
    TRY_VOID(CheckNodeAddress(each, own));
    out.push_back(each.String());
  }
  return out;
}

// Upstream's GetHostname.
Result<void> ReadName(const cli::Invocation& invocation, NodeOptions* options) {
  if (invocation.Has("hostname-override")) {
    const std::string name = LowerCase(TrimGoSpace(invocation.Get("hostname-override")));
    if (name.empty()) return Bad("empty hostname is invalid");
    if (const auto why = api::IsDNS1123Subdomain(name); !why.empty()) {
      return BadValue("hostname-override", name, Join(why, "; "));
    }
    options->config.name = name;
  }
  options->description.name = options->config.name;
  options->description.settings.hostname = options->config.name;
  return {};
}

Result<void> ReadDns(const cli::Invocation& invocation, node::NodeConfig* config) {
  for (const std::string& value : invocation.All("cluster-dns")) {
    for (const std::string_view text : Split(value, ',')) {
      if (!api::ParseIP(text)) {
        return BadValue("cluster-dns", value, "invalid clusterDNS IP " + GoQuoted(text));
      }
      config->cluster_dns.emplace_back(text);
    }
  }
  config->cluster_domain = invocation.Get("cluster-domain", config->cluster_domain);
  return {};
}

Result<void> ReadSysctls(const cli::Invocation& invocation, node::NodeConfig* config) {
  for (const std::string& value : invocation.All("allowed-unsafe-sysctls")) {
    for (const std::string_view each : Split(value, ',')) {
      if (!each.empty()) config->allowed_unsafe_sysctls.push_back(Trimmed(each));
    }
  }
  TRY_VOID(node::SysctlRules::Of(config->allowed_unsafe_sysctls));
  return {};
}

// What pods may have of memory together, before the kernel ends some of them: what is kept free for
// eviction is within it (upstream's getNodeAllocatableInternalAbsolute).
void SetPodsMemory(NodeOptions* options) {
  const node::NodeSettings& settings = options->description.settings;
  api::Quantity memory = node::CapacityOf(options->description)["memory"];
  for (const auto* reserved : {&settings.kube_reserved, &settings.system_reserved}) {
    const auto found = reserved->find("memory");
    if (found != reserved->end()) memory.Sub(found->second);
  }
  options->config.pods_memory_limit = std::max<int64_t>(memory.Value(), 0);
}

// What containers without limits see as the machine's.
void SetAllocatable(NodeOptions* options) {
  const node::ResourceList all =
      node::AllocatableOf(options->description, node::CapacityOf(options->description));
  for (auto& [name, quantity] : options->config.allocatable) {
    const auto found = all.find(name);
    if (found != all.end()) quantity = found->second;
  }
}

}  // namespace

std::span<const cli::Option> NodeOptionTable() {
  static const std::vector<cli::Option> kAll = [] {
    std::vector<cli::Option> all(std::begin(kOptions), std::end(kOptions));
    std::ranges::copy(LimitOptionTable(), std::back_inserter(all));
    std::ranges::copy(ShutdownOptionTable(), std::back_inserter(all));
    return all;
  }();
  return kAll;
}

// Upstream's: a list of CPUs says at once how much is reserved.
Result<void> ReadCpus(const cli::Invocation& invocation, NodeOptions* options) {
  auto& settings = options->description.settings;
  const std::string_view policy = invocation.Get("cpu-manager-policy", "none");
  if (policy != "none" && policy != "static") {
    return Bad("unknown policy: \"" + std::string(policy) + "\"");
  }
  options->config.static_cpus = policy == "static";
  options->config.reserved_cpus = invocation.Get("reserved-cpus");
  if (!options->config.reserved_cpus.empty()) {
    TRY(const node::CpuSet cpus, node::ParseCpuSet(options->config.reserved_cpus));
    settings.kube_reserved.erase("cpu");
    settings.system_reserved["cpu"] = Quantity::FromInt(static_cast<int64_t>(cpus.size()));
  }
  for (const auto* reserved : {&settings.kube_reserved, &settings.system_reserved}) {
    const auto cpu = reserved->find("cpu");
    if (cpu != reserved->end()) options->config.reserved_cpu_milli += cpu->second.MilliValue();
  }
  return {};
}

Result<NodeOptions> ReadNodeOptions(const cli::Invocation& invocation, node::NodeConfig config,
                                    node::MachineFacts machine) {
  NodeOptions options{.config = std::move(config)};
  options.description.machine = std::move(machine);
  node::NodeSettings& settings = options.description.settings;
  TRY_VOID(ReadName(invocation, &options));
  TRY(options.config.addresses, NodeAddresses(invocation.Get("node-ip"), options.config.addresses));
  options.description.addresses = options.config.addresses;
  TRY_VOID(ReadLabels(invocation, &settings));
  TRY_VOID(ReadTaints(invocation, &settings));
  TRY(settings.kube_reserved, ReadReserved(invocation, "kube-reserved"));
  TRY(settings.system_reserved, ReadReserved(invocation, "system-reserved"));
  TRY_VOID(ReadCpus(invocation, &options));
  TRY_VOID(ReadEviction(invocation, &options));
  TRY(options.shutdown, ReadShutdownGraces(invocation));
  TRY_VOID(ReadMaxPods(invocation, &settings));
  TRY_VOID(ReadLimitOptions(invocation, &options));
  TRY_VOID(ReadSysctls(invocation, &options.config));
  TRY_VOID(ReadDns(invocation, &options.config));
  SetAllocatable(&options);
  SetPodsMemory(&options);
  return options;
}

}  // namespace podium::commands
