#include "pki/x509.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <array>
#include <string>

#include "base/owned.h"

namespace podium::pki {
namespace {

using OwnedRequest = Owned<X509_REQ, X509_REQ_free>;
using OwnedCertificate = Owned<X509, X509_free>;

Error Bad(std::string message) { return Error(Code::kInvalidArgument, std::move(message)); }

const unsigned char* Octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());  // NOLINT: OpenSSL's octets
}

// What Go says of bytes that are not one sequence of ASN.1, from their first header alone; nothing
// when they are.
std::string SequenceProblem(std::string_view der) {
  if (der.empty()) return "asn1: syntax error: sequence truncated";
  const auto octet = [&](size_t at) { return static_cast<unsigned char>(der[at]); };
  constexpr unsigned kSequence = 16;
  const unsigned tag = octet(0) & 0x1fU;
  const bool is_compound = (octet(0) & 0x20U) != 0;
  size_t size = 2;
  if (tag == 0x1fU || der.size() < size) return "asn1: syntax error: truncated tag or length";
  size_t length = octet(1);
  if (length > 0x7f) {
    const size_t octets = length & 0x7fU;
    if (octets == 0) return "asn1: syntax error: indefinite length found (not DER)";
    length = 0;
    for (size_t i = 0; i < octets; ++i) {
      if (size >= der.size()) return "asn1: syntax error: truncated tag or length";
      if (length >= 1U << 23U) return "asn1: structure error: length too large";
      length = length << 8U | octet(size++);
      if (length == 0) return "asn1: structure error: superfluous leading zeros in length";
    }
    if (length < 0x80) return "asn1: structure error: non-minimal length";
  }
  if (tag != kSequence || !is_compound || octet(0) >> 6U != 0) {
    return fmt::format(
        "asn1: structure error: tags don't match ({} vs {{class:{} tag:{} length:{} "
        "isCompound:{}}}) {{optional:false explicit:false application:false private:false "
        "defaultValue:<nil> tag:<nil> stringType:0 timeType:0 set:false omitEmpty:false}} "
        "certificateRequest @{}",
        kSequence, octet(0) >> 6U, tag, length, is_compound, size);
  }
  if (length > der.size() - size) return "asn1: syntax error: data truncated";
  return length < der.size() - size ? "asn1: syntax error: trailing data" : "";
}

// What Go says when a signature does not fit a key of this type.
std::string_view VerificationProblem(int key_type) {
  switch (key_type) {
    case EVP_PKEY_EC:
      return "x509: ECDSA verification failure";
    case EVP_PKEY_ED25519:
      return "x509: Ed25519 verification failure";
    default:
      return "crypto/rsa: verification error";
  }
}

std::string_view GoKeyType(int key_type) {
  switch (key_type) {
    case EVP_PKEY_EC:
      return "*ecdsa.PublicKey";
    case EVP_PKEY_ED25519:
      return "ed25519.PublicKey";
    default:
      return "*rsa.PublicKey";
  }
}

// A way to sign that Go knows.
struct Algorithm {
  int nid;
  int key_type;
  // Of one that is too weak to count; empty for the others.
  std::string_view insecure_name;
};
constexpr Algorithm kAlgorithms[] = {
    {NID_md5WithRSAEncryption, EVP_PKEY_RSA, "MD5-RSA"},
    {NID_sha1WithRSAEncryption, EVP_PKEY_RSA, ""},
    {NID_sha256WithRSAEncryption, EVP_PKEY_RSA, ""},
    {NID_sha384WithRSAEncryption, EVP_PKEY_RSA, ""},
    {NID_sha512WithRSAEncryption, EVP_PKEY_RSA, ""},
    {NID_rsassaPss, EVP_PKEY_RSA, ""},
    {NID_ecdsa_with_SHA1, EVP_PKEY_EC, ""},
    {NID_ecdsa_with_SHA256, EVP_PKEY_EC, ""},
    {NID_ecdsa_with_SHA384, EVP_PKEY_EC, ""},
    {NID_ecdsa_with_SHA512, EVP_PKEY_EC, ""},
    {NID_ED25519, EVP_PKEY_ED25519, ""},
};

