// Where a server of the Kubernetes API is, and who is asking.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/headers.h"
#include "http/proxy.h"
#include "http/tls.h"

namespace podium::client {

// What proves who asks, at this moment.
struct Login {
  std::string authorization{};  // of the header: "Bearer …", "Basic …"; "" for none
  // Shown to the server, in PEM; both or none.
  std::string certificate{};
  std::string key{};

  friend bool operator==(const Login&, const Login&) = default;
};

// Who asks, where that changes while the program runs: files that are written anew, plugins.
// Threads: any.
class Credentials {
 public:
  virtual ~Credentials() = default;
  // May wait, for a plugin.
  virtual Result<Login> Current() = 0;
  // After the server has refused `used` (401): whether Current gives something that was not tried.
  virtual bool Renew(const Login& used) = 0;
};

struct ServerAddress {
  std::string url = "http://localhost";  // scheme, host, and what stands before /api
  std::string unix_socket{};             // connects here instead
  std::string bearer_token{};
  http::TlsOptions tls{};
  http::ProxySettings proxy{};
  // Instead of bearer_token and the certificate of `tls`.
  std::shared_ptr<Credentials> credentials{};
  // Go with each request: whom to impersonate.
  http::Headers headers{};
};

// The agent of the instance with this run folder.
ServerAddress AgentAt(std::string_view run_dir);

}  // namespace podium::client
