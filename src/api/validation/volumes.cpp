#include "api/validation/volumes.h"

#include <set>
#include <string>

#include "api/field_errors.h"
#include "api/names.h"
#include "api/validation/claims.h"
#include "api/validation/common.h"
#include "api/validation/volume_sources.h"
#include "reflect/go_text.h"

namespace podium::api {
namespace {

using core::v1::Volume;

void CheckPersistentVolumeClaim(const core::v1::PersistentVolumeClaimVolumeSource& source,
                                const field::Path& path, field::ErrorList* errors) {
  CheckNotEmpty(source.claimName, path, "claimName", errors);
}

void CheckCsi(const core::v1::CSIVolumeSource& source, const field::Path& path,
              field::ErrorList* errors) {
  errors->Append(ValidateCsiDriverName(source.driver, path.Child("driver")));
  if (!source.nodePublishSecretRef) return;
  const std::string& secret = source.nodePublishSecretRef->name;
  if (secret.empty()) {
    errors->Add(field::Required(path.Child("nodePublishSecretRef").Child("name"), ""));
  } else {
    errors->Append(ValidateDNS1123Subdomain(secret, path.Child("name")));
  }
}

void CheckEphemeral(const core::v1::EphemeralVolumeSource& source, const field::Path& path,
                    field::ErrorList* errors) {
  const field::Path claim_template = path.Child("volumeClaimTemplate");
  if (!source.volumeClaimTemplate) {
    errors->Add(field::Required(claim_template, ""));
    return;
  }
  errors->Append(
      ValidatePersistentVolumeClaimTemplate(*source.volumeClaimTemplate, claim_template));
}

// The claim of an ephemeral volume is named after pod and volume.
std::string ClaimName(const meta::v1::ObjectMeta& pod_meta, const Volume& volume) {
  return pod_meta.name + "-" + volume.name;
}

void CheckClaimName(const Volume& volume, const meta::v1::ObjectMeta* pod_meta,
                    const field::Path& path, field::ErrorList* errors) {
  if (pod_meta == nullptr || pod_meta->name.empty() || volume.name.empty()) return;
  const std::string claim = ClaimName(*pod_meta, volume);
  for (const std::string& message : IsDNS1123Subdomain(claim)) {
    std::string detail = "PVC name ";
    reflect::AppendGoQuoted(claim, &detail);
    errors->Add(
        field::Invalid(path.Child("name"), volume.name, detail.append(": ").append(message)));
  }
}

// Runs the check of the first source that is set and refuses the others.
class SourceCheck {
 public:
  SourceCheck(const field::Path& path, field::ErrorList* errors) : path_(path), errors_(errors) {}

  bool any() const { return any_; }

  // `name` is the field as errors about the choice name it, `detail_name` as errors within do:
  // upstream spells some of them differently.
  template <class Source, class Check>
  bool One(const reflect::Box<Source>& source, std::string_view name, std::string_view detail_name,
           Check check) {
    if (!source) return false;
    if (any_) {
      errors_->Add(field::Forbidden(path_.Child(name), "may not specify more than 1 volume type"));
      return false;
    }
    any_ = true;
    check(*source, path_.Child(detail_name), errors_);
    return true;
  }
  template <class Source, class Check>
  bool One(const reflect::Box<Source>& source, std::string_view name, Check check) {
    return One(source, name, name, check);
  }

