// Volumes: where each kind of them comes from, of pods and of persistent volumes.
#include <initializer_list>
#include <string>
#include <string_view>

#include "api/describe/parts.h"
#include "api/printed_text.h"
#include "base/text.h"

namespace podium::api {
namespace {

using namespace core::v1;  // NOLINT: forty sources, named once

struct Row {
  std::string_view label;  // all that stands before the tab
  Piece value;
};

void WriteRows(std::string_view type, std::initializer_list<Row> rows, DescribeWriter* out) {
  out->Line(2, "Type:\t", type);
  for (const Row& row : rows) out->Line(2, row.label, "\t", row.value);
}

bool IsOptional(const std::optional<bool>& optional) { return optional.value_or(false); }

void WriteSource(const HostPathVolumeSource& source, DescribeWriter* out) {
  WriteRows("HostPath (bare host directory volume)",
            {{"Path:", source.path},
             {"HostPathType:", source.type ? std::string_view(*source.type) : kNone}},
            out);
}

void WriteSource(const EmptyDirVolumeSource& source, DescribeWriter* out) {
  const bool limited = source.sizeLimit && source.sizeLimit->Sign() > 0;
  WriteRows("EmptyDir (a temporary directory that shares a pod's lifetime)",
            {{"Medium:", source.medium},
             {"SizeLimit:", limited ? source.sizeLimit->String() : std::string(kUnset)}},
            out);
}

void WriteSource(const GCEPersistentDiskVolumeSource& source, DescribeWriter* out) {
  WriteRows("GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
            {{"PDName:", source.pdName},
             {"FSType:", source.fsType},
             {"Partition:", source.partition},
             {"ReadOnly:", source.readOnly}},
            out);
}

void WriteSource(const AWSElasticBlockStoreVolumeSource& source, DescribeWriter* out) {
  WriteRows("AWSElasticBlockStore (a Persistent Disk resource in AWS)",
            {{"VolumeID:", source.volumeID},
             {"FSType:", source.fsType},
             {"Partition:", source.partition},
             {"ReadOnly:", source.readOnly}},
            out);
}

void WriteSource(const GitRepoVolumeSource& source, DescribeWriter* out) {
  WriteRows("GitRepo (a volume that is pulled from git when the pod is created)",
            {{"Repository:", source.repository}, {"Revision:", source.revision}}, out);
}

void WriteSource(const SecretVolumeSource& source, DescribeWriter* out) {
  WriteRows("Secret (a volume populated by a Secret)",
            {{"SecretName:", source.secretName}, {"Optional:", IsOptional(source.optional)}}, out);
}

void WriteSource(const ConfigMapVolumeSource& source, DescribeWriter* out) {
  WriteRows("ConfigMap (a volume populated by a ConfigMap)",
            {{"Name:", source.name}, {"Optional:", IsOptional(source.optional)}}, out);
}

void WriteSource(const NFSVolumeSource& source, DescribeWriter* out) {
  WriteRows("NFS (an NFS mount that lasts the lifetime of a pod)",
            {{"Server:", source.server}, {"Path:", source.path}, {"ReadOnly:", source.readOnly}},
            out);
}

template <class Iscsi>
void WriteIscsi(const Iscsi& source, DescribeWriter* out) {
  WriteRows(
      "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed "
      "to the pod)",
      {{"TargetPortal:", source.targetPortal},
       {"IQN:", source.iqn},
       {"Lun:", source.lun},
       {"ISCSIInterface", source.iscsiInterface},
       {"FSType:", source.fsType},
       {"ReadOnly:", source.readOnly},
       {"Portals:", GoText(source.portals)},
       {"DiscoveryCHAPAuth:", source.chapAuthDiscovery},
       {"SessionCHAPAuth:", source.chapAuthSession},
       {"SecretRef:", GoText(source.secretRef)},
       {"InitiatorName:", source.initiatorName ? std::string_view(*source.initiatorName) : kNone}},
      out);
}
void WriteSource(const ISCSIVolumeSource& source, DescribeWriter* out) { WriteIscsi(source, out); }
void WriteSource(const ISCSIPersistentVolumeSource& source, DescribeWriter* out) {
  WriteIscsi(source, out);
}

constexpr std::string_view kGlusterfs =
    "Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)";
void WriteSource(const GlusterfsVolumeSource& source, DescribeWriter* out) {
  WriteRows(kGlusterfs,
            {{"EndpointsName:", source.endpoints},
             {"Path:", source.path},
             {"ReadOnly:", source.readOnly}},
            out);
}
void WriteSource(const GlusterfsPersistentVolumeSource& source, DescribeWriter* out) {
  WriteRows(kGlusterfs,
            {{"EndpointsName:", source.endpoints},
             {"EndpointsNamespace:",
              source.endpointsNamespace ? std::string_view(*source.endpointsNamespace) : kUnset},
             {"Path:", source.path},
             {"ReadOnly:", source.readOnly}},
            out);
}

void WriteSource(const PersistentVolumeClaimVolumeSource& source, DescribeWriter* out) {
  WriteRows("PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
            {{"ClaimName:", source.claimName}, {"ReadOnly:", source.readOnly}}, out);
}

void WriteSource(const EphemeralVolumeSource& source, DescribeWriter* out) {
  WriteRows(
      "EphemeralVolume (an inline specification for a volume that gets created and deleted with "
      "the pod)",
      {}, out);
  if (!source.volumeClaimTemplate) return;
  DescribeWriter nested = out->Nested(2);
  WriteClaim(source.volumeClaimTemplate->metadata, source.volumeClaimTemplate->spec, nullptr,
             nullptr, &nested);
}

template <class Rbd>
void WriteRbd(const Rbd& source, DescribeWriter* out) {
  WriteRows("RBD (a Rados Block Device mount on the host that shares a pod's lifetime)",
            {{"CephMonitors:", GoText(source.monitors)},
             {"RBDImage:", source.image},
             {"FSType:", source.fsType},
             {"RBDPool:", source.pool},
             {"RadosUser:", source.user},
             {"Keyring:", source.keyring},
             {"SecretRef:", GoText(source.secretRef)},
             {"ReadOnly:", source.readOnly}},
            out);
}
void WriteSource(const RBDVolumeSource& source, DescribeWriter* out) { WriteRbd(source, out); }
void WriteSource(const RBDPersistentVolumeSource& source, DescribeWriter* out) {
  WriteRbd(source, out);
}

void WriteSource(const QuobyteVolumeSource& source, DescribeWriter* out) {
  WriteRows(
      "Quobyte (a Quobyte mount on the host that shares a pod's lifetime)",
      {{"Registry:", source.registry}, {"Volume:", source.volume}, {"ReadOnly:", source.readOnly}},
      out);
}

void WriteSource(const DownwardAPIVolumeSource& source, DescribeWriter* out) {
  WriteRows("DownwardAPI (a volume populated by information about the pod)", {}, out);
  out->Line(2, "Items:");
  for (const DownwardAPIVolumeFile& file : source.items) {
    if (file.fieldRef) out->Line(3, file.fieldRef->fieldPath, " -> ", file.path);
    if (file.resourceFieldRef) out->Line(3, file.resourceFieldRef->resource, " -> ", file.path);
  }
}

void WriteSource(const AzureDiskVolumeSource& source, DescribeWriter* out) {
  WriteRows("AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)",
            {{"DiskName:", source.diskName},
             {"DiskURI:", source.diskURI},
             {"Kind: ", source.kind.value_or("")},
             {"FSType:", source.fsType.value_or("")},
             {"CachingMode:", source.cachingMode.value_or("")},
             {"ReadOnly:", source.readOnly.value_or(false)}},
            out);
}

void WriteSource(const VsphereVirtualDiskVolumeSource& source, DescribeWriter* out) {
  WriteRows("vSphereVolume (a Persistent Disk resource in vSphere)",
            {{"VolumePath:", source.volumePath},
             {"FSType:", source.fsType},
             {"StoragePolicyName:", source.storagePolicyName}},
            out);
}

template <class Cinder>
void WriteCinder(const Cinder& source, DescribeWriter* out) {
  WriteRows("Cinder (a Persistent Disk resource in OpenStack)",
            {{"VolumeID:", source.volumeID},
             {"FSType:", source.fsType},
             {"ReadOnly:", source.readOnly},
             {"SecretRef:", GoText(source.secretRef)}},
            out);
}
void WriteSource(const CinderVolumeSource& source, DescribeWriter* out) {
  WriteCinder(source, out);
}
void WriteSource(const CinderPersistentVolumeSource& source, DescribeWriter* out) {
  WriteCinder(source, out);
}

void WriteSource(const PhotonPersistentDiskVolumeSource& source, DescribeWriter* out) {
  WriteRows("PhotonPersistentDisk (a Persistent Disk resource in photon platform)",
            {{"PdID:", source.pdID}, {"FSType:", source.fsType}}, out);
}

void WriteSource(const PortworxVolumeSource& source, DescribeWriter* out) {
  WriteRows("PortworxVolume (a Portworx Volume resource)", {{"VolumeID:", source.volumeID}}, out);
}

constexpr std::string_view kScaleIo =
    "ScaleIO (a persistent volume backed by a block device in ScaleIO)";
void WriteSource(const ScaleIOVolumeSource& source, DescribeWriter* out) {
  WriteRows(kScaleIo,
            {{"Gateway:", source.gateway},
             {"System:", source.system},
             {"Protection Domain:", source.protectionDomain},
             {"Storage Pool:", source.storagePool},
             {"Storage Mode:", source.storageMode},
             {"VolumeName:", source.volumeName},
             {"FSType:", source.fsType},
             {"ReadOnly:", source.readOnly}},
            out);
}
void WriteSource(const ScaleIOPersistentVolumeSource& source, DescribeWriter* out) {
  const SecretReference none;
  const SecretReference& secret = source.secretRef ? *source.secretRef : none;
  WriteRows(kScaleIo,
            {{"Gateway:", source.gateway},
             {"System:", source.system},
             {"Protection Domain:", source.protectionDomain},
             {"Storage Pool:", source.storagePool},
             {"Storage Mode:", source.storageMode},
             {"VolumeName:", source.volumeName},
             {"SecretName:", secret.name},
             {"SecretNamespace:", secret.namespace_},
             {"FSType:", source.fsType},
             {"ReadOnly:", source.readOnly}},
            out);
}

void WriteSource(const LocalVolumeSource& source, DescribeWriter* out) {
  WriteRows("LocalVolume (a persistent volume backed by local storage on a node)",
            {{"Path:", source.path}}, out);
}

template <class CephFs>
void WriteCephFs(const CephFs& source, DescribeWriter* out) {
  WriteRows("CephFS (a CephFS mount on the host that shares a pod's lifetime)",
            {{"Monitors:", GoText(source.monitors)},
             {"Path:", source.path},
             {"User:", source.user},
             {"SecretFile:", source.secretFile},
             {"SecretRef:", GoText(source.secretRef)},
             {"ReadOnly:", source.readOnly}},
            out);
}
void WriteSource(const CephFSVolumeSource& source, DescribeWriter* out) {
  WriteCephFs(source, out);
}
void WriteSource(const CephFSPersistentVolumeSource& source, DescribeWriter* out) {
  WriteCephFs(source, out);
}

template <class StorageOs>
void WriteStorageOs(const StorageOs& source, DescribeWriter* out) {
  WriteRows("StorageOS (a StorageOS Persistent Disk resource)",
            {{"VolumeName:", source.volumeName},
             {"VolumeNamespace:", source.volumeNamespace},
             {"FSType:", source.fsType},
             {"ReadOnly:", source.readOnly}},
            out);
}
void WriteSource(const StorageOSVolumeSource& source, DescribeWriter* out) {
  WriteStorageOs(source, out);
}
void WriteSource(const StorageOSPersistentVolumeSource& source, DescribeWriter* out) {
  WriteStorageOs(source, out);
}

void WriteSource(const FCVolumeSource& source, DescribeWriter* out) {
  WriteRows("FC (a Fibre Channel disk)",
            {{"TargetWWNs:", Join(source.targetWWNs, ", ")},
             {"LUN:", source.lun ? Piece(*source.lun) : Piece(kNone)},
             {"FSType:", source.fsType},
             {"ReadOnly:", source.readOnly}},
            out);
}

constexpr std::string_view kAzureFile =
    "AzureFile (an Azure File Service mount on the host and bind mount to the pod)";
void WriteSource(const AzureFileVolumeSource& source, DescribeWriter* out) {
  WriteRows(kAzureFile,
            {{"SecretName:", source.secretName},
             {"ShareName:", source.shareName},
             {"ReadOnly:", source.readOnly}},
            out);
}
void WriteSource(const AzureFilePersistentVolumeSource& source, DescribeWriter* out) {
  WriteRows(kAzureFile,
            {{"SecretName:", source.secretName},
             {"SecretNamespace:", source.secretNamespace.value_or("")},
             {"ShareName:", source.shareName},
             {"ReadOnly:", source.readOnly}},
            out);
}

template <class Flex>
void WriteFlex(const Flex& source, DescribeWriter* out) {
  WriteRows(
      "FlexVolume (a generic volume resource that is provisioned/attached using an exec based "
      "plugin)",
      {{"Driver:", source.driver},
       {"FSType:", source.fsType},
       {"SecretRef:", GoText(source.secretRef)},
       {"ReadOnly:", source.readOnly},
       {"Options:", GoText(source.options)}},
      out);
}
void WriteSource(const FlexVolumeSource& source, DescribeWriter* out) { WriteFlex(source, out); }
void WriteSource(const FlexPersistentVolumeSource& source, DescribeWriter* out) {
  WriteFlex(source, out);
}

void WriteSource(const FlockerVolumeSource& source, DescribeWriter* out) {
  WriteRows("Flocker (a Flocker volume mounted by the Flocker agent)",
            {{"DatasetName:", source.datasetName}, {"DatasetUUID:", source.datasetUUID}}, out);
}

void WriteSource(const ProjectedVolumeSource& source, DescribeWriter* out) {
  WriteRows("Projected (a volume that contains injected data from multiple sources)", {}, out);
  for (const VolumeProjection& each : source.sources) {
    if (each.secret) {
      out->Line(2, "SecretName:\t", each.secret->name);
      out->Line(2, "Optional:\t", IsOptional(each.secret->optional));
    } else if (each.downwardAPI) {
      out->Line(2, "DownwardAPI:\ttrue");
    } else if (each.configMap) {
      out->Line(2, "ConfigMapName:\t", each.configMap->name);
      out->Line(2, "Optional:\t", IsOptional(each.configMap->optional));
    } else if (each.serviceAccountToken) {
      out->Line(2, "TokenExpirationSeconds:\t",
                each.serviceAccountToken->expirationSeconds.value_or(0));
    }
  }
}

void WriteAttributes(const reflect::Map<std::string>& attributes, DescribeWriter* out) {
  constexpr size_t kMost = 140;
  out->Write(2, "VolumeAttributes:\t");
  if (attributes.empty()) return out->EndLine(kNone);
  bool is_first = true;
  for (const auto& [key, value] : attributes) {
    // Upstream indents each part of the line, and so does this.
    if (!is_first) {
      out->Write(2);
      out->Write(2, "\t");
    }
    is_first = false;
    std::string line = key;
    line.append("=").append(value);
    out->Line(2, line.substr(0, kMost), line.size() > kMost ? "..." : "");
  }
}

constexpr std::string_view kCsi = "CSI (a Container Storage Interface (CSI) volume source)";
void WriteSource(const CSIVolumeSource& source, DescribeWriter* out) {
  WriteRows(kCsi,
            {{"Driver:", source.driver},
             {"FSType:", source.fsType.value_or("")},
             {"ReadOnly:", source.readOnly.value_or(false)}},
            out);
  WriteAttributes(source.volumeAttributes, out);
}
void WriteSource(const CSIPersistentVolumeSource& source, DescribeWriter* out) {
  WriteRows(kCsi,
            {{"Driver:", source.driver},
             {"FSType:", source.fsType},
             {"VolumeHandle:", source.volumeHandle},
             {"ReadOnly:", source.readOnly}},
            out);
  WriteAttributes(source.volumeAttributes, out);
}

void WriteSource(const ImageVolumeSource& source, DescribeWriter* out) {
  WriteRows("Image (a container image or OCI artifact)",
            {{"Reference:", source.reference}, {"PullPolicy:", source.pullPolicy}}, out);
}

// The first of the sources that there is, in upstream's order; <unknown> for none.
template <auto... sources, class Volume>
void WriteFirst(const Volume& volume, DescribeWriter* out) {
  const bool found =
      ((volume.*sources ? (WriteSource(*(volume.*sources), out), true) : false) || ...);
  if (!found) out->Line(1, kUnknown);
}

}  // namespace

void WriteVolumes(const reflect::List<Volume>& volumes, bool indented, DescribeWriter* out) {
  const std::string_view indent = indented ? "  " : "";
  if (volumes.empty()) return out->Line(0, indent, "Volumes:\t", kNone);
  out->Line(0, indent, "Volumes:");
  for (const Volume& volume : volumes) {
    out->Line(1, indented ? " " : "", volume.name, ":");
    WriteFirst<&Volume::hostPath, &Volume::emptyDir, &Volume::gcePersistentDisk,
               &Volume::awsElasticBlockStore, &Volume::gitRepo, &Volume::secret, &Volume::configMap,
               &Volume::nfs, &Volume::iscsi, &Volume::glusterfs, &Volume::persistentVolumeClaim,
               &Volume::ephemeral, &Volume::rbd, &Volume::quobyte, &Volume::downwardAPI,
               &Volume::azureDisk, &Volume::vsphereVolume, &Volume::cinder,
               &Volume::photonPersistentDisk, &Volume::portworxVolume, &Volume::scaleIO,
               &Volume::cephfs, &Volume::storageos, &Volume::fc, &Volume::azureFile,
               &Volume::flexVolume, &Volume::flocker, &Volume::projected, &Volume::csi,
               &Volume::image>(volume, out);
  }
}

void WritePersistentVolumeSource(const PersistentVolumeSpec& spec, DescribeWriter* out) {
  using Spec = PersistentVolumeSpec;
  WriteFirst<&Spec::hostPath, &Spec::gcePersistentDisk, &Spec::awsElasticBlockStore, &Spec::nfs,
             &Spec::iscsi, &Spec::glusterfs, &Spec::rbd, &Spec::quobyte, &Spec::vsphereVolume,
             &Spec::cinder, &Spec::azureDisk, &Spec::photonPersistentDisk, &Spec::portworxVolume,
             &Spec::scaleIO, &Spec::local, &Spec::cephfs, &Spec::storageos, &Spec::fc,
             &Spec::azureFile, &Spec::flexVolume, &Spec::flocker, &Spec::csi>(spec, out);
}

}  // namespace podium::api
