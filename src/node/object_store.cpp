#include "node/object_store.h"

#include <unistd.h>

#include <filesystem>

#include "node/files.h"
#include "reflect/json.h"

namespace podium::node {
namespace {

namespace v1 = api::core::v1;

constexpr std::string_view kConfigMaps = "configmaps";
constexpr std::string_view kSecrets = "secrets";
constexpr size_t kMaxObject = size_t{8} << 20;

template <class T>
void LoadAll(const std::string& folder,
             std::map<std::pair<std::string, std::string>, std::shared_ptr<const T>>* to) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".json") continue;
    auto text = ReadSmallFile(entry.path(), kMaxObject);
    if (!text.ok()) continue;
    auto object = reflect::FromJson<T>(*text, {.strict = false});
    if (!object.ok()) continue;
    std::pair key(object->metadata.namespace_, object->metadata.name);
    (*to)[std::move(key)] = std::make_shared<const T>(*std::move(object));
  }
}

template <class T>
std::vector<std::shared_ptr<const T>> ListAll(
    const std::map<std::pair<std::string, std::string>, std::shared_ptr<const T>>& from,
    std::string_view name_space) {
  std::vector<std::shared_ptr<const T>> out;
  for (const auto& [key, object] : from) {
    if (name_space.empty() || key.first == name_space) out.push_back(object);
  }
  return out;
}

Error NotFound(std::string_view kind, std::string_view name) {
  return Error(Code::kNotFound, std::string(kind) + " \"" + std::string(name) + "\" not found");
}

}  // namespace

std::string ObjectStore::PathOf(std::string_view folder, const Key& key) const {
  // Names of objects hold no slash, and namespaces no underscore.
  return config_.run_dir + "/objects/" + std::string(folder) + "/" + key.first + "_" + key.second +
         ".json";
}

Result<void> ObjectStore::Load() {
  const std::string root = config_.run_dir + "/objects/";
  TRY_VOID(MakeFolders(root + std::string(kConfigMaps), 0700));
  TRY_VOID(MakeFolders(root + std::string(kSecrets), 0700));
  std::lock_guard lock(mutex_);
  LoadAll(root + std::string(kConfigMaps), &config_maps_);
  LoadAll(root + std::string(kSecrets), &secrets_);
  return {};
}

Result<std::shared_ptr<const v1::ConfigMap>> ObjectStore::GetConfigMap(
    std::string_view name_space, std::string_view name) const {
  std::lock_guard lock(mutex_);
  auto found = config_maps_.find(Key(name_space, name));
  if (found == config_maps_.end()) return NotFound("configmap", name);
  return found->second;
}

Result<std::shared_ptr<const v1::Secret>> ObjectStore::GetSecret(std::string_view name_space,
                                                                 std::string_view name) const {
  std::lock_guard lock(mutex_);
  auto found = secrets_.find(Key(name_space, name));
  if (found == secrets_.end()) return NotFound("secret", name);
  return found->second;
}

Result<void> ObjectStore::Put(v1::ConfigMap object) {
  const Key key(object.metadata.namespace_, object.metadata.name);
  TRY(const std::string text, reflect::ToJson(object));
  std::lock_guard lock(mutex_);
  TRY_VOID(WriteFile(PathOf(kConfigMaps, key), text, 0600));
  config_maps_[key] = std::make_shared<const v1::ConfigMap>(std::move(object));
  return {};
}

Result<void> ObjectStore::Put(v1::Secret object) {
  const Key key(object.metadata.namespace_, object.metadata.name);
  // What is written as text is kept as bytes, as the API server does.
  for (auto& [name, value] : object.stringData) object.data[name].data = value;
  object.stringData.clear();
  TRY(const std::string text, reflect::ToJson(object));
  std::lock_guard lock(mutex_);
  TRY_VOID(WriteFile(PathOf(kSecrets, key), text, 0600));
  secrets_[key] = std::make_shared<const v1::Secret>(std::move(object));
  return {};
}

Result<void> ObjectStore::RemoveConfigMap(std::string_view name_space, std::string_view name) {
  const Key key(name_space, name);
  std::lock_guard lock(mutex_);
  if (config_maps_.erase(key) == 0) return NotFound("configmap", name);
  unlink(PathOf(kConfigMaps, key).c_str());
  return {};
}

Result<void> ObjectStore::RemoveSecret(std::string_view name_space, std::string_view name) {
  const Key key(name_space, name);
  std::lock_guard lock(mutex_);
  if (secrets_.erase(key) == 0) return NotFound("secret", name);
  unlink(PathOf(kSecrets, key).c_str());
  return {};
}

std::vector<std::shared_ptr<const v1::ConfigMap>> ObjectStore::ListConfigMaps(
    std::string_view name_space) const {
  std::lock_guard lock(mutex_);
  return ListAll(config_maps_, name_space);
}

std::vector<std::shared_ptr<const v1::Secret>> ObjectStore::ListSecrets(
    std::string_view name_space) const {
  std::lock_guard lock(mutex_);
  return ListAll(secrets_, name_space);
}

}  // namespace podium::node
