#include "pki/keys.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "pki/random.h"

namespace podium::pki {
namespace {

// What openssl(1) prints.
std::string OpenSsl(const std::string& arguments) {
  std::string text;
  FILE* const pipe = popen(("openssl " + arguments + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return text;
  char buffer[4096];
  for (size_t size = 0; (size = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) {
    text.append(buffer, size);
  }
  pclose(pipe);
  return text;
}

TEST(Keys, AreReadAsTheyWereWritten) {
  const auto key = PrivateKey::Generate();
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->public_key().kind(), KeyKind::kP256);
  const auto again = PrivateKey::FromPem(key->Pem());
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_EQ(again->public_key(), key->public_key());
  const auto half = PublicKey::FromPem(key->public_key().Pem());
  ASSERT_TRUE(half.ok()) << half.error().message();
  EXPECT_EQ(*half, key->public_key());

  const auto signature = key->Sign("message");
  ASSERT_TRUE(signature.ok());
  EXPECT_TRUE(half->Verify("message", *signature));
  EXPECT_FALSE(half->Verify("massage", *signature));
  EXPECT_FALSE(half->Verify("message", ""));
  EXPECT_FALSE(PrivateKey::Generate()->public_key().Verify("message", *signature));
}

TEST(Keys, EveryFormThatOpenSslWrites) {
  struct Form {
    const char* arguments;
    KeyKind kind;
  };
  for (const Form& form : {
           Form{"ecparam -genkey -name prime256v1", KeyKind::kP256},  // EC PARAMETERS before it
           Form{"ecparam -genkey -noout -name secp384r1", KeyKind::kP384},
           Form{"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521", KeyKind::kP521},
           Form{"genrsa -traditional 2048", KeyKind::kRsa},
           Form{"genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048", KeyKind::kRsa},
           Form{"genpkey -algorithm ED25519", KeyKind::kEd25519},
       }) {
    const auto key = PrivateKey::FromPem(OpenSsl(form.arguments));
    ASSERT_TRUE(key.ok()) << form.arguments << ": " << key.error().message();
    EXPECT_EQ(key->public_key().kind(), form.kind) << form.arguments;
    const auto signature = key->Sign("x");
    ASSERT_TRUE(signature.ok()) << form.arguments;
    EXPECT_TRUE(key->public_key().Verify("x", *signature)) << form.arguments;
  }
}

TEST(Keys, WhatIsNotTaken) {
  const auto problem = [](const std::string& pem) {
    const auto key = PrivateKey::FromPem(pem);
    return key.ok() ? "" : key.error().message();
  };
  EXPECT_EQ(problem(""), "no block PRIVATE KEY");
  EXPECT_EQ(problem(PrivateKey::Generate()->public_key().Pem()), "no block PRIVATE KEY");
  EXPECT_EQ(problem(OpenSsl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 "
                            "-aes-128-cbc -pass pass:secret")),
            "the key is encrypted");
  EXPECT_EQ(problem(OpenSsl("genrsa -traditional -aes128 -passout pass:secret 2048")),
            "the key is encrypted");
  EXPECT_EQ(problem(OpenSsl("genrsa 1024")), "an RSA key of 1024 bits; 2048 to 8192 are taken");
  EXPECT_EQ(problem(OpenSsl("ecparam -genkey -noout -name secp256k1")),
            "the key is on a curve other than P-256, P-384 and P-521");
  EXPECT_EQ(problem(OpenSsl("genpkey -algorithm X25519")),
            "the key is of a kind other than ECDSA, RSA and Ed25519");
  EXPECT_EQ(problem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
            "the block PRIVATE KEY holds no key");
}

TEST(Random, Uuids) {
  const std::string uuid = RandomUuid();
  ASSERT_EQ(uuid.size(), 36U);
  EXPECT_EQ(uuid[8], '-');
  EXPECT_EQ(uuid[14], '4');
  EXPECT_TRUE(std::string("89ab").contains(uuid[19])) << uuid;
  EXPECT_NE(uuid, RandomUuid());
}

}  // namespace
}  // namespace podium::pki
