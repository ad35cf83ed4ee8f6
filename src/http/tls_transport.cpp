#include "http/tls_transport.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <climits>
#include <optional>

#include "base/owned.h"

namespace podium::http {
namespace {

// What is gathered before it is written, and what the peer can make us gather without reading.
constexpr size_t kGathered = size_t{64} << 10;
constexpr size_t kMostGathered = size_t{1} << 20;

}  // namespace

// What carries the TLS records: the transport below, and what was last heard of it.
struct TlsTransport::Carrier {
  static int Read(BIO* bio, char* out, int size);
  static int Write(BIO* bio, const char* bytes, int size);
  static const BIO_METHOD* Method();

  std::unique_ptr<Transport> transport;
  short wait = 0;
  std::optional<Error> error;
  std::string out;       // records that are to be written
  size_t out_begin = 0;  // what of them is
  // The peer's first bytes, to tell a server of plain HTTP from a broken one.
  std::array<char, 5> first{};
  size_t first_size = 0;
};

int TlsTransport::Carrier::Read(BIO* bio, char* out, int size) {
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

int TlsTransport::Carrier::Write(BIO* bio, const char* bytes, int size) {
  auto* carrier = static_cast<Carrier*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (carrier->out.size() > kMostGathered) {
    carrier->wait = POLLOUT;
    BIO_set_retry_write(bio);
    return -1;
  }
  carrier->out.append(bytes, static_cast<size_t>(size));
  return size;
}

// The socket BIO of OpenSSL writes with write(2), which raises SIGPIPE, once for each record; and
// ours may lie over another TLS, as when the proxy is one of https.
const BIO_METHOD* TlsTransport::Carrier::Method() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "transport");
    BIO_meth_set_read(method, Read);
    BIO_meth_set_write(method, Write);
    BIO_meth_set_ctrl(method, [](BIO*, int command, long, void*) -> long {
      return command == BIO_CTRL_FLUSH ? 1 : 0;
    });
    return method;
  }();
  return kMethod;
}

void TlsTransport::FreeSsl::operator()(ssl_st* ssl) const { SSL_free(ssl); }

TlsTransport::TlsTransport() : carrier_(std::make_unique<Carrier>()) {}

TlsTransport::~TlsTransport() = default;

Result<std::unique_ptr<TlsTransport>> TlsTransport::Create(ssl_ctx_st* context,
                                                           std::unique_ptr<Transport> transport) {
  auto tls = std::unique_ptr<TlsTransport>(new TlsTransport);
  tls->carrier_->transport = std::move(transport);
  tls->ssl_.reset(SSL_new(context));
  BIO* bio = BIO_new(Carrier::Method());
  if (!tls->ssl_ || !bio) {
    BIO_free(bio);
    return Error(Code::kResourceExhausted, "tls: " + TakeTlsReason());
  }
  BIO_set_data(bio, tls->carrier_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(tls->ssl_.get(), bio, bio);
  return tls;
}

Transport& TlsTransport::below() { return *carrier_->transport; }

int TlsTransport::fd() const { return carrier_->transport->fd(); }

// One call of OpenSSL.
template <class Call>
Result<Progress> TlsTransport::AttemptLocked(const Call& call) {
  ERR_clear_error();
  carrier_->wait = 0;
  carrier_->error.reset();
  const int result = call();
  if (result > 0) return Progress{static_cast<size_t>(result), false, 0};
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_ZERO_RETURN:
      return Progress{0, true, 0};
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Progress{0, false, carrier_->wait};
    default:
      return Failure();
  }
}

// Writes the records that wait.
Result<Progress> TlsTransport::FlushLocked() {
  std::string& out = carrier_->out;
  size_t& begin = carrier_->out_begin;
  while (begin < out.size()) {
    TRY(const Progress progress,
        carrier_->transport->TryWrite(std::string_view(out).substr(begin)));
    begin += progress.bytes;
    if (progress.wait != 0) return Progress{0, false, progress.wait};
  }
  // A connection that is idle holds no memory for what it once wrote.
  if (out.capacity() > kGathered / 4) {
    out = {};
  } else {
    out.clear();
  }
  begin = 0;
  return Progress{};
}

