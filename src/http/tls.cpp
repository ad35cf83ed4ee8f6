#include "http/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <climits>
#include <mutex>

#include "base/owned.h"
#include "http/url.h"

namespace podium::http {
namespace {

// The reason of the newest error in OpenSSL's queue, which is emptied.
std::string TakeReason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : "unknown error";
}

// What carries the TLS records: the transport below, and what was last heard of it.
struct Carrier {
  std::unique_ptr<Transport> transport;
  short wait = 0;
  std::optional<Error> error;
  // The peer's first bytes, to tell a server of plain HTTP from a broken one.
  std::array<char, 5> first{};
  size_t first_size = 0;
};

int BioRead(BIO* bio, char* out, int size) {
  auto* carrier = static_cast<Carrier*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  auto progress = carrier->transport->TryRead({out, static_cast<size_t>(size)});
  if (!progress.ok()) {
    carrier->error = std::move(progress).error();
    return -1;
  }
  if (progress->wait != 0) {
    carrier->wait = progress->wait;
    BIO_set_retry_read(bio);
    return -1;
  }
  const size_t kept = std::min(progress->bytes, carrier->first.size() - carrier->first_size);
  std::copy_n(out, kept, carrier->first.data() + carrier->first_size);
  carrier->first_size += kept;
  return static_cast<int>(progress->bytes);
}

int BioWrite(BIO* bio, const char* bytes, int size) {
  auto* carrier = static_cast<Carrier*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  auto progress = carrier->transport->TryWrite({bytes, static_cast<size_t>(size)});
  if (!progress.ok()) {
    carrier->error = std::move(progress).error();
    return -1;
  }
  if (progress->wait != 0) {
    carrier->wait = progress->wait;
    BIO_set_retry_write(bio);
    return -1;
  }
  return static_cast<int>(progress->bytes);
}

long BioControl(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// The socket BIO of OpenSSL writes with write(2), which raises SIGPIPE; and ours may lie over
// another TLS, as when the proxy is one of https.
const BIO_METHOD* CarrierMethod() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "transport");
    BIO_meth_set_read(method, BioRead);
    BIO_meth_set_write(method, BioWrite);
    BIO_meth_set_ctrl(method, BioControl);
    return method;
  }();
  return kMethod;
}

class TlsTransport : public Transport {
 public:
  static Result<std::unique_ptr<TlsTransport>> Create(SSL_CTX* context,
                                                      std::unique_ptr<Transport> transport) {
    auto tls = std::unique_ptr<TlsTransport>(new TlsTransport);
    tls->carrier_.transport = std::move(transport);
    tls->ssl_.reset(SSL_new(context));
    BIO* bio = BIO_new(CarrierMethod());
    if (!tls->ssl_ || !bio) {
      BIO_free(bio);
      return Error(Code::kResourceExhausted, "tls: " + TakeReason());
    }
    BIO_set_data(bio, &tls->carrier_);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl_.get(), bio, bio);
    return tls;
  }

  SSL* ssl() { return ssl_.get(); }

  Result<Progress> TryHandshake() {
    return Attempt([&] { return SSL_do_handshake(ssl_.get()); });
  }

  Result<Progress> TryRead(std::span<char> buffer) override {
    return Attempt([&] {
      return SSL_read(ssl_.get(), buffer.data(),
                      static_cast<int>(std::min<size_t>(buffer.size(), INT_MAX)));
    });
  }
  Result<Progress> TryWrite(std::string_view bytes) override {
    if (bytes.empty()) return Progress{};
    return Attempt([&] {
      return SSL_write(ssl_.get(), bytes.data(),
                       static_cast<int>(std::min<size_t>(bytes.size(), INT_MAX)));
    });
  }
  Result<Progress> TryCloseWrite() override {
    return Attempt([&] {
      // 0: our alert is sent, and the peer's is not here yet, which reading will find.
      const int result = SSL_shutdown(ssl_.get());
      return result == 0 ? 1 : result;
    });
  }
  bool Buffered() const override {
    const std::lock_guard lock(mutex_);
    return SSL_has_pending(ssl_.get()) == 1;
  }
  int fd() const override { return carrier_.transport->fd(); }

 private:
  TlsTransport() = default;

  // One call of OpenSSL. A connection is one state for both directions, hence the lock: it is never
  // held while waiting.
  template <class Call>
  Result<Progress> Attempt(const Call& call) {
    const std::lock_guard lock(mutex_);
    ERR_clear_error();
    carrier_.wait = 0;
    carrier_.error.reset();
    const int result = call();
    if (result > 0) return Progress{static_cast<size_t>(result), false, 0};
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_ZERO_RETURN:
        return Progress{0, true, 0};
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
        return Progress{0, false, carrier_.wait};
      default:
        return Failure();
    }
  }

  Error Failure() {
    if (carrier_.error) {
      ERR_clear_error();
      return *carrier_.error;
    }
    const long verified = SSL_get_verify_result(ssl_.get());
    if (verified != X509_V_OK && (SSL_get_verify_mode(ssl_.get()) & SSL_VERIFY_PEER) != 0) {
      ERR_clear_error();
      return Error(Code::kPermissionDenied, std::string("tls: failed to verify certificate: ") +
                                                X509_verify_cert_error_string(verified));
    }
    const unsigned long code = ERR_peek_last_error();
    const int reason = ERR_GET_REASON(code);
    if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING || code == 0) {
      ERR_clear_error();
      return Error(Code::kUnavailable, "tls: unexpected EOF");
    }
    if (std::string_view(carrier_.first.data(), carrier_.first_size) == "HTTP/") {
      ERR_clear_error();
      return Error(Code::kUnsupported, "http: server gave HTTP response to HTTPS client");
    }
    // Alerts of the peer stand from 1000 on; those about certificates say that ours was refused.
    const bool refused = reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED ||
                         reason == SSL_R_TLSV1_ALERT_UNKNOWN_CA ||
                         reason == SSL_R_TLSV1_ALERT_ACCESS_DENIED ||
                         reason == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE ||
                         reason == SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED ||
                         reason == SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED ||
                         reason == SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN;
    return Error(refused ? Code::kPermissionDenied : Code::kUnsupported, "tls: " + TakeReason());
  }

  Carrier carrier_;  // outlives ssl_
  mutable std::mutex mutex_;
  Owned<SSL, SSL_free> ssl_;
};

