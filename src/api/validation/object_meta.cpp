#include "api/validation/object_meta.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/labels.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "base/text.h"
#include "reflect/go_text.h"
#include "reflect/utf8.h"

namespace podium::api {

using field::ErrorList;
using field::Path;
using meta::v1::ObjectMeta;
using meta::v1::OwnerReference;
using reflect::List;

namespace {

constexpr size_t kAnnotationsBytes = size_t{256} * 1024;
constexpr size_t kFieldManagerBytes = 128;
constexpr size_t kSubresourceBytes = 256;
constexpr std::string_view kOrphan = "orphan";
constexpr std::string_view kForeground = "foregroundDeletion";

// The parts of "group/version"; a text with two slashes has none.
struct GroupVersion {
  std::string_view group;
  std::string_view version;
};

GroupVersion SplitApiVersion(std::string_view text) {
  size_t slash = text.find('/');
  if (slash == text.npos) return {"", text};
  if (text.find('/', slash + 1) != text.npos) return {};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

ErrorList ValidateOwnerReference(const OwnerReference& owner, const Path& path) {
  ErrorList errors;
  GroupVersion group_version = SplitApiVersion(owner.apiVersion);
  if (group_version.version.empty()) {
    errors.Add(
        field::Invalid(path.Child("apiVersion"), owner.apiVersion, "version must not be empty"));
  }
  if (owner.kind.empty()) {
    errors.Add(field::Invalid(path.Child("kind"), owner.kind, "must not be empty"));
  }
  if (owner.name.empty()) {
    errors.Add(field::Invalid(path.Child("name"), owner.name, "must not be empty"));
  }
  if (owner.uid.empty()) {
    errors.Add(field::Invalid(path.Child("uid"), NamedString(owner.uid), "must not be empty"));
  }
  if (group_version.group.empty() && group_version.version == "v1" && owner.kind == "Event") {
    errors.Add(field::Invalid(path, field::BadValue::Of(owner),
                              "/v1, Kind=Event is disallowed from being an owner"));
  }
  return errors;
}

field::BadValue AllOwners(const List<OwnerReference>& owners) {
  std::string json = "[";
  for (const OwnerReference& owner : owners) {
    if (json.size() > 1) json += ',';
    json += field::BadValue::Of(owner).text();
  }
  return field::BadValue::Json(json + "]");
}

// Upstream's paths name the list, not the reference at fault.
ErrorList ValidateOwnerReferences(const List<OwnerReference>& owners, const Path& path) {
  ErrorList errors;
  std::string first_controller;
  for (const OwnerReference& owner : owners) {
    errors.Append(ValidateOwnerReference(owner, path));
    if (!owner.controller.value_or(false)) continue;
    std::string controller = owner.kind + "/" + owner.name;
    if (first_controller.empty()) {
      first_controller = std::move(controller);
      continue;
    }
    errors.Add(field::Invalid(
        path, AllOwners(owners),
        fmt::format("Only one reference can have Controller set to true. Found \"true\" in "
                    "references for {} and {}",
                    first_controller, controller)));
  }
  return errors;
}

bool Contains(const List<std::string>& list, std::string_view value) {
  return std::ranges::find(list, value) != list.end();
}

ErrorList ValidateFinalizers(const List<std::string>& finalizers, const Path& path) {
  ErrorList errors;
  for (const std::string& finalizer : finalizers) {
    errors.AddInvalid(path, finalizer, IsQualifiedName(finalizer));
  }
  if (Contains(finalizers, kOrphan) && Contains(finalizers, kForeground)) {
    errors.Add(field::Invalid(
        path, finalizers,
        fmt::format("finalizer {} and {} cannot be both set", kOrphan, kForeground)));
  }
  return errors;
}

// Finalizers without a domain are upstream's own three.
void CheckKubeFinalizer(const std::string& finalizer, const Path& path, ErrorList* errors) {
  if (finalizer.find('/') != finalizer.npos) return;
  if (IsOneOf(finalizer, {"kubernetes", kOrphan, kForeground})) return;
  errors->Add(field::Invalid(
      path, finalizer, "name is neither a standard finalizer name nor is it fully qualified"));
}

ErrorList ValidateKubeFinalizers(const List<std::string>& finalizers, const Path& path) {
  ErrorList errors;
  for (size_t i = 0; i < finalizers.size(); ++i) {
    CheckKubeFinalizer(finalizers[i], path.Index(i), &errors);
  }
  return errors;
}

ErrorList ValidateNoNewFinalizers(const List<std::string>& new_finalizers,
                                  const List<std::string>& old_finalizers, const Path& path) {
  ErrorList errors;
  std::set<std::string> extra(new_finalizers.begin(), new_finalizers.end());
  for (const std::string& finalizer : old_finalizers) extra.erase(finalizer);
  if (extra.empty()) return errors;
  errors.Add(field::Forbidden(path,
                              "no new finalizers can be added if the object is being deleted, "
                              "found new finalizers []string{" +
                                  Join(extra, ", ", reflect::GoQuoted) + "}"));
  return errors;
}

// The code point of one well-formed sequence of UTF-8.
uint32_t CodePoint(std::string_view sequence) {
  auto lead = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return lead;
  uint32_t code = lead & (0x7fu >> sequence.size());
  for (char c : sequence.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3fu);
  return code;
}

// What Go prints as it is; bad bytes stand for U+FFFD, which it prints.
bool IsPrintable(std::string_view sequence) {
  return sequence == "\"" || sequence == "\\" ||
         reflect::GoQuoted(sequence) == "\"" + std::string(sequence) + "\"";
}

ErrorList ValidateFieldManager(const std::string& manager, const Path& path) {
  ErrorList errors;
  if (manager.size() > kFieldManagerBytes) errors.Add(field::TooLong(path, kFieldManagerBytes));
  std::string_view rest = manager;
  while (!rest.empty()) {
    size_t length = reflect::Utf8Length(rest);
    std::string_view sequence = rest.substr(0, length);
    if (length != 0 && !IsPrintable(sequence)) {
      errors.Add(field::Invalid(path, manager,
                                fmt::format("invalid character U+{:04X} (at position {})",
                                            CodePoint(sequence), manager.size() - rest.size())));
    }
    rest.remove_prefix(std::max<size_t>(length, 1));
  }
  return errors;
}

ErrorList ValidateManagedFields(const List<meta::v1::ManagedFieldsEntry>& entries,
                                const Path& path) {
  ErrorList errors;
  for (size_t i = 0; i < entries.size(); ++i) {
    const meta::v1::ManagedFieldsEntry& entry = entries[i];
    Path at = path.Index(i);
    if (!IsOneOf(entry.operation, {"Apply", "Update"})) {
      errors.Add(field::Invalid(at.Child("operation"), NamedString(entry.operation),
                                "must be `Apply` or `Update`"));
    }
    if (!entry.fieldsType.empty() && entry.fieldsType != "FieldsV1") {
      errors.Add(field::Invalid(at.Child("fieldsType"), entry.fieldsType, "must be `FieldsV1`"));
    }
    errors.Append(ValidateFieldManager(entry.manager, at.Child("manager")));
    if (entry.subresource.size() > kSubresourceBytes) {
      errors.Add(field::TooLong(at.Child("subresource"), kSubresourceBytes));
    }
  }
  return errors;
}

template <class T>
void CheckImmutable(const T& new_value, const T& old_value, const field::BadValue& shown,
                    const Path& path, ErrorList* errors) {
  if (!(new_value == old_value)) errors->Add(field::Invalid(path, shown, kFieldImmutable));
}

field::BadValue Shown(const std::optional<Time>& time) {
  return time ? field::BadValue::Of(*time) : field::BadValue(nullptr);
}

ErrorList ValidateMutableMeta(const ObjectMeta& meta, const Path& path) {
  ErrorList errors;
  errors.Append(ValidateLabels(meta.labels, path.Child("labels")));
  errors.Append(ValidateAnnotations(meta.annotations, path.Child("annotations")));
  errors.Append(ValidateOwnerReferences(meta.ownerReferences, path.Child("ownerReferences")));
  return errors;
}

}  // namespace

ErrorList ValidateAnnotations(const reflect::Map<std::string>& annotations, const Path& path) {
  ErrorList errors;
  for (const auto& [key, value] : annotations) {
    errors.AddInvalid(path, key, IsQualifiedName(LowerToAscii(key)));
  }
  errors.Append(ValidateAnnotationsSize(annotations, path));
  return errors;
}

ErrorList ValidateAnnotationsSize(const reflect::Map<std::string>& annotations, const Path& path) {
  ErrorList errors;
  size_t bytes = 0;
  for (const auto& [key, value] : annotations) bytes += key.size() + value.size();
  if (bytes > kAnnotationsBytes) errors.Add(field::TooLong(path, kAnnotationsBytes));
  return errors;
}

ErrorList ValidateFinalizerName(const std::string& name, const Path& path) {
  ErrorList errors;
  errors.AddInvalid(path, name, IsQualifiedName(name));
  CheckKubeFinalizer(name, path, &errors);
  return errors;
}

ErrorList ValidateGenericObjectMeta(const ObjectMeta& meta, Scope scope, NameRule name_rule,
                                    const Path& path) {
  ErrorList errors;
  if (!meta.generateName.empty()) {
    errors.AddInvalid(path.Child("generateName"), meta.generateName,
                      name_rule(meta.generateName, true));
  }
  if (meta.name.empty()) {
    errors.Add(field::Required(path.Child("name"), "name or generateName is required"));
  } else {
    errors.AddInvalid(path.Child("name"), meta.name, name_rule(meta.name, false));
  }

  Path namespace_path = path.Child("namespace");
  if (scope == Scope::kCluster) {
    if (!meta.namespace_.empty()) {
      errors.Add(field::Forbidden(namespace_path, "not allowed on this type"));
    }
  } else if (meta.namespace_.empty()) {
    errors.Add(field::Required(namespace_path, ""));
  } else {
    errors.AddInvalid(namespace_path, meta.namespace_, NameIsDNSLabel(meta.namespace_, false));
  }

  errors.Append(ValidateNonnegativeField(meta.generation, path.Child("generation")));
  errors.Append(ValidateMutableMeta(meta, path));
  errors.Append(ValidateFinalizers(meta.finalizers, path.Child("finalizers")));
  errors.Append(ValidateManagedFields(meta.managedFields, path.Child("managedFields")));
  return errors;
}

ErrorList ValidateObjectMeta(const ObjectMeta& meta, Scope scope, NameRule name_rule,
                             const Path& path) {
  ErrorList errors = ValidateGenericObjectMeta(meta, scope, name_rule, path);
  errors.Append(ValidateKubeFinalizers(meta.finalizers, path.Child("finalizers")));
  return errors;
}

ErrorList ValidateObjectMetaUpdate(const ObjectMeta& new_meta, const ObjectMeta& old_meta,
                                   const Path& path) {
  ErrorList errors = ValidateGenericObjectMetaUpdate(new_meta, old_meta, path);
  errors.Append(ValidateKubeFinalizers(new_meta.finalizers, path.Child("finalizers")));
  return errors;
}

ErrorList ValidateGenericObjectMetaUpdate(const ObjectMeta& new_meta, const ObjectMeta& old_meta,
                                          const Path& path) {
  ErrorList errors;
  Path finalizers = path.Child("finalizers");
  if (old_meta.deletionTimestamp) {
    errors.Append(ValidateNoNewFinalizers(new_meta.finalizers, old_meta.finalizers, finalizers));
  }
  if (new_meta.resourceVersion.empty()) {
    errors.Add(field::Invalid(path.Child("resourceVersion"), new_meta.resourceVersion,
                              "must be specified for an update"));
  }
  if (new_meta.generation < old_meta.generation) {
    errors.Add(
        field::Invalid(path.Child("generation"), new_meta.generation, "must not be decremented"));
  }
  CheckImmutable(new_meta.name, old_meta.name, new_meta.name, path.Child("name"), &errors);
  CheckImmutable(new_meta.namespace_, old_meta.namespace_, new_meta.namespace_,
                 path.Child("namespace"), &errors);
  CheckImmutable(new_meta.uid, old_meta.uid, NamedString(new_meta.uid), path.Child("uid"), &errors);
  CheckImmutable(new_meta.creationTimestamp, old_meta.creationTimestamp,
                 field::BadValue::Of(new_meta.creationTimestamp), path.Child("creationTimestamp"),
                 &errors);
  CheckImmutable(new_meta.deletionTimestamp, old_meta.deletionTimestamp,
                 Shown(new_meta.deletionTimestamp), path.Child("deletionTimestamp"), &errors);
  CheckImmutable(new_meta.deletionGracePeriodSeconds, old_meta.deletionGracePeriodSeconds,
                 new_meta.deletionGracePeriodSeconds, path.Child("deletionGracePeriodSeconds"),
                 &errors);
  errors.Append(ValidateMutableMeta(new_meta, path));
  errors.Append(ValidateManagedFields(new_meta.managedFields, path.Child("managedFields")));
  return errors;
}

}  // namespace podium::api
