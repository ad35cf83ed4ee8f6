#include "pki/certificate.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "base/owned.h"
#include "base/text.h"
#include "pki/octets.h"
#include "pki/pem.h"
#include "pki/x509.h"
#include "pki/x509_names.h"

namespace podium::pki {
namespace {

using OwnedExtensions =
    std::unique_ptr<STACK_OF(X509_EXTENSION), void (*)(STACK_OF(X509_EXTENSION)*)>;

Result<int64_t> SecondsOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    ERR_clear_error();
    return BadInput("x509: malformed validity");
  }
  return int64_t{timegm(&parts)};
}

std::string Hex(const ASN1_OCTET_STRING* octets) {
  if (octets == nullptr) return "";
  const unsigned char* const bytes = ASN1_STRING_get0_data(octets);
  std::string text;
  for (int i = 0; i < ASN1_STRING_length(octets); ++i) {
    text += fmt::format("{}{:02X}", i == 0 ? "" : ":", bytes[i]);
  }
  return text;
}

std::string SerialText(const ASN1_INTEGER* serial) {
  const Owned<BIGNUM, BN_free> number(ASN1_INTEGER_to_BN(serial, nullptr));
  char* const text = number ? BN_bn2dec(number.get()) : nullptr;
  std::string copy = text != nullptr ? text : "";
  OPENSSL_free(text);
  return copy;
}

// Decoded with what it is in, and not again.
Result<PublicKey> KeyOf(X509_PUBKEY* in) {
  std::shared_ptr<EVP_PKEY> key(X509_PUBKEY_get(in), EVP_PKEY_free);
  ERR_clear_error();
  if (!key) return BadInput("x509: the key cannot be read");
  return PublicKey::Of(std::move(key), Encode(i2d_X509_PUBKEY, in));
}

void FreeExtensions(STACK_OF(X509_EXTENSION) * extensions) {
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

}  // namespace

Result<Certificate> Certificate::Of(std::shared_ptr<x509_st> certificate) {
  Certificate result;
  X509* const x509 = certificate.get();
  TRY(result.subject_, ReadSubject(X509_get_subject_name(x509)));
  int critical = 0;
  const OwnedNames names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, nullptr)));
  ERR_clear_error();
  TRY(result.alternative_names_, ReadNames(names.get()));
  TRY(result.not_before_, SecondsOf(X509_get0_notBefore(x509)));
  TRY(result.not_after_, SecondsOf(X509_get0_notAfter(x509)));
  TRY(result.public_key_, KeyOf(X509_get_X509_PUBKEY(x509)));
  result.is_ca_ = X509_check_ca(x509) == 1;
  result.der_ = Encode(i2d_X509, x509);
  ERR_clear_error();
  result.certificate_ = std::move(certificate);
  return result;
}

Result<Certificate> Certificate::FromDer(std::string_view der) {
  const unsigned char* at = Octets(der);
  std::shared_ptr<X509> certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())),
                                    X509_free);
  ERR_clear_error();
  if (!certificate) return BadInput("x509: malformed certificate");
  if (at != Octets(der) + der.size()) return BadInput("x509: trailing data");
  return Of(std::move(certificate));
}

Result<Certificate> Certificate::FromPem(std::string_view text) {
  while (const auto block = TakePemBlock(&text)) {
    if (block->type == "CERTIFICATE") return FromDer(block->bytes);
  }
  return BadInput("no block CERTIFICATE");
}

Result<std::vector<Certificate>> Certificate::AllFromPem(std::string_view text) {
  std::vector<Certificate> certificates;
  while (const auto block = TakePemBlock(&text)) {
    if (block->type != "CERTIFICATE") continue;
    TRY(Certificate certificate, FromDer(block->bytes));
    certificates.push_back(std::move(certificate));
  }
  if (certificates.empty()) return BadInput("no block CERTIFICATE");
  return certificates;
}

std::string Certificate::Pem() const { return ToPem("CERTIFICATE", der_); }

bool Certificate::IsSignedBy(const Certificate& issuer) const {
  const bool fits = X509_check_issued(issuer.get(), get()) == X509_V_OK &&
                    X509_verify(get(), issuer.public_key().get()) == 1;
  ERR_clear_error();
  return fits;
}

std::string Certificate::Identifier() const {
  return fmt::format("SN={}, SKID={}, AKID={}", SerialText(X509_get0_serialNumber(get())),
                     Hex(X509_get0_subject_key_id(get())), Hex(X509_get0_authority_key_id(get())));
}

Result<CertificateRequest> CertificateRequest::FromDer(std::string_view der) {
  TRY_VOID(CheckCertificateRequest(der));
  const unsigned char* at = Octets(der);
  CertificateRequest result;
  result.request_.reset(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())), X509_REQ_free);
  X509_REQ* const request = result.request_.get();
  if (request == nullptr) return BadInput("asn1: structure error: malformed certificate request");
  TRY(result.subject_, ReadSubject(X509_REQ_get_subject_name(request)));
  const OwnedExtensions extensions(X509_REQ_get_extensions(request), FreeExtensions);
  const OwnedNames names(static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions.get(), NID_subject_alt_name, nullptr, nullptr)));
  ERR_clear_error();
  TRY(result.alternative_names_, ReadNames(names.get()));
  TRY(result.public_key_, KeyOf(X509_REQ_get_X509_PUBKEY(request)));
  return result;
}

Result<CertificateRequest> CertificateRequest::FromPem(std::string_view text) {
  const auto block = TakePemBlock(&text);
  if (!block || block->type != "CERTIFICATE REQUEST") {
    return BadInput("PEM block type must be CERTIFICATE REQUEST");
  }
  return FromDer(block->bytes);
}

Result<std::string> CertificateRequest::Create(const PrivateKey& key, const Subject& subject,
                                               const AlternativeNames& names) {
  const Owned<X509_REQ, X509_REQ_free> request(X509_REQ_new());
  if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.get()) != 1) {
    return Error(Code::kInternal, "x509: " + TakeReason());
  }
  TRY_VOID(WriteSubject(subject, X509_REQ_get_subject_name(request.get())));
  TRY(const OwnedNames general, WriteNames(names));
  if (general) {
    STACK_OF(X509_EXTENSION)* stack = nullptr;
    X509V3_add1_i2d(&stack, NID_subject_alt_name, general.get(), 0, X509V3_ADD_DEFAULT);
    const OwnedExtensions extensions(stack, FreeExtensions);
    X509_REQ_add_extensions(request.get(), extensions.get());
  }
  const bool has_digest = key.public_key().kind() != KeyKind::kEd25519;
  if (X509_REQ_sign(request.get(), key.get(), has_digest ? EVP_sha256() : nullptr) <= 0) {
    return Error(Code::kInternal, "x509: " + TakeReason());
  }
  return ToPem("CERTIFICATE REQUEST", Encode(i2d_X509_REQ, request.get()));
}

}  // namespace podium::pki
