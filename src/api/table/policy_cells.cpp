// Networking, storage, disruption budgets and roles.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "api/table/cells.h"
#include "api/types/networking_v1.h"
#include "api/types/policy_v1.h"
#include "api/types/rbac_v1.h"
#include "api/types/storage_v1.h"
#include "base/text.h"

namespace podium::api {
namespace {

using namespace networking::v1;  // NOLINT: the kinds of four groups, named once
using namespace rbac::v1;        // NOLINT: likewise
using namespace storage::v1;     // NOLINT: likewise

void MakeIpAddress(const IPAddress& object, Cells* cells) {
  cells->Text(object.metadata.name);
  if (object.spec.parentRef.has_value()) {
    const ParentReference& parent = *object.spec.parentRef;
    std::string text = parent.resource;
    if (!parent.group.empty()) text += '.' + parent.group;
    text = LowerCase(text);
    if (!parent.namespace_.empty()) text += '/' + parent.namespace_;
    cells->Text(text + '/' + parent.name);
  } else {
    cells->Text(kNone);
  }
  cells->Age(object.metadata);
}

// The first hosts; how many more is counted by rules, with a host or without, as upstream does.
std::string HostsOf(const Ingress& ingress) {
  constexpr size_t kMost = 3;
  std::vector<std::string> hosts;
  bool more = false;
  for (const IngressRule& rule : ingress.spec.rules) {
    more = more || hosts.size() == kMost;
    if (!more && !rule.host.empty()) hosts.push_back(rule.host);
  }
  if (hosts.empty()) return "*";
  std::string text = Join(hosts, ",");
  if (more) text += " + " + std::to_string(ingress.spec.rules.size() - kMost) + " more...";
  return text;
}

void MakeIngress(const Ingress& object, Cells* cells) {
  std::set<std::string> addresses;
  for (const IngressLoadBalancerIngress& each : object.status.loadBalancer.ingress) {
    const std::string& address = each.ip.empty() ? each.hostname : each.ip;
    if (!address.empty()) addresses.insert(address);
  }
  cells->Text(object.metadata.name);
  cells->Text(object.spec.ingressClassName, kNone);
  cells->Text(HostsOf(object));
  cells->Text(Join(addresses, ","));
  cells->Text(object.spec.tls.empty() ? "80" : "80, 443");
  cells->Age(object.metadata);
}

void MakeIngressClass(const IngressClass& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Text(object.spec.controller);
  if (object.spec.parameters.has_value()) {
    const IngressClassParametersReference& parameters = *object.spec.parameters;
    std::string text = parameters.kind;
    if (parameters.apiGroup) text += '.' + *parameters.apiGroup;
    cells->Text(text + '/' + parameters.name);
  } else {
    cells->Text(kNone);
  }
  cells->Age(object.metadata);
}

void MakeNetworkPolicy(const NetworkPolicy& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Text(SelectorText(&object.spec.podSelector));
  cells->Age(object.metadata);
}

void MakeServiceCidr(const ServiceCIDR& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Text(Join(object.spec.cidrs, ","));
  cells->Age(object.metadata);
}

void MakeDisruptionBudget(const policy::v1::PodDisruptionBudget& object, Cells* cells) {
  cells->Text(object.metadata.name);
  for (const auto* limit : {&object.spec.minAvailable, &object.spec.maxUnavailable}) {
    cells->Text(limit->has_value() ? (*limit)->String() : "N/A");
  }
  cells->Number(object.status.disruptionsAllowed);
  cells->Age(object.metadata);
}

// Cluster-wide or of a namespace.
template <class Binding>
void MakeRoleBinding(const Binding& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Text(object.roleRef.kind + '/' + object.roleRef.name);
  cells->Age(object.metadata);
  for (const char* kind : {"User", "Group", "ServiceAccount"}) {
    const bool has_namespace = kind == std::string_view("ServiceAccount");
    std::vector<std::string> names;
    for (const Subject& subject : object.subjects) {
      if (subject.kind != kind) continue;
      names.push_back(has_namespace ? subject.namespace_ + '/' + subject.name : subject.name);
    }
    cells->Text(Join(names, ", "));
  }
}

void MakeCsiDriver(const CSIDriver& object, Cells* cells) {
  const CSIDriverSpec& spec = object.spec;
  std::vector<std::string> audiences;
  for (const TokenRequest& request : spec.tokenRequests) audiences.push_back(request.audience);
  cells->Text(object.metadata.name);
  cells->Truth(spec.attachRequired.value_or(true));
  cells->Truth(spec.podInfoOnMount.value_or(false));
  cells->Truth(spec.storageCapacity.value_or(false));
  cells->Text(audiences.empty() ? std::string(kUnset) : Join(audiences, ","));
  cells->Truth(spec.requiresRepublish.value_or(false));
  cells->Text(Join(spec.volumeLifecycleModes, ","), kNone);
  cells->Age(object.metadata);
}

void MakeCsiNode(const CSINode& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Number(static_cast<int64_t>(object.spec.drivers.size()));
  cells->Age(object.metadata);
}

void MakeCsiStorageCapacity(const CSIStorageCapacity& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Text(object.storageClassName);
  cells->Text(object.capacity ? object.capacity->String() : std::string(kUnset));
}

// With what says that it is the one for those who name none.
std::string ClassName(const meta::v1::ObjectMeta& metadata,
                      std::span<const std::string_view> annotations) {
  const bool is_default = std::ranges::any_of(annotations, [&](std::string_view annotation) {
    const auto found = metadata.annotations.find(annotation);
    return found != metadata.annotations.end() && found->second == "true";
  });
  return metadata.name + (is_default ? " (default)" : "");
}

void MakeStorageClass(const StorageClass& object, Cells* cells) {
  cells->Text(ClassName(object.metadata, kDefaultClassAnnotations));
  cells->Text(object.provisioner);
  cells->Text(object.reclaimPolicy, "Delete");
  cells->Text(object.volumeBindingMode, "Immediate");
  cells->Truth(object.allowVolumeExpansion.value_or(false));
  cells->Age(object.metadata);
}

void MakeVolumeAttachment(const VolumeAttachment& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Text(object.spec.attacher);
  cells->Text(object.spec.source.persistentVolumeName, "");
  cells->Text(object.spec.nodeName);
  cells->Truth(object.status.attached);
  cells->Age(object.metadata);
}

void MakeVolumeAttributesClass(const VolumeAttributesClass& object, Cells* cells) {
  constexpr std::string_view kDefault[] = {
      "volumeattributesclass.alpha.kubernetes.io/is-default-class"};
  cells->Text(ClassName(object.metadata, kDefault));
  cells->Text(object.driverName);
  cells->Age(object.metadata);
}

}  // namespace

std::span<const CellMaker> PolicyCells() {
  static const CellMaker kMakers[] = {
      Maker<IPAddress, MakeIpAddress>(),
      Maker<Ingress, MakeIngress>(),
      Maker<IngressClass, MakeIngressClass>(),
      Maker<NetworkPolicy, MakeNetworkPolicy>(),
      Maker<ServiceCIDR, MakeServiceCidr>(),
      Maker<policy::v1::PodDisruptionBudget, MakeDisruptionBudget>(),
      Maker<RoleBinding, MakeRoleBinding<RoleBinding>>(),
      Maker<ClusterRoleBinding, MakeRoleBinding<ClusterRoleBinding>>(),
      Maker<CSIDriver, MakeCsiDriver>(),
      Maker<CSINode, MakeCsiNode>(),
      Maker<CSIStorageCapacity, MakeCsiStorageCapacity>(),
      Maker<StorageClass, MakeStorageClass>(),
      Maker<VolumeAttachment, MakeVolumeAttachment>(),
      Maker<VolumeAttributesClass, MakeVolumeAttributesClass>(),
  };
  return kMakers;
}

}  // namespace podium::api
