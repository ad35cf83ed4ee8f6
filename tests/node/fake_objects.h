// ConfigMaps and Secrets by "namespace/name" and what else pods take from the API, for tests.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "node/objects.h"

namespace podium::node {

namespace v1 = api::core::v1;

class FakeObjects : public ObjectSource {
 public:
  // Nobody knows which objects there are.
  bool unreachable = false;
  std::vector<std::shared_ptr<const v1::Service>> services;

  void AddConfigMap(const std::string& name, std::map<std::string, std::string> data,
                    const std::map<std::string, std::string>& binary = {}) {
    auto map = std::make_shared<v1::ConfigMap>();
    map->data = reflect::Map<std::string>(data.begin(), data.end());
    for (const auto& [key, value] : binary) map->binaryData[key].data = value;
    maps_["ns/" + name] = std::move(map);
  }
  void AddSecret(const std::string& name, const std::map<std::string, std::string>& data) {
    auto secret = std::make_shared<v1::Secret>();
    for (const auto& [key, value] : data) secret->data[key].data = value;
    secrets_["ns/" + name] = std::move(secret);
  }

  Result<std::shared_ptr<const v1::ConfigMap>> GetConfigMap(std::string_view name_space,
                                                            std::string_view name) const override {
    if (unreachable) return Error(Code::kUnavailable, "connection refused");
    auto found = maps_.find(std::string(name_space) + "/" + std::string(name));
    if (found != maps_.end()) return found->second;
    return Error(Code::kNotFound, "configmap \"" + std::string(name) + "\" not found");
  }
  Result<std::shared_ptr<const v1::Secret>> GetSecret(std::string_view name_space,
                                                      std::string_view name) const override {
    if (unreachable) return Error(Code::kUnavailable, "connection refused");
    auto found = secrets_.find(std::string(name_space) + "/" + std::string(name));
    if (found != secrets_.end()) return found->second;
    return Error(Code::kNotFound, "secret \"" + std::string(name) + "\" not found");
  }

  Result<std::vector<std::shared_ptr<const v1::Service>>> ServicesFor(
      const v1::Pod& /*pod*/) const override {
    if (unreachable) {
      return Error(Code::kUnavailable,
                   "services have not yet been read at least once, cannot construct envvars");
    }
    return services;
  }

 private:
  std::map<std::string, std::shared_ptr<const v1::ConfigMap>> maps_;
  std::map<std::string, std::shared_ptr<const v1::Secret>> secrets_;
};

}  // namespace podium::node
