// Tokens of the service accounts of this node's pods, asked for by TokenRequest and kept until they
// are about to be too old (upstream's pkg/kubelet/token, release 1.36). Internal to the folder.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "api/types/core_v1.h"
#include "base/result.h"
#include "node/cluster/server_access.h"
#include "node/objects.h"

namespace podium::node {

// Threads: any.
class ServiceAccountTokens {
 public:
  explicit ServiceAccountTokens(ServerAccess access) : access_(std::move(access)) {}

  // Bound to the pod. A new one when four fifths of the life of the one that is kept have passed,
  // or a day, or the clock has jumped to before it was made. While the server gives none, the old
  // one as long as it is good. Errors are the server's, with "failed to fetch token" before them.
  Result<ServiceAccountToken> Get(const api::core::v1::Pod& pod, std::string_view audience,
                                  std::optional<int64_t> expiration_seconds);
  // Of a pod that is gone.
  void Forget(std::string_view uid);
  size_t size() const;

 private:
  // Pod's uid, namespace, service account, audience, seconds asked for.
  using Key = std::tuple<std::string, std::string, std::string, std::string, int64_t>;
  struct Kept {
    ServiceAccountToken token;
    int64_t issued_at = 0;
    int64_t expires_at = 0;
  };

  Result<Kept> Request(const api::core::v1::Pod& pod, std::string_view audience,
                       std::optional<int64_t> expiration_seconds) const;

  const ServerAccess access_;
  mutable std::mutex mutex_;
  // Under mutex_.
  std::map<Key, Kept> tokens_;
};

}  // namespace podium::node
