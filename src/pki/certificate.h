// Certificates (RFC 5280) and signing requests (RFC 2986), read: what is in them.
//
// Bytes come from anybody: errors are kInvalidArgument. Values are plain and shared by copies; any
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pki/keys.h"

struct X509_req_st;  // OpenSSL's X509_REQ
struct x509_st;      // X509

namespace podium::pki {

struct Subject {
  std::string common_name{};                 // the last, where there are several, as in Go
  std::vector<std::string> organizations{};  // in their order
  // Of 1.3.6.1.4.1.57683.2: what Kubernetes takes for a user's uid.
  std::vector<std::string> uids{};

  friend bool operator==(const Subject&, const Subject&) = default;
};

struct AlternativeNames {
  std::vector<std::string> dns{};
  std::vector<std::string> addresses{};  // 10.0.0.1, 2001:db8::1
  std::vector<std::string> emails{};
  std::vector<std::string> uris{};

  friend bool operator==(const AlternativeNames&, const AlternativeNames&) = default;
};

class Certificate {
 public:
  // One certificate and nothing behind it.
  static Result<Certificate> FromDer(std::string_view der);
  // The first block CERTIFICATE.
  static Result<Certificate> FromPem(std::string_view text);
  // All blocks CERTIFICATE; at least one.
  static Result<std::vector<Certificate>> AllFromPem(std::string_view text);

  const std::string& der() const { return der_; }
  std::string Pem() const;
  const Subject& subject() const { return subject_; }
  const AlternativeNames& alternative_names() const { return alternative_names_; }
  // Seconds since 1970; valid from the one to the other, both included.
  int64_t not_before() const { return not_before_; }
  int64_t not_after() const { return not_after_; }
  bool is_ca() const { return is_ca_; }
  const PublicKey& public_key() const { return public_key_; }
  // Whether the key of `issuer` signed it and the names fit. Neither time nor usages are looked at.
  bool IsSignedBy(const Certificate& issuer) const;
  // "SN=1, SKID=AB:CD, AKID=12:34", as upstream names certificates in its log.
  std::string Identifier() const;

  x509_st* get() const { return certificate_.get(); }  // OpenSSL's, for this room

 private:
  friend class CertificateAuthority;
  static Result<Certificate> Of(std::shared_ptr<x509_st> certificate);

  std::shared_ptr<x509_st> certificate_;
  std::string der_;
  Subject subject_;
  AlternativeNames alternative_names_;
  PublicKey public_key_;
  int64_t not_before_ = 0;
  int64_t not_after_ = 0;
  bool is_ca_ = false;
};

class CertificateRequest {
 public:
  // One that its key has signed, worded like CheckCertificateRequest.
  static Result<CertificateRequest> FromDer(std::string_view der);
  // The first block, which is a CERTIFICATE REQUEST.
  static Result<CertificateRequest> FromPem(std::string_view text);

  // A request for these, signed by the key: PEM.
  static Result<std::string> Create(const PrivateKey& key, const Subject& subject,
                                    const AlternativeNames& names);

  const Subject& subject() const { return subject_; }
  const AlternativeNames& alternative_names() const { return alternative_names_; }
  const PublicKey& public_key() const { return public_key_; }
  X509_req_st* get() const { return request_.get(); }  // OpenSSL's, for this room

 private:
  std::shared_ptr<X509_req_st> request_;
  Subject subject_;
  AlternativeNames alternative_names_;
  PublicKey public_key_;
};

}  // namespace podium::pki
