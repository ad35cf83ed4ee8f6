#include "apiserver/authentication/certificate_authenticator.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "apiserver/authentication/known_user.h"
#include "pki/certificate.h"
#include "pki/digest.h"

namespace podium::apiserver {
namespace {

Error Wrong(std::string why) { return Error(Code::kUnauthenticated, std::move(why)); }

// All of them one behind the other: certificates say themselves where they end.
std::string Joined(std::span<const std::string> certificates) {
  std::string all;
  for (const std::string& certificate : certificates) all += certificate;
  return all;
}

}  // namespace

Result<std::unique_ptr<CertificateAuthenticator>> CertificateAuthenticator::Create(
    std::string_view client_ca, const Clock& clock) {
  TRY(const auto certificates, pki::Certificate::AllFromPem(client_ca));
  TRY(pki::TrustedRoots roots, pki::TrustedRoots::Create(certificates));
  return std::unique_ptr<CertificateAuthenticator>(
      new CertificateAuthenticator(std::move(roots), clock));
}

Result<CertificateAuthenticator::Known> CertificateAuthenticator::Verify(
    std::span<const std::string> certificates, int64_t now) const {
  TRY(const pki::Certificate own, pki::Certificate::FromDer(certificates.front()));
  std::vector<pki::Certificate> others;
  Known known = {.who = nullptr, .since = now, .expires = own.not_after()};
  for (const std::string& der : certificates.subspan(1)) {
    TRY(pki::Certificate other, pki::Certificate::FromDer(der));
    known.expires = std::min(known.expires, other.not_after());
    others.push_back(std::move(other));
  }
  const auto verified = roots_.Verify(own, others, pki::Purpose::kClientAuth, now);
  if (!verified.ok()) {
    return Wrong("verifying certificate " + own.Identifier() +
                 " failed: " + verified.error().message());
  }
  const pki::Subject& subject = own.subject();
  if (subject.common_name.empty()) return known;  // it names nobody
  if (subject.uids.size() > 1) return Wrong("expected 1 UID, but found multiple");
  if (!subject.uids.empty() && subject.uids[0].empty())
    return Wrong("UID cannot be an empty string");
  known.who = KnownUser({.user = {.name = subject.common_name,
                                  .uid = subject.uids.empty() ? "" : subject.uids[0],
                                  .groups = subject.organizations,
                                  .extra = {{std::string(kCredentialIdKey),
                                             {"X509SHA256=" + pki::Sha256Hex(own.der())}}}}});
  return known;
}

Result<AuthenticatedPtr> CertificateAuthenticator::Authenticate(const Credentials& credentials) {
  const std::span<const std::string> certificates = credentials.certificates;
  if (certificates.empty()) return AuthenticatedPtr();
  const int64_t now = clock_.Now() / kNanosPerSecond;
  // Mostly there is one, whose bytes are the key as they are.
  std::string joined;
  if (certificates.size() > 1) joined = Joined(certificates);
  const std::string_view key = joined.empty() ? certificates.front() : joined;
  if (const auto known = known_.Find(key);
      known != nullptr && now >= known->since && now <= known->expires) {
    return known->who;
  }
  auto verified = Verify(certificates, now);
  if (!verified.ok()) {
    known_.Remove(key);
    return std::move(verified).error();
  }
  const AuthenticatedPtr who = verified->who;
  known_.Set(key, std::make_shared<const Known>(*std::move(verified)));
  return who;
}

}  // namespace podium::apiserver
