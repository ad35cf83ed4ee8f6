#include <map>
#include <set>
#include <string>
#include <string_view>

#include "api/labels.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/storage.h"
#include "api/validation/workloads.h"

namespace podium::api {

using field::ErrorList;
using field::Path;
using storage::v1::CSIStorageCapacity;
using storage::v1::StorageClass;
using storage::v1::VolumeAttributesClass;

namespace {

using Parameters = reflect::Map<std::string>;

void CheckProvisioner(const std::string& name, const Path& path, ErrorList* errors) {
  if (name.empty()) {
    errors->Add(field::Required(path, ""));
  } else {
    errors->Append(ValidateQualifiedName(LowerToAscii(name), path));
  }
}

void CheckParameters(const Parameters& parameters, const Path& path, ErrorList* errors) {
  constexpr size_t kMaxCount = 512;
  constexpr size_t kMaxBytes = size_t{256} * 1024;
  if (parameters.size() > kMaxCount) {
    errors->Add(field::TooLong(path, kMaxCount));
    return;
  }
  size_t bytes = 0;
  for (const auto& [key, value] : parameters) {
    if (key.empty()) errors->Add(field::Invalid(path, key, "field can not be empty."));
    bytes += key.size() + value.size();
  }
  if (bytes > kMaxBytes) errors->Add(field::TooLong(path, kMaxBytes));
}

void CheckFixed(bool same, std::string_view name, ErrorList* errors) {
  if (same) return;
  const std::string field_name(name);
  errors->Add(field::Forbidden(Path(name), "updates to " + field_name + " are forbidden."));
}

using Term = std::map<std::string_view, std::set<std::string_view>>;

Term CheckTopologyTerm(const core::v1::TopologySelectorTerm& term, const Path& path,
                       ErrorList* errors) {
  Term found;
  for (size_t i = 0; i < term.matchLabelExpressions.size(); ++i) {
    const auto& expression = term.matchLabelExpressions[i];
    const Path at = path.Index(i);
    const Path values = at.Child("values");
    if (expression.values.empty()) errors->Add(field::Required(values, ""));
    std::set<std::string_view> seen;
    for (size_t v = 0; v < expression.values.size(); ++v) {
      if (!seen.insert(expression.values[v]).second) {
        errors->Add(field::Duplicate(values.Index(v), expression.values[v]));
      }
    }
    errors->Append(ValidateLabelName(expression.key, at.Child("key")));
    if (found.contains(expression.key)) {
      errors->Add(field::Duplicate(at.Child("key"), expression.key));
    }
    found[expression.key] = std::move(seen);
  }
  return found;
}

void CheckTopologies(const StorageClass& storage_class, ErrorList* errors) {
  const Path path("allowedTopologies");
  // Upstream begins with an empty term for each one there is.
  std::map<Term, size_t> seen = {{Term(), storage_class.allowedTopologies.size()}};
  for (size_t i = 0; i < storage_class.allowedTopologies.size(); ++i) {
    const Path at = path.Index(i);
    const Path expressions = at.Child("matchLabelExpressions");
    size_t& same = seen[CheckTopologyTerm(storage_class.allowedTopologies[i], expressions, errors)];
    // Every pair is told.
    for (size_t n = 0; n < same && !errors->full(); ++n) {
      errors->Add(field::Duplicate(expressions, ""));
    }
    ++same;
  }
}

ErrorList ValidateCapacity(const CSIStorageCapacity& capacity, bool allow_invalid_label_values) {
  ErrorList errors = ValidateObjectMeta(capacity.metadata, Scope::kNamespaced, NameIsDNSSubdomain,
                                        Path("metadata"));
  if (capacity.nodeTopology) {
    errors.Append(
        ValidateLabelSelector(*capacity.nodeTopology, Path("nodeTopology"),
                              {.allow_invalid_label_values = allow_invalid_label_values}));
  }
  errors.Append(ValidateDNS1123Subdomain(capacity.storageClassName, Path("storageClassName")));
  if (capacity.capacity) {
    errors.Append(ValidateNonnegativeQuantity(*capacity.capacity, Path("capacity")));
  }
  return errors;
}

}  // namespace

ErrorList ValidateStorageClass(const StorageClass& storage_class) {
  ErrorList errors = ValidateObjectMeta(storage_class.metadata, Scope::kCluster, NameIsDNSSubdomain,
                                        Path("metadata"));
  CheckProvisioner(storage_class.provisioner, Path("provisioner"), &errors);
  CheckParameters(storage_class.parameters, Path("parameters"), &errors);
  const auto& policy = storage_class.reclaimPolicy;
  if (policy && !policy->empty() && !IsOneOf(*policy, {"Delete", "Retain"})) {
    errors.Add(
        field::NotSupported(Path("reclaimPolicy"), NamedString(policy), {"Delete", "Retain"}));
  }
  const auto& mode = storage_class.volumeBindingMode;
  const Path mode_path("volumeBindingMode");
  if (!mode) {
    errors.Add(field::Required(mode_path, ""));
  } else if (!IsOneOf(*mode, {"Immediate", "WaitForFirstConsumer"})) {
    errors.Add(
        field::NotSupported(mode_path, NamedString(mode), {"Immediate", "WaitForFirstConsumer"}));
  }
  CheckTopologies(storage_class, &errors);
  return errors;
}

ErrorList ValidateStorageClassUpdate(const StorageClass& storage_class,
                                     const StorageClass& old_storage_class) {
  ErrorList errors = ValidateStorageClass(storage_class);
  errors.Append(ValidateObjectMetaUpdate(storage_class.metadata, old_storage_class.metadata,
                                         Path("metadata")));
  CheckFixed(storage_class.parameters == old_storage_class.parameters, "parameters", &errors);
  CheckFixed(storage_class.provisioner == old_storage_class.provisioner, "provisioner", &errors);
  CheckFixed(storage_class.reclaimPolicy == old_storage_class.reclaimPolicy, "reclaimPolicy",
             &errors);
  CheckImmutable(storage_class.volumeBindingMode == old_storage_class.volumeBindingMode,
                 NamedString(storage_class.volumeBindingMode), Path("volumeBindingMode"), &errors);
  return errors;
}

ErrorList ValidateVolumeAttributesClass(const VolumeAttributesClass& attributes_class) {
  ErrorList errors = ValidateObjectMeta(attributes_class.metadata, Scope::kCluster,
                                        NameIsDNSSubdomain, Path("metadata"));
  CheckProvisioner(attributes_class.driverName, Path("driverName"), &errors);
  CheckParameters(attributes_class.parameters, Path("parameters"), &errors);
  if (attributes_class.parameters.empty()) {
    errors.Add(field::Required(Path("parameters"), "must contain at least one key/value pair"));
  }
  return errors;
}

ErrorList ValidateVolumeAttributesClassUpdate(const VolumeAttributesClass& attributes_class,
                                              const VolumeAttributesClass& old_attributes_class) {
  // Upstream checks the class itself twice.
  const ErrorList own = ValidateVolumeAttributesClass(attributes_class);
  ErrorList errors = own;
  errors.Append(ValidateObjectMetaUpdate(attributes_class.metadata, old_attributes_class.metadata,
                                         Path("metadata")));
  CheckFixed(attributes_class.driverName == old_attributes_class.driverName, "driverName", &errors);
  CheckFixed(attributes_class.parameters == old_attributes_class.parameters, "parameters", &errors);
  errors.Append(own);
  return errors;
}

ErrorList ValidateCSIStorageCapacity(const CSIStorageCapacity& capacity) {
  return ValidateCapacity(capacity, false);
}

ErrorList ValidateCSIStorageCapacityUpdate(const CSIStorageCapacity& capacity,
                                           const CSIStorageCapacity& old_capacity) {
  const auto& topology = capacity.nodeTopology;
  ErrorList errors = ValidateCapacity(
      capacity, old_capacity.nodeTopology && HasInvalidLabelValue(*old_capacity.nodeTopology));
  errors.Append(
      ValidateObjectMetaUpdate(capacity.metadata, old_capacity.metadata, Path("metadata")));
  CheckImmutable(topology == old_capacity.nodeTopology, topology, Path("nodeTopology"), &errors);
  CheckImmutable(capacity.storageClassName == old_capacity.storageClassName,
                 capacity.storageClassName, Path("storageClassName"), &errors);
  return errors;
}

}  // namespace podium::api
