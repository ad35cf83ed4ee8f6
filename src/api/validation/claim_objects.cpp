// PersistentVolumeClaims as objects: what of a stored claim may change.
#include <string>
#include <string_view>

#include "api/labels.h"
#include "api/names.h"
#include "api/resource_names.h"
#include "api/validation/claims.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/unversioned_json.h"
#include "api/validation/workloads.h"

namespace podium::api {

using core::v1::PersistentVolumeClaim;
using core::v1::PersistentVolumeClaimSpec;
using field::ErrorList;
using field::Path;

namespace {

constexpr std::string_view kClassAnnotation = "volume.beta.kubernetes.io/storage-class";

ClaimOptions OptionsFor(const PersistentVolumeClaim& old_claim) {
  const PersistentVolumeClaimSpec& spec = old_claim.spec;
  return {.allow_invalid_label_value_in_selector =
              spec.selector && !ValidateLabelSelector(*spec.selector, Path()).empty(),
          .allow_invalid_api_group_in_data_source =
              (spec.dataSource && spec.dataSource->apiGroup) ||
              (spec.dataSourceRef && spec.dataSourceRef->apiGroup)};
}

const std::string* ClassAnnotation(const PersistentVolumeClaim& claim) {
  const auto found = claim.metadata.annotations.find(kClassAnnotation);
  return found == claim.metadata.annotations.end() ? nullptr : &found->second;
}

Quantity Storage(const reflect::Map<Quantity>& list) {
  const auto found = list.find("storage");
  return found == list.end() ? Quantity() : found->second;
}

// The class moves from the annotation, where it once was, to the field.
bool MovesClassToField(const PersistentVolumeClaim& claim, const PersistentVolumeClaim& old_claim) {
  const std::string* old_class = ClassAnnotation(old_claim);
  const std::string* new_class = ClassAnnotation(claim);
  return old_class && !old_claim.spec.storageClassName &&
         claim.spec.storageClassName == *old_class && (!new_class || *new_class == *old_class);
}

// A claim without a class gets one, as by the default class that came later.
bool GetsClass(const PersistentVolumeClaim& claim, const PersistentVolumeClaim& old_claim) {
  const std::string* old_class = ClassAnnotation(old_claim);
  return claim.spec.storageClassName && !old_claim.spec.storageClassName &&
         (!old_class || *claim.spec.storageClassName == *old_class);
}

// The new spec without the changes that are allowed.
PersistentVolumeClaimSpec WithoutAllowedChanges(const PersistentVolumeClaim& claim,
                                                const PersistentVolumeClaim& old_claim) {
  PersistentVolumeClaimSpec spec = reflect::Copy(claim.spec);
  const PersistentVolumeClaimSpec& old_spec = old_claim.spec;
  if (MovesClassToField(claim, old_claim)) {
    spec.storageClassName.reset();
  } else if (GetsClass(claim, old_claim)) {
    spec.storageClassName = old_spec.storageClassName;
  }
  if (claim.status.phase == "Bound") {
    if (!spec.resources.requests.empty()) {
      spec.resources.requests["storage"] = Storage(old_spec.resources.requests);
    }
    if (spec.volumeAttributesClassName) {
      spec.volumeAttributesClassName = old_spec.volumeAttributesClassName;
    }
  }
  return spec;
}

void CheckAttributesClass(const PersistentVolumeClaimSpec& spec,
                          const PersistentVolumeClaimSpec& old_spec, ErrorList* errors) {
  if (!old_spec.volumeAttributesClassName) return;
  const Path spec_path("spec");
  const Path path = spec_path.Child("volumeAttributesClassName");
  if (!spec.volumeAttributesClassName) {
    errors->Add(field::Forbidden(path, "update from non-nil value to nil is forbidden"));
  } else if (spec.volumeAttributesClassName->empty() &&
             !old_spec.volumeAttributesClassName->empty()) {
    errors->Add(
        field::Forbidden(path, "update from non-nil value to an empty string is forbidden"));
  }
}

// The name of an amount in the status. False when it is none.
bool CheckResourceKey(const std::string& name, const Path& path, ErrorList* errors) {
  const Messages messages = IsQualifiedName(name);
  errors->AddInvalid(path, name, messages);
  if (!messages.empty()) return false;
  if (!IsNativeResource(name) || name == "storage") return true;
  errors->Add(field::NotSupported(path, name, {"storage"}));
  return false;
}

// An amount that is no debt: upstream shows the whole number.
bool CheckBasicResource(const Quantity& value, const Path& path, ErrorList* errors) {
  if (value.Value() >= 0) return true;
  errors->Add(field::Invalid(path, value.Value(), "must be a valid resource quantity"));
  return false;
}

void CheckStatus(const core::v1::PersistentVolumeClaimStatus& status, const Path& path,
                 ErrorList* errors) {
  const Path capacity = path.Child("capacity");
  for (const auto& [name, value] : status.capacity) {
    CheckBasicResource(value, capacity.Key(name), errors);
  }
  // Upstream's name of the field lacks two letters.
  const Path statuses = path.Child("allocatedResourceStatus");
  for (const auto& [name, value] : status.allocatedResourceStatuses) {
    CheckResourceKey(name, statuses, errors);
    if (IsOneOf(value, {"ControllerResizeInProgress", "ControllerResizeInfeasible",
                        "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"})) {
      continue;
    }
    errors->Add(
        field::NotSupported(statuses, NamedString(name),
                            {"ControllerResizeInProgress", "ControllerResizeInfeasible",
                             "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"}));
  }
  const Path allocated = path.Child("allocatedResources");
  for (const auto& [name, value] : status.allocatedResources) {
    if (!CheckResourceKey(name, allocated, errors)) continue;
    if (!CheckBasicResource(value, allocated.Key(name), errors)) continue;
    errors->Append(ValidateResourceQuantityValue("storage", value, allocated.Key(name)));
  }
}

ErrorList Validate(const PersistentVolumeClaim& claim, const ClaimOptions& options) {
  ErrorList errors =
      ValidateObjectMeta(claim.metadata, Scope::kNamespaced, NameIsDNSSubdomain, Path("metadata"));
  errors.Append(ValidatePersistentVolumeClaimSpec(claim.spec, Path("spec"), options));
  return errors;
}

}  // namespace

ErrorList ValidatePersistentVolumeClaim(const PersistentVolumeClaim& claim) {
  return Validate(claim, {});
}

ErrorList ValidatePersistentVolumeClaimUpdate(const PersistentVolumeClaim& claim,
                                              const PersistentVolumeClaim& old_claim) {
  const Path spec_path("spec");
  const PersistentVolumeClaimSpec& spec = claim.spec;
  const PersistentVolumeClaimSpec& old_spec = old_claim.spec;
  const ClaimOptions options = OptionsFor(old_claim);
  // Upstream checks the claim itself twice.
  ErrorList errors = Validate(claim, options);
  errors.Append(ValidateObjectMetaUpdate(claim.metadata, old_claim.metadata, Path("metadata")));
  errors.Append(Validate(claim, options));
  if (!MovesClassToField(claim, old_claim)) {
    const std::string* old_class = ClassAnnotation(old_claim);
    const std::string* new_class = ClassAnnotation(claim);
    const std::string value = new_class ? *new_class : "";
    CheckImmutable(value == (old_class ? *old_class : ""), value,
                   Path("metadata").Child("annotations").Child(kClassAnnotation), &errors);
  }
  PersistentVolumeClaimSpec before = reflect::Copy(old_spec);
  if (before.volumeName.empty()) before.volumeName = spec.volumeName;
  const PersistentVolumeClaimSpec after = WithoutAllowedChanges(claim, old_claim);
  if (!reflect::Equal(before, after)) {
    errors.Add(field::Forbidden(
        spec_path,
        "spec is immutable after creation except resources.requests and volumeAttributesClassName "
        "for bound claims\n" +
            UnversionedDiff(before, after)));
  }
  const Quantity size = Storage(spec.resources.requests);
  if (size < Storage(old_spec.resources.requests) && size <= Storage(old_claim.status.capacity)) {
    errors.Add(field::Forbidden(spec_path.Child("resources").Child("requests").Child("storage"),
                                "field can not be less than status.capacity"));
  }
  CheckImmutable(spec.volumeMode == old_spec.volumeMode, NamedString(spec.volumeMode),
                 Path("volumeMode"), &errors);
  CheckAttributesClass(spec, old_spec, &errors);
  return errors;
}

ErrorList ValidatePersistentVolumeClaimStatusUpdate(const PersistentVolumeClaim& claim,
                                                    const PersistentVolumeClaim& old_claim) {
  ErrorList errors = ValidateObjectMetaUpdate(claim.metadata, old_claim.metadata, Path("metadata"));
  if (claim.metadata.resourceVersion.empty()) {
    errors.Add(field::Required(Path("resourceVersion"), ""));
  }
  if (claim.spec.accessModes.empty()) {
    // The name has a capital in upstream's errors.
    errors.Add(field::Required(Path("Spec").Child("accessModes"), ""));
  }
  CheckStatus(claim.status, Path("status"), &errors);
  return errors;
}

}  // namespace podium::api
