#include "pki/jwt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string>

#include "pki/base64_url.h"

namespace podium::pki {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048: a key for this test alone.
constexpr char kRsaKey[] = R"(-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCRsZoFc4ddcu55
k0EqKjgU+DB4E+LaWOBwMAgk7sidWBP9j6CN0iK+c5Gf3dBXUUnHwccB3fJmiYWg
ar0t1WoK5ts57jZcMjtP7VUcWTBY7ONbRUjTu5bPjApUnOk5ydzvSdoB1OZ/k23T
Q5f5KAwwayjccWjfqUIxRNzDLwNAHB8BBnQu+0OtZDlv6JsdgbIj46RcO+m+XqSi
D/N8l/YGFCD1p9k5D8Dpj4F7l0dfyBPannonzykJ/M8KkOyahn24Z8T+iR3Z0vwh
AK7NNxrwG8xK2NKA1IAkhNd2Mxp4v3pVwZh4lndt22rl5TF0SuBF5CY+gKUagDGF
hW3Ws8cRAgMBAAECggEALcPuwFiehGXGcG0nsqGJdVjTDN0eTP1PHx6PaF6TqQ1S
VjuIMRR5sn6mF2Q7fjo8JWIC69y2uKvpTE9LNrsLsPn8klF4RPTIed5w9lMz4zMi
Zfi5HD2YbYCtfA/AGVWGL6pwr1ObxiZfANaCRhNk5M68iqabTWqjLsvVVwCNElVp
fNtwpflCsrU5OlhpoM8cPYO5utjOgJrSxSDe8AaLYdevDuQXnKummTDfuntrlM6H
5Qg45dwyFWARuiOURe3AVZICJGb+RHsfBM51542NOODRBXMExSYaGpqL9ZpT8+dQ
leYCMZvLT8VbhTtIUCku3OPOxYNwtV/ZvNFA9xF++wKBgQDNhZTNRX+Xu+nqEt9m
NX1XAHlfOxwHEaObFTmCSM6rcgYjo+Yrr4EkjFmjln3JDQYzBMteUvNTZX9qOK+N
sCFvErETDxOKqbaE86TRmhd3LDlbau4Byt5DBASpuKCTnpiFlwj/arGaAq7OhExB
5CQc7FE4QNT09E6d6UB939NS3wKBgQC1ekN0ZQK3nT3mY8MA2Wij4JTzhx/7B8pf
Iw4Dz1io0JBsy4PnwzQ6OfZ6idQfRV6K1OpYUneE96lh7qh67qwVpo+rm16vhBUJ
EcV0wVJ6Z/fhdGUG6hFIUPJnE/aZc9l9gZNMBBOSsaSob6oKQAF4HxakiAk2ItEV
TxIisLeUDwKBgQChI3Mf3rXDihpE5LcztAyqAj0nZXj8MeBM379PXzZrReN6Xi9B
YUGoHkLJ+Fx3HjcWGVQ6iF8vrAzSg89hEA+mvskHYHK57Yalh0Ja9K4hShNOkfA6
h4zsjmH5kECWfWqok1sCp+zIDAJy+Vew8ec+piqoKGzQAh0BwrhF+Q//kQKBgF+0
hNJjWtV+hWB1CCfwf/C8xZDQmBsI9r7Je+Cifr04kJHvmjaliWuTmdrxyP5c1Qke
VCAUDZgADEHrXMrIB9S7LFVx8LNbUsSfrKRwN5D6N42clpLY6hhbKBsYOhqfL/my
Vf3mwHPCX3W8vc3+B0hUDNrkKwdzwRQdyRCmZYodAoGABE4Vw5Pr3/dBwdUtIAir
XZ9vkdANJwJ0cATY3e8wgq3Y/42pQc536xDQG6LJ+GAp8NfDqxxZaK4u+PuC+weF
alzq29UlaGZc5K549hvbz67L3u3TE4v0nxmXnb5MbWy1Pgdv2iFJhxgkjavm0Rpq
T6I4wid+OyA9Hu8KIVvbl7A=
-----END PRIVATE KEY-----
)";

reflect::JsonValue Claims(const std::string& json = R"({"sub":"a","iss":"b"})") {
  return *reflect::ParseJson(json);
}

std::string MakeToken(const std::string& head, const std::string& claims,
                      std::string_view signature) {
  return EncodeBase64Url(head) + "." + EncodeBase64Url(claims) + "." + EncodeBase64Url(signature);
}

