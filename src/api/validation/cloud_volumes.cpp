#include "api/validation/common.h"
#include "api/validation/volume_sources.h"

namespace podium::api {
namespace {

// 0 stands for the whole disk, whatever the text says.
void CheckPartition(int32_t partition, const field::Path& path, field::ErrorList* errors) {
  if (partition < 0 || partition > 255) {
    errors->Add(field::Invalid(path, partition, "must be between 1 and 255, inclusive"));
  }
}

}  // namespace

void CheckGcePersistentDisk(const core::v1::GCEPersistentDiskVolumeSource& source,
                            const field::Path& path, field::ErrorList* errors) {
  CheckNotEmpty(source.pdName, path, "pdName", errors);
  CheckPartition(source.partition, path.Child("partition"), errors);
}

void CheckAwsElasticBlockStore(const core::v1::AWSElasticBlockStoreVolumeSource& source,
                               const field::Path& path, field::ErrorList* errors) {
  CheckNotEmpty(source.volumeID, path, "volumeID", errors);
  CheckPartition(source.partition, path.Child("partition"), errors);
}

void CheckAzureFile(const core::v1::AzureFileVolumeSource& source, const field::Path& path,
                    field::ErrorList* errors) {
  CheckNotEmpty(source.secretName, path, "secretName", errors);
  CheckNotEmpty(source.shareName, path, "shareName", errors);
}

void CheckAzureDisk(const core::v1::AzureDiskVolumeSource& source, const field::Path& path,
                    field::ErrorList* errors) {
  CheckNotEmpty(source.diskName, path, "diskName", errors);
  CheckNotEmpty(source.diskURI, path, "diskURI", errors);
  const auto& caching = source.cachingMode;
  if (caching && !IsOneOf(*caching, {"None", "ReadOnly", "ReadWrite"})) {
    errors->Add(field::NotSupported(path.Child("cachingMode"), NamedString(caching),
                                    {"None", "ReadOnly", "ReadWrite"}));
  }
  if (!source.kind) return;
  const std::string& kind = *source.kind;
  if (!IsOneOf(kind, {"Dedicated", "Managed", "Shared"})) {
    errors->Add(field::NotSupported(path.Child("kind"), NamedString(kind),
                                    {"Dedicated", "Managed", "Shared"}));
  }
  const field::Path uri = path.Child("diskURI");
  if (kind == "Managed" && !source.diskURI.starts_with("/subscriptions/")) {
    errors->Add(field::NotSupported(uri, source.diskURI,
                                    {"/subscriptions/{sub-id}/resourcegroups/{group-name}/"
                                     "providers/microsoft.compute/disks/{disk-id}"}));
  }
  if (kind != "Managed" && !source.diskURI.starts_with("https://")) {
    errors->Add(field::NotSupported(
        uri, source.diskURI,
        {"https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"}));
  }
}

void CheckCinder(const core::v1::CinderVolumeSource& source, const field::Path& path,
                 field::ErrorList* errors) {
  CheckNotEmpty(source.volumeID, path, "volumeID", errors);
  if (source.secretRef)
    CheckNotEmpty(source.secretRef->name, path.Child("secretRef"), "name", errors);
}

void CheckVsphere(const core::v1::VsphereVirtualDiskVolumeSource& source, const field::Path& path,
                  field::ErrorList* errors) {
  CheckNotEmpty(source.volumePath, path, "volumePath", errors);
}

void CheckPhoton(const core::v1::PhotonPersistentDiskVolumeSource& source, const field::Path& path,
                 field::ErrorList* errors) {
  CheckNotEmpty(source.pdID, path, "pdID", errors);
}

}  // namespace podium::api
