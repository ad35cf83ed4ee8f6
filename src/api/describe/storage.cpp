// Persistent volumes and claims.
#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/describe/parts.h"
#include "api/printed_text.h"
#include "base/text.h"

namespace podium::api {
namespace {

using namespace core::v1;  // NOLINT: the parts of volumes and claims, named once
using meta::v1::ObjectMeta;

void WriteState(const ObjectMeta& metadata, const std::string& phase, const Scene& scene,
                DescribeWriter* out) {
  if (metadata.deletionTimestamp) {
    out->Line(0, "Status:\tTerminating (lasts ", scene.Ago(*metadata.deletionTimestamp), ")");
  } else {
    out->Line(0, "Status:\t", phase);
  }
}

// "zone in [a, b]": the requirements of one term, a line each.
void WriteTerm(size_t number, const reflect::List<NodeSelectorRequirement>& requirements,
               DescribeWriter* out) {
  out->Write(2, "Term ", number, ":\t");
  if (requirements.empty()) return out->EndLine(kNone);
  for (const NodeSelectorRequirement& each : requirements) {
    if (&each != &requirements.front()) out->Write(2, "\t");
    const std::string values =
        each.values.empty() ? std::string() : " [" + Join(each.values, ", ") + ']';
    out->Line(0, each.key, " ", LowerCase(each.operator_), values);
  }
}

void WriteNodeAffinity(const reflect::Box<VolumeNodeAffinity>& affinity, DescribeWriter* out) {
  out->Write(0, "Node Affinity:\t");
  if (!affinity || !affinity->required) return out->EndLine(kNone);
  out->EndLine("");
  const auto& terms = affinity->required->nodeSelectorTerms;
  out->Write(1, "Required Terms:\t");
  out->EndLine(terms.empty() ? kNone : "");
  for (size_t i = 0; i < terms.size(); ++i) WriteTerm(i, terms[i].matchExpressions, out);
}

Result<void> DescribePersistentVolume(const PersistentVolume& volume, const Scene& scene,
                                      DescribeWriter* out) {
  const PersistentVolumeSpec& spec = volume.spec;
  out->Line(0, "Name:\t", volume.metadata.name);
  WriteLabels("Labels", volume.metadata.labels, out);
  WriteAnnotations("Annotations", volume.metadata.annotations, out);
  out->Line(0, "Finalizers:\t", GoText(volume.metadata.finalizers));
  out->Line(0, "StorageClass:\t", StorageClassOf(volume.metadata, spec.storageClassName));
  WriteState(volume.metadata, volume.status.phase, scene, out);
  out->Line(0, "Claim:\t",
            spec.claimRef ? spec.claimRef->namespace_ + '/' + spec.claimRef->name : std::string());
  out->Line(0, "Reclaim Policy:\t", spec.persistentVolumeReclaimPolicy);
  out->Line(0, "Access Modes:\t", AccessModes(spec.accessModes));
  if (spec.volumeMode) out->Line(0, "VolumeMode:\t", *spec.volumeMode);
  out->Line(0, "Capacity:\t", AmountOf(spec.capacity, "storage").String());
  WriteNodeAffinity(spec.nodeAffinity, out);
  out->Line(0, "Message:\t", volume.status.message);
  out->Line(0, "Source:");
  WritePersistentVolumeSource(spec, out);
  WriteEventsOf("PersistentVolume", volume.metadata, scene, out);
  return {};
}

// The pods that use the claim, once for each of their volumes that does, and those that own it.
std::vector<std::string> UsersOf(const PersistentVolumeClaim& claim, const Scene& scene) {
  const std::vector<const Pod*> pods = scene.List<Pod>(claim.metadata.namespace_);
  std::vector<const Pod*> users;
  for (const Pod* pod : pods) {
    for (const Volume& volume : pod->spec.volumes) {
      const auto& used = volume.persistentVolumeClaim;
      if (used && used->claimName == claim.metadata.name) users.push_back(pod);
    }
  }
  for (const auto& owner : claim.metadata.ownerReferences) {
    if (owner.kind != "Pod") continue;
    const auto has_uid = [&](const Pod* pod) { return pod->metadata.uid == owner.uid; };
    const auto pod = std::ranges::find_if(pods, has_uid);
    if (pod != pods.end() && std::ranges::none_of(users, has_uid)) users.push_back(*pod);
  }
  std::vector<std::string> names;
  names.reserve(users.size());
  for (const Pod* pod : users) names.push_back(pod->metadata.name);
  std::ranges::sort(names);
  return names;
}

void WriteUsers(std::span<const std::string> names, DescribeWriter* out) {
  out->Write(0, "Used By:\t");
  if (names.empty()) return out->EndLine(kNone);
  for (const std::string& name : names) {
    out->Line(0, &name == names.data() ? "" : "\t", name);
  }
}

void WriteConditions(const reflect::List<PersistentVolumeClaimCondition>& conditions,
                     const Scene& scene, DescribeWriter* out) {
  if (conditions.empty()) return;
  out->Line(0, "Conditions:");
  out->Line(1, "Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage");
  out->Line(1, "----\t------\t-----------------\t------------------\t------\t-------");
  for (const PersistentVolumeClaimCondition& each : conditions) {
    out->Line(1, each.type, " \t", each.status, " \t", scene.Date(each.lastProbeTime), " \t",
              scene.Date(each.lastTransitionTime), " \t", each.reason, " \t", each.message);
  }
}

Result<void> DescribeClaim(const PersistentVolumeClaim& claim, const Scene& scene,
                           DescribeWriter* out) {
  WriteClaim(claim.metadata, claim.spec, &claim.status, &scene, out);
  WriteUsers(UsersOf(claim, scene), out);
  WriteConditions(claim.status.conditions, scene, out);
  WriteEventsOf("PersistentVolumeClaim", claim.metadata, scene, out);
  return {};
}

}  // namespace

void WriteClaim(const ObjectMeta& metadata, const PersistentVolumeClaimSpec& spec,
                const PersistentVolumeClaimStatus* status, const Scene* scene,
                DescribeWriter* out) {
  if (status) {
    out->Line(0, "Name:\t", metadata.name);
    out->Line(0, "Namespace:\t", metadata.namespace_);
  }
  out->Line(
      0, "StorageClass:\t",
      StorageClassOf(metadata, spec.storageClassName ? std::string_view(*spec.storageClassName)
                                                     : std::string_view()));
  if (status) WriteState(metadata, status->phase, *scene, out);
  out->Line(0, "Volume:\t", spec.volumeName);
  WriteLabels("Labels", metadata.labels, out);
  WriteAnnotations("Annotations", metadata.annotations, out);
  if (status) out->Line(0, "Finalizers:\t", GoText(metadata.finalizers));
  // A template that names a volume has no status, and so no capacity, which is printed as zero.
  const bool bound = !spec.volumeName.empty();
  const PersistentVolumeClaimStatus none;
  const PersistentVolumeClaimStatus& now = status ? *status : none;
  out->Line(0, "Capacity:\t", bound ? AmountOf(now.capacity, "storage").String() : std::string());
  out->Line(0, "Access Modes:\t", bound ? AccessModes(now.accessModes) : std::string());
  if (spec.volumeMode) out->Line(0, "VolumeMode:\t", *spec.volumeMode);
  if (!spec.dataSource) return;
  out->Line(0, "DataSource:");
  if (spec.dataSource->apiGroup) out->Line(1, "APIGroup:\t", *spec.dataSource->apiGroup);
  out->Line(1, "Kind:\t", spec.dataSource->kind);
  out->Line(1, "Name:\t", spec.dataSource->name);
}

std::span<const Describer> StorageDescribers() {
  static const Describer kDescribers[] = {
      DescriberOf<PersistentVolume, DescribePersistentVolume>(),
      DescriberOf<PersistentVolumeClaim, DescribeClaim>(),
  };
  return kDescribers;
}

}  // namespace podium::api
