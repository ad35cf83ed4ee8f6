#include "node/object_store.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <type_traits>

#include "node/files.h"
#include "reflect/json.h"

namespace podium::node {
namespace {

namespace v1 = api::core::v1;

constexpr size_t kMaxObject = size_t{8} << 20;

template <class T>
constexpr std::string_view kKind = std::is_same_v<T, v1::ConfigMap> ? "configmap" : "secret";

std::string FolderOf(const NodeConfig& config, std::string_view kind) {
  return config.run_dir + "/objects/" + std::string(kind) + 's';
}

uint64_t VersionOf(const api::meta::v1::ObjectMeta& metadata) {
  const std::string& text = metadata.resourceVersion;
  uint64_t version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

Error NotFound(std::string_view kind, std::string_view name) {
  return Error(Code::kNotFound, std::string(kind) + " \"" + std::string(name) + "\" not found");
}

}  // namespace

template <class T, class Self>
auto& ObjectStore::TableOf(Self& self) {
  if constexpr (std::is_same_v<T, v1::ConfigMap>) {
    return self.config_maps_;
  } else {
    return self.secrets_;
  }
}

template <class T>
std::string ObjectStore::PathOf(const Key& key) const {
  // Names of objects hold no slash, and namespaces no underscore.
  return FolderOf(config_, kKind<T>) + "/" + key.first + "_" + key.second + ".json";
}

template <class T>
void ObjectStore::LoadAll() {
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(FolderOf(config_, kKind<T>), error)) {
    if (entry.path().extension() != ".json") continue;
    auto text = ReadSmallFile(entry.path(), kMaxObject);
    if (!text.ok()) continue;
    auto object = reflect::FromJson<T>(*text, {.strict = false});
    if (!object.ok()) continue;
    version_ = std::max(version_, VersionOf(object->metadata));
    Key key(object->metadata.namespace_, object->metadata.name);
    TableOf<T>(*this)[std::move(key)] = std::make_shared<const T>(*std::move(object));
  }
}

Result<void> ObjectStore::Load() {
  TRY_VOID(MakeFolders(FolderOf(config_, kKind<v1::ConfigMap>), 0700));
  TRY_VOID(MakeFolders(FolderOf(config_, kKind<v1::Secret>), 0700));
  std::lock_guard lock(mutex_);
  LoadAll<v1::ConfigMap>();
  LoadAll<v1::Secret>();
  return {};
}

template <class T>
Result<std::shared_ptr<const T>> ObjectStore::Get(std::string_view name_space,
                                                  std::string_view name) const {
  std::lock_guard lock(mutex_);
  const auto& table = TableOf<T>(*this);
  const auto found = table.find(Key(name_space, name));
  if (found == table.end()) return NotFound(kKind<T>, name);
  return found->second;
}

template <class T>
Result<std::shared_ptr<const T>> ObjectStore::Store(T object) {
  const Key key(object.metadata.namespace_, object.metadata.name);
  object.metadata.resourceVersion = std::to_string(version_ + 1);
  TRY(const std::string text, reflect::ToJson(object));
  TRY_VOID(WriteFile(PathOf<T>(key), text, 0600));
  ++version_;
  auto stored = std::make_shared<const T>(std::move(object));
  TableOf<T>(*this)[key] = stored;
  return stored;
}

template <class T>
Result<std::shared_ptr<const T>> ObjectStore::Create(T object) {
  std::lock_guard lock(mutex_);
  const Key key(object.metadata.namespace_, object.metadata.name);
  if (TableOf<T>(*this).contains(key)) {
    return Error(Code::kAlreadyExists,
                 std::string(kKind<T>) + " \"" + key.second + "\" already exists");
  }
  return Store(std::move(object));
}

template <class T>
Result<std::shared_ptr<const T>> ObjectStore::Update(const T& before, T object) {
  std::lock_guard lock(mutex_);
  const auto& table = TableOf<T>(*this);
  const auto found = table.find(Key(object.metadata.namespace_, object.metadata.name));
  if (found == table.end() || found->second.get() != &before) {
    return Error(Code::kConflict, std::string(kKind<T>) + " \"" + object.metadata.name +
                                      "\" has been changed meanwhile");
  }
  return Store(std::move(object));
}

template <class T>
Result<void> ObjectStore::Remove(std::string_view name_space, std::string_view name) {
  const Key key(name_space, name);
  std::lock_guard lock(mutex_);
  if (TableOf<T>(*this).erase(key) == 0) return NotFound(kKind<T>, name);
  ++version_;
  unlink(PathOf<T>(key).c_str());
  return {};
}

template <class T>
std::vector<std::shared_ptr<const T>> ObjectStore::List(std::string_view name_space,
                                                        uint64_t* version) const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const T>> out;
  for (const auto& [key, object] : TableOf<T>(*this)) {
    if (name_space.empty() || key.first == name_space) out.push_back(object);
  }
  *version = version_;
  return out;
}

#define PODIUM_STORED(T)                                                                           \
  template Result<std::shared_ptr<const T>> ObjectStore::Get<T>(std::string_view,                  \
                                                                std::string_view) const;           \
  template Result<std::shared_ptr<const T>> ObjectStore::Create(T);                                \
  template Result<std::shared_ptr<const T>> ObjectStore::Update(const T&, T);                      \
  template Result<void> ObjectStore::Remove<T>(std::string_view, std::string_view);                \
  template std::vector<std::shared_ptr<const T>> ObjectStore::List<T>(std::string_view, uint64_t*) \
      const;
PODIUM_STORED(v1::ConfigMap)
PODIUM_STORED(v1::Secret)
#undef PODIUM_STORED

}  // namespace podium::node
