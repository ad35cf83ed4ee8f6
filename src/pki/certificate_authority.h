// A certificate authority: a certificate that may sign others, and its key.
//
// Times are seconds since 1970. Immutable; any thread. A certificate takes some 100 µs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "pki/certificate.h"
#include "pki/keys.h"

namespace podium::pki {

// What a certificate may be used for, as bits: keyUsage and extKeyUsage of RFC 5280.
struct Usages {
  bool digital_signature = false;
  bool content_commitment = false;
  bool key_encipherment = false;
  bool key_agreement = false;
  bool data_encipherment = false;
  bool cert_sign = false;
  bool crl_sign = false;
  bool encipher_only = false;
  bool decipher_only = false;

  bool server_auth = false;
  bool client_auth = false;
  bool code_signing = false;
  bool email_protection = false;
  bool time_stamping = false;
  bool ocsp_signing = false;
  bool any = false;
  bool ipsec_end_system = false;
  bool ipsec_tunnel = false;
  bool ipsec_user = false;
  bool microsoft_sgc = false;
  bool netscape_sgc = false;
};

// The usage of this name in a CertificateSigningRequest ("digital signature", "client auth") is
// set. False for a name that is none.
bool SetUsage(std::string_view name, Usages* usages);

// Clocks of others may be late by this much.
inline constexpr int64_t kBackdateSeconds = 300;

class CertificateAuthority {
 public:
  // A new one that signed itself.
  static Result<CertificateAuthority> Create(const std::string& common_name, int64_t not_before,
                                             int64_t not_after);
  // The same for a key that is there.
  static Result<CertificateAuthority> CreateFor(PrivateKey key, const std::string& common_name,
                                                int64_t not_before, int64_t not_after);
  // kInvalidArgument: the certificate is no CA's, or the key is not the certificate's.
  static Result<CertificateAuthority> Load(Certificate certificate, PrivateKey key);

  const Certificate& certificate() const { return certificate_; }
  const PrivateKey& key() const { return key_; }

  struct Order {
    Subject subject{};
    AlternativeNames names{};
    Usages usages{};
    int64_t not_before = 0;
    int64_t not_after = 0;  // at most the authority's own counts
  };
  Result<Certificate> Issue(const PublicKey& key, const Order& order) const;
  // What upstream's signers make of a request (pkg/controller/certificates/authority): subject and
  // alternative names as asked, other extensions dropped. It is valid from kBackdateSeconds before
  // `now`, for `seconds` in all; those of up to eight hours, from now on.
  Result<Certificate> Sign(const CertificateRequest& request, const Usages& usages, int64_t now,
                           int64_t seconds) const;

 private:
  CertificateAuthority(Certificate certificate, PrivateKey key)
      : certificate_(std::move(certificate)), key_(std::move(key)) {}

  Certificate certificate_;
  PrivateKey key_;
};

}  // namespace podium::pki
