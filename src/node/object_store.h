// ConfigMaps and Secrets that came with a play, kept below RUN/objects: they survive the agent, not
// the machine. Secrets are readable by root alone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/node_config.h"
#include "node/objects.h"

namespace podium::node {

// Threads: any. T is a ConfigMap or a Secret.
class ObjectStore : public ObjectSource {
 public:
  explicit ObjectStore(const NodeConfig& config) : config_(config) {}

  // Reads what an earlier process kept. What cannot be read is left out.
  Result<void> Load();

  Result<std::shared_ptr<const api::core::v1::ConfigMap>> GetConfigMap(
      std::string_view name_space, std::string_view name) const override {
    return Get<api::core::v1::ConfigMap>(name_space, name);
  }
  Result<std::shared_ptr<const api::core::v1::Secret>> GetSecret(
      std::string_view name_space, std::string_view name) const override {
    return Get<api::core::v1::Secret>(name_space, name);
  }
  // kNotFound in upstream's words: `configmap "c" not found`.
  template <class T>
  Result<std::shared_ptr<const T>> Get(std::string_view name_space, std::string_view name) const;

  // Both give the object its resourceVersion; it is on disk when they return. kAlreadyExists when
  // there is one of that name, kConflict when what is there is not `before`.
  template <class T>
  Result<std::shared_ptr<const T>> Create(T object);
  template <class T>
  Result<std::shared_ptr<const T>> Update(const T& before, T object);
  // kNotFound.
  template <class T>
  Result<void> Remove(std::string_view name_space, std::string_view name);
  // Of all namespaces for "". `version`: that of the list.
  template <class T>
  std::vector<std::shared_ptr<const T>> List(std::string_view name_space, uint64_t* version) const;

 private:
  using Key = std::pair<std::string, std::string>;  // namespace, name
  template <class T>
  using Table = std::map<Key, std::shared_ptr<const T>>;

  template <class T, class Self>
  static auto& TableOf(Self& self);
  template <class T>
  std::string PathOf(const Key& key) const;
  template <class T>
  void LoadAll();
  template <class T>
  Result<std::shared_ptr<const T>> Store(T object);

  const NodeConfig& config_;
  mutable std::mutex mutex_;
  uint64_t version_ = 0;
  Table<api::core::v1::ConfigMap> config_maps_;
  Table<api::core::v1::Secret> secrets_;
};

}  // namespace podium::node
