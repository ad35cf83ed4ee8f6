// Classes of storage, budgets, and who may act in a role.
#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "api/describe/parts.h"
#include "api/printed_text.h"
#include "api/types/policy_v1.h"
#include "api/types/rbac_v1.h"
#include "api/types/storage_v1.h"
#include "base/text.h"

namespace podium::api {
namespace {

using core::v1::TopologySelectorTerm;
using policy::v1::PodDisruptionBudget;
using rbac::v1::ClusterRoleBinding;
using rbac::v1::RoleBinding;
using storage::v1::CSINode;
using storage::v1::StorageClass;
using storage::v1::VolumeAttributesClass;

bool IsDefault(const meta::v1::ObjectMeta& metadata) {
  return std::ranges::any_of(kDefaultClassAnnotations, [&](std::string_view annotation) {
    const auto found = metadata.annotations.find(annotation);
    return found != metadata.annotations.end() && found->second == "true";
  });
}

void WriteTopologies(const reflect::List<TopologySelectorTerm>& terms, DescribeWriter* out) {
  if (terms.empty()) return;
  out->Line(0, "AllowedTopologies:\t");
  size_t number = 0;
  for (const TopologySelectorTerm& term : terms) {
    out->Write(1, "Term ", number++, ":\t");
    if (term.matchLabelExpressions.empty()) out->EndLine(kNone);
    for (const auto& each : term.matchLabelExpressions) {
      if (&each != &term.matchLabelExpressions.front()) out->Write(1, "\t");
      const std::string values =
          each.values.empty() ? std::string() : " [" + Join(each.values, ", ") + ']';
      out->Line(0, each.key, " in", values);
    }
  }
}

Result<void> DescribeStorageClass(const StorageClass& storage, const Scene& scene,
                                  DescribeWriter* out) {
  out->Line(0, "Name:\t", storage.metadata.name);
  out->Line(0, "IsDefaultClass:\t", IsDefault(storage.metadata) ? "Yes" : "No");
  out->Line(0, "Annotations:\t", LabelsText(storage.metadata.annotations));
  out->Line(0, "Provisioner:\t", storage.provisioner);
  out->Line(0, "Parameters:\t", LabelsText(storage.parameters));
  const std::optional<bool>& grows = storage.allowVolumeExpansion;
  out->Line(0, "AllowVolumeExpansion:\t", !grows ? kUnset : *grows ? "True" : "False");
  out->Line(0, "MountOptions:", storage.mountOptions.empty() ? "\t<none>" : "");
  for (const std::string& option : storage.mountOptions) out->Line(1, option);
  if (storage.reclaimPolicy) out->Line(0, "ReclaimPolicy:\t", *storage.reclaimPolicy);
  if (storage.volumeBindingMode) out->Line(0, "VolumeBindingMode:\t", *storage.volumeBindingMode);
  WriteTopologies(storage.allowedTopologies, out);
  WriteEventsOf("StorageClass", storage.metadata, scene, out);
  return {};
}

Result<void> DescribeVolumeAttributesClass(const VolumeAttributesClass& attributes,
                                           const Scene& scene, DescribeWriter* out) {
  out->Line(0, "Name:\t", attributes.metadata.name);
  out->Line(0, "Annotations:\t", LabelsText(attributes.metadata.annotations));
  out->Line(0, "DriverName:\t", attributes.driverName);
  out->Line(0, "Parameters:\t", LabelsText(attributes.parameters));
  WriteEventsOf("VolumeAttributesClass", attributes.metadata, scene, out);
  return {};
}

Result<void> DescribeCsiNode(const CSINode& node, const Scene& scene, DescribeWriter* out) {
  out->Line(0, "Name:\t", node.metadata.name);
  WriteLabels("Labels", node.metadata.labels, out);
  WriteAnnotations("Annotations", node.metadata.annotations, out);
  out->Line(0, "CreationTimestamp:\t", scene.Date(node.metadata.creationTimestamp));
  out->Line(0, "Spec:");
  if (!node.spec.drivers.is_null()) out->Line(1, "Drivers:");
  for (const auto& driver : node.spec.drivers) {
    out->Line(2, driver.name, ":");
    out->Line(3, "Node ID:\t", driver.nodeID);
    if (driver.allocatable && driver.allocatable->count) {
      out->Line(3, "Allocatables:");
      out->Line(4, "Count:\t", *driver.allocatable->count);
    }
    if (!driver.topologyKeys.is_null()) {
      out->Line(3, "Topology Keys:\t", GoText(driver.topologyKeys));
    }
  }
  WriteEventsOf("CSINode", node.metadata, scene, out);
  return {};
}

Result<void> DescribeBudget(const PodDisruptionBudget& budget, const Scene& scene,
                            DescribeWriter* out) {
  out->Line(0, "Name:\t", budget.metadata.name);
  out->Line(0, "Namespace:\t", budget.metadata.namespace_);
  if (budget.spec.minAvailable) {
    out->Line(0, "Min available:\t", budget.spec.minAvailable->String());
  } else if (budget.spec.maxUnavailable) {
    out->Line(0, "Max unavailable:\t", budget.spec.maxUnavailable->String());
  }
  const auto& selector = budget.spec.selector;
  out->Line(0, "Selector:\t", selector ? SelectorText(selector.get()) : std::string(kUnset));
  out->Line(0, "Status:");
  out->Line(2, "Allowed disruptions:\t", budget.status.disruptionsAllowed);
  out->Line(2, "Current:\t", budget.status.currentHealthy);
  out->Line(2, "Desired:\t", budget.status.desiredHealthy);
  out->Line(2, "Total:\t", budget.status.expectedPods);
  WriteEventsOf("PodDisruptionBudget", budget.metadata, scene, out);
  return {};
}

// Of a namespace or of the cluster.
template <class Binding>
Result<void> DescribeBinding(const Binding& binding, const Scene&, DescribeWriter* out) {
  out->Line(0, "Name:\t", binding.metadata.name);
  WriteLabels("Labels", binding.metadata.labels, out);
  WriteAnnotations("Annotations", binding.metadata.annotations, out);
  out->Line(0, "Role:");
  out->Line(1, "Kind:\t", binding.roleRef.kind);
  out->Line(1, "Name:\t", binding.roleRef.name);
  out->Line(0, "Subjects:");
  out->Line(1, "Kind\tName\tNamespace");
  out->Line(1, "----\t----\t---------");
  for (const auto& each : binding.subjects) {
    out->Line(1, each.kind, "\t", each.name, "\t", each.namespace_);
  }
  return {};
}

}  // namespace

std::span<const Describer> ClusterDescribers() {
  static const Describer kDescribers[] = {
      DescriberOf<ClusterRoleBinding, DescribeBinding<ClusterRoleBinding>>(),
      DescriberOf<CSINode, DescribeCsiNode>(),
      DescriberOf<PodDisruptionBudget, DescribeBudget>(),
      DescriberOf<RoleBinding, DescribeBinding<RoleBinding>>(),
      DescriberOf<StorageClass, DescribeStorageClass>(),
      DescriberOf<VolumeAttributesClass, DescribeVolumeAttributesClass>(),
  };
  return kDescribers;
}

}  // namespace podium::api
