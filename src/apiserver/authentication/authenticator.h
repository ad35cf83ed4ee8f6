// Who makes a request (upstream's k8s.io/apiserver/pkg/authentication).
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/user.h"
#include "base/error.h"
#include "base/result.h"

namespace podium::apiserver {

// What a client shows. Views live as long as the call.
struct Credentials {
  // The value of the header Authorization, "" for none.
  std::string_view authorization{};
  // The certificates of the TLS client, its own first, in DER; empty for none. That it has the key
  // was checked in the handshake, and nothing else.
  std::span<const std::string> certificates{};
  // Of who asks over a unix socket that only root may open.
  bool is_root = false;
  // Header Sec-WebSocket-Protocol of a request for a WebSocket, "" for others: browsers cannot send
  // another one and put their token there.
  std::string_view websocket_protocols{};
  // Of the request: a few are for everybody.
  std::string_view path{};
};

// Immutable and shared: by all requests that show the same.
struct Authenticated {
  User user;
  std::vector<std::string> audiences{};  // of a token: those asked for that it is good for
  std::vector<std::string> warnings{};   // for headers Warning
  std::map<std::string, std::string> audit_annotations{};
};
using AuthenticatedPtr = std::shared_ptr<const Authenticated>;

// Threads: any.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // Null: these credentials are not for this authenticator, or there are none. An error: they are
  // for it and wrong, and why, for the server's own log; another one may take them all the same.
  // Whoever asks learns nothing of it: UnauthorizedAnswer.
  virtual Result<AuthenticatedPtr> Authenticate(const Credentials& credentials) = 0;
};

// Of bearer tokens, wherever they stand. Threads: any.
class TokenAuthenticator {
 public:
  virtual ~TokenAuthenticator() = default;
  // Whether its tokens say whom they are for. Others are for the server itself alone.
  virtual bool ForAudiences() const { return false; }
  // As Authenticator. `audiences`: the token must be for one of them; empty: the server itself, as
  // always where tokens do not say it.
  virtual Result<AuthenticatedPtr> AuthenticateToken(std::string_view token,
                                                     std::span<const std::string> audiences) = 0;
};

// What everybody is told who is not known: 401, `Unauthorized`.
Error UnauthorizedAnswer();

// Extra of users (k8s.io/apiserver/pkg/authentication/user and serviceaccount).
inline constexpr std::string_view kCredentialIdKey = "authentication.kubernetes.io/credential-id";
inline constexpr std::string_view kPodNameKey = "authentication.kubernetes.io/pod-name";
inline constexpr std::string_view kPodUidKey = "authentication.kubernetes.io/pod-uid";
inline constexpr std::string_view kNodeNameKey = "authentication.kubernetes.io/node-name";
inline constexpr std::string_view kNodeUidKey = "authentication.kubernetes.io/node-uid";

}  // namespace podium::apiserver
