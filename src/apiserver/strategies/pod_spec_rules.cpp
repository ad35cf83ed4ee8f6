#include "apiserver/strategies/pod_spec_rules.h"

#include <algorithm>

namespace podium::apiserver {
namespace {

using api::core::v1::PodSpec;
using api::core::v1::Volume;
using api::core::v1::VolumeProjection;
using api::field::ErrorList;
using api::field::Path;

// Alpha, or beta and off, in release 1.36: ClusterTrustBundleProjection, PodCertificateProjection.
template <class Source>
void DropProjection(const PodSpec* old, reflect::Box<Source> VolumeProjection::* source,
                    PodSpec* spec) {
  const auto uses = [&](const Volume& volume) {
    return volume.projected &&
           std::ranges::any_of(volume.projected->sources, [&](const VolumeProjection& each) {
             return (each.*source).has_value();
           });
  };
  if (old != nullptr && std::ranges::any_of(old->volumes, uses)) return;
  for (Volume& volume : spec->volumes) {
    if (!volume.projected) continue;
    for (VolumeProjection& each : volume.projected->sources) (each.*source).reset();
  }
}

}  // namespace

void DropDisabledFields(const PodSpec* old, PodSpec* spec) {
  DropProjection(old, &VolumeProjection::clusterTrustBundle, spec);
  DropProjection(old, &VolumeProjection::podCertificate, spec);
  // GenericWorkload.
  if (old == nullptr || !old->schedulingGroup) spec->schedulingGroup.reset();
}

ErrorList CheckServedFields(const PodSpec& spec, const PodSpec* old, const Path& path) {
  ErrorList errors;
  const bool had = old != nullptr && !old->resourceClaims.empty();
  if (!spec.resourceClaims.empty() && !had) {
    errors.Add(api::field::Forbidden(
        path.Child("resourceClaims"),
        "this server does not serve resource.k8s.io, so that no claim could be found"));
  }
  return errors;
}

}  // namespace podium::apiserver
