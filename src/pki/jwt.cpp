#include "pki/jwt.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <set>

#include "base/owned.h"
#include "pki/base64_url.h"
#include "pki/digest.h"
#include "pki/octets.h"

namespace podium::pki {
namespace {

using reflect::JsonValue;
using OwnedNumber = Owned<BIGNUM, BN_free>;
using OwnedSignature = Owned<ECDSA_SIG, ECDSA_SIG_free>;

constexpr size_t kMaxDepth = 16;

Error Bad(std::string_view what) { return BadInput("token: " + std::string(what)); }

// "" for a key that is not for tokens.
std::string_view AlgorithmOf(KeyKind kind) {
  switch (kind) {
    case KeyKind::kP256:
      return "ES256";
    case KeyKind::kP384:
      return "ES384";
    case KeyKind::kP521:
      return "ES512";
    case KeyKind::kRsa:
      return "RS256";
    case KeyKind::kEd25519:
      break;
  }
  return "";
}

std::string_view CurveName(KeyKind kind) {
  if (kind == KeyKind::kP384) return "P-384";
  return kind == KeyKind::kP521 ? "P-521" : "P-256";
}

// Of a coordinate, in octets.
size_t CurveSize(KeyKind kind) {
  if (kind == KeyKind::kP384) return 48;
  return kind == KeyKind::kP521 ? 66 : 32;
}

size_t CountMembers(const JsonValue& value) {
  size_t count = 0;
  if (value.is_array()) {
    for (const JsonValue& element : value.array()) count += CountMembers(element);
  } else if (value.is_object()) {
    for (const auto& member : value.object()) count += 1 + CountMembers(member.value);
  }
  return count;
}

// Of valid JSON: each member has one colon that is in no string.
size_t CountColons(std::string_view json) {
  size_t count = 0;
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '"') in_string = !in_string;
    if (in_string && json[i] == '\\') ++i;
    if (!in_string && json[i] == ':') ++count;
  }
  return count;
}

// An object in which no key comes twice: of two, another reader may take the other one.
Result<JsonValue> ParsePart(std::string_view base64) {
  const auto text = DecodeBase64Url(base64);
  if (!text) return Bad("a part is not base64url");
  auto value = reflect::ParseJson(*text, {.max_depth = kMaxDepth});
  if (!value.ok() || !value->is_object()) return Bad("a part is no JSON object");
  if (CountMembers(*value) != CountColons(*text)) return Bad("a key comes twice");
  return value;
}

// A member that is a string, or not there.
Result<std::string> TextMember(const JsonValue& object, std::string_view name) {
  const JsonValue* const value = object.Find(name);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return Bad("'" + std::string(name) + "' is no string");
  return value->string();
}

// r and s one behind the other, of the curve's size (RFC 7518, 3.4), out of DER and back.
std::string PairOf(std::string_view der, size_t size) {
  const unsigned char* at = Octets(der);
  const OwnedSignature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  std::string pair(2 * size, '\0');
  if (signature) {
    const auto width = static_cast<int>(size);
    BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), Octets(&pair), width);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), Octets(&pair) + size, width);
  }
  return pair;
}

std::string DerOf(std::string_view pair, size_t size) {
  if (pair.size() != 2 * size) return "";
  const auto width = static_cast<int>(size);
  const OwnedSignature signature(ECDSA_SIG_new());
  BIGNUM* const r = BN_bin2bn(Octets(pair), width, nullptr);
  BIGNUM* const s = BN_bin2bn(Octets(pair) + size, width, nullptr);
  // It takes the two over, or fails only where one is null.
  if (!signature || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return "";
  }
  return Encode(i2d_ECDSA_SIG, signature.get());
}

bool VerifyWith(const PublicKey& key, const Token& token) {
  if (key.kind() == KeyKind::kRsa) return key.Verify(token.signed_part, token.signature);
  const std::string der = DerOf(token.signature, CurveSize(key.kind()));
  return !der.empty() && key.Verify(token.signed_part, der);
}

// A number of the key, base64url; in `size` octets, or as many as it takes with 0.
std::string NumberOf(const PublicKey& key, const char* name, size_t size) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key.get(), name, &number) != 1) return "";
  const OwnedNumber owned(number);
  if (size == 0) size = static_cast<size_t>(BN_num_bytes(number));
  std::string bytes(size, '\0');
  BN_bn2binpad(number, Octets(&bytes), static_cast<int>(size));
  return EncodeBase64Url(bytes);
}

}  // namespace