using Certificate = Owned<X509, X509_free>;

// The certificates of a text in PEM, in order.
Result<std::vector<Certificate>> ReadCertificates(const std::string& pem) {
  const Owned<BIO, BIO_free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<Certificate> certificates;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = TakeReason();
  if (certificates.empty() || !at_end) {
    return Error(Code::kInvalidArgument, "tls: reading certificates: " + reason);
  }
  return certificates;
}

// The system's bundle. OpenSSL takes a tenth of a second and more to read it, so it is read once in
// a process, as in Go.
const X509_STORE* SystemRoots() {
  static const X509_STORE* const kRoots = [] {
    X509_STORE* roots = X509_STORE_new();
    X509_STORE_set_default_paths(roots);
    return roots;
  }();
  return kRoots;
}

void AddSystemRoots(SSL_CTX* context) {
  // The folder is looked into when a certificate of its is wanted.
  SSL_CTX_set_default_verify_dir(context);
  const STACK_OF(X509_OBJECT)* objects = X509_STORE_get0_objects(SystemRoots());
  for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i) {
    if (X509* root = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i))) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root);
    }
  }
}

Result<void> SetRoots(SSL_CTX* context, const TlsOptions& options) {
  if (options.system_roots) AddSystemRoots(context);
  ERR_clear_error();
  if (options.extra_roots.empty()) return {};
  TRY(const std::vector<Certificate> roots, ReadCertificates(options.extra_roots));
  for (const Certificate& root : roots) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root.get());
  }
  // A private authority may be given as an intermediate certificate alone, as in Go.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  ERR_clear_error();
  return {};
}

Result<void> SetCertificate(SSL_CTX* context, const TlsOptions& options) {
  if (options.certificate.empty() && options.key.empty()) return {};
  TRY(std::vector<Certificate> chain, ReadCertificates(options.certificate));
  const Owned<BIO, BIO_free> bio(
      BIO_new_mem_buf(options.key.data(), static_cast<int>(options.key.size())));
  // Without a callback OpenSSL would ask for a password on the terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  const Owned<EVP_PKEY, EVP_PKEY_free> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key || SSL_CTX_use_certificate(context, chain[0].get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return Error(Code::kInvalidArgument, "tls: the client's certificate and key: " + TakeReason());
  }
  for (size_t i = 1; i < chain.size(); ++i) SSL_CTX_add1_chain_cert(context, chain[i].get());
  return {};
}

// The name or address that the certificate must be for.
bool ExpectHost(SSL* ssl, const std::string& host) {
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  if (IsIpAddress(host)) return X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1;
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // "host." with its dot is the same name; certificates do not have the dot.
  const std::string name = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
  return X509_VERIFY_PARAM_set1_host(parameters, name.c_str(), name.size()) == 1 &&
         SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
}

}  // namespace

Result<TlsClient> TlsClient::Create(const TlsOptions& options) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (!context) return Error(Code::kResourceExhausted, "tls: " + TakeReason());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  static constexpr unsigned char kAlpn[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context.get(), kAlpn, sizeof kAlpn - 1);
  TRY_VOID(SetRoots(context.get(), options));
  TRY_VOID(SetCertificate(context.get(), options));
  SSL_CTX_set_verify(context.get(), options.skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                     nullptr);
  return TlsClient(std::move(context), !options.skip_verify);
}

Result<std::unique_ptr<Transport>> TlsClient::Connect(std::unique_ptr<Transport> transport,
                                                      const std::string& host,
                                                      const WaitLimits& limits) const {
  TRY(auto tls, TlsTransport::Create(context_.get(), std::move(transport)));
  if (!ExpectHost(tls->ssl(), host) && verify_) {
    return Error(Code::kInvalidArgument, "tls: bad host name " + host + ": " + TakeReason());
  }
  SSL_set_connect_state(tls->ssl());
  while (true) {
    TRY(const Progress progress, tls->TryHandshake());
    if (progress.end) return Error(Code::kUnavailable, "tls: unexpected EOF");
    if (progress.wait == 0) return std::unique_ptr<Transport>(std::move(tls));
    TRY_VOID(WaitFor(tls->fd(), progress.wait, limits));
  }
}

}  // namespace podium::http
