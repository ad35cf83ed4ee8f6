#include "pki/certificate_authority.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/owned.h"
#include "pki/octets.h"
#include "pki/random.h"
#include "pki/x509_names.h"

namespace podium::pki {
namespace {

struct UsageName {
  std::string_view name;
  bool Usages::* usage;
  int nid;  // of an extended one; 0: a bit of keyUsage
  int bit;
};

// In the order of upstream's tables (k8s.io/api/certificates/v1, KeyUsage). "signing" is another
// name of the first.
constexpr UsageName kUsages[] = {
    {"digital signature", &Usages::digital_signature, 0, 0},
    {"signing", &Usages::digital_signature, 0, 0},
    {"content commitment", &Usages::content_commitment, 0, 1},
    {"key encipherment", &Usages::key_encipherment, 0, 2},
    {"data encipherment", &Usages::data_encipherment, 0, 3},
    {"key agreement", &Usages::key_agreement, 0, 4},
    {"cert sign", &Usages::cert_sign, 0, 5},
    {"crl sign", &Usages::crl_sign, 0, 6},
    {"encipher only", &Usages::encipher_only, 0, 7},
    {"decipher only", &Usages::decipher_only, 0, 8},
    {"any", &Usages::any, NID_anyExtendedKeyUsage, 0},
    {"server auth", &Usages::server_auth, NID_server_auth, 0},
    {"client auth", &Usages::client_auth, NID_client_auth, 0},
    {"code signing", &Usages::code_signing, NID_code_sign, 0},
    {"email protection", &Usages::email_protection, NID_email_protect, 0},
    {"s/mime", &Usages::email_protection, NID_email_protect, 0},
    {"ipsec end system", &Usages::ipsec_end_system, NID_ipsecEndSystem, 0},
    {"ipsec tunnel", &Usages::ipsec_tunnel, NID_ipsecTunnel, 0},
    {"ipsec user", &Usages::ipsec_user, NID_ipsecUser, 0},
    {"timestamping", &Usages::time_stamping, NID_time_stamp, 0},
    {"ocsp signing", &Usages::ocsp_signing, NID_OCSP_sign, 0},
    {"microsoft sgc", &Usages::microsoft_sgc, NID_ms_sgc, 0},
    {"netscape sgc", &Usages::netscape_sgc, NID_ns_sgc, 0},
};

Error Broken() { return Error(Code::kInternal, "making a certificate: " + TakeReason()); }

Result<void> AddExtension(X509* certificate, int nid, void* value, bool critical) {
  if (value == nullptr ||
      X509_add1_ext_i2d(certificate, nid, value, critical ? 1 : 0, X509V3_ADD_DEFAULT) != 1) {
    return Broken();
  }
  return {};
}

Result<void> AddBasicConstraints(X509* certificate, bool is_ca) {
  const Owned<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free> constraints(BASIC_CONSTRAINTS_new());
  if (!constraints) return Broken();
  constraints->ca = is_ca ? 0xff : 0;
  return AddExtension(certificate, NID_basic_constraints, constraints.get(), true);
}

Result<void> AddUsages(X509* certificate, const Usages& usages) {
  const Owned<ASN1_BIT_STRING, ASN1_BIT_STRING_free> bits(ASN1_BIT_STRING_new());
  const Owned<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free> extended(sk_ASN1_OBJECT_new_null());
  if (!bits || !extended) return Broken();
  bool any_bit = false;
  for (const UsageName& usage : kUsages) {
    if (!(usages.*usage.usage)) continue;
    if (usage.nid == 0) {
      ASN1_BIT_STRING_set_bit(bits.get(), usage.bit, 1);
      any_bit = true;
      continue;
    }
    if (usage.name == "s/mime") continue;  // the same as the one before
    sk_ASN1_OBJECT_push(extended.get(), OBJ_nid2obj(usage.nid));
  }
  if (any_bit) TRY_VOID(AddExtension(certificate, NID_key_usage, bits.get(), true));
  if (sk_ASN1_OBJECT_num(extended.get()) > 0) {
    TRY_VOID(AddExtension(certificate, NID_ext_key_usage, extended.get(), false));
  }
  return {};
}

// The keys' identifiers: SHA-1 of the key's bits, as RFC 5280 (4.2.1.2) has it. No secret depends
// on it.
Result<void> AddKeyIds(X509* certificate, X509* issuer) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  struct Extension {
    int nid;
    const char* value;
  };
  for (const Extension extension : {Extension{NID_subject_key_identifier, "hash"},
                                    Extension{NID_authority_key_identifier, "keyid"}}) {
    const Owned<X509_EXTENSION, X509_EXTENSION_free> made(
        X509V3_EXT_nconf_nid(nullptr, &context, extension.nid, extension.value));
    if (!made || X509_add_ext(certificate, made.get(), -1) != 1) return Broken();
  }
  return {};
}

Result<void> SetSerial(X509* certificate) {
  // 127 random bits: positive, and nobody can foresee it.
  std::string serial = RandomBytes(16);
  serial[0] = static_cast<char>((static_cast<unsigned char>(serial[0]) & 0x3fU) | 0x40U);
  const Owned<BIGNUM, BN_free> number(
      BN_bin2bn(Octets(serial), static_cast<int>(serial.size()), nullptr));
  if (!number || !BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate))) {
    return Broken();
  }
  return {};
}

