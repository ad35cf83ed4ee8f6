#include "api/validation/claims.h"

#include <string_view>

#include "api/labels.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"

namespace podium::api {
namespace {

using core::v1::PersistentVolumeClaimSpec;

void CheckStorageRequest(const PersistentVolumeClaimSpec& spec, const field::Path& path,
                         field::ErrorList* errors) {
  const field::Path storage = path.Key("storage");
  const auto found = spec.resources.requests.find("storage");
  if (found == spec.resources.requests.end()) {
    errors->Add(field::Required(storage, ""));
  } else if (found->second.Sign() <= 0) {
    errors->Add(field::Invalid(storage, found->second.String(), "must be greater than zero"));
  }
}

// Both kinds of reference to where the first content comes from.
template <class Reference>
void CheckDataSource(const Reference& source, const ClaimOptions& options, const field::Path& path,
                     field::ErrorList* errors) {
  if (source.name.empty()) errors->Add(field::Required(path.Child("name"), ""));
  if (source.kind.empty()) errors->Add(field::Required(path.Child("kind"), ""));
  const std::string_view group = source.apiGroup ? std::string_view(*source.apiGroup) : "";
  if (group.empty() && source.kind != "PersistentVolumeClaim") {
    errors->Add(
        field::Invalid(path, source.kind,
                       "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  }
  if (!group.empty() && !options.allow_invalid_api_group_in_data_source) {
    errors->Append(ValidateDNS1123Subdomain(group, path.Child("apiGroup")));
  }
}

void CheckDataSources(const PersistentVolumeClaimSpec& spec, const ClaimOptions& options,
                      const field::Path& path, field::ErrorList* errors) {
  if (spec.dataSource) CheckDataSource(*spec.dataSource, options, path.Child("dataSource"), errors);
  if (!spec.dataSourceRef) return;
  const auto& reference = *spec.dataSourceRef;
  const field::Path reference_path = path.Child("dataSourceRef");
  CheckDataSource(reference, options, reference_path, errors);
  const bool has_namespace = reference.namespace_ && !reference.namespace_->empty();
  if (has_namespace) {
    errors->Append(ValidateDNS1123Label(*reference.namespace_, reference_path.Child("namespace")));
  }
  if (!spec.dataSource) return;
  // Upstream prints a path as the value, which in JSON is an empty object.
  const field::BadValue value = field::BadValue::Json("{}");
  if (has_namespace) {
    errors->Add(field::Invalid(path, value,
                               "may not be specified when dataSourceRef.namespace is specified"));
  } else if (spec.dataSource->apiGroup != reference.apiGroup ||
             spec.dataSource->kind != reference.kind || spec.dataSource->name != reference.name) {
    errors->Add(field::Invalid(path, value, "must match dataSourceRef"));
  }
}

// Fields of metadata that mean nothing in a template, in upstream's order and spelling.
void ForbidOtherMetadata(const meta::v1::ObjectMeta& metadata, const field::Path& path,
                         field::ErrorList* errors) {
  const auto forbid = [&](bool is_set, std::string_view name) {
    if (is_set) errors->Add(field::Forbidden(path.Child(name), "cannot be set"));
  };
  forbid(!metadata.name.empty(), "name");
  forbid(!metadata.generateName.empty(), "generateName");
  forbid(!metadata.namespace_.empty(), "namespace");
  forbid(!metadata.selfLink.empty(), "selfLink");
  forbid(!metadata.uid.empty(), "uID");
  forbid(!metadata.resourceVersion.empty(), "resourceVersion");
  forbid(metadata.generation != 0, "generation");
  forbid(!metadata.creationTimestamp.IsZero(), "creationTimestamp");
  forbid(metadata.deletionTimestamp.has_value(), "deletionTimestamp");
  forbid(metadata.deletionGracePeriodSeconds.has_value(), "deletionGracePeriodSeconds");
  forbid(!metadata.ownerReferences.empty(), "ownerReferences");
  forbid(!metadata.finalizers.empty(), "finalizers");
  forbid(!metadata.managedFields.empty(), "managedFields");
}

}  // namespace

void CheckAccessModes(const reflect::List<std::string>& modes, const field::Path& path,
                      field::ErrorList* errors) {
  bool one_pod = false;
  bool many_pods = false;
  for (const std::string& mode : modes) {
    if (mode == "ReadWriteOncePod") {
      one_pod = true;
    } else if (mode == "ReadWriteOnce" || mode == "ReadOnlyMany" || mode == "ReadWriteMany") {
      many_pods = true;
    } else {
      errors->Add(field::NotSupported(
          path, NamedString(mode),
          {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"}));
    }
  }
  if (one_pod && many_pods) {
    errors->Add(field::Forbidden(path, "may not use ReadWriteOncePod with other access modes"));
  }
}

field::ErrorList ValidatePersistentVolumeClaimSpec(const PersistentVolumeClaimSpec& spec,
                                                   const field::Path& path,
                                                   const ClaimOptions& options) {
  field::ErrorList errors;
  const field::Path access_modes = path.Child("accessModes");
  if (spec.accessModes.empty()) {
    errors.Add(field::Required(access_modes, "at least 1 access mode is required"));
  }
  if (spec.selector) {
    errors.Append(ValidateLabelSelector(
        *spec.selector, path.Child("selector"),
        {.allow_invalid_label_values = options.allow_invalid_label_value_in_selector}));
  }
  CheckAccessModes(spec.accessModes, access_modes, &errors);
  CheckStorageRequest(spec, path.Child("resources"), &errors);
  if (spec.storageClassName && !spec.storageClassName->empty()) {
    errors.Append(ValidateDNS1123Subdomain(*spec.storageClassName, path.Child("storageClassName")));
  }
  if (spec.volumeMode && *spec.volumeMode != "Block" && *spec.volumeMode != "Filesystem") {
    errors.Add(field::NotSupported(path.Child("volumeMode"), NamedString(spec.volumeMode),
                                   {"Block", "Filesystem"}));
  }
  CheckDataSources(spec, options, path, &errors);
  if (spec.volumeAttributesClassName && !spec.volumeAttributesClassName->empty()) {
    errors.Append(ValidateDNS1123Subdomain(*spec.volumeAttributesClassName,
                                           path.Child("volumeAttributesClassName")));
  }
  return errors;
}

field::ErrorList ValidateTemplateObjectMeta(const meta::v1::ObjectMeta& metadata,
                                            const field::Path& path) {
  field::ErrorList errors = ValidateAnnotations(metadata.annotations, path.Child("annotations"));
  errors.Append(ValidateLabels(metadata.labels, path.Child("labels")));
  ForbidOtherMetadata(metadata, path, &errors);
  return errors;
}

field::ErrorList ValidatePersistentVolumeClaimTemplate(
    const core::v1::PersistentVolumeClaimTemplate& claim_template, const field::Path& path) {
  field::ErrorList errors =
      ValidateTemplateObjectMeta(claim_template.metadata, path.Child("metadata"));
  errors.Append(ValidatePersistentVolumeClaimSpec(claim_template.spec, path.Child("spec")));
  return errors;
}

}  // namespace podium::api
