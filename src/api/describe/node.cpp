// Nodes, and what the pods on them ask for.
#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/describe/parts.h"
#include "api/describe/sorted.h"
#include "api/printed_text.h"
#include "api/resource_names.h"
#include "api/types/coordination_v1.h"
#include "api/types/resource_v1.h"
#include "base/text.h"

namespace podium::api {
namespace {

using namespace core::v1;  // NOLINT: the parts of a node, named once
using resource::v1::ResourceSlice;

void WriteTaints(const reflect::List<Taint>& taints, DescribeWriter* out) {
  out->Write(0, "Taints:\t");
  if (taints.empty()) return out->EndLine(kNone);
  const auto sorted =
      Sorted(taints, [](const Taint& taint) { return taint.effect + ',' + taint.key; });
  for (const Taint* taint : sorted) {
    if (taint != sorted.front()) out->Write(0, "\t");
    std::string text = taint->key;
    if (!taint->value.empty()) text += '=' + taint->value;
    // Without an effect upstream shows a value as KEY=VALUE:.
    if (!taint->effect.empty() || !taint->value.empty()) text += ':' + taint->effect;
    out->Line(0, text);
  }
}

void WriteLease(const Node& node, const Scene& scene, DescribeWriter* out) {
  const std::string& name = node.metadata.name;
  const auto* lease = scene.Find<coordination::v1::Lease>("kube-node-lease", name);
  if (!lease) {
    return out->Line(0, "Lease:\tFailed to get lease: leases.coordination.k8s.io \"", name,
                     "\" not found");
  }
  const auto date = [&](const std::optional<MicroTime>& moment) {
    return moment ? scene.Date(*moment) : std::string(kUnset);
  };
  out->Line(0, "Lease:");
  out->Line(1, "HolderIdentity:\t", lease->spec.holderIdentity.value_or(std::string(kUnset)));
  out->Line(1, "AcquireTime:\t", date(lease->spec.acquireTime));
  out->Line(1, "RenewTime:\t", date(lease->spec.renewTime));
}

void WriteConditions(const reflect::List<NodeCondition>& conditions, const Scene& scene,
                     DescribeWriter* out) {
  if (conditions.empty()) return;
  out->Line(0,
            "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
  out->Line(1, "----\t------\t-----------------\t------------------\t------\t-------");
  for (const NodeCondition& each : conditions) {
    out->Line(1, each.type, " \t", each.status, " \t", scene.Date(each.lastHeartbeatTime), " \t",
              scene.Date(each.lastTransitionTime), " \t", each.reason, " \t", each.message);
  }
}

void WriteAmounts(std::string_view title, const reflect::Map<Quantity>& amounts,
                  DescribeWriter* out) {
  if (!amounts.empty()) out->Line(0, title, ":");
  for (const auto& [name, amount] : amounts) out->Line(1, name, ":\t", amount.String());
}

void WriteSystem(const NodeSystemInfo& info, DescribeWriter* out) {
  out->Line(0, "System Info:");
  const std::pair<const char*, const std::string&> lines[] = {
      {"Machine ID", info.machineID},
      {"System UUID", info.systemUUID},
      {"Boot ID", info.bootID},
      {"Kernel Version", info.kernelVersion},
      {"OS Image", info.osImage},
      {"Operating System", info.operatingSystem},
      {"Architecture", info.architecture},
      {"Container Runtime Version", info.containerRuntimeVersion},
      {"Kubelet Version", info.kubeletVersion}};
  for (const auto& [title, value] : lines) out->Line(1, title, ":\t", value);
}

// The pools of devices that only this node has, the first ten.
void WriteSlices(const Node& node, const Scene& scene, DescribeWriter* out) {
  constexpr size_t kMost = 10;
  struct Pool {
    const ResourceSlice* slice;
    size_t slices = 0;
    size_t devices = 0;
  };
  std::map<std::string, Pool> pools;
  for (const ResourceSlice* slice : scene.List<ResourceSlice>("")) {
    if (slice->spec.nodeName != node.metadata.name) continue;
    Pool& pool =
        pools.try_emplace(slice->spec.driver + '/' + slice->spec.pool.name, slice).first->second;
    ++pool.slices;
    pool.devices += slice->spec.devices.size();
  }
  if (pools.empty()) return;
  out->Line(0, "Node-Local ResourceSlices:");
  out->Line(1, "Driver\tPool\tSlices\tDevices");
  out->Line(1, "------\t----\t------\t-------");
  size_t shown = 0;
  for (const auto& [key, pool] : pools) {
    if (shown++ == kMost) return out->Line(1, "...and ", pools.size() - kMost, " more pools");
    out->Line(1, pool.slice->spec.driver, "\t", pool.slice->spec.pool.name, "\t", pool.slices, "\t",
              pool.devices);
  }
}

std::vector<const Pod*> LivePodsOf(const Node& node, const Scene& scene) {
  std::vector<const Pod*> pods = scene.List<Pod>("");
  std::erase_if(pods, [&](const Pod* pod) {
    return pod->spec.nodeName != node.metadata.name || pod->status.phase == "Succeeded" ||
           pod->status.phase == "Failed";
  });
  return pods;
}

// Processors count by thousandths.
int64_t CountOf(std::string_view name, const Quantity& amount) {
  return name == "cpu" ? amount.MilliValue() : amount.Value();
}

// "500m (25%)". Of a node that has none of it, upstream divides by zero and makes an integer of the
// result.
std::string ShareOf(std::string_view name, const Quantity& amount, const Quantity& allocatable) {
  const double percent = static_cast<double>(CountOf(name, amount)) /
                         static_cast<double>(CountOf(name, allocatable)) * 100;
  return amount.String() + " (" + std::to_string(GoInteger(percent)) + "%)";
}

// The same in sums, where upstream looks first.
std::string ShareOfSum(std::string_view name, const Quantity& amount, const Quantity& allocatable) {
  return allocatable.IsZero() ? amount.String() + " (0%)" : ShareOf(name, amount, allocatable);
}

void WritePods(std::span<const Pod* const> pods, const reflect::Map<Quantity>& allocatable,
               const Scene& scene, DescribeWriter* out) {
  out->Line(0, "Non-terminated Pods:\t(", pods.size(), " in total)");
  out->Line(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
  out->Line(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
  for (const Pod* pod : pods) {
    const reflect::Map<Quantity> requests = PodRequests(*pod, true);
    const reflect::Map<Quantity> limits = PodLimits(*pod, true);
    const auto share = [&](const reflect::Map<Quantity>& of, std::string_view name) {
      return ShareOf(name, AmountOf(of, name), AmountOf(allocatable, name));
    };
    out->Line(1, pod->metadata.namespace_, "\t", pod->metadata.name, "\t\t", share(requests, "cpu"),
              "\t", share(limits, "cpu"), "\t", share(requests, "memory"), "\t",
              share(limits, "memory"), "\t", scene.Ago(pod->metadata.creationTimestamp));
  }
}

void WriteSums(std::span<const Pod* const> pods, const reflect::Map<Quantity>& allocatable,
               DescribeWriter* out) {
  reflect::Map<Quantity> requests;
  reflect::Map<Quantity> limits;
  for (const Pod* pod : pods) {
    AddAmounts(PodRequests(*pod, false), &requests);
    AddAmounts(PodLimits(*pod, false), &limits);
  }
  out->Line(0, "Allocated resources:");
  out->Line(1, "(Total limits may be over 100 percent, i.e., overcommitted.)");
  out->Line(1, "Resource\tRequests\tLimits");
  out->Line(1, "--------\t--------\t------");
  const auto write_share = [&](std::string_view name) {
    const Quantity all = AmountOf(allocatable, name);
    out->Line(1, name, "\t", ShareOfSum(name, AmountOf(requests, name), all), "\t",
              ShareOfSum(name, AmountOf(limits, name), all));
  };
  for (const std::string_view name : {"cpu", "memory", "ephemeral-storage"}) write_share(name);
  for (const auto& [name, amount] : allocatable) {
    if (IsHugePageResourceName(name)) write_share(name);
  }
  for (const auto& [name, amount] : allocatable) {
    if (IsStandardContainerResourceName(name) || name == "pods") continue;
    out->Line(1, name, "\t", AmountOf(requests, name).String(), "\t",
              AmountOf(limits, name).String());
  }
}

// Controllers tell of a node by its uid, kubelets by its name.
void WriteNodeEvents(const Node& node, const Scene& scene, DescribeWriter* out) {
  EventQuery query = {.name = node.metadata.name,
                      .namespace_ = node.metadata.namespace_,
                      .kind = "Node",
                      .uid = node.metadata.uid};
  std::vector<const Event*> events = scene.Events(query);
  if (!query.uid.empty()) {
    query.uid = query.name;
    const std::vector<const Event*> by_name = scene.Events(query);
    events.insert(events.end(), by_name.begin(), by_name.end());
  }
  WriteEvents(events, scene, out);
}

Result<void> DescribeNode(const Node& node, const Scene& scene, DescribeWriter* out) {
  const std::string roles = RolesOf(node);
  out->Line(0, "Name:\t", node.metadata.name);
  out->Line(0, "Roles:\t", roles.empty() ? kNone : std::string_view(roles));
  WriteLabels("Labels", node.metadata.labels, out);
  WriteAnnotations("Annotations", node.metadata.annotations, out);
  out->Line(0, "CreationTimestamp:\t", scene.Date(node.metadata.creationTimestamp));
  WriteTaints(node.spec.taints, out);
  out->Line(0, "Unschedulable:\t", node.spec.unschedulable);
  WriteLease(node, scene, out);
  WriteConditions(node.status.conditions, scene, out);
  out->Line(0, "Addresses:");
  for (const NodeAddress& each : node.status.addresses) {
    out->Line(1, each.type, ":\t", each.address);
  }
  WriteAmounts("Capacity", node.status.capacity, out);
  WriteAmounts("Allocatable", node.status.allocatable, out);
  WriteSlices(node, scene, out);
  WriteSystem(node.status.nodeInfo, out);
  if (!node.spec.podCIDR.empty()) out->Line(0, "PodCIDR:\t", node.spec.podCIDR);
  if (!node.spec.podCIDRs.empty()) out->Line(0, "PodCIDRs:\t", Join(node.spec.podCIDRs, ","));
  if (!node.spec.providerID.empty()) out->Line(0, "ProviderID:\t", node.spec.providerID);
  const std::vector<const Pod*> pods = LivePodsOf(node, scene);
  const reflect::Map<Quantity>& allocatable =
      node.status.allocatable.empty() ? node.status.capacity : node.status.allocatable;
  WritePods(pods, allocatable, scene, out);
  WriteSums(pods, allocatable, out);
  WriteNodeEvents(node, scene, out);
  return {};
}

}  // namespace

std::span<const Describer> NodeDescribers() {
  static const Describer kDescribers[] = {DescriberOf<Node, DescribeNode>()};
  return kDescribers;
}

}  // namespace podium::api
