// What a PersistentVolume is: exactly one of two dozen kinds. Some are as in a pod, some refer to
// secrets of any namespace.
#include <string>
#include <string_view>

#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/persistent_volume.h"
#include "api/validation/volume_paths.h"
#include "api/validation/volume_sources.h"

namespace podium::api {

using core::v1::PersistentVolumeSpec;
using core::v1::SecretReference;
using field::ErrorList;
using field::Path;

namespace {

void CheckPersistentGlusterfs(const core::v1::GlusterfsPersistentVolumeSource& source,
                              const Path& path, ErrorList* errors) {
  CheckNotEmpty(source.endpoints, path, "endpoints", errors);
  CheckNotEmpty(source.path, path, "path", errors);
  if (!source.endpointsNamespace) return;
  const std::string& space = *source.endpointsNamespace;
  const Path at = path.Child("endpointsNamespace");
  if (space.empty()) {
    errors->Add(field::Invalid(
        at, space, "if the endpointnamespace is set, it must be a valid namespace name"));
  } else {
    errors->AddInvalid(at, space, NameIsDNSLabel(space, false));
  }
}

void CheckPersistentRbd(const core::v1::RBDPersistentVolumeSource& source, const Path& path,
                        ErrorList* errors) {
  if (source.monitors.empty()) errors->Add(field::Required(path.Child("monitors"), ""));
  CheckNotEmpty(source.image, path, "image", errors);
}

void CheckPersistentCephFs(const core::v1::CephFSPersistentVolumeSource& source, const Path& path,
                           ErrorList* errors) {
  if (source.monitors.empty()) errors->Add(field::Required(path.Child("monitors"), ""));
}

void CheckPersistentCinder(const core::v1::CinderPersistentVolumeSource& source, const Path& path,
                           ErrorList* errors) {
  CheckNotEmpty(source.volumeID, path, "volumeID", errors);
  if (!source.secretRef) return;
  CheckNotEmpty(source.secretRef->name, path.Child("secretRef"), "name", errors);
  CheckNotEmpty(source.secretRef->namespace_, path.Child("secretRef"), "namespace", errors);
}

void CheckPersistentFlexVolume(const core::v1::FlexPersistentVolumeSource& source, const Path& path,
                               ErrorList* errors) {
  core::v1::FlexVolumeSource same;
  same.driver = source.driver;
  same.options = source.options;
  CheckFlexVolume(same, path, errors);
}

void CheckPersistentAzureFile(const core::v1::AzureFilePersistentVolumeSource& source,
                              const Path& path, ErrorList* errors) {
  CheckNotEmpty(source.secretName, path, "secretName", errors);
  CheckNotEmpty(source.shareName, path, "shareName", errors);
  if (source.secretNamespace) {
    CheckNotEmpty(*source.secretNamespace, path, "secretNamespace", errors);
  }
}

void CheckPersistentScaleIo(const core::v1::ScaleIOPersistentVolumeSource& source, const Path& path,
                            ErrorList* errors) {
  CheckNotEmpty(source.gateway, path, "gateway", errors);
  CheckNotEmpty(source.system, path, "system", errors);
  CheckNotEmpty(source.volumeName, path, "volumeName", errors);
}

void CheckPersistentStorageOs(const core::v1::StorageOSPersistentVolumeSource& source,
                              const Path& path, ErrorList* errors) {
  if (source.volumeName.empty()) {
    errors->Add(field::Required(path.Child("volumeName"), ""));
  } else {
    errors->Append(ValidateDNS1123Label(source.volumeName, path.Child("volumeName")));
  }
  if (!source.volumeNamespace.empty()) {
    errors->Append(ValidateDNS1123Label(source.volumeNamespace, path.Child("volumeNamespace")));
  }
  if (!source.secretRef) return;
  CheckNotEmpty(source.secretRef->name, path.Child("secretRef"), "name", errors);
  CheckNotEmpty(source.secretRef->namespace_, path.Child("secretRef"), "namespace", errors);
}

void CheckLocal(const core::v1::LocalVolumeSource& source, const Path& path, ErrorList* errors) {
  CheckNotEmpty(source.path, path, "path", errors);
  if (!source.path.empty()) {
    errors->Append(ValidatePathNoBacksteps(source.path, path.Child("path")));
  }
}

void CheckSecret(const reflect::Box<SecretReference>& secret, const Path& path, ErrorList* errors) {
  if (!secret) return;
  if (secret->name.empty()) {
    errors->Add(field::Required(path.Child("name"), ""));
  } else {
    errors->Append(ValidateDNS1123Subdomain(secret->name, path.Child("name")));
  }
  if (secret->namespace_.empty()) {
    errors->Add(field::Required(path.Child("namespace"), ""));
  } else {
    errors->Append(ValidateDNS1123Label(secret->namespace_, path.Child("namespace")));
  }
}

void CheckCsi(const core::v1::CSIPersistentVolumeSource& source, const Path& path,
              ErrorList* errors) {
  errors->Append(ValidateCsiDriverName(source.driver, path.Child("driver")));
  CheckNotEmpty(source.volumeHandle, path, "volumeHandle", errors);
  CheckSecret(source.controllerPublishSecretRef, path.Child("controllerPublishSecretRef"), errors);
  CheckSecret(source.controllerExpandSecretRef, path.Child("controllerExpandSecretRef"), errors);
  CheckSecret(source.nodePublishSecretRef, path.Child("nodePublishSecretRef"), errors);
  CheckSecret(source.nodeExpandSecretRef, path.Child("nodeExpandSecretRef"), errors);
}

// The one that is there is checked, any other one is too many.
class Sources {
 public:
  Sources(const Path& path, ErrorList* errors) : path_(path), errors_(*errors) {}

