// Keys: ECDSA on NIST's curves, RSA, Ed25519. New ones are ECDSA on P-256.
//
// Keys are immutable and shared by their copies; any thread. Errors are kInvalidArgument.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace podium::pki {

enum class KeyKind { kP256, kP384, kP521, kRsa, kEd25519 };

class PublicKey {
 public:
  // A SubjectPublicKeyInfo (RFC 5280) and nothing behind it.
  static Result<PublicKey> FromDer(std::string_view der);
  // The first block "PUBLIC KEY", or the key of the first "CERTIFICATE", whichever comes first.
  static Result<PublicKey> FromPem(std::string_view text);

  KeyKind kind() const { return kind_; }
  // As SubjectPublicKeyInfo.
  const std::string& der() const { return der_; }
  std::string Pem() const;

  // Whether `signature` is this key's of the message: with SHA-256, for P-384 and P-521 SHA-384 and
  // SHA-512; PKCS#1 v1.5 for RSA; r and s in DER for ECDSA.
  bool Verify(std::string_view message, std::string_view signature) const;

  // OpenSSL's, for this room.
  evp_pkey_st* get() const { return key_.get(); }
  // Of what OpenSSL has read before, which takes it another 200 µs: takes the key over, which `der`
  // is.
  static Result<PublicKey> Of(std::shared_ptr<evp_pkey_st> key, std::string der);
  friend bool operator==(const PublicKey& a, const PublicKey& b) { return a.der_ == b.der_; }

 private:
  friend class PrivateKey;
  std::shared_ptr<evp_pkey_st> key_;
  KeyKind kind_ = KeyKind::kP256;
  std::string der_;
};

class PrivateKey {
 public:
  // A new one on P-256.
  static Result<PrivateKey> Generate();
  // The first block "PRIVATE KEY" (PKCS#8), "EC PRIVATE KEY" (SEC1) or "RSA PRIVATE KEY" (PKCS#1).
  // Encrypted ones are refused.
  static Result<PrivateKey> FromPem(std::string_view text);

  const PublicKey& public_key() const { return public_key_; }
  // PKCS#8.
  std::string Pem() const;
  // What PublicKey::Verify takes.
  Result<std::string> Sign(std::string_view message) const;

  evp_pkey_st* get() const { return public_key_.get(); }

 private:
  explicit PrivateKey(PublicKey public_key) : public_key_(std::move(public_key)) {}
  PublicKey public_key_;  // the private half is in the same object of OpenSSL
};

}  // namespace podium::pki
