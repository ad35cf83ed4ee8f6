// Who may do what at the kubelet's port (upstream's pkg/kubelet/server/auth.go and
// cmd/kubelet/app/auth.go, release 1.36): clients are known by a certificate that the cluster's
// authority for clients signed, or by a bearer token that the API server knows (TokenReview), and
// are allowed what the API server says they may do to this node (SubjectAccessReview). Nobody is
// anonymous.
//
//   path                                    resource nodes, subresource
//   /stats, /metrics, /logs, /checkpoint    stats, metrics, log, checkpoint
//   /pods, /runningpods                     pods, else proxy (KubeletFineGrainedAuthz)
//   /healthz, /configz, /statusz            healthz, configz, statusz, else proxy
//   all else                                proxy
//
// What the API server said is remembered: of tokens for two minutes, of what is allowed for five,
// of what is not for half a minute.
//
// Threads: any. Waits for the API server.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/types/authentication_v1.h"
#include "api/types/authorization_v1.h"
#include "base/clock.h"
#include "base/result.h"
#include "client/connection.h"
#include "http/server.h"

namespace podium::node {

// How long the API server's answers are remembered, in nanoseconds: of tokens, of what is allowed
// and of what is not.
inline constexpr int64_t kTokenTime = 120 * kNanosPerSecond;
inline constexpr int64_t kAllowedTime = 300 * kNanosPerSecond;
inline constexpr int64_t kRefusedTime = 30 * kNanosPerSecond;

// The subresources of the node by any of which a request is allowed; one at least.
std::vector<std::string_view> NodeSubresources(std::string_view path);
// What upstream makes of a method; "" for others.
std::string_view VerbOf(std::string_view method);

class KubeletAuth {
 public:
  using User = api::authentication::v1::UserInfo;
  // The certificates of the authority for clients, in PEM; asked with each certificate, so that it
  // may change.
  using ClientRoots = std::function<std::string()>;

  // All outlive it.
  KubeletAuth(client::Connection& connection, const Clock& clock, std::string node_name,
              ClientRoots roots)
      : connection_(connection),
        clock_(clock),
        node_name_(std::move(node_name)),
        roots_(std::move(roots)) {}

  struct Refusal {
    int status = 0;
    std::string text;
  };
  // None: the request is allowed.
  std::optional<Refusal> Check(const http::ServerRequest& request);

 private:
  using Attributes = api::authorization::v1::SubjectAccessReviewSpec;
  template <class Value>
  struct Remembered {
    Value value;
    int64_t until = 0;
  };

  // None: nobody knows the client.
  Result<std::optional<User>> Authenticate(const http::ServerRequest& request);
  Result<User> ByCertificate(const std::vector<std::string>& certificates) const;
  Result<std::optional<User>> ByToken(const std::string& token);
  Result<bool> IsAllowed(const User& user, std::string_view verb, std::string_view subresource);

  client::Connection& connection_;
  const Clock& clock_;
  const std::string node_name_;
  const ClientRoots roots_;
  std::mutex mutex_;
  // Under the mutex.
  std::map<std::string, Remembered<std::optional<User>>> tokens_;  // by the token's SHA-256
  std::map<std::string, Remembered<bool>> decisions_;              // by the attributes in JSON
};

}  // namespace podium::node
