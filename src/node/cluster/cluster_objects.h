// What this node's pods take from an API server: ConfigMaps and Secrets that they refer to, each
// with a watch of its own, services of all namespaces with one watch, tokens of service accounts,
// claims and their volumes (upstream's watching managers of ConfigMaps and Secrets, its service
// lister and its token manager; release 1.36). A node's rights suffice for it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "client/connection.h"
#include "client/informer.h"
#include "node/objects.h"

namespace podium::node {

class ServiceAccountTokens;
class WatchedObjects;

class ClusterObjects : public ObjectSource {
 public:
  // All but the functions outlive it.
  struct Options {
    client::Connection* connection = nullptr;
    Executor* executor = nullptr;
    const Clock* clock = nullptr;
    std::string node_name{};
    // From 0 to 1, for jitter. Any thread; none: no jitter.
    std::function<double()> random{};
    // ConfigMaps or Secrets of the namespace have changed, that pods of this node refer to. Called
    // by a task of the executor of its own, one at a time, once for changes that come together.
    std::function<void(const std::string& name_space)> changed{};
    // What goes wrong while it goes on: refused lists, watches that broke off. Any thread.
    std::function<void(const client::Target& target, const Error& error)> on_error{};
    // How long a question waits for the first answer of a watch.
    std::chrono::nanoseconds patience = std::chrono::seconds(1);
  };

  // Begins to watch services.
  explicit ClusterObjects(Options options);
  ClusterObjects(const ClusterObjects&) = delete;
  ClusterObjects& operator=(const ClusterObjects&) = delete;
  // Ends all watches. `changed` is not called any more, unless it is `changed` that calls.
  ~ClusterObjects() override;

  void Follow(const api::core::v1::Pod& pod) override;
  void Unfollow(std::string_view uid) override;

  // Of pods that are followed. kUnavailable when the server does not answer, in upstream's words:
  // `failed to sync configmap cache: timed out waiting for the condition`.
  Result<std::shared_ptr<const api::core::v1::ConfigMap>> GetConfigMap(
      std::string_view name_space, std::string_view name) const override;
  Result<std::shared_ptr<const api::core::v1::Secret>> GetSecret(
      std::string_view name_space, std::string_view name) const override;
  // kUnavailable before services were read once; static pods get what is known then.
  Result<std::vector<std::shared_ptr<const api::core::v1::Service>>> ServicesFor(
      const api::core::v1::Pod& pod) const override;
  Result<ServiceAccountToken> GetServiceAccountToken(
      const api::core::v1::Pod& pod, std::string_view audience,
      std::optional<int64_t> expiration_seconds) const override;
  Result<std::shared_ptr<const api::core::v1::PersistentVolumeClaim>> GetClaim(
      std::string_view name_space, std::string_view name) const override;
  Result<std::shared_ptr<const api::core::v1::PersistentVolume>> GetPersistentVolume(
      std::string_view name) const override;
  Result<std::shared_ptr<const api::core::v1::Node>> GetNode() const override;

  // How many single objects are being watched.
  size_t watches() const;

 private:
  struct References;
  class Teller;

  template <class T>
  Result<std::shared_ptr<const T>> Read(std::string_view name_space, std::string_view name) const;

  const Options options_;
  const std::shared_ptr<Teller> teller_;
  const std::unique_ptr<WatchedObjects> config_maps_;
  const std::unique_ptr<WatchedObjects> secrets_;
  const std::unique_ptr<ServiceAccountTokens> tokens_;
  client::Informer services_;

  std::mutex mutex_;
  // Under mutex_; by the pod's uid.
  std::map<std::string, References, std::less<>> followed_;
};

}  // namespace podium::node
