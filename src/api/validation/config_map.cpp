#include "api/validation/config_map.h"

#include "api/names.h"
#include "api/validation/object_meta.h"

namespace podium::api {
namespace {

constexpr size_t kMaxBytes = size_t{1024} * 1024;

}  // namespace

field::ErrorList ValidateConfigMap(const core::v1::ConfigMap& config_map) {
  const field::Path root;
  field::ErrorList errors = ValidateObjectMeta(config_map.metadata, Scope::kNamespaced,
                                               NameIsDNSSubdomain, root.Child("metadata"));
  size_t bytes = 0;
  const field::Path data = root.Child("data");
  for (const auto& [key, value] : config_map.data) {
    errors.AddInvalid(data.Key(key), key, IsConfigMapKey(key));
    if (config_map.binaryData.contains(key)) {
      errors.Add(field::Invalid(data.Key(key), key, "duplicate of key present in binaryData"));
    }
    bytes += value.size();
  }
  const field::Path binary_data = root.Child("binaryData");
  for (const auto& [key, value] : config_map.binaryData) {
    errors.AddInvalid(binary_data.Key(key), key, IsConfigMapKey(key));
    bytes += value.data.size();
  }
  // The field is the object as a whole, which upstream prints as [].
  if (bytes > kMaxBytes) errors.Add(field::TooLong(root.Key(""), kMaxBytes));
  return errors;
}

field::ErrorList ValidateConfigMapUpdate(const core::v1::ConfigMap& config_map,
                                         const core::v1::ConfigMap& old_map) {
  const field::Path root;
  field::ErrorList errors =
      ValidateObjectMetaUpdate(config_map.metadata, old_map.metadata, root.Child("metadata"));
  if (old_map.immutable.value_or(false)) {
    const auto forbid = [&](bool changed, std::string_view name) {
      if (!changed) return;
      errors.Add(field::Forbidden(root.Child(name), "field is immutable when `immutable` is set"));
    };
    forbid(!config_map.immutable.value_or(false), "immutable");
    forbid(config_map.data != old_map.data, "data");
    forbid(config_map.binaryData != old_map.binaryData, "binaryData");
  }
  errors.Append(ValidateConfigMap(config_map));
  return errors;
}

}  // namespace podium::api
