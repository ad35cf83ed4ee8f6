#include "api/validation/persistent_volume.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "api/names.h"
#include "api/validation/claims.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/scheduling.h"
#include "api/validation/unversioned_json.h"
#include "api/validation/workloads.h"
#include "base/text.h"
#include "reflect/json.h"

namespace podium::api {

using core::v1::NodeSelectorRequirement;
using core::v1::NodeSelectorTerm;
using core::v1::PersistentVolume;
using core::v1::PersistentVolumeSpec;
using core::v1::VolumeNodeAffinity;
using field::ErrorList;
using field::Path;

namespace {

constexpr std::string_view kInline = "in the context of inline volumes";

// Where a rule is for volumes with an object of their own, and another for those without.
struct Context {
  bool is_inline;
  bool allow_invalid_label_values;  // in the node affinity
};

std::string NotInline() { return "may not be specified " + std::string(kInline); }

field::BadValue CapacityValue(const reflect::Map<Quantity>& capacity) {
  if (capacity.empty()) return field::BadValue(nullptr);
  std::string json = "{";
  for (const auto& [name, value] : capacity) {
    if (json.size() > 1) json += ',';
    json += NamedString(name).text() + ":" + field::BadValue(value).text();
  }
  return field::BadValue::Json(json + "}");
}

void CheckCapacity(const reflect::Map<Quantity>& capacity, const Path& path, ErrorList* errors) {
  if (capacity.empty()) errors->Add(field::Required(path, ""));
  if (!capacity.contains("storage") || capacity.size() > 1) {
    errors->Add(field::NotSupported(path, CapacityValue(capacity), {"storage"}));
  }
  for (const auto& [name, value] : capacity) {
    const Path at = path.Key(name);
    if (value.Value() < 0) {
      errors->Add(field::Invalid(at, value.Value(), "must be a valid resource quantity"));
    }
    if (value.Sign() <= 0) {
      errors->Add(field::Invalid(at, value.String(), "must be greater than zero"));
    }
  }
}

void CheckInlineOnly(const PersistentVolumeSpec& spec, const Path& path, ErrorList* errors) {
  if (spec.claimRef) errors->Add(field::Forbidden(path.Child("claimRef"), NotInline()));
  if (!spec.capacity.empty()) errors->Add(field::Forbidden(path.Child("capacity"), NotInline()));
  if (!spec.csi) {
    errors->Add(field::Required(path.Child("csi"), "has to be specified " + std::string(kInline)));
  }
}

void CheckReclaimPolicy(const PersistentVolumeSpec& spec, const Context& context, const Path& path,
                        ErrorList* errors) {
  const std::string& policy = spec.persistentVolumeReclaimPolicy;
  if (policy.empty()) return;
  if (context.is_inline) {
    if (policy != "Retain") {
      errors->Add(field::Forbidden(path, "may only be Retain " + std::string(kInline)));
    }
  } else if (!IsOneOf(policy, {"Delete", "Recycle", "Retain"})) {
    errors->Add(field::NotSupported(path, NamedString(policy), {"Delete", "Recycle", "Retain"}));
  }
}

void CheckNodeAffinity(const PersistentVolumeSpec& spec, const Context& context, const Path& path,
                       ErrorList* errors) {
  if (!spec.nodeAffinity) return;
  if (context.is_inline) {
    errors->Add(field::Forbidden(path, NotInline()));
  } else if (spec.nodeAffinity->required) {
    errors->Append(ValidateNodeSelector(
        *spec.nodeAffinity->required, context.allow_invalid_label_values, path.Child("required")));
  } else {
    errors->Add(field::Required(path.Child("required"), "must specify required node constraints"));
  }
}

void CheckClassAndMode(const PersistentVolumeSpec& spec, const Context& context, const Path& path,
                       ErrorList* errors) {
  const Path class_path = path.Child("storageClassName");
  if (!spec.storageClassName.empty()) {
    if (context.is_inline) {
      errors->Add(field::Forbidden(class_path, NotInline()));
    } else {
      errors->Append(ValidateDNS1123Subdomain(spec.storageClassName, class_path));
    }
  }
  const Path mode = path.Child("volumeMode");
  if (spec.volumeMode) {
    if (!context.is_inline) {
      if (!IsOneOf(*spec.volumeMode, {"Block", "Filesystem"})) {
        errors->Add(
            field::NotSupported(mode, NamedString(spec.volumeMode), {"Block", "Filesystem"}));
      }
    } else if (*spec.volumeMode != "Filesystem") {
      errors->Add(field::Forbidden(
          mode, "may not specify volumeMode other than Filesystem " + std::string(kInline)));
    }
  }
  if (!spec.volumeAttributesClassName || context.is_inline) return;
  const Path attributes = path.Child("volumeAttributesClassName");
  if (spec.volumeAttributesClassName->empty()) {
    errors->Add(field::Required(attributes, "an empty string is disallowed"));
  } else {
    errors->Append(ValidateDNS1123Subdomain(*spec.volumeAttributesClassName, attributes));
  }
  if (!spec.csi) {
    errors->Add(field::Required(path.Child("csi"),
                                "has to be specified when using volumeAttributesClassName"));
  }
}

// As Go's path.Clean makes "/" of it.
bool IsRootPath(std::string_view path) {
  if (!path.starts_with('/')) return false;
  int depth = 0;
  for (const std::string_view part : Split(path, '/')) {
    if (part == "..") {
      depth = std::max(depth - 1, 0);
    } else if (!part.empty() && part != ".") {
      ++depth;
    }
  }
  return depth == 0;
}

void CheckSpec(const PersistentVolumeSpec& spec, const std::string& name, const Context& context,
               const Path& path, ErrorList* errors) {
  if (context.is_inline) CheckInlineOnly(spec, path, errors);
  const Path modes = path.Child("accessModes");
  if (spec.accessModes.empty()) errors->Add(field::Required(modes, ""));
  CheckAccessModes(spec.accessModes, modes, errors);
  if (!context.is_inline) CheckCapacity(spec.capacity, path.Child("capacity"), errors);
  const Path policy = path.Child("persistentVolumeReclaimPolicy");
  CheckReclaimPolicy(spec, context, policy, errors);
  CheckNodeAffinity(spec, context, path.Child("nodeAffinity"), errors);
  CheckPersistentVolumeSource(spec, name, path, errors);
  if (spec.hostPath && IsRootPath(spec.hostPath->path) &&
      spec.persistentVolumeReclaimPolicy == "Recycle") {
    errors->Add(field::Forbidden(policy, "may not be 'recycle' for a hostPath mount of '/'"));
  }
  CheckClassAndMode(spec, context, path, errors);
}

ErrorList Validate(const PersistentVolume& volume, const Context& context) {
  ErrorList errors =
      ValidateObjectMeta(volume.metadata, Scope::kCluster, NameIsDNSSubdomain, Path("metadata"));
  CheckSpec(volume.spec, volume.metadata.name, context, Path("spec"), &errors);
  return errors;
}

// Once options for mounting stood in an annotation. It is refused where volumes of that kind never
// took any.
void CheckMountOptions(const PersistentVolume& volume, ErrorList* errors) {
  constexpr std::string_view kMountOptions = "volume.beta.kubernetes.io/mount-options";
  const PersistentVolumeSpec& spec = volume.spec;
  const bool takes_options = spec.gcePersistentDisk || spec.awsElasticBlockStore ||
                             spec.glusterfs || spec.nfs || spec.rbd || spec.quobyte || spec.iscsi ||
                             spec.cinder || spec.cephfs || spec.azureFile || spec.vsphereVolume ||
                             spec.azureDisk || spec.photonPersistentDisk;
  if (takes_options || !volume.metadata.annotations.contains(kMountOptions)) return;
  const Path metadata("metadata");
  const Path annotations = metadata.Child("annotations");
  errors->Add(field::Forbidden(annotations.Child(kMountOptions),
                               "may not specify mount options for this volume type"));
}

// Which volume it is: the sources alone.
core::v1::PersistentVolumeSource SourceOf(const PersistentVolumeSpec& spec) {
  core::v1::PersistentVolumeSource source;
  const Result<std::string> json = reflect::ToJson(spec);
  if (json.ok()) {
    // What is no source is unknown there, and left out.
    (void)reflect::DecodeJson(*json, reflect::TypeOf<core::v1::PersistentVolumeSource>(), &source,
                              {.strict = false});
  }
  return source;
}

// A label that was renamed when it was no longer beta may be renamed in a volume.
bool SameButForRenamedLabel(const NodeSelectorRequirement& now,
                            const NodeSelectorRequirement& old) {
  static constexpr std::pair<std::string_view, std::string_view> kRenamed[] = {
      {"beta.kubernetes.io/arch", "kubernetes.io/arch"},
      {"beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"},
      {"beta.kubernetes.io/os", "kubernetes.io/os"},
      {"failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"},
      {"failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"},
  };
  NodeSelectorRequirement renamed = reflect::Copy(old);
  for (const auto& [beta, stable] : kRenamed) {
    if (old.key == beta && now.key == stable) renamed.key = now.key;
  }
  return reflect::Equal(now, renamed);
}

bool SameButForRenamedLabels(const VolumeNodeAffinity* now, const VolumeNodeAffinity& old) {
  if (!now || !now->required || !old.required) {
    return now && now->required == old.required;
  }
  return std::ranges::equal(
      now->required->nodeSelectorTerms, old.required->nodeSelectorTerms,
      [](const NodeSelectorTerm& a, const NodeSelectorTerm& b) {
        return std::ranges::equal(a.matchExpressions, b.matchExpressions, SameButForRenamedLabel) &&
               std::ranges::equal(a.matchFields, b.matchFields, SameButForRenamedLabel);
      });
}

}  // namespace

ErrorList ValidatePersistentVolume(const PersistentVolume& volume) {
  ErrorList errors = Validate(volume, {.is_inline = false, .allow_invalid_label_values = false});
  CheckMountOptions(volume, &errors);
  return errors;
}

ErrorList ValidatePersistentVolumeUpdate(const PersistentVolume& volume,
                                         const PersistentVolume& old_volume) {
  const auto& old_affinity = old_volume.spec.nodeAffinity;
  const Context context = {
      .is_inline = false,
      .allow_invalid_label_values =
          old_affinity && old_affinity->required && HasInvalidLabelValue(*old_affinity->required)};
  // Upstream checks the volume itself twice.
  const ErrorList own = Validate(volume, context);
  ErrorList errors = own;
  CheckMountOptions(volume, &errors);
  errors.Append(own);
  core::v1::PersistentVolumeSource source = SourceOf(volume.spec);
  const core::v1::PersistentVolumeSource old_source = SourceOf(old_volume.spec);
  // The secret for growing a volume may be added.
  if (source.csi && old_source.csi && !old_source.csi->controllerExpandSecretRef) {
    source.csi->controllerExpandSecretRef.reset();
  }
  if (!reflect::Equal(source, old_source)) {
    errors.Add(field::Forbidden(Path("spec").Child("persistentvolumesource"),
                                "spec.persistentvolumesource is immutable after creation\n" +
                                    UnversionedDiff(old_source, source)));
  }
  CheckImmutable(volume.spec.volumeMode == old_volume.spec.volumeMode,
                 NamedString(volume.spec.volumeMode), Path("volumeMode"), &errors);
  const auto& affinity = volume.spec.nodeAffinity;
  if (old_affinity && !SameButForRenamedLabels(affinity.get(), *old_affinity)) {
    errors.Add(field::Invalid(
        Path("nodeAffinity"), affinity ? UnversionedValue(*affinity) : field::BadValue(nullptr),
        std::string(kFieldImmutable) + ", except for updating from beta label to GA"));
  }
  if (old_volume.spec.volumeAttributesClassName && !volume.spec.volumeAttributesClassName) {
    errors.Add(field::Forbidden(Path("spec").Child("volumeAttributesClassName"),
                                "update from non-nil value to nil is forbidden"));
  }
  return errors;
}

ErrorList ValidatePersistentVolumeStatusUpdate(const PersistentVolume& volume,
                                               const PersistentVolume& old_volume) {
  ErrorList errors =
      ValidateObjectMetaUpdate(volume.metadata, old_volume.metadata, Path("metadata"));
  if (volume.metadata.resourceVersion.empty()) {
    errors.Add(field::Required(Path("resourceVersion"), ""));
  }
  return errors;
}

ErrorList ValidateInlineVolumeSpec(const PersistentVolumeSpec& spec, const Path& path) {
  ErrorList errors;
  CheckSpec(spec, "", {.is_inline = true, .allow_invalid_label_values = false}, path, &errors);
  return errors;
}

}  // namespace podium::api
