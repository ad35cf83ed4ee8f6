// TLS 1.2 and 1.3 (OpenSSL) of a server: what it shows, whom it asks for a certificate, and how
// both are replaced while it runs.
//
// Sessions are not resumed: a ticket would carry the client's certificate past its end and that of
// the authority that signed it, and it does not carry the chain. Clients keep their connections.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/transport.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace podium::http {

class TlsTransport;

// As Go's tls.ClientAuthType, which upstream's API server has at RequestClientCert: whoever
// authenticates looks at the certificate, with each request, and the handshake does not. In each
// case the client has proved that it has the key.
enum class ClientCertificates {
  kIgnore,
  kRequest,        // taken as it is, whoever signed it
  kVerifyIfGiven,  // one that the client roots did not sign ends the handshake
  kRequire,        // and so does none
};

struct TlsServerOptions {
  std::string certificate{};  // PEM, with the chain behind it
  std::string key{};
  ClientCertificates client_certificates = ClientCertificates::kIgnore;
  // PEM: whose certificates are asked for (their names go to the client), and verified against.
  std::string client_roots{};
  bool http2 = true;  // offered beside HTTP/1.1
};

// Threads: any.
class TlsServer {
 public:
  // kInvalidArgument: what was given as PEM is none, or the key is not the certificate's.
  static Result<std::shared_ptr<TlsServer>> Create(TlsServerOptions options);

  // For handshakes from now on; connections stay as they are. After an error all is as it was.
  Result<void> SetCertificate(std::string certificate, std::string key);
  Result<void> SetClientRoots(std::string client_roots);

  // A connection whose handshake the caller drives.
  Result<std::unique_ptr<TlsTransport>> Accept(std::unique_ptr<Transport> transport) const;

 private:
  explicit TlsServer(TlsServerOptions options) : options_(std::move(options)) {}
  Result<void> Replace(TlsServerOptions options);

  mutable std::mutex mutex_;
  TlsServerOptions options_;
  std::shared_ptr<ssl_ctx_st> context_;
};

// After the handshake: what the client has shown, in DER, its own first; empty without one.
std::vector<std::string> PeerCertificates(TlsTransport& tls);
// Whether HTTP/2 was agreed on.
bool ChoseHttp2(TlsTransport& tls);

}  // namespace podium::http
