#include "apiserver/admission/node_audience.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/status.h"
#include "api/types/storage_v1.h"
#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::core::v1::PersistentVolume;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using api::core::v1::Volume;
using api::storage::v1::CSIDriver;

// The driver that took over a kind of volume from upstream's own tree; "" for none.
template <class Source>
std::string MigratedDriver(const Source& source) {
  if (source.awsElasticBlockStore) return "ebs.csi.aws.com";
  if (source.gcePersistentDisk) return "pd.csi.storage.gke.io";
  if (source.cinder) return "cinder.csi.openstack.org";
  if (source.azureDisk) return "disk.csi.azure.com";
  if (source.azureFile) return "file.csi.azure.com";
  if (source.vsphereVolume) return "csi.vsphere.vmware.com";
  if (source.portworxVolume) return "pxd.portworx.com";
  return "";
}

Result<std::string> DriverOfClaim(const Objects& objects, std::string_view name_space,
                                  const std::string& name) {
  TRY(const auto claim, objects.Get<PersistentVolumeClaim>(name_space, name));
  if (claim == nullptr) return api::NotFoundError({"", "persistentvolumeclaim"}, name);
  const std::string& volume_name = claim->spec.volumeName;
  TRY(const auto volume, objects.Get<PersistentVolume>("", volume_name));
  if (volume == nullptr) return api::NotFoundError({"", "persistentvolume"}, volume_name);
  return volume->spec.csi ? volume->spec.csi->driver : MigratedDriver(volume->spec);
}

// "" for a volume that no driver mounts.
Result<std::string> DriverOf(const Objects& objects, const Pod& pod, const Volume& volume) {
  const std::string& name_space = pod.metadata.namespace_;
  if (volume.ephemeral && volume.ephemeral->volumeClaimTemplate) {
    return DriverOfClaim(objects, name_space, pod.metadata.name + "-" + volume.name);
  }
  if (volume.persistentVolumeClaim) {
    return DriverOfClaim(objects, name_space, volume.persistentVolumeClaim->claimName);
  }
  return volume.csi ? volume.csi->driver : MigratedDriver(volume);
}

Result<bool> NeedsAudience(const Objects& objects, const Pod& pod, const Volume& volume,
                           const std::string& audience) {
  if (volume.projected) {
    for (const auto& source : volume.projected->sources) {
      if (source.serviceAccountToken && source.serviceAccountToken->audience == audience) {
        return true;
      }
    }
  }
  TRY(const std::string driver_name, DriverOf(objects, pod, volume));
  if (driver_name.empty()) return false;
  TRY(const auto driver, objects.Get<CSIDriver>("", driver_name));
  if (driver == nullptr) return api::NotFoundError({"storage.k8s.io", "csidriver"}, driver_name);
  return std::ranges::any_of(driver->spec.tokenRequests,
                             [&](const auto& each) { return each.audience == audience; });
}

}  // namespace

std::optional<std::string> AudienceProblem(const AdmissionDependencies& dependencies,
                                           const AdmissionRequest& request,
                                           const api::authentication::v1::TokenRequest& asked,
                                           const Pod& pod) {
  if (asked.spec.audiences.size() > 1) return "node may only request 0 or 1 audiences";
  const std::string audience = asked.spec.audiences.empty() ? "" : asked.spec.audiences[0];
  std::vector<std::string> problems;
  for (const Volume& volume : pod.spec.volumes) {
    const auto needed = NeedsAudience(dependencies.objects, pod, volume, audience);
    if (needed.ok() && *needed) return std::nullopt;
    if (!needed.ok() && std::ranges::find(problems, needed.error().message()) == problems.end()) {
      problems.push_back(needed.error().message());
    }
  }
  const std::string quoted = reflect::GoQuoted(audience);
  if (!problems.empty()) {
    const std::string text = problems.size() == 1 ? problems[0] : "[" + Join(problems, ", ") + "]";
    return fmt::format("error validating audience {}: {}", quoted, text);
  }
  const Authorization answer =
      dependencies.authorizer.Authorize({.user = *request.user,
                                         .verb = "request-serviceaccounts-token-audience",
                                         .namespace_ = request.namespace_,
                                         .version = "v1",
                                         .resource = audience,
                                         .name = request.name});
  if (answer.decision == Decision::kAllow) return std::nullopt;
  if (!answer.evaluation_error.empty()) {
    return fmt::format(
        "audience {} not found in pod spec volume, error authorizing {} to request tokens for this "
        "audience: {}",
        quoted, request.user->name, answer.evaluation_error);
  }
  return fmt::format(
      "audience {} not found in pod spec volume, {} is not authorized to request tokens for this "
      "audience",
      quoted, request.user->name);
}

}  // namespace podium::apiserver
