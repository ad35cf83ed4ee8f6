// ConfigMaps and Secrets that came with a play, kept below RUN/objects: they survive the agent, not
// the machine. Secrets are readable by root alone.
#pragma once

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

// Threads: any.
class ObjectStore : public ObjectSource {
 public:
  explicit ObjectStore(const NodeConfig& config) : config_(config) {}

  // Reads what an earlier process kept. What cannot be read is left out.
  Result<void> Load();

  Result<std::shared_ptr<const api::core::v1::ConfigMap>> GetConfigMap(
      std::string_view name_space, std::string_view name) const override;
  Result<std::shared_ptr<const api::core::v1::Secret>> GetSecret(
      std::string_view name_space, std::string_view name) const override;

  // Takes the place of one of the same name. On disk when it returns.
  Result<void> Put(api::core::v1::ConfigMap object);
  Result<void> Put(api::core::v1::Secret object);
  // kNotFound.
  Result<void> RemoveConfigMap(std::string_view name_space, std::string_view name);
  Result<void> RemoveSecret(std::string_view name_space, std::string_view name);
  // Of all namespaces for "".
  std::vector<std::shared_ptr<const api::core::v1::ConfigMap>> ListConfigMaps(
      std::string_view name_space) const;
  std::vector<std::shared_ptr<const api::core::v1::Secret>> ListSecrets(
      std::string_view name_space) const;

 private:
  using Key = std::pair<std::string, std::string>;  // namespace, name

  std::string PathOf(std::string_view folder, const Key& key) const;

  const NodeConfig& config_;
  mutable std::mutex mutex_;
  std::map<Key, std::shared_ptr<const api::core::v1::ConfigMap>> config_maps_;
  std::map<Key, std::shared_ptr<const api::core::v1::Secret>> secrets_;
};

}  // namespace podium::node
