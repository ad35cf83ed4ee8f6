// One check for each kind of volume source; volumes.cpp decides which of them run. Private to the
// rules of volumes. `path` is the source's own; errors are appended.
#pragma once

#include <string_view>

#include "api/field_errors.h"
#include "api/types/core_v1.h"
#include "api/validation/pod_options.h"

namespace podium::api {

// Files of the node, of configuration and of the pod itself: file_volumes.cpp.
void CheckHostPath(const core::v1::HostPathVolumeSource& source, const field::Path& path,
                   field::ErrorList* errors);
void CheckGitRepo(const core::v1::GitRepoVolumeSource& source, const field::Path& path,
                  field::ErrorList* errors);
void CheckSecretVolume(const core::v1::SecretVolumeSource& source, const field::Path& path,
                       field::ErrorList* errors);
void CheckConfigMapVolume(const core::v1::ConfigMapVolumeSource& source, const field::Path& path,
                          field::ErrorList* errors);
void CheckDownwardApiVolume(const core::v1::DownwardAPIVolumeSource& source,
                            const field::Path& path, field::ErrorList* errors);
void CheckDownwardApiFile(const core::v1::DownwardAPIVolumeFile& file, const field::Path& path,
                          field::ErrorList* errors);
void CheckKeyToPath(const core::v1::KeyToPath& item, const field::Path& path,
                    field::ErrorList* errors);
void CheckFileMode(const std::optional<int32_t>& mode, const field::Path& path,
                   field::ErrorList* errors);

// projected_volumes.cpp
void CheckProjectedVolume(const core::v1::ProjectedVolumeSource& source, const field::Path& path,
                          const PodValidationOptions& options, field::ErrorList* errors);

// Storage over a network: network_volumes.cpp.
void CheckNfs(const core::v1::NFSVolumeSource& source, const field::Path& path,
              field::ErrorList* errors);
void CheckIscsi(const core::v1::ISCSIVolumeSource& source, const field::Path& path,
                field::ErrorList* errors);
void CheckFc(const core::v1::FCVolumeSource& source, const field::Path& path,
             field::ErrorList* errors);
void CheckGlusterfs(const core::v1::GlusterfsVolumeSource& source, const field::Path& path,
                    field::ErrorList* errors);
void CheckFlocker(const core::v1::FlockerVolumeSource& source, const field::Path& path,
                  field::ErrorList* errors);
void CheckRbd(const core::v1::RBDVolumeSource& source, const field::Path& path,
              field::ErrorList* errors);
void CheckCephFs(const core::v1::CephFSVolumeSource& source, const field::Path& path,
                 field::ErrorList* errors);
void CheckQuobyte(const core::v1::QuobyteVolumeSource& source, const field::Path& path,
                  field::ErrorList* errors);
void CheckFlexVolume(const core::v1::FlexVolumeSource& source, const field::Path& path,
                     field::ErrorList* errors);
void CheckScaleIo(const core::v1::ScaleIOVolumeSource& source, const field::Path& path,
                  field::ErrorList* errors);
void CheckStorageOs(const core::v1::StorageOSVolumeSource& source, const field::Path& path,
                    field::ErrorList* errors);
void CheckPortworx(const core::v1::PortworxVolumeSource& source, const field::Path& path,
                   field::ErrorList* errors);

// Disks of clouds and hypervisors: cloud_volumes.cpp.
void CheckGcePersistentDisk(const core::v1::GCEPersistentDiskVolumeSource& source,
                            const field::Path& path, field::ErrorList* errors);
void CheckAwsElasticBlockStore(const core::v1::AWSElasticBlockStoreVolumeSource& source,
                               const field::Path& path, field::ErrorList* errors);
void CheckAzureFile(const core::v1::AzureFileVolumeSource& source, const field::Path& path,
                    field::ErrorList* errors);
void CheckAzureDisk(const core::v1::AzureDiskVolumeSource& source, const field::Path& path,
                    field::ErrorList* errors);
void CheckCinder(const core::v1::CinderVolumeSource& source, const field::Path& path,
                 field::ErrorList* errors);
void CheckVsphere(const core::v1::VsphereVirtualDiskVolumeSource& source, const field::Path& path,
                  field::ErrorList* errors);
void CheckPhoton(const core::v1::PhotonPersistentDiskVolumeSource& source, const field::Path& path,
                 field::ErrorList* errors);

// `value` is not empty.
void CheckNotEmpty(std::string_view value, const field::Path& path, std::string_view name,
                   field::ErrorList* errors);

}  // namespace podium::api
