// Drivers of volumes, what nodes say of them, and the volumes they attach.
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/persistent_volume.h"
#include "api/validation/storage.h"
#include "api/validation/unversioned_json.h"
#include "api/validation/workloads.h"

namespace podium::api {

using field::ErrorList;
using field::Path;
using storage::v1::CSIDriver;
using storage::v1::CSIDriverSpec;
using storage::v1::CSINode;
using storage::v1::CSINodeDriver;
using storage::v1::VolumeAttachment;

namespace {

void CheckTokenRequests(const CSIDriverSpec& spec, const Path& path, ErrorList* errors) {
  constexpr int64_t kMinSeconds = 600;
  constexpr int64_t kMaxSeconds = int64_t{1} << 32;
  std::set<std::string_view> audiences;
  for (size_t i = 0; i < spec.tokenRequests.size(); ++i) {
    const auto& request = spec.tokenRequests[i];
    const Path at = path.Index(i);
    if (!audiences.insert(request.audience).second) {
      errors->Add(field::Duplicate(at.Child("audience"), request.audience));
      continue;
    }
    if (!request.expirationSeconds) continue;
    const int64_t seconds = *request.expirationSeconds;
    const Path expiration = at.Child("expirationSeconds");
    if (seconds < kMinSeconds) {
      errors->Add(
          field::Invalid(expiration, seconds, "may not specify a duration less than 10 minutes"));
    }
    if (seconds > kMaxSeconds) {
      errors->Add(field::Invalid(expiration, seconds,
                                 "may not specify a duration larger than 2^32 seconds"));
    }
  }
}

void CheckDriverSpec(const CSIDriverSpec& spec, ErrorList* errors) {
  const Path path("spec");
  const auto require = [&](const std::optional<bool>& value, std::string_view name) {
    if (!value) errors->Add(field::Required(path.Child(name), ""));
  };
  // Upstream's name of the first has two letters more.
  require(spec.attachRequired, "attachedRequired");
  require(spec.podInfoOnMount, "podInfoOnMount");
  require(spec.storageCapacity, "storageCapacity");
  const auto& policy = spec.fsGroupPolicy;
  if (policy && !IsOneOf(*policy, {"File", "None", "ReadWriteOnceWithFSType"})) {
    errors->Add(field::NotSupported(path.Child("fsGroupPolicy"), NamedString(policy),
                                    {"File", "None", "ReadWriteOnceWithFSType"}));
  }
  CheckTokenRequests(spec, path.Child("tokenRequests"), errors);
  for (const std::string& mode : spec.volumeLifecycleModes) {
    if (IsOneOf(mode, {"Persistent", "Ephemeral"})) continue;
    errors->Add(field::NotSupported(path.Child("volumeLifecycleModes"), NamedString(mode),
                                    {"Persistent", "Ephemeral"}));
  }
  require(spec.seLinuxMount, "seLinuxMount");
  const auto& period = spec.nodeAllocatableUpdatePeriodSeconds;
  if (period && *period < 10) {
    errors->Add(field::Invalid(path.Child("nodeAllocatableUpdatePeriodSeconds"), *period,
                               "must be greater than or equal to 10 seconds"));
  }
  if (spec.serviceAccountTokenInSecrets && spec.tokenRequests.empty()) {
    errors->Add(field::Invalid(
        path.Child("serviceAccountTokenInSecrets"), *spec.serviceAccountTokenInSecrets,
        "serviceAccountTokenInSecrets is set but no tokenRequests are specified"));
  }
}

void CheckNodeDriver(const CSINodeDriver& driver, std::set<std::string_view>* names,
                     const Path& path, ErrorList* errors) {
  constexpr size_t kMaxNodeId = 256;
  errors->Append(ValidateCsiDriverName(driver.name, path.Child("name")));
  const Path node_id = path.Child("nodeID");
  if (driver.nodeID.empty()) errors->Add(field::Required(node_id, ""));
  if (driver.nodeID.size() > kMaxNodeId) {
    errors->Add(field::Invalid(node_id, driver.nodeID, "must be 256 characters or less"));
  }
  if (driver.allocatable) {
    CheckNonnegative(driver.allocatable->count, path.Child("allocatable").Child("count"), errors);
  }
  if (!names->insert(driver.name).second) {
    errors->Add(field::Duplicate(path.Child("name"), driver.name));
  }
  std::set<std::string_view> keys;
  for (const std::string& key : driver.topologyKeys) {
    if (key.empty()) errors->Add(field::Required(path, ""));
    if (!keys.insert(key).second) errors->Add(field::Duplicate(path, key));
    errors->Append(ValidateQualifiedName(key, path));
  }
}

void CheckVolumeError(const reflect::Box<storage::v1::VolumeError>& error, const Path& path,
                      ErrorList* errors) {
  constexpr size_t kMaxMessage = 1024;
  // What upstream tells as the limit of messages is that of metadata.
  constexpr int64_t kMaxTold = int64_t{256} * 1024;
  if (!error) return;
  if (error->message.size() > kMaxMessage) {
    errors->Add(field::TooLong(path.Child("message"), kMaxTold));
  }
  if (error->errorCode && *error->errorCode < 0) {
    errors->Add(field::Invalid(path.Child("errorCode"), *error->errorCode,
                               InclusiveRangeError(0, 2147483647)));
  }
}

void CheckAttachmentSource(const storage::v1::VolumeAttachmentSource& source, const Path& path,
                           ErrorList* errors) {
  constexpr std::string_view kOne =
      "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  if (!source.inlineVolumeSpec && !source.persistentVolumeName) {
    errors->Add(field::Required(path, kOne));
  } else if (source.inlineVolumeSpec && source.persistentVolumeName) {
    errors->Add(field::Forbidden(path, kOne));
  } else if (source.inlineVolumeSpec) {
    errors->Append(
        ValidateInlineVolumeSpec(*source.inlineVolumeSpec, path.Child("inlineVolumeSpec")));
  } else if (source.persistentVolumeName->empty()) {
    errors->Add(field::Required(path.Child("persistentVolumeName"),
                                "must specify non empty persistentVolumeName"));
  }
}

// What every version of the kind asks.
ErrorList ValidateAttachment(const VolumeAttachment& attachment) {
  constexpr size_t kMaxMetadata = size_t{256} * 1024;
  ErrorList errors = ValidateObjectMeta(attachment.metadata, Scope::kCluster, NameIsDNSSubdomain,
                                        Path("metadata"));
  const Path spec("spec");
  if (attachment.spec.attacher.empty()) {
    errors.Add(field::Required(spec.Child("attacher"), ""));
  }
  CheckAttachmentSource(attachment.spec.source, spec.Child("source"), &errors);
  errors.Append(ValidateDNS1123Subdomain(attachment.spec.nodeName, spec.Child("nodeName")));
  const Path status("status");
  size_t bytes = 0;
  for (const auto& [key, value] : attachment.status.attachmentMetadata) {
    bytes += key.size() + value.size();
  }
  if (bytes > kMaxMetadata) {
    errors.Add(field::TooLong(status.Child("attachmentMetadata"), kMaxMetadata));
  }
  CheckVolumeError(attachment.status.attachError, status.Child("attachError"), &errors);
  CheckVolumeError(attachment.status.detachError, status.Child("detachError"), &errors);
  return errors;
}

}  // namespace

