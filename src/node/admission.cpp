#include "node/admission.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "api/node_selector.h"
#include "api/pod_amounts.h"
#include "api/resource_names.h"
#include "api/validation/resources.h"
#include "base/text.h"
#include "node/critical_pods.h"
#include "node/preemption.h"
#include "node/shutdown/shutdown_manager.h"
#include "node/unsupported.h"

namespace podium::node {
namespace {

constexpr std::string_view kOsLabel = "kubernetes.io/os";
constexpr std::string_view kLinux = "linux";
constexpr std::string_view kMemoryPressureTaint = "node.kubernetes.io/memory-pressure";
constexpr std::string_view kNodeAffinity = "NodeAffinity";

// One check that was not passed: of a resource, or of another kind.
struct Failure {
  std::string predicate = {};
  std::string why = {};
  std::string resource = {};  // not empty: this one
  int64_t requested = 0;
  int64_t used = 0;
  int64_t capacity = 0;
};

using Amounts = std::map<std::string, int64_t, std::less<>>;

// In the units that messages tell: thousandths of a core, bytes, pieces.
Amounts AmountsIn(const reflect::Map<api::Quantity>& list) {
  Amounts out;
  for (const auto& [name, quantity] : list) {
    const bool counted = name == "cpu" || name == "memory" || name == "ephemeral-storage" ||
                         name == "pods" || api::IsScalarResourceName(name);
    if (counted) out[name] = name == "cpu" ? quantity.MilliValue() : quantity.Value();
  }
  return out;
}

int64_t AmountOf(const Amounts& amounts, std::string_view name) {
  const auto found = amounts.find(name);
  return found == amounts.end() ? 0 : found->second;
}

// What it asks for of the containers' resources that this node counts.
Amounts WantedOf(const v1::Pod& pod, const Amounts& allocatable) {
  Amounts wanted = AmountsIn(api::AmountsOf(pod.spec, true).requests);
  std::erase_if(wanted, [&](const auto& each) {
    return api::IsExtendedResourceName(each.first) && !allocatable.contains(each.first);
  });
  return wanted;
}

void CheckResources(const AdmissionInput& in, std::vector<Failure>* failures) {
  const Amounts allocatable = AmountsIn(in.node->status.allocatable);
  const Amounts wanted = WantedOf(in.pod, allocatable);
  Amounts used;
  for (const auto& other : in.others) {
    for (const auto& [name, amount] : AmountsIn(api::ChargedAmountsOf(*other).requests)) {
      used[name] += amount;
    }
  }
  const auto count = static_cast<int64_t>(in.others.size());
  if (const int64_t pods = AmountOf(allocatable, "pods"); count + 1 > pods) {
    failures->push_back({.resource = "pods", .requested = 1, .used = count, .capacity = pods});
  }
  const auto check = [&](const std::string& name) {
    const int64_t requested = AmountOf(wanted, name);
    const int64_t capacity = AmountOf(allocatable, name);
    const int64_t taken = AmountOf(used, name);
    if (requested == 0 || requested <= capacity - taken) return;
    failures->push_back(
        {.resource = name, .requested = requested, .used = taken, .capacity = capacity});
  };
  for (const char* name : {"cpu", "memory", "ephemeral-storage"}) check(name);
  for (const auto& [name, amount] : wanted) {
    if (api::IsScalarResourceName(name)) check(name);
  }
}

bool MatchesLabels(const v1::Pod& pod, const v1::Node& node) {
  for (const auto& [key, value] : pod.spec.nodeSelector) {
    const auto found = node.metadata.labels.find(key);
    if (found == node.metadata.labels.end() || found->second != value) return false;
  }
  if (!pod.spec.affinity || !pod.spec.affinity->nodeAffinity) return true;
  const auto& required =
      pod.spec.affinity->nodeAffinity->requiredDuringSchedulingIgnoredDuringExecution;
  if (!required) return true;
  const auto matches = api::MatchNodeSelector(*required, node);
  return matches.ok() && *matches;
}

using HostPort = std::tuple<std::string, std::string, int32_t>;  // address, protocol, port

std::vector<HostPort> HostPortsOf(const v1::Pod& pod) {
  std::vector<HostPort> out;
  const auto add = [&](const v1::Container& container) {
    for (const v1::ContainerPort& port : container.ports) {
      if (port.hostPort <= 0) continue;
      out.emplace_back(port.hostIP.empty() ? "0.0.0.0" : port.hostIP,
                       port.protocol.empty() ? "TCP" : port.protocol, port.hostPort);
    }
  };
  for (const v1::Container& container : pod.spec.initContainers) {
    if (IsSidecar(container)) add(container);
  }
  for (const v1::Container& container : pod.spec.containers) add(container);
  return out;
}

bool Conflict(const HostPort& a, const HostPort& b) {
  const auto& [address, protocol, port] = a;
  const auto& [other_address, other_protocol, other_port] = b;
  if (protocol != other_protocol || port != other_port) return false;
  return address == other_address || address == "0.0.0.0" || other_address == "0.0.0.0";
}

bool HasFreePorts(const AdmissionInput& in) {
  const std::vector<HostPort> wanted = HostPortsOf(in.pod);
  if (wanted.empty()) return true;
  return std::ranges::none_of(in.others, [&](const auto& other) {
    return std::ranges::any_of(HostPortsOf(*other), [&](const HostPort& taken) {
      return std::ranges::any_of(wanted,
                                 [&](const HostPort& each) { return Conflict(each, taken); });
    });
  });
}

// TolerationsTolerateTaint. Lt and Gt are for clusters that have switched them on.
bool Tolerates(const reflect::List<v1::Toleration>& tolerations, const v1::Taint& taint) {
  return std::ranges::any_of(tolerations, [&](const v1::Toleration& each) {
    if (!each.effect.empty() && each.effect != taint.effect) return false;
    if (!each.key.empty() && each.key != taint.key) return false;
    if (each.operator_ == "Exists") return true;
    return (each.operator_.empty() || each.operator_ == "Equal") && each.value == taint.value;
  });
}

bool ToleratesTaints(const v1::Pod& pod, const v1::Node& node) {
  return std::ranges::all_of(node.spec.taints, [&](const v1::Taint& taint) {
    return taint.effect != "NoExecute" || Tolerates(pod.spec.tolerations, taint);
  });
}

std::vector<Failure> FailuresOf(const AdmissionInput& in) {
  std::vector<Failure> failures;
  const v1::Node& node = *in.node;
  CheckResources(in, &failures);
  if (!MatchesLabels(in.pod, node)) {
    failures.push_back({.predicate = std::string(kNodeAffinity),
                        .why = "node(s) didn't match Pod's node affinity/selector"});
  }
  if (!in.pod.spec.nodeName.empty() && in.pod.spec.nodeName != node.metadata.name) {
    failures.push_back(
        {.predicate = "NodeName", .why = "node(s) didn't match the requested node name"});
  }
  if (!HasFreePorts(in)) {
    failures.push_back({.predicate = "NodePorts",
                        .why = "node(s) didn't have free ports for the requested pod ports"});
  }
  if (!IsStaticPod(in.pod) && !ToleratesTaints(in.pod, node)) {
    failures.push_back(
        {.predicate = "TaintToleration", .why = "node(s) had taints that the pod didn't tolerate"});
  }
  return failures;
}

// The first of them, as upstream tells no more.
PodFailure Told(const Failure& failure) {
  if (failure.resource.empty()) {
    return {failure.predicate,
            fmt::format("Predicate {} failed: {}", failure.predicate, failure.why)};
  }
  return {"OutOf" + failure.resource,
          fmt::format("Node didn't have enough resource: {}, requested: {}, used: {}, capacity: {}",
                      failure.resource, failure.requested, failure.used, failure.capacity)};
}

Admission AskNode(const AdmissionInput& in) {
  std::vector<Failure> failures = FailuresOf(in);
  if (failures.empty()) return {};
  Admission out;
  out.labels_alone = std::ranges::all_of(
      failures, [](const Failure& each) { return each.predicate == kNodeAffinity; });
  const auto others =
      std::ranges::find_if(failures, [](const Failure& each) { return each.resource.empty(); });
  if (!IsCriticalPod(in.pod)) {
    out.refusal = Told(failures.front());
    return out;
  }
  // Room is made, anything else is not.
  if (others != failures.end()) {
    out.refusal = Told(*others);
    return out;
  }
  std::vector<MissingResource> missing;
  missing.reserve(failures.size());
  for (const Failure& each : failures) {
    missing.push_back({each.resource, each.requested - (each.capacity - each.used)});
  }
  auto preempted = PodsToPreempt(in.pod, in.others, missing);
  if (!preempted.ok()) {
    out.refusal = {"UnexpectedAdmissionError",
                   "Unexpected error while attempting to recover from admission failure: "
                   "preemption: error finding a set of pods to preempt: " +
                       preempted.error().message()};
    return out;
  }
  out.preempted = *std::move(preempted);
  out.preempted_for = missing.front().name;
  return out;
}

std::optional<PodFailure> UnderPressure(const AdmissionInput& in) {
  if (in.pressures.empty() || IsCriticalPod(in.pod)) return std::nullopt;
  if (in.pressures.size() == 1 && in.pressures.front() == "MemoryPressure") {
    v1::Taint taint;
    taint.key = kMemoryPressureTaint;
    taint.effect = "NoSchedule";
    if (api::ComputePodQos(in.pod.spec) != "BestEffort") return std::nullopt;
    if (Tolerates(in.pod.spec.tolerations, taint)) return std::nullopt;
  }
  return PodFailure{"Evicted", "The node had condition: [" + Join(in.pressures, " ") + "]. "};
}

std::optional<PodFailure> WrongSystem(const v1::Pod& pod) {
  const auto label = pod.metadata.labels.find(kOsLabel);
  if (label != pod.metadata.labels.end() && label->second != kLinux) {
    return PodFailure{
        "PodOSSelectorNodeLabelDoesNotMatch",
        "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label"};
  }
  if (pod.spec.os && pod.spec.os->name != kLinux) {
    return PodFailure{"PodOSNotSupported",
                      "Failed to admit pod as the OS field doesn't match node OS"};
  }
  return std::nullopt;
}

bool WantsAppArmor(const v1::Pod& pod) {
  const auto wants = [](const auto& context) {
    return context && context->appArmorProfile && context->appArmorProfile->type != "Unconfined";
  };
  const auto any = [&](const auto& containers) {
    return std::ranges::any_of(containers,
                               [&](const auto& each) { return wants(each.securityContext); });
  };
  return wants(pod.spec.securityContext) || any(pod.spec.initContainers) ||
         any(pod.spec.containers) || any(pod.spec.ephemeralContainers);
}

std::optional<PodFailure> CannotDo(const AdmissionInput& in) {
  const std::string& phase = in.pod.status.phase;
  if (!in.apparmor && (phase.empty() || phase == "Pending") && WantsAppArmor(in.pod)) {
    return PodFailure{"AppArmor", "Cannot enforce AppArmor: AppArmor is not enabled on the host"};
  }
  const api::field::ErrorList errors = UnsupportedFields(in.pod);
  if (errors.empty()) return std::nullopt;
  return PodFailure{"PodFeatureUnsupported", errors.AggregateText()};
}

}  // namespace

Admission AdmitPod(const AdmissionInput& in) {
  if (auto refusal = UnderPressure(in)) return {.refusal = std::move(refusal)};
  if (auto refusal = in.sysctls.Refusal(in.pod)) {
    return {.refusal = PodFailure{"SysctlForbidden", *std::move(refusal)}};
  }
  if (auto refusal = WrongSystem(in.pod)) return {.refusal = std::move(refusal)};
  Admission out = in.node ? AskNode(in) : Admission{};
  if (out.refusal) return out;
  // No pod ends for one that is not taken in the end.
  if (auto refusal = CannotDo(in)) return {.refusal = std::move(refusal)};
  if (in.shutting_down) return {.refusal = ShutdownRefusal()};
  return out;
}

PodFailure PreemptionFailure() {
  return {.reason = "Preempting",
          .message = "Preempted in order to admit critical pod",
          .disrupts = true};
}

}  // namespace podium::node
