#include "api/key_pair.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <string>
#include <vector>

#include "pki/certificate.h"
#include "pki/keys.h"
#include "pki/pem.h"
#include "pki/x509.h"

namespace podium::api {
namespace {

Error Bad(const std::string& message) { return Error(Code::kInvalidArgument, "tls: " + message); }

bool IsKey(const std::string& type) {
  return type == "PRIVATE KEY" || type.ends_with(" PRIVATE KEY");
}

// The first block that is wanted; the types of those before it.
template <class IsWanted>
std::optional<pki::PemBlock> TakeFirst(std::string_view text, IsWanted is_wanted,
                                       std::vector<std::string>* skipped) {
  while (auto block = pki::TakePemBlock(&text)) {
    if (is_wanted(block->type)) return block;
    skipped->push_back(block->type);
  }
  return std::nullopt;
}

Error NoCertificate(const std::vector<std::string>& skipped) {
  if (skipped.empty()) return Bad("failed to find any PEM data in certificate input");
  if (skipped.size() == 1 && skipped[0].ends_with("PRIVATE KEY")) {
    return Bad(
        "failed to find certificate PEM data in certificate input, but did find a private key; PEM "
        "inputs may have been switched");
  }
  return Bad(
      fmt::format("failed to find \"CERTIFICATE\" PEM block in certificate input after skipping "
                  "PEM blocks of the following types: [{}]",
                  fmt::join(skipped, " ")));
}

Error NoKey(const std::vector<std::string>& skipped) {
  if (skipped.empty()) return Bad("failed to find any PEM data in key input");
  if (skipped.size() == 1 && skipped[0] == "CERTIFICATE") {
    return Bad("found a certificate rather than a key in the PEM for the private key");
  }
  return Bad(
      fmt::format("failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after "
                  "skipping PEM blocks of the following types: [{}]",
                  fmt::join(skipped, " ")));
}

// What a block is called does not tell in which of the three forms its key is.
std::optional<pki::PublicKey> PublicHalf(const std::string& der) {
  for (const char* type : {"PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"}) {
    const auto key = pki::PrivateKey::FromPem(pki::ToPem(type, der));
    if (key.ok()) return key->public_key();
  }
  return std::nullopt;
}

bool SameAlgorithm(pki::KeyKind a, pki::KeyKind b) {
  const auto is_curve = [](pki::KeyKind kind) {
    return kind == pki::KeyKind::kP256 || kind == pki::KeyKind::kP384 ||
           kind == pki::KeyKind::kP521;
  };
  return a == b || (is_curve(a) && is_curve(b));
}

}  // namespace

Result<void> CheckKeyPair(std::string_view certificates, std::string_view key) {
  std::vector<std::string> skipped;
  const auto is_certificate = [](const std::string& type) { return type == "CERTIFICATE"; };
  const auto first = TakeFirst(certificates, is_certificate, &skipped);
  if (!first) return NoCertificate(skipped);
  skipped.clear();
  const auto key_block = TakeFirst(key, IsKey, &skipped);
  if (!key_block) return NoKey(skipped);
  TRY_VOID(pki::CheckCertificate(first->bytes));
  const auto certificate = pki::Certificate::FromDer(first->bytes);
  const auto public_key = PublicHalf(key_block->bytes);
  if (!public_key) return Bad("failed to parse private key");
  if (!certificate.ok()) return Bad("unknown public key algorithm");
  const pki::PublicKey& certified = certificate->public_key();
  if (!SameAlgorithm(certified.kind(), public_key->kind())) {
    return Bad("private key type does not match public key type");
  }
  if (!(certified == *public_key)) return Bad("private key does not match public key");
  return {};
}

}  // namespace podium::api
