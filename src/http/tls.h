// TLS 1.2 and 1.3 (OpenSSL) over a transport: the client's half. The server's is tls_server.h.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "http/transport.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace podium::http {

class TlsTransport;

struct TlsOptions {
  // Trusted beside the system's roots: certificates in PEM.
  std::string extra_roots{};
  bool system_roots = true;
  // Shown to the server: certificate, chain behind it, and key, in PEM. Both or none.
  std::string certificate{};
  std::string key{};
  // The name that the server's certificate must carry, and that it is asked for; "": its host. Not
  // for proxies.
  std::string server_name{};
  // Takes any certificate of anyone: for who asked for just this.
  bool skip_verify = false;
};

// Made once, used by any thread.
class TlsClient {
 public:
  // kInvalidArgument: what was given as PEM is none, or the key is not the certificate's.
  static Result<TlsClient> Create(const TlsOptions& options);

  // Shakes hands with `host`, a name or an address that its certificate must carry.
  // kPermissionDenied: the certificate is not to be trusted, or the server did not take ours.
  // kUnsupported: the other side speaks no TLS, or none that we speak.
  Result<std::unique_ptr<Transport>> Connect(std::unique_ptr<Transport> transport,
                                             const std::string& host,
                                             const WaitLimits& limits) const;
  // A connection whose handshake the caller drives.
  Result<std::unique_ptr<TlsTransport>> Begin(std::unique_ptr<Transport> transport,
                                              const std::string& host) const;
  // Of its options.
  const std::string& server_name() const { return server_name_; }

 private:
  TlsClient(std::shared_ptr<ssl_ctx_st> context, bool verify, std::string server_name)
      : context_(std::move(context)), verify_(verify), server_name_(std::move(server_name)) {}
  std::shared_ptr<ssl_ctx_st> context_;
  bool verify_;
  std::string server_name_;
};

}  // namespace podium::http