ErrorList ValidateCSIDriver(const CSIDriver& driver) {
  ErrorList errors =
      ValidateObjectMeta(driver.metadata, Scope::kCluster, NameIsDNSSubdomain, Path("metadata"));
  CheckDriverSpec(driver.spec, &errors);
  return errors;
}

ErrorList ValidateCSIDriverUpdate(const CSIDriver& driver, const CSIDriver& old_driver) {
  ErrorList errors =
      ValidateObjectMetaUpdate(driver.metadata, old_driver.metadata, Path("metadata"));
  CheckDriverSpec(driver.spec, &errors);
  const Path path("spec");
  CheckImmutable(driver.spec.attachRequired == old_driver.spec.attachRequired,
                 driver.spec.attachRequired, path.Child("attachedRequired"), &errors);
  CheckImmutable(driver.spec.volumeLifecycleModes == old_driver.spec.volumeLifecycleModes,
                 driver.spec.volumeLifecycleModes, path.Child("volumeLifecycleModes"), &errors);
  return errors;
}

ErrorList ValidateCSINode(const CSINode& csi_node) {
  ErrorList errors =
      ValidateObjectMeta(csi_node.metadata, Scope::kCluster, NameIsDNSSubdomain, Path("metadata"));
  const Path spec("spec");
  const Path path = spec.Child("drivers");
  std::set<std::string_view> names;
  for (size_t i = 0; i < csi_node.spec.drivers.size(); ++i) {
    CheckNodeDriver(csi_node.spec.drivers[i], &names, path.Index(i), &errors);
  }
  return errors;
}

// The registry compares no metadata. How many volumes fit may change, drivers may come and go.
ErrorList ValidateCSINodeUpdate(const CSINode& csi_node, const CSINode& old_csi_node) {
  ErrorList errors = ValidateCSINode(csi_node);
  // Upstream checks the object itself twice.
  errors.Append(ErrorList(errors));
  std::multimap<std::string_view, const CSINodeDriver*> drivers;
  for (const CSINodeDriver& driver : csi_node.spec.drivers) drivers.emplace(driver.name, &driver);
  for (const CSINodeDriver& old_driver : old_csi_node.spec.drivers) {
    const auto [first, last] = drivers.equal_range(old_driver.name);
    for (auto driver = first; driver != last; ++driver) {
      CSINodeDriver before = reflect::Copy(old_driver);
      CSINodeDriver after = reflect::Copy(*driver->second);
      before.allocatable.reset();
      after.allocatable.reset();
      CheckImmutable(reflect::Equal(before, after), UnversionedValue(after),
                     Path("spec").Child("drivers"), &errors);
    }
  }
  return errors;
}

ErrorList ValidateVolumeAttachment(const VolumeAttachment& attachment) {
  ErrorList errors = ValidateAttachment(attachment);
  errors.Append(ValidateCsiDriverName(attachment.spec.attacher, Path("spec.attacher")));
  if (const auto& name = attachment.spec.source.persistentVolumeName) {
    errors.Append(ValidateDNS1123Subdomain(*name, Path("spec.source.persistentVolumeName")));
  }
  return errors;
}

ErrorList ValidateVolumeAttachmentUpdate(const VolumeAttachment& attachment,
                                         const VolumeAttachment& old_attachment) {
  ErrorList errors = ValidateAttachment(attachment);
  CheckImmutable(reflect::Equal(attachment.spec, old_attachment.spec),
                 UnversionedValue(attachment.spec), Path("spec"), &errors);
  return errors;
}

}  // namespace podium::api
