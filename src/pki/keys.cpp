#include "pki/keys.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <optional>

#include "base/owned.h"
#include "pki/octets.h"
#include "pki/pem.h"

namespace podium::pki {
namespace {

using SharedKey = std::shared_ptr<EVP_PKEY>;
using OwnedContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;

constexpr int kFewestRsaBits = 2048;
constexpr int kMostRsaBits = 8192;  // a check with 16384 bits takes 100 times as long

SharedKey Share(EVP_PKEY* key) { return {key, EVP_PKEY_free}; }

std::optional<KeyKind> CurveOf(const EVP_PKEY* key) {
  std::array<char, 64> name;
  size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) != 1) return std::nullopt;
  const std::string_view curve(name.data(), size);
  if (curve == "prime256v1") return KeyKind::kP256;
  if (curve == "secp384r1") return KeyKind::kP384;
  if (curve == "secp521r1") return KeyKind::kP521;
  return std::nullopt;
}

Result<KeyKind> KindOf(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC:
      if (const auto curve = CurveOf(key)) return *curve;
      return BadInput("the key is on a curve other than P-256, P-384 and P-521");
    case EVP_PKEY_RSA: {
      const int bits = EVP_PKEY_get_bits(key);
      if (bits >= kFewestRsaBits && bits <= kMostRsaBits) return KeyKind::kRsa;
      return BadInput("an RSA key of " + std::to_string(bits) + " bits; 2048 to 8192 are taken");
    }
    case EVP_PKEY_ED25519:
      return KeyKind::kEd25519;
    default:
      return BadInput("the key is of a kind other than ECDSA, RSA and Ed25519");
  }
}

const EVP_MD* DigestOf(KeyKind kind) {
  switch (kind) {
    case KeyKind::kEd25519:
      return nullptr;  // it has one of its own
    case KeyKind::kP384:
      return EVP_sha384();
    case KeyKind::kP521:
      return EVP_sha512();
    case KeyKind::kP256:
    case KeyKind::kRsa:
      break;
  }
  return EVP_sha256();
}

Result<SharedKey> ReadPrivate(const PemBlock& block) {
  const unsigned char* at = Octets(block.bytes);
  const auto size = static_cast<long>(block.bytes.size());
  SharedKey key;
  if (block.type == "EC PRIVATE KEY") {
    key = Share(d2i_PrivateKey(EVP_PKEY_EC, nullptr, &at, size));
  } else if (block.type == "RSA PRIVATE KEY") {
    key = Share(d2i_PrivateKey(EVP_PKEY_RSA, nullptr, &at, size));
  } else if (block.type == "PRIVATE KEY") {
    const Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info(
        d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, size));
    key = Share(info ? EVP_PKCS82PKEY(info.get()) : nullptr);
  }
  ERR_clear_error();
  if (!key || at != Octets(block.bytes) + block.bytes.size()) {
    return BadInput("the block " + block.type + " holds no key");
  }
  return key;
}

}  // namespace

Result<PublicKey> PublicKey::Of(SharedKey key, std::string der) {
  TRY(const KeyKind kind, KindOf(key.get()));
  PublicKey result;
  result.der_ = std::move(der);
  result.kind_ = kind;
  result.key_ = std::move(key);
  return result;
}

Result<PublicKey> PublicKey::FromDer(std::string_view der) {
  const unsigned char* at = Octets(der);
  SharedKey key = Share(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!key || at != Octets(der) + der.size()) return BadInput("no public key");
  return Of(std::move(key), std::string(der));
}

Result<PublicKey> PublicKey::FromPem(std::string_view text) {
  while (const auto block = TakePemBlock(&text)) {
    if (block->type == "PUBLIC KEY") return FromDer(block->bytes);
    if (block->type != "CERTIFICATE") continue;
    const unsigned char* at = Octets(block->bytes);
    const Owned<X509, X509_free> certificate(
        d2i_X509(nullptr, &at, static_cast<long>(block->bytes.size())));
    EVP_PKEY* key = certificate ? X509_get_pubkey(certificate.get()) : nullptr;
    ERR_clear_error();
    if (key == nullptr) return BadInput("the certificate has no key that can be read");
    return Of(Share(key), Encode(i2d_PUBKEY, key));
  }
  return BadInput("no block PUBLIC KEY or CERTIFICATE");
}

std::string PublicKey::Pem() const { return ToPem("PUBLIC KEY", der_); }

bool PublicKey::Verify(std::string_view message, std::string_view signature) const {
  const OwnedContext context(EVP_MD_CTX_new());
  const bool good =
      context &&
      EVP_DigestVerifyInit(context.get(), nullptr, DigestOf(kind_), nullptr, key_.get()) == 1 &&
      EVP_DigestVerify(context.get(), Octets(signature), signature.size(), Octets(message),
                       message.size()) == 1;
  ERR_clear_error();
  return good;
}

Result<PrivateKey> PrivateKey::Generate() {
  SharedKey key = Share(EVP_EC_gen("P-256"));
  if (!key) return Error(Code::kInternal, "making a key: " + TakeReason());
  TRY(PublicKey public_key, PublicKey::Of(key, Encode(i2d_PUBKEY, key.get())));
  return PrivateKey(std::move(public_key));
}

Result<PrivateKey> PrivateKey::FromPem(std::string_view text) {
  while (const auto block = TakePemBlock(&text)) {
    if (block->type == "ENCRYPTED PRIVATE KEY") return BadInput("the key is encrypted");
    if (!block->type.ends_with("PRIVATE KEY")) continue;
    if (block->has_headers) return BadInput("the key is encrypted");
    TRY(SharedKey key, ReadPrivate(*block));
    TRY(PublicKey public_key, PublicKey::Of(key, Encode(i2d_PUBKEY, key.get())));
    return PrivateKey(std::move(public_key));
  }
  return BadInput("no block PRIVATE KEY");
}

std::string PrivateKey::Pem() const {
  const Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info(EVP_PKEY2PKCS8(get()));
  return ToPem("PRIVATE KEY", Encode(i2d_PKCS8_PRIV_KEY_INFO, info.get()));
}

Result<std::string> PrivateKey::Sign(std::string_view message) const {
  const OwnedContext context(EVP_MD_CTX_new());
  size_t size = static_cast<size_t>(EVP_PKEY_get_size(get()));
  std::string signature(size, '\0');
  if (!context ||
      EVP_DigestSignInit(context.get(), nullptr, DigestOf(public_key_.kind()), nullptr, get()) !=
          1 ||
      EVP_DigestSign(context.get(), Octets(&signature), &size, Octets(message), message.size()) !=
          1) {
    return Error(Code::kInternal, "signing: " + TakeReason());
  }
  signature.resize(size);
  return signature;
}

}  // namespace podium::pki
