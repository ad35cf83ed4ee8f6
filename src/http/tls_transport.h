// TLS over another transport, of a client or a server: OpenSSL's connection, and how certificates
// come into its contexts.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "http/transport.h"

struct ssl_st;      // OpenSSL's SSL
struct ssl_ctx_st;  // SSL_CTX
struct x509_st;     // X509

namespace podium::http {

// What is encrypted in one go is written in one go too, up to 64 KiB: so a caller whose write did
// not get through (a `wait`) must come with the same bytes again, and may have put more behind
// them.
class TlsTransport : public Transport {
 public:
  static Result<std::unique_ptr<TlsTransport>> Create(ssl_ctx_st* context,
                                                      std::unique_ptr<Transport> transport);
  ~TlsTransport() override;

  ssl_st* ssl() { return ssl_.get(); }
  // The transport below, while a handshake fails.
  Transport& below();

  Result<Progress> TryHandshake();
  // Whether the peer began with a request in plain HTTP.
  bool SawPlainHttp() const { return saw_plain_http_; }

  Result<Progress> TryRead(std::span<char> buffer) override;
  Result<Progress> TryWrite(std::string_view bytes) override;
  Result<Progress> TryCloseWrite() override;
  bool Buffered() const override;
  int fd() const override;

 private:
  struct Carrier;
  struct FreeSsl {
    void operator()(ssl_st* ssl) const;
  };
  TlsTransport();

  template <class Call>
  Result<Progress> AttemptLocked(const Call& call);
  Result<Progress> FlushLocked();
  Error Failure();

  // A connection of OpenSSL is one state for both directions. The lock is never held while waiting.
  mutable std::mutex mutex_;
  std::unique_ptr<Carrier> carrier_;  // outlives ssl_
  std::unique_ptr<ssl_st, FreeSsl> ssl_;
  size_t unreported_ = 0;  // bytes that are encrypted, and not all written
  bool saw_plain_http_ = false;
};

// The reason of the newest error in OpenSSL's queue, which is emptied.
std::string TakeTlsReason();

// The certificates of a text in PEM, in order; one at least.
Result<std::vector<std::shared_ptr<x509_st>>> ReadCertificates(const std::string& pem);

// What the context shows: a certificate with the chain behind it, and its key. `whose` is for the
// error: "the client's".
Result<void> UseCertificate(ssl_ctx_st* context, const std::string& certificate,
                            const std::string& key, const std::string& whose);

}  // namespace podium::http
