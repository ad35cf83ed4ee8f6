#include "api/key_pair.h"

#include <gtest/gtest.h>

#include <string>

#include "pki/certificate_authority.h"
#include "pki/keys.h"
#include "pki/pem.h"

namespace podium::api {
namespace {

struct Pair {
  std::string certificate;
  std::string key;
};

Pair MakePair() {
  const auto authority = pki::CertificateAuthority::Create("a", 0, 1000);
  const auto key = pki::PrivateKey::Generate();
  EXPECT_TRUE(authority.ok() && key.ok());
  const auto certificate =
      authority->Issue(key->public_key(), {.subject = {.common_name = "x"}, .not_after = 100});
  EXPECT_TRUE(certificate.ok());
  return {certificate->Pem(), key->Pem()};
}

std::string Refusal(std::string_view certificates, std::string_view key) {
  const auto checked = CheckKeyPair(certificates, key);
  return checked.ok() ? "" : std::string(checked.error().message());
}

TEST(KeyPairTest, WhatBelongsTogether) {
  const Pair pair = MakePair();
  EXPECT_EQ(Refusal(pair.certificate, pair.key), "");
  EXPECT_EQ(Refusal("some words\n" + pair.certificate + MakePair().certificate, pair.key), "");
  // A key is read whatever its block is called.
  std::string_view text = pair.key;
  const auto block = pki::TakePemBlock(&text);
  ASSERT_TRUE(block);
  EXPECT_EQ(Refusal(pair.certificate, pki::ToPem("EC PRIVATE KEY", block->bytes)), "");
}

// Texts of Go's crypto/tls.
TEST(KeyPairTest, WhatDoesNot) {
  const Pair pair = MakePair();
  EXPECT_EQ(Refusal("", pair.key), "tls: failed to find any PEM data in certificate input");
  EXPECT_EQ(Refusal(pair.key, pair.key),
            "tls: failed to find certificate PEM data in certificate input, but did find a private "
            "key; PEM inputs may have been switched");
  EXPECT_EQ(Refusal(pki::ToPem("A", "x") + pki::ToPem("B", "x"), pair.key),
            "tls: failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM "
            "blocks of the following types: [A B]");
  EXPECT_EQ(Refusal(pair.certificate, "x"), "tls: failed to find any PEM data in key input");
  EXPECT_EQ(Refusal(pair.certificate, pair.certificate),
            "tls: found a certificate rather than a key in the PEM for the private key");
  EXPECT_EQ(Refusal(pair.certificate, pki::ToPem("PUBLIC KEY", "x")),
            "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after "
            "skipping PEM blocks of the following types: [PUBLIC KEY]");
  EXPECT_EQ(Refusal(pair.certificate, pki::ToPem("PRIVATE KEY", "x")),
            "tls: failed to parse private key");
  EXPECT_EQ(Refusal(pair.certificate, MakePair().key),
            "tls: private key does not match public key");
  EXPECT_EQ(Refusal(pki::ToPem("CERTIFICATE", "x"), pair.key), "x509: malformed certificate");
}

}  // namespace
}  // namespace podium::api
