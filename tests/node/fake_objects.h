// ConfigMaps and Secrets by "namespace/name" and what else pods take from the API, for tests.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "node/objects.h"

namespace podium::node {

namespace v1 = api::core::v1;

class FakeObjects : public ObjectSource {
 public:
  // Nobody knows which objects there are.
  bool unreachable = false;
  std::vector<std::shared_ptr<const v1::Service>> services;
  // There are: "token of sa for audience"; to be asked for again at the second that is their life.
  bool tokens = false;
  std::map<std::string, v1::PersistentVolumeClaim> claims;
  std::map<std::string, v1::PersistentVolume> persistent_volumes;
  v1::Node node;
  mutable int questions = 0;  // for claims

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
  Result<ServiceAccountToken> GetServiceAccountToken(
      const v1::Pod& pod, std::string_view audience,
      std::optional<int64_t> expiration_seconds) const override {
    if (!tokens) return ObjectSource::GetServiceAccountToken(pod, audience, expiration_seconds);
    return ServiceAccountToken{
        .token = "token of " + pod.spec.serviceAccountName + " for " + std::string(audience),
        .refresh_at = expiration_seconds.value_or(3600) * kNanosPerSecond};
  }
  Result<std::shared_ptr<const v1::PersistentVolumeClaim>> GetClaim(
      std::string_view /*name_space*/, std::string_view name) const override {
    ++questions;
    return Find("persistentvolumeclaims", claims, name);
  }
  Result<std::shared_ptr<const v1::PersistentVolume>> GetPersistentVolume(
      std::string_view name) const override {
    return Find("persistentvolumes", persistent_volumes, name);
  }
  Result<std::shared_ptr<const v1::Node>> GetNode() const override {
    return std::make_shared<const v1::Node>(node);
  }

 private:
  template <class T>
  static Result<std::shared_ptr<const T>> Find(const std::string& resource,
                                               const std::map<std::string, T>& objects,
                                               std::string_view name) {
    const auto found = objects.find(std::string(name));
    if (found != objects.end()) return std::make_shared<const T>(found->second);
    return Error(Code::kNotFound, resource + " \"" + std::string(name) + "\" not found");
  }

  std::map<std::string, std::shared_ptr<const v1::ConfigMap>> maps_;
  std::map<std::string, std::shared_ptr<const v1::Secret>> secrets_;
};

}  // namespace podium::node