Result<Progress> TlsTransport::TryHandshake() {
  const std::lock_guard lock(mutex_);
  auto done = AttemptLocked([&] { return SSL_do_handshake(ssl_.get()); });
  // An alert is worth writing too.
  auto flushed = FlushLocked();
  if (!done.ok() || done->end) return done;
  if (!flushed.ok() || flushed->wait != 0) return flushed;
  return done;
}

Result<Progress> TlsTransport::TryRead(std::span<char> buffer) {
  const std::lock_guard lock(mutex_);
  auto read = AttemptLocked([&] {
    return SSL_read(ssl_.get(), buffer.data(),
                    static_cast<int>(std::min<size_t>(buffer.size(), INT_MAX)));
  });
  // Reading may answer: an alert, or a new key.
  if (!carrier_->out.empty() && unreported_ == 0) (void)FlushLocked();
  return read;
}

Result<Progress> TlsTransport::TryWrite(std::string_view bytes) {
  if (bytes.empty()) return Progress{};
  const std::lock_guard lock(mutex_);
  while (unreported_ < bytes.size() && carrier_->out.size() < kGathered) {
    const std::string_view rest = bytes.substr(unreported_);
    auto written = AttemptLocked([&] {
      return SSL_write(ssl_.get(), rest.data(),
                       static_cast<int>(std::min<size_t>(rest.size(), INT_MAX)));
    });
    if (!written.ok()) return written;
    if (written->bytes == 0 && unreported_ == 0) return written;
    if (written->bytes == 0) break;
    unreported_ += written->bytes;
  }
  TRY(const Progress flushed, FlushLocked());
  if (flushed.wait != 0) return flushed;
  return Progress{std::exchange(unreported_, 0), false, 0};
}

Result<Progress> TlsTransport::TryCloseWrite() {
  const std::lock_guard lock(mutex_);
  auto closed = AttemptLocked([&] {
    // 0: our alert is sent, and the peer's is not here yet, which reading will find.
    const int result = SSL_shutdown(ssl_.get());
    return result == 0 ? 1 : result;
  });
  auto flushed = FlushLocked();
  return closed.ok() ? flushed : closed;
}

bool TlsTransport::Buffered() const {
  const std::lock_guard lock(mutex_);
  return SSL_has_pending(ssl_.get()) == 1;
}

Error TlsTransport::Failure() {
  if (carrier_->error) {
    ERR_clear_error();
    return *carrier_->error;
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
  if (std::string_view(carrier_->first.data(), carrier_->first_size) == "HTTP/") {
    ERR_clear_error();
    return Error(Code::kUnsupported, "http: server gave HTTP response to HTTPS client");
  }
  saw_plain_http_ = reason == SSL_R_HTTP_REQUEST;
  // Alerts of the peer stand from 1000 on; those about certificates say that ours was refused.
  const bool refused =
      reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED || reason == SSL_R_TLSV1_ALERT_UNKNOWN_CA ||
      reason == SSL_R_TLSV1_ALERT_ACCESS_DENIED || reason == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE ||
      reason == SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED ||
      reason == SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED ||
      reason == SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN;
  return Error(refused ? Code::kPermissionDenied : Code::kUnsupported, "tls: " + TakeTlsReason());
}

std::string TakeTlsReason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : "unknown error";
}

Result<std::vector<std::shared_ptr<x509_st>>> ReadCertificates(const std::string& pem) {
  const Owned<BIO, BIO_free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<std::shared_ptr<x509_st>> certificates;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate, X509_free);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = TakeTlsReason();
  if (certificates.empty() || !at_end) {
    return Error(Code::kInvalidArgument, "tls: reading certificates: " + reason);
  }
  return certificates;
}

Result<void> UseCertificate(ssl_ctx_st* context, const std::string& certificate,
                            const std::string& key, const std::string& whose) {
  TRY(const auto chain, ReadCertificates(certificate));
  const Owned<BIO, BIO_free> bio(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  // Without a callback OpenSSL would ask for a password on the terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  const Owned<EVP_PKEY, EVP_PKEY_free> parsed(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!parsed || SSL_CTX_use_certificate(context, chain[0].get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, parsed.get()) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return Error(Code::kInvalidArgument,
                 "tls: " + whose + " certificate and key: " + TakeTlsReason());
  }
  for (size_t i = 1; i < chain.size(); ++i) SSL_CTX_add1_chain_cert(context, chain[i].get());
  return {};
}

}  // namespace podium::http
