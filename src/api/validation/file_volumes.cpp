#include <string_view>

#include "api/validation/common.h"
#include "api/validation/downward_api.h"
#include "api/validation/volume_paths.h"
#include "api/validation/volume_sources.h"

namespace podium::api {
namespace {

constexpr std::initializer_list<std::string_view> kHostPathTypes = {
    "",     "BlockDevice",  "CharDevice", "Directory", "DirectoryOrCreate",
    "File", "FileOrCreate", "Socket"};

void CheckItems(const reflect::List<core::v1::KeyToPath>& items, const field::Path& path,
                field::ErrorList* errors) {
  for (size_t i = 0; i < items.size(); ++i) CheckKeyToPath(items[i], path.Index(i), errors);
}

}  // namespace

void CheckNotEmpty(std::string_view value, const field::Path& path, std::string_view name,
                   field::ErrorList* errors) {
  if (value.empty()) errors->Add(field::Required(path.Child(name), ""));
}

void CheckFileMode(const std::optional<int32_t>& mode, const field::Path& path,
                   field::ErrorList* errors) {
  if (mode && (*mode < 0 || *mode > 0777)) {
    errors->Add(
        field::Invalid(path, *mode, "must be a number between 0 and 0777 (octal), both inclusive"));
  }
}

void CheckKeyToPath(const core::v1::KeyToPath& item, const field::Path& path,
                    field::ErrorList* errors) {
  CheckNotEmpty(item.key, path, "key", errors);
  CheckNotEmpty(item.path, path, "path", errors);
  errors->Append(ValidateLocalNonReservedPath(item.path, path.Child("path")));
  CheckFileMode(item.mode, path.Child("mode"), errors);
}

void CheckHostPath(const core::v1::HostPathVolumeSource& source, const field::Path& path,
                   field::ErrorList* errors) {
  if (source.path.empty()) {
    errors->Add(field::Required(path.Child("path"), ""));
    return;
  }
  errors->Append(ValidatePathNoBacksteps(source.path, path.Child("path")));
  if (source.type && !IsOneOf(*source.type, kHostPathTypes)) {
    errors->Add(field::NotSupported(path.Child("type"), NamedString(source.type), kHostPathTypes));
  }
}

void CheckGitRepo(const core::v1::GitRepoVolumeSource& source, const field::Path& path,
                  field::ErrorList* errors) {
  CheckNotEmpty(source.repository, path, "repository", errors);
  errors->Append(ValidateLocalDescendingPath(source.directory, path.Child("directory")));
}

void CheckSecretVolume(const core::v1::SecretVolumeSource& source, const field::Path& path,
                       field::ErrorList* errors) {
  CheckNotEmpty(source.secretName, path, "secretName", errors);
  CheckFileMode(source.defaultMode, path.Child("defaultMode"), errors);
  CheckItems(source.items, path.Child("items"), errors);
}

void CheckConfigMapVolume(const core::v1::ConfigMapVolumeSource& source, const field::Path& path,
                          field::ErrorList* errors) {
  CheckNotEmpty(source.name, path, "name", errors);
  CheckFileMode(source.defaultMode, path.Child("defaultMode"), errors);
  CheckItems(source.items, path.Child("items"), errors);
}

void CheckDownwardApiFile(const core::v1::DownwardAPIVolumeFile& file, const field::Path& path,
                          field::ErrorList* errors) {
  CheckNotEmpty(file.path, path, "path", errors);
  errors->Append(ValidateLocalNonReservedPath(file.path, path.Child("path")));
  if (file.fieldRef) {
    errors->Append(
        ValidateObjectFieldSelector(*file.fieldRef,
                                    {"metadata.annotations", "metadata.labels", "metadata.name",
                                     "metadata.namespace", "metadata.uid"},
                                    path.Child("fieldRef")));
    if (file.resourceFieldRef) {
      errors->Add(field::Invalid(
          path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"));
    }
  } else if (file.resourceFieldRef) {
    errors->Append(ValidateResourceFieldSelector(
        *file.resourceFieldRef, path.Child("resourceFieldRef"), ResourceFieldUse::kVolume));
  } else {
    errors->Add(field::Required(path, "one of fieldRef and resourceFieldRef is required"));
  }
  CheckFileMode(file.mode, path.Child("mode"), errors);
}

void CheckDownwardApiVolume(const core::v1::DownwardAPIVolumeSource& source,
                            const field::Path& path, field::ErrorList* errors) {
  CheckFileMode(source.defaultMode, path.Child("defaultMode"), errors);
  // As upstream, errors name the volume and not the item.
  for (const auto& file : source.items) CheckDownwardApiFile(file, path, errors);
}

}  // namespace podium::api