Result<Token> ParseToken(std::string_view text) {
  if (text.size() > kMaxTokenSize) return Bad("longer than 16 KiB");
  const size_t first = text.find('.');
  const size_t second = first == text.npos ? first : text.find('.', first + 1);
  if (second == text.npos || text.find('.', second + 1) != text.npos) return Bad("not three parts");
  TRY(const JsonValue head, ParsePart(text.substr(0, first)));
  if (head.Find("crit") != nullptr) return Bad("has extensions that must be understood");
  Token token;
  TRY(token.algorithm, TextMember(head, "alg"));
  TRY(token.key_id, TextMember(head, "kid"));
  TRY(token.claims, ParsePart(text.substr(first + 1, second - first - 1)));
  auto signature = DecodeBase64Url(text.substr(second + 1));
  if (!signature || signature->empty()) return Bad("has no signature");
  token.signature = std::move(*signature);
  token.signed_part = text.substr(0, second);
  return token;
}

std::string KeyIdOf(const PublicKey& key) { return EncodeBase64Url(Sha256(key.der())); }

Result<TokenSigner> TokenSigner::Create(PrivateKey key) {
  const std::string_view algorithm = AlgorithmOf(key.public_key().kind());
  if (algorithm.empty()) return BadInput("tokens are signed with ECDSA or RSA keys alone");
  const std::string head =
      fmt::format(R"({{"alg":"{}","kid":"{}"}})", algorithm, KeyIdOf(key.public_key()));
  return TokenSigner(std::move(key), EncodeBase64Url(head) + ".");
}

Result<std::string> TokenSigner::Sign(const JsonValue& claims) const {
  std::string text = head_ + EncodeBase64Url(reflect::ToText(claims, {.sort_keys = true}));
  TRY(std::string signature, key_.Sign(text));
  const KeyKind kind = key_.public_key().kind();
  if (kind != KeyKind::kRsa) signature = PairOf(signature, CurveSize(kind));
  text += '.';
  text += EncodeBase64Url(signature);
  if (text.size() > kMaxTokenSize) return BadInput("the token is longer than 16 KiB");
  return text;
}

Result<KeySet> KeySet::Create(std::vector<PublicKey> keys) {
  if (keys.empty()) return BadInput("no keys to check tokens with");
  KeySet set;
  for (PublicKey& key : keys) {
    const std::string_view algorithm = AlgorithmOf(key.kind());
    if (algorithm.empty()) return BadInput("tokens are checked with ECDSA or RSA keys alone");
    std::string id = KeyIdOf(key);
    set.keys_.push_back({std::move(id), std::string(algorithm), std::move(key)});
  }
  return set;
}

Result<void> KeySet::Verify(const Token& token) const {
  bool found = false;
  for (const Key& key : keys_) {
    if (!token.key_id.empty() && token.key_id != key.id) continue;
    found = true;
    if (token.algorithm == key.algorithm && VerifyWith(key.key, token)) return {};
  }
  return Error(Code::kUnauthenticated,
               found ? "invalid signature" : "invalid signature, no keys found");
}

std::string KeySet::Document() const {
  std::string text = R"({"keys":[)";
  for (const Key& key : keys_) {
    if (text.back() == '}') text += ',';
    if (key.key.kind() == KeyKind::kRsa) {
      text += fmt::format(R"({{"use":"sig","kty":"RSA","kid":"{}","alg":"{}","n":"{}","e":"{}"}})",
                          key.id, key.algorithm, NumberOf(key.key, OSSL_PKEY_PARAM_RSA_N, 0),
                          NumberOf(key.key, OSSL_PKEY_PARAM_RSA_E, 0));
      continue;
    }
    const size_t size = CurveSize(key.key.kind());
    text += fmt::format(
        R"({{"use":"sig","kty":"EC","kid":"{}","crv":"{}","alg":"{}","x":"{}","y":"{}"}})", key.id,
        CurveName(key.key.kind()), key.algorithm, NumberOf(key.key, OSSL_PKEY_PARAM_EC_PUB_X, size),
        NumberOf(key.key, OSSL_PKEY_PARAM_EC_PUB_Y, size));
  }
  return text + "]}";
}

std::vector<std::string> KeySet::Algorithms() const {
  std::set<std::string> algorithms;
  for (const Key& key : keys_) algorithms.insert(key.algorithm);
  return {algorithms.begin(), algorithms.end()};
}

}  // namespace podium::pki