 private:
  const field::Path& path_;
  field::ErrorList* errors_;
  bool any_ = false;
};

void CheckEmptyDir(const core::v1::EmptyDirVolumeSource& source, const field::Path& path,
                   field::ErrorList* errors) {
  if (source.sizeLimit && source.sizeLimit->Sign() < 0) {
    errors->Add(field::Forbidden(path.Child("sizeLimit"),
                                 "SizeLimit field must be a valid resource quantity"));
  }
}

void CheckImage(const core::v1::ImageVolumeSource& source, const field::Path& path,
                const PodValidationOptions& options, field::ErrorList* errors) {
  if (source.reference.empty() && !options.allow_empty_image_volume_reference) {
    errors->Add(field::Required(path.Child("reference"), ""));
  }
  errors->Append(ValidatePullPolicy(source.pullPolicy, path.Child("pullPolicy")));
}

// Sources in upstream's order, which decides who is first.
void CheckSource(const Volume& volume, const meta::v1::ObjectMeta* pod_meta,
                 const field::Path& path, const PodValidationOptions& options,
                 field::ErrorList* errors) {
  SourceCheck check(path, errors);
  check.One(volume.emptyDir, "emptyDir", CheckEmptyDir);
  check.One(volume.hostPath, "hostPath", CheckHostPath);
  check.One(volume.gitRepo, "gitRepo", CheckGitRepo);
  check.One(volume.gcePersistentDisk, "gcePersistentDisk", "persistentDisk",
            CheckGcePersistentDisk);
  check.One(volume.awsElasticBlockStore, "awsElasticBlockStore", CheckAwsElasticBlockStore);
  check.One(volume.secret, "secret", CheckSecretVolume);
  check.One(volume.nfs, "nfs", CheckNfs);
  check.One(volume.iscsi, "iscsi", CheckIscsi);
  if (volume.iscsi && volume.iscsi->initiatorName &&
      volume.name.size() + 1 + volume.iscsi->targetPortal.size() > 64) {
    errors->Add(field::Invalid(path.Child("name"), volume.name,
                               "Total length of <volume name>:<iscsi.targetPortal> must be under "
                               "64 characters if iscsi.initiatorName is specified."));
  }
  check.One(volume.glusterfs, "glusterfs", CheckGlusterfs);
  check.One(volume.flocker, "flocker", CheckFlocker);
  check.One(volume.persistentVolumeClaim, "persistentVolumeClaim", CheckPersistentVolumeClaim);
  check.One(volume.rbd, "rbd", CheckRbd);
  check.One(volume.cinder, "cinder", CheckCinder);
  check.One(volume.cephfs, "cephFS", "cephfs", CheckCephFs);
  check.One(volume.quobyte, "quobyte", CheckQuobyte);
  check.One(volume.downwardAPI, "downwarAPI", "downwardAPI", CheckDownwardApiVolume);
  check.One(volume.fc, "fc", CheckFc);
  check.One(volume.flexVolume, "flexVolume", CheckFlexVolume);
  check.One(volume.configMap, "configMap", CheckConfigMapVolume);
  check.One(volume.azureFile, "azureFile", CheckAzureFile);
  check.One(volume.vsphereVolume, "vsphereVolume", CheckVsphere);
  check.One(volume.photonPersistentDisk, "photonPersistentDisk", CheckPhoton);
  check.One(volume.portworxVolume, "portworxVolume", CheckPortworx);
  check.One(volume.azureDisk, "azureDisk", CheckAzureDisk);
  check.One(volume.storageos, "storageos", CheckStorageOs);
  check.One(volume.projected, "projected",
            [&](const auto& source, const field::Path& source_path, field::ErrorList* list) {
              CheckProjectedVolume(source, source_path, options, list);
            });
  check.One(volume.scaleIO, "scaleIO", CheckScaleIo);
  check.One(volume.csi, "csi", CheckCsi);
  if (check.One(volume.ephemeral, "ephemeral", CheckEphemeral)) {
    CheckClaimName(volume, pod_meta, path, errors);
  }
  check.One(volume.image, "image",
            [&](const auto& source, const field::Path& source_path, field::ErrorList* list) {
              CheckImage(source, source_path, options, list);
            });
  if (!check.any()) errors->Add(field::Required(path, "must specify a volume type"));
}

// The claims that will be made for the pod; unknown where its name is.
std::set<std::string, std::less<>> ClaimsMadeForPod(const reflect::List<Volume>& volumes,
                                                    const meta::v1::ObjectMeta* pod_meta) {
  std::set<std::string, std::less<>> claims;
  if (pod_meta == nullptr || pod_meta->name.empty()) return claims;
  for (const Volume& volume : volumes) {
    if (volume.ephemeral) claims.insert(ClaimName(*pod_meta, volume));
  }
  return claims;
}

}  // namespace

field::ErrorList ValidateVolumes(const reflect::List<Volume>& volumes,
                                 const meta::v1::ObjectMeta* pod_meta, const field::Path& path,
                                 const PodValidationOptions& options, VolumesByName* valid) {
  field::ErrorList errors;
  VolumesByName local;
  VolumesByName& seen = valid != nullptr ? *valid : local;
  const auto made_claims = ClaimsMadeForPod(volumes, pod_meta);
  for (size_t i = 0; i < volumes.size(); ++i) {
    const Volume& volume = volumes[i];
    const field::Path volume_path = path.Index(i);
    const field::Path name_path = volume_path.Child("name");
    field::ErrorList found;
    CheckSource(volume, pod_meta, volume_path, options, &found);
    if (volume.name.empty()) {
      found.Add(field::Required(name_path, ""));
    } else {
      found.Append(ValidateDNS1123Label(volume.name, name_path));
    }
    // A volume with errors does not claim its name.
    if (seen.contains(volume.name)) found.Add(field::Duplicate(name_path, volume.name));
    if (found.empty()) seen.emplace(volume.name, &volume);
    errors.Append(std::move(found));

    if (volume.persistentVolumeClaim &&
        made_claims.contains(volume.persistentVolumeClaim->claimName)) {
      errors.Add(
          field::Invalid(volume_path.Child("persistentVolumeClaim").Child("claimName"),
                         volume.persistentVolumeClaim->claimName,
                         "must not reference a PVC that gets created for an ephemeral volume"));
    }
  }
  return errors;
}

bool IsClaimVolume(const Volume& volume) {
  return volume.persistentVolumeClaim.has_value() || volume.ephemeral.has_value();
}

field::ErrorList ValidatePullPolicy(std::string_view policy, const field::Path& path) {
  field::ErrorList errors;
  if (policy.empty()) {
    errors.Add(field::Required(path, ""));
  } else if (!IsOneOf(policy, {"Always", "IfNotPresent", "Never"})) {
    errors.Add(field::NotSupported(path, NamedString(policy), {"Always", "IfNotPresent", "Never"}));
  }
  return errors;
}

}  // namespace podium::api
