#include "pki/chain.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "base/owned.h"
#include "pki/octets.h"

namespace podium::pki {
namespace {

struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};

std::string TimeText(int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string ProblemText(int problem, const Certificate& certificate, int64_t now) {
  constexpr std::string_view kTime = "x509: certificate has expired or is not yet valid";
  switch (problem) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      if (now <= certificate.not_after()) return std::string(kTime);  // it is another of the chain
      return fmt::format("{}: current time {} is after {}", kTime, TimeText(now),
                         TimeText(certificate.not_after()));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      if (now >= certificate.not_before()) return std::string(kTime);
      return fmt::format("{}: current time {} is before {}", kTime, TimeText(now),
                         TimeText(certificate.not_before()));
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "x509: certificate signed by unknown authority";
    case X509_V_ERR_INVALID_PURPOSE:
      return "x509: certificate specifies an incompatible key usage";
    default:
      return fmt::format("x509: {}", X509_verify_cert_error_string(problem));
  }
}

}  // namespace

Result<TrustedRoots> TrustedRoots::Create(std::span<const Certificate> roots) {
  TrustedRoots result;
  result.store_.reset(X509_STORE_new(), X509_STORE_free);
  if (!result.store_) return Error(Code::kInternal, "x509: " + TakeReason());
  for (const Certificate& root : roots) {
    if (X509_STORE_add_cert(result.store_.get(), root.get()) != 1) {
      return BadInput("x509: " + TakeReason());
    }
  }
  return result;
}

Result<void> TrustedRoots::Verify(const Certificate& certificate,
                                  std::span<const Certificate> intermediates, Purpose purpose,
                                  int64_t now) const {
  const Owned<X509_STORE_CTX, X509_STORE_CTX_free> context(X509_STORE_CTX_new());
  const std::unique_ptr<STACK_OF(X509), FreeStack> untrusted(sk_X509_new_null());
  for (const Certificate& other : intermediates) sk_X509_push(untrusted.get(), other.get());
  if (!context ||
      X509_STORE_CTX_init(context.get(), store_.get(), certificate.get(), untrusted.get()) != 1) {
    return Error(Code::kInternal, "x509: " + TakeReason());
  }
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_time(parameters, now);
  // 80 bits: no signatures with SHA-1, no RSA below 1024.
  X509_VERIFY_PARAM_set_auth_level(parameters, 1);
  X509_VERIFY_PARAM_set_purpose(parameters, purpose == Purpose::kClientAuth
                                                ? X509_PURPOSE_SSL_CLIENT
                                                : X509_PURPOSE_SSL_SERVER);
  const bool good = X509_verify_cert(context.get()) == 1;
  const int problem = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  if (good) return {};
  return Error(Code::kUnauthenticated, ProblemText(problem, certificate, now));
}

}  // namespace podium::pki