const EVP_MD* SigningDigest(KeyKind kind) {
  if (kind == KeyKind::kEd25519) return nullptr;
  if (kind == KeyKind::kP384) return EVP_sha384();
  return kind == KeyKind::kP521 ? EVP_sha512() : EVP_sha256();
}

using OwnedCertificate = std::shared_ptr<X509>;

// All but the subject, the extensions that depend on what it is for, and the signature.
Result<OwnedCertificate> NewCertificate(const PublicKey& key, int64_t not_before,
                                        int64_t not_after) {
  OwnedCertificate certificate(X509_new(), X509_free);
  X509* const x509 = certificate.get();
  if (x509 == nullptr || X509_set_version(x509, X509_VERSION_3) != 1 ||
      ASN1_TIME_set(X509_getm_notBefore(x509), not_before) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(x509), not_after) == nullptr ||
      X509_set_pubkey(x509, key.get()) != 1) {
    return Broken();
  }
  TRY_VOID(SetSerial(x509));
  return certificate;
}

}  // namespace

bool SetUsage(std::string_view name, Usages* usages) {
  for (const UsageName& usage : kUsages) {
    if (usage.name != name) continue;
    usages->*usage.usage = true;
    return true;
  }
  return false;
}

Result<CertificateAuthority> CertificateAuthority::Create(const std::string& common_name,
                                                          int64_t not_before, int64_t not_after) {
  TRY(PrivateKey key, PrivateKey::Generate());
  return CreateFor(std::move(key), common_name, not_before, not_after);
}

Result<CertificateAuthority> CertificateAuthority::CreateFor(PrivateKey key,
                                                             const std::string& common_name,
                                                             int64_t not_before,
                                                             int64_t not_after) {
  TRY(OwnedCertificate x509, NewCertificate(key.public_key(), not_before, not_after));
  TRY_VOID(WriteSubject({.common_name = common_name}, X509_get_subject_name(x509.get())));
  X509_set_issuer_name(x509.get(), X509_get_subject_name(x509.get()));
  TRY_VOID(AddBasicConstraints(x509.get(), true));
  TRY_VOID(AddUsages(x509.get(),
                     {.digital_signature = true, .key_encipherment = true, .cert_sign = true}));
  TRY_VOID(AddKeyIds(x509.get(), x509.get()));
  if (X509_sign(x509.get(), key.get(), SigningDigest(key.public_key().kind())) <= 0) {
    return Broken();
  }
  // Read again, so that what is cached inside fits the signed bytes.
  TRY(Certificate certificate, Certificate::FromDer(Encode(i2d_X509, x509.get())));
  return CertificateAuthority(std::move(certificate), std::move(key));
}

Result<CertificateAuthority> CertificateAuthority::Load(Certificate certificate, PrivateKey key) {
  if (!certificate.is_ca()) {
    return BadInput("the certificate of '" + certificate.subject().common_name +
                    "' is no certificate authority's");
  }
  if (!(certificate.public_key() == key.public_key())) {
    return BadInput("the key is not that of the certificate of '" +
                    certificate.subject().common_name + "'");
  }
  return CertificateAuthority(std::move(certificate), std::move(key));
}

Result<Certificate> CertificateAuthority::Issue(const PublicKey& key, const Order& order) const {
  const int64_t not_after = std::min(order.not_after, certificate_.not_after());
  if (not_after <= order.not_before) {
    return BadInput("the certificate authority '" + certificate_.subject().common_name +
                    "' has expired");
  }
  TRY(OwnedCertificate x509, NewCertificate(key, order.not_before, not_after));
  TRY_VOID(WriteSubject(order.subject, X509_get_subject_name(x509.get())));
  X509_set_issuer_name(x509.get(), X509_get_subject_name(certificate_.get()));
  TRY_VOID(AddUsages(x509.get(), order.usages));
  TRY_VOID(AddBasicConstraints(x509.get(), false));
  TRY_VOID(AddKeyIds(x509.get(), certificate_.get()));
  TRY(const OwnedNames names, WriteNames(order.names));
  if (names) {
    // Where there is no subject, the names are all there is: RFC 5280, 4.2.1.6.
    const bool critical = X509_NAME_entry_count(X509_get_subject_name(x509.get())) == 0;
    TRY_VOID(AddExtension(x509.get(), NID_subject_alt_name, names.get(), critical));
  }
  if (X509_sign(x509.get(), key_.get(), SigningDigest(key_.public_key().kind())) <= 0) {
    return Broken();
  }
  return Certificate::FromDer(Encode(i2d_X509, x509.get()));
}

Result<Certificate> CertificateAuthority::Sign(const CertificateRequest& request,
                                               const Usages& usages, int64_t now,
                                               int64_t seconds) const {
  constexpr int64_t kShort = int64_t{8} * 3600;
  const int64_t not_after = seconds <= kShort ? now + seconds : now + seconds - kBackdateSeconds;
  return Issue(request.public_key(), {.subject = request.subject(),
                                      .names = request.alternative_names(),
                                      .usages = usages,
                                      .not_before = now - kBackdateSeconds,
                                      .not_after = not_after});
}

}  // namespace podium::pki
