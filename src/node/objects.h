// What a pod takes from the API beside itself: ConfigMaps, Secrets, services, tokens, claims. Given
// with a play (object_store.h), or watched at the API server (cluster/cluster_objects.h). What a
// source does not have it refuses.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/types/core_v1.h"
#include "base/result.h"

namespace podium::node {

// A token of a pod's service account.
struct ServiceAccountToken {
  std::string token;
  // When to ask for it again, in nanoseconds since 1970: then it is about to be too old.
  int64_t refresh_at = 0;
};

// Threads: any. Whatever is asked may wait for a server.
class ObjectSource {
 public:
  virtual ~ObjectSource() = default;

  // The pod's objects will be wanted, until Unfollow: to be called before its worker starts, and
  // whenever its specification has changed. Waits for nothing.
  virtual void Follow(const api::core::v1::Pod& /*pod*/) {}
  virtual void Unfollow(std::string_view /*uid*/) {}

  // kNotFound in upstream's words (`configmap "c" not found`); other errors mean nobody knows.
  virtual Result<std::shared_ptr<const api::core::v1::ConfigMap>> GetConfigMap(
      std::string_view name_space, std::string_view name) const = 0;
  virtual Result<std::shared_ptr<const api::core::v1::Secret>> GetSecret(
      std::string_view name_space, std::string_view name) const = 0;

  // The services that containers of the pod hear of in their environment, by name: those of its
  // namespace unless enableServiceLinks is false, and `kubernetes` of the namespace default; each
  // has a clusterIP.
  virtual Result<std::vector<std::shared_ptr<const api::core::v1::Service>>> ServicesFor(
      const api::core::v1::Pod& /*pod*/) const {
    return std::vector<std::shared_ptr<const api::core::v1::Service>>();
  }

  // Of the pod's service account, bound to the pod. "": for the API server. Kept until it is about
  // to be too old.
  virtual Result<ServiceAccountToken> GetServiceAccountToken(
      const api::core::v1::Pod& /*pod*/, std::string_view /*audience*/,
      std::optional<int64_t> /*expiration_seconds*/) const {
    return NeedsServer("a service account's token");
  }

  // As they are now. Errors are the server's: `persistentvolumeclaims "c" not found`.
  virtual Result<std::shared_ptr<const api::core::v1::PersistentVolumeClaim>> GetClaim(
      std::string_view /*name_space*/, std::string_view /*name*/) const {
    return NeedsServer("a PersistentVolumeClaim");
  }
  virtual Result<std::shared_ptr<const api::core::v1::PersistentVolume>> GetPersistentVolume(
      std::string_view /*name*/) const {
    return NeedsServer("a PersistentVolume");
  }

  // This node, as it is now.
  virtual Result<std::shared_ptr<const api::core::v1::Node>> GetNode() const {
    return NeedsServer("the Node");
  }

 protected:
  // kUnsupported.
  static Error NeedsServer(std::string_view what) {
    return Error(Code::kUnsupported,
                 std::string(what) + " comes from an API server, and this node has none");
  }
};

}  // namespace podium::node
