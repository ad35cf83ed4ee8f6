// Who makes a request (upstream's k8s.io/apiserver/pkg/authentication).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/user.h"
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
  // Header Sec-WebSocket-Protocol: browsers cannot send another one and put their token there.
  std::string_view websocket_protocols{};
};

struct Authenticated {
  User user;
  std::vector<std::string> audiences{};  // of a token
};

// Threads: any.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // Nothing: these credentials are not for this authenticator, or there are none. An error:
  // they are for it and wrong; another one may take them all the same.
  virtual Result<std::optional<Authenticated>> Authenticate(const Credentials& credentials) = 0;
};

}  // namespace podium::apiserver
