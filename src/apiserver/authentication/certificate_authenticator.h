// Clients that show a certificate (upstream's k8s.io/apiserver/pkg/authentication/request/x509):
// the common name is the user, organizations are the groups, and 1.3.6.1.4.1.57683.2 is the uid.
//
// What was found out is kept by the certificates' bytes, until they expire: on a connection that
// goes on, a request costs a comparison of some hundred bytes. Only good ones are kept, so that
// nobody fills the memory with others.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "apiserver/authentication/authenticator.h"
#include "apiserver/authentication/bounded_cache.h"
#include "base/clock.h"
#include "pki/chain.h"

namespace podium::apiserver {

class CertificateAuthenticator final : public Authenticator {
 public:
  // `client_ca` is PEM. The clock outlives it.
  static Result<std::unique_ptr<CertificateAuthenticator>> Create(std::string_view client_ca,
                                                                  const Clock& clock);

  // The user is in system:authenticated already.
  Result<AuthenticatedPtr> Authenticate(const Credentials& credentials) override;

 private:
  struct Known {
    AuthenticatedPtr who;
    int64_t since = 0;    // seconds since 1970: when it was checked
    int64_t expires = 0;  // likewise: of the first to expire in what was shown
  };
  CertificateAuthenticator(pki::TrustedRoots roots, const Clock& clock)
      : roots_(std::move(roots)), clock_(clock) {}
  Result<Known> Verify(std::span<const std::string> certificates, int64_t now) const;

  const pki::TrustedRoots roots_;
  const Clock& clock_;
  BoundedCache<Known> known_{1024};
};

}  // namespace podium::apiserver