  // `shown` is the name in errors of the source itself, where upstream has another.
  template <class Source, class Check>
  bool Add(const reflect::Box<Source>& source, std::string_view name, Check check,
           std::string_view shown = {}) {
    if (!source) return false;
    if (count_++ > 0) {
      errors_.Add(field::Forbidden(path_.Child(name), "may not specify more than 1 volume type"));
      return false;
    }
    check(*source, path_.Child(shown.empty() ? name : shown), &errors_);
    return true;
  }
  // Alone may stand beside others.
  template <class Source, class Check>
  void AddBeside(const reflect::Box<Source>& source, std::string_view name, Check check) {
    if (!source) return;
    ++count_;
    check(*source, path_.Child(name), &errors_);
  }
  bool none() const { return count_ == 0; }

 private:
  const Path& path_;
  ErrorList& errors_;
  int count_ = 0;
};

void CheckIscsiVolume(const core::v1::ISCSIPersistentVolumeSource& source, const std::string& name,
                      const Path& path, ErrorList* errors) {
  constexpr size_t kMaxName = 64;
  core::v1::ISCSIVolumeSource same;
  same.targetPortal = source.targetPortal;
  same.iqn = source.iqn;
  same.lun = source.lun;
  same.chapAuthDiscovery = source.chapAuthDiscovery;
  same.chapAuthSession = source.chapAuthSession;
  if (source.secretRef) same.secretRef.emplace();
  ErrorList found;
  CheckIscsi(same, path, &found);
  const size_t own = found.size();
  if (source.initiatorName && name.size() + 1 + source.targetPortal.size() > kMaxName) {
    // Behind what is wrong with the portal itself.
    found.insert(found.begin() + (source.targetPortal.empty() ? 1 : 0),
                 field::Invalid(path.Child("targetportal"), source.targetPortal,
                                "Total length of <volume name>:<iscsi.targetPortal> must be under "
                                "64 characters if iscsi.initiatorName is specified."));
  }
  if (source.secretRef)
    CheckNotEmpty(source.secretRef->name, path.Child("secretRef"), "name", &found);
  same.initiatorName = source.initiatorName;
  ErrorList with_initiator;
  CheckIscsi(same, path, &with_initiator);
  with_initiator.erase(with_initiator.begin(),
                       with_initiator.begin() + static_cast<ptrdiff_t>(own));
  found.Append(std::move(with_initiator));
  errors->Append(std::move(found));
}

}  // namespace

void CheckPersistentVolumeSource(const PersistentVolumeSpec& spec, const std::string& name,
                                 const Path& path, ErrorList* errors) {
  Sources sources(path, errors);
  sources.Add(spec.hostPath, "hostPath", CheckHostPath);
  sources.Add(spec.gcePersistentDisk, "gcePersistentDisk", CheckGcePersistentDisk,
              "persistentDisk");
  sources.Add(spec.awsElasticBlockStore, "awsElasticBlockStore", CheckAwsElasticBlockStore);
  sources.Add(spec.glusterfs, "glusterfs", CheckPersistentGlusterfs);
  sources.Add(spec.flocker, "flocker", CheckFlocker);
  sources.Add(spec.nfs, "nfs", CheckNfs);
  sources.Add(spec.rbd, "rbd", CheckPersistentRbd);
  sources.Add(spec.quobyte, "quobyte", CheckQuobyte);
  sources.Add(spec.cephfs, "cephFS", CheckPersistentCephFs, "cephfs");
  sources.Add(spec.iscsi, "iscsi", [&](const auto& source, const Path& at, ErrorList* list) {
    CheckIscsiVolume(source, name, at, list);
  });
  sources.Add(spec.cinder, "cinder", CheckPersistentCinder);
  sources.Add(spec.fc, "fc", CheckFc);
  sources.AddBeside(spec.flexVolume, "flexVolume", CheckPersistentFlexVolume);
  sources.Add(spec.azureFile, "azureFile", CheckPersistentAzureFile);
  sources.Add(spec.vsphereVolume, "vsphereVolume", CheckVsphere);
  sources.Add(spec.photonPersistentDisk, "photonPersistentDisk", CheckPhoton);
  sources.Add(spec.portworxVolume, "portworxVolume", CheckPortworx);
  sources.Add(spec.azureDisk, "azureDisk", CheckAzureDisk);
  sources.Add(spec.scaleIO, "scaleIO", CheckPersistentScaleIo);
  if (sources.Add(spec.local, "local", CheckLocal) && !spec.nodeAffinity) {
    errors->Add(field::Required(path.Child("nodeAffinity"), "Local volume requires node affinity"));
  }
  sources.Add(spec.storageos, "storageos", CheckPersistentStorageOs);
  sources.Add(spec.csi, "csi", CheckCsi);
  if (sources.none()) errors->Add(field::Required(path, "must specify a volume type"));
}

}  // namespace podium::api
