#include "http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "http/tls_transport.h"
#include "http/url.h"

namespace podium::http {
namespace {

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
  TRY(const auto roots, ReadCertificates(options.extra_roots));
  for (const auto& root : roots) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root.get());
  }
  // A private authority may be given as an intermediate certificate alone, as in Go.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  ERR_clear_error();
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
  if (!context) return Error(Code::kResourceExhausted, "tls: " + TakeTlsReason());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // A server holds as many of these as it passes streams on.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  static constexpr unsigned char kAlpn[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context.get(), kAlpn, sizeof kAlpn - 1);
  TRY_VOID(SetRoots(context.get(), options));
  if (!options.certificate.empty() || !options.key.empty()) {
    TRY_VOID(UseCertificate(context.get(), options.certificate, options.key, "the client's"));
  }
  SSL_CTX_set_verify(context.get(), options.skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                     nullptr);
  return TlsClient(std::move(context), !options.skip_verify, options.server_name);
}

Result<std::unique_ptr<TlsTransport>> TlsClient::Begin(std::unique_ptr<Transport> transport,
                                                       const std::string& host) const {
  TRY(auto tls, TlsTransport::Create(context_.get(), std::move(transport)));
  if (!ExpectHost(tls->ssl(), host) && verify_) {
    return Error(Code::kInvalidArgument, "tls: bad host name " + host + ": " + TakeTlsReason());
  }
  SSL_set_connect_state(tls->ssl());
  return tls;
}

Result<std::unique_ptr<Transport>> TlsClient::Connect(std::unique_ptr<Transport> transport,
                                                      const std::string& host,
                                                      const WaitLimits& limits) const {
  TRY(auto tls, Begin(std::move(transport), host));
  while (true) {
    TRY(const Progress progress, tls->TryHandshake());
    if (progress.end) return Error(Code::kUnavailable, "tls: unexpected EOF");
    if (progress.wait == 0) return std::unique_ptr<Transport>(std::move(tls));
    TRY_VOID(WaitFor(tls->fd(), progress.wait, limits));
  }
}

}  // namespace podium::http