std::string_view FamilyName(int key_type) {
  switch (key_type) {
    case EVP_PKEY_EC:
      return "ECDSA";
    case EVP_PKEY_ED25519:
      return "Ed25519";
    default:
      return "RSA";
  }
}

// Go knows four curves.
bool IsKnownCurve(const EVP_PKEY* key) {
  std::array<char, 64> name;
  size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) != 1) return false;
  const std::string_view curve(name.data(), size);
  return curve == "secp224r1" || curve == "prime256v1" || curve == "secp384r1" ||
         curve == "secp521r1";
}

Error OtherCurve() { return Bad("x509: unsupported elliptic curve"); }

Result<void> CheckSignature(X509_REQ* request) {
  EVP_PKEY* const key = X509_REQ_get0_pubkey(request);
  const int key_type = key ? EVP_PKEY_base_id(key) : EVP_PKEY_NONE;
  if (key_type == EVP_PKEY_EC && !IsKnownCurve(key)) return OtherCurve();
  const int nid = X509_REQ_get_signature_nid(request);
  const Algorithm* algorithm = nullptr;
  for (const Algorithm& known : kAlgorithms) {
    if (known.nid == nid) algorithm = &known;
  }
  const bool known_key =
      key_type == EVP_PKEY_RSA || key_type == EVP_PKEY_EC || key_type == EVP_PKEY_ED25519;
  if (!algorithm || !known_key) {
    return Bad("x509: cannot verify signature: algorithm unimplemented");
  }
  if (!algorithm->insecure_name.empty()) {
    return Bad("x509: cannot verify signature: insecure algorithm " +
               std::string(algorithm->insecure_name));
  }
  if (algorithm->key_type != key_type) {
    return Bad(
        fmt::format("x509: signature algorithm specifies an {} public key, but have public "
                    "key of type {}",
                    FamilyName(algorithm->key_type), GoKeyType(key_type)));
  }
  constexpr int kFewestRsaBits = 1024;
  if (key_type == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) < kFewestRsaBits) {
    return Bad(
        fmt::format("crypto/rsa: {}-bit keys are insecure (see "
                    "https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)",
                    EVP_PKEY_get_bits(key)));
  }
  if (X509_REQ_verify(request, key) != 1) return Bad(std::string(VerificationProblem(key_type)));
  return {};
}

// One certificate at the beginning of *der, which then begins behind it.
Result<void> TakeCertificate(std::string_view* der) {
  const unsigned char* at = Octets(*der);
  const OwnedCertificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der->size())));
  const EVP_PKEY* const key = certificate ? X509_get0_pubkey(certificate.get()) : nullptr;
  ERR_clear_error();
  if (!certificate) return Bad("x509: malformed certificate");
  if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && !IsKnownCurve(key)) return OtherCurve();
  der->remove_prefix(static_cast<size_t>(at - Octets(*der)));
  return {};
}

}  // namespace

Result<void> CheckCertificateRequest(std::string_view der) {
  if (std::string problem = SequenceProblem(der); !problem.empty()) return Bad(problem);
  const unsigned char* at = Octets(der);
  const OwnedRequest request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  if (!request) {
    ERR_clear_error();
    return Bad("asn1: structure error: malformed certificate request");
  }
  auto checked = CheckSignature(request.get());
  ERR_clear_error();
  return checked;
}

Result<void> CheckCertificate(std::string_view der) {
  TRY_VOID(TakeCertificate(&der));
  if (!der.empty()) return Bad("x509: trailing data");
  return {};
}

Result<size_t> CountCertificates(std::string_view der) {
  size_t count = 0;
  for (; !der.empty(); ++count) TRY_VOID(TakeCertificate(&der));
  return count;
}

}  // namespace podium::pki
