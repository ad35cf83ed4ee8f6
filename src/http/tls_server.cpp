#include "http/tls_server.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstring>

#include "http/tls_transport.h"

namespace podium::http {
namespace {

// In the order in which the server chooses, each with its length.
constexpr unsigned char kProtocols[] = "\x02h2\x08http/1.1";
constexpr size_t kHttp2Size = 3;

// What clients of ten years ago have too, with forward secrecy and without CBC (which HTTP/2
// forbids: RFC 9113, section 9.2.2). AES with 128 bits is fastest where the processor has it.
constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kCiphers13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

// A client that offers protocols of which we have none is told so (RFC 7301, section 3.2).
int ChooseProtocol(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* offered, unsigned offered_size, void* http2) {
  const size_t skipped = http2 ? 0 : kHttp2Size;
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(&chosen, out_size, kProtocols + skipped,
                                           static_cast<unsigned>(sizeof kProtocols - 1 - skipped),
                                           offered, offered_size);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int TakeAnyCertificate(X509_STORE_CTX* store, void* /*unused*/) {
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

Result<void> AskForCertificates(SSL_CTX* context, const TlsServerOptions& options) {
  const ClientCertificates wanted = options.client_certificates;
  if (wanted == ClientCertificates::kIgnore) return {};
  SSL_CTX_set_verify(
      context,
      SSL_VERIFY_PEER |
          (wanted == ClientCertificates::kRequire ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
      nullptr);
  if (wanted == ClientCertificates::kRequest) {
    SSL_CTX_set_cert_verify_callback(context, TakeAnyCertificate, nullptr);
  }
  if (options.client_roots.empty()) return {};
  TRY(const auto roots, ReadCertificates(options.client_roots));
  for (const auto& root : roots) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root.get());
    SSL_CTX_add_client_CA(context, root.get());
  }
  // An intermediate authority may be trusted by itself, as in Go.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  ERR_clear_error();
  return {};
}

Result<std::shared_ptr<SSL_CTX>> MakeContext(const TlsServerOptions& options) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return Error(Code::kResourceExhausted, "tls: " + TakeTlsReason());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context.get(), kCiphers12);
  SSL_CTX_set_ciphersuites(context.get(), kCiphers13);
  SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET |
                                         SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  // Ten thousand idle connections do not need their buffers.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  // A record's head and its data with one call.
  SSL_CTX_set_read_ahead(context.get(), 1);
  static char on = 1;
  SSL_CTX_set_alpn_select_cb(context.get(), ChooseProtocol, options.http2 ? &on : nullptr);
  TRY_VOID(UseCertificate(context.get(), options.certificate, options.key, "the server's"));
  TRY_VOID(AskForCertificates(context.get(), options));
  return context;
}

std::string Der(X509* certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate, &bytes);
  if (size <= 0) return "";
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

}  // namespace

Result<std::shared_ptr<TlsServer>> TlsServer::Create(TlsServerOptions options) {
  auto server = std::shared_ptr<TlsServer>(new TlsServer({}));
  TRY_VOID(server->Replace(std::move(options)));
  return server;
}

Result<void> TlsServer::Replace(TlsServerOptions options) {
  TRY(auto context, MakeContext(options));
  options_ = std::move(options);
  context_ = std::move(context);
  return {};
}

Result<void> TlsServer::SetCertificate(std::string certificate, std::string key) {
  const std::lock_guard lock(mutex_);
  TlsServerOptions options = options_;
  options.certificate = std::move(certificate);
  options.key = std::move(key);
  return Replace(std::move(options));
}

Result<void> TlsServer::SetClientRoots(std::string client_roots) {
  const std::lock_guard lock(mutex_);
  TlsServerOptions options = options_;
  options.client_roots = std::move(client_roots);
  return Replace(std::move(options));
}

Result<std::unique_ptr<TlsTransport>> TlsServer::Accept(
    std::unique_ptr<Transport> transport) const {
  std::shared_ptr<SSL_CTX> context;
  {
    const std::lock_guard lock(mutex_);
    context = context_;
  }
  TRY(auto tls, TlsTransport::Create(context.get(), std::move(transport)));
  SSL_set_accept_state(tls->ssl());
  return tls;
}

std::vector<std::string> PeerCertificates(TlsTransport& tls) {
  std::vector<std::string> certificates;
  X509* own = SSL_get0_peer_certificate(tls.ssl());
  if (!own) return certificates;
  certificates.push_back(Der(own));
  // On a server's side without its own.
  const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(tls.ssl());
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    certificates.push_back(Der(sk_X509_value(chain, i)));
  }
  return certificates;
}

bool ChoseHttp2(TlsTransport& tls) {
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(tls.ssl(), &chosen, &size);
  return size == kHttp2Size - 1 && std::memcmp(chosen, &kProtocols[1], size) == 0;
}

}  // namespace podium::http