std::string ParseProblem(const std::string& text) {
  const auto token = ParseToken(text);
  return token.ok() ? "" : token.error().message();
}

std::string Problem(const KeySet& keys, const std::string& text) {
  const auto token = ParseToken(text);
  if (!token.ok()) return token.error().message();
  const auto verified = keys.Verify(*token);
  return verified.ok() ? "" : verified.error().message();
}

struct Pair {
  PrivateKey key = *PrivateKey::Generate();
  TokenSigner signer = *TokenSigner::Create(key);
  KeySet keys = *KeySet::Create({key.public_key()});
};

TEST(Jwt, VerifiesWhatItsKeySigned) {
  const Pair pair;
  const auto text = pair.signer.Sign(Claims());
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(Problem(pair.keys, *text), "");
  const auto token = ParseToken(*text);
  EXPECT_EQ(token->algorithm, "ES256");
  EXPECT_EQ(token->key_id, KeyIdOf(pair.key.public_key()));
  EXPECT_EQ(token->claims.Find("sub")->string(), "a");
  // Each byte counts: of the head, of the claims, of the signature.
  for (size_t at = 0; at < text->size(); ++at) {
    std::string changed = *text;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    if (changed == *text) continue;
    EXPECT_NE(Problem(pair.keys, changed), "") << at;
  }
  EXPECT_EQ(Problem(Pair().keys, *text), "invalid signature, no keys found");
}

TEST(Jwt, RsaKeys) {
  const auto key = PrivateKey::FromPem(kRsaKey);
  ASSERT_TRUE(key.ok()) << key.error().message();
  const auto signer = TokenSigner::Create(*key);
  const auto text = signer->Sign(Claims());
  const auto keys = KeySet::Create({key->public_key(), PrivateKey::Generate()->public_key()});
  EXPECT_EQ(Problem(*keys, *text), "");
  EXPECT_EQ(ParseToken(*text)->algorithm, "RS256");
  EXPECT_THAT(keys->Document(), HasSubstr(R"("kty":"RSA")"));
  EXPECT_THAT(keys->Document(), HasSubstr(R"("e":"AQAB"})"));
  EXPECT_THAT(keys->Algorithms(), ElementsAre("ES256", "RS256"));
  std::string changed = *text;
  changed[changed.size() - 8] = changed[changed.size() - 8] == 'A' ? 'B' : 'A';
  EXPECT_EQ(Problem(*keys, changed), "invalid signature");
}

// RFC 8725, 2.1: a token that claims to need no signature.
TEST(Jwt, AlgorithmNone) {
  const Pair pair;
  const std::string id = KeyIdOf(pair.key.public_key());
  for (const char* none : {"none", "None", "NONE", ""}) {
    const std::string head = std::string(R"({"alg":")") + none + R"(","kid":")" + id + R"("})";
    EXPECT_EQ(ParseProblem(MakeToken(head, R"({"sub":"a"})", "")), "token: has no signature");
    EXPECT_EQ(Problem(pair.keys, MakeToken(head, R"({"sub":"a"})", std::string(64, '\1'))),
              "invalid signature");
  }
  // A real signature, and a head that says another algorithm.
  const std::string head = R"({"alg":"none","kid":")" + id + R"("})";
  const std::string signed_part = EncodeBase64Url(head) + "." + EncodeBase64Url("{}");
  const auto signature = pair.key.Sign(signed_part);
  EXPECT_EQ(Problem(pair.keys, signed_part + "." + EncodeBase64Url(*signature)),
            "invalid signature");
}

// The public key, which everybody has, taken for the secret of an HMAC.
TEST(Jwt, KeyConfusion) {
  const Pair pair;
  const std::string id = KeyIdOf(pair.key.public_key());
  for (const std::string& secret : {pair.key.public_key().Pem(), pair.key.public_key().der(), id}) {
    for (const char* algorithm : {"HS256", "ES256", "RS256"}) {
      const std::string head =
          std::string(R"({"alg":")") + algorithm + R"(","kid":")" + id + R"("})";
      const std::string signed_part =
          EncodeBase64Url(head) + "." + EncodeBase64Url(R"({"sub":"system:admin"})");
      unsigned char mac[EVP_MAX_MD_SIZE];
      unsigned int size = 0;
      const void* const text = signed_part.data();
      HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           static_cast<const unsigned char*>(text), signed_part.size(), mac, &size);
      const void* const bytes = mac;
      EXPECT_EQ(Problem(pair.keys, signed_part + "." +
                                       EncodeBase64Url({static_cast<const char*>(bytes), size})),
                "invalid signature")
          << algorithm;
    }
  }
}

TEST(Jwt, TokensThatNameNoKeyAreTriedWithAll) {
  const Pair first;
  const Pair second;
  const auto keys = KeySet::Create({first.key.public_key(), second.key.public_key()});
  const std::string signed_part =
      EncodeBase64Url(R"({"alg":"ES256"})") + "." + EncodeBase64Url("{}");
  // ECDSA's signature in DER, as PrivateKey::Sign gives it, is not what tokens carry.
  const auto der = second.key.Sign(signed_part);
  EXPECT_EQ(Problem(*keys, signed_part + "." + EncodeBase64Url(*der)), "invalid signature");
  const auto token = second.signer.Sign(Claims());
  EXPECT_EQ(Problem(*keys, *token), "");
  EXPECT_EQ(Problem(first.keys, *token), "invalid signature, no keys found");
}

TEST(Jwt, TextThatIsNotExactlyAToken) {
  const std::string good = MakeToken(R"({"alg":"ES256"})", "{}", "x");
  EXPECT_EQ(ParseProblem(good), "");
  EXPECT_EQ(ParseProblem(""), "token: not three parts");
  EXPECT_EQ(ParseProblem("a.b"), "token: not three parts");
  EXPECT_EQ(ParseProblem(good + ".x"), "token: not three parts");
  EXPECT_EQ(ParseProblem(" " + good), "token: a part is not base64url");
  EXPECT_EQ(ParseProblem(good + "="), "token: has no signature");
  EXPECT_EQ(ParseProblem(good + "\n"), "token: has no signature");
  EXPECT_EQ(ParseProblem(MakeToken("[]", "{}", "x")), "token: a part is no JSON object");
  EXPECT_EQ(ParseProblem(MakeToken(R"({"alg":"ES256"} {})", "{}", "x")),
            "token: a part is no JSON object");
  EXPECT_EQ(ParseProblem(MakeToken(R"({"alg":1})", "{}", "x")), "token: 'alg' is no string");
  EXPECT_EQ(ParseProblem(MakeToken(R"({"alg":"ES256","crit":["b64"],"b64":false})", "{}", "x")),
            "token: has extensions that must be understood");
  EXPECT_EQ(ParseProblem(MakeToken(R"({"alg":"ES256","alg":"none"})", "{}", "x")),
            "token: a key comes twice");
  EXPECT_EQ(ParseProblem(MakeToken(R"({"alg":"ES256"})", R"({"a":{"sub":"a:\"","sub":"b"}})", "x")),
            "token: a key comes twice");
  EXPECT_EQ(ParseProblem(MakeToken(R"({"alg":"ES256"})", R"({"a:b\":":":{}"})", "x")), "");
  EXPECT_EQ(ParseProblem(std::string(20000, 'a')), "token: longer than 16 KiB");
  std::string deep = "0";
  for (int i = 0; i < 20; ++i) deep = "[" + deep + "]";
  EXPECT_EQ(ParseProblem(MakeToken(R"({"alg":"ES256"})", R"({"a":)" + deep + "}", "x")),
            "token: a part is no JSON object");
}

TEST(Jwt, TheDocumentOfKeys) {
  const Pair pair;
  const std::string document = pair.keys.Document();
  EXPECT_THAT(document,
              HasSubstr(R"({"keys":[{"use":"sig","kty":"EC","kid":")" +
                        KeyIdOf(pair.key.public_key()) + R"(","crv":"P-256","alg":"ES256","x":")"));
  EXPECT_THAT(pair.keys.Algorithms(), ElementsAre("ES256"));
}

TEST(Base64Url, IsStrict) {
  EXPECT_EQ(EncodeBase64Url("\xfb\xff\xfe"), "-__-");
  EXPECT_EQ(EncodeBase64Url("a"), "YQ");
  EXPECT_EQ(DecodeBase64Url("YQ"), "a");
  EXPECT_EQ(DecodeBase64Url("YR"), std::nullopt);  // a bit that nobody reads
  EXPECT_EQ(DecodeBase64Url("YQ=="), std::nullopt);
  EXPECT_EQ(DecodeBase64Url("Y"), std::nullopt);
  EXPECT_EQ(DecodeBase64Url("+/8"), std::nullopt);
  EXPECT_EQ(DecodeBase64Url(""), "");
}

}  // namespace
}  // namespace podium::pki
