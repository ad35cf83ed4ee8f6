// Signed tokens: JSON Web Tokens (RFC 7519) in the compact form of JWS (RFC 7515), and the sets of
// keys that check them (RFC 7517).
//
// What a token says of itself decides nothing: a key takes the one algorithm that it is for (RFC
// 8725, 3.1 and 3.2), so that neither "none" nor a public key taken for a secret gets through.
// Text comes from anybody; sizes and depths are bounded, and what is not read exactly is refused:
// other text than strict base64url, keys that come twice, "crit".
//
// Pure but for the random part of signatures; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pki/keys.h"
#include "reflect/json_value.h"

namespace podium::pki {

inline constexpr size_t kMaxTokenSize = size_t{16} << 10;

// A token taken apart. Nothing of it is verified.
struct Token {
  std::string algorithm;
  std::string key_id;            // "" for none
  reflect::JsonValue claims;     // an object
  std::string_view signed_part;  // of the text that was parsed
  std::string signature;
};

// kInvalidArgument. The token's text outlives the answer.
Result<Token> ParseToken(std::string_view text);

// Names a key as upstream does: base64url of the SHA-256 of its SubjectPublicKeyInfo.
std::string KeyIdOf(const PublicKey& key);

class TokenSigner {
 public:
  // kInvalidArgument: a key that tokens cannot be signed with (Ed25519).
  static Result<TokenSigner> Create(PrivateKey key);

  const PrivateKey& key() const { return key_; }
  // `claims` is an object; its members are written in byte order.
  Result<std::string> Sign(const reflect::JsonValue& claims) const;

 private:
  TokenSigner(PrivateKey key, std::string head) : key_(std::move(key)), head_(std::move(head)) {}
  PrivateKey key_;
  std::string head_;  // encoded, with its dot
};

class KeySet {
 public:
  // kInvalidArgument: none, or one that is not for tokens.
  static Result<KeySet> Create(std::vector<PublicKey> keys);

  // By the key that the token names, or by any where it names none. kUnauthenticated.
  Result<void> Verify(const Token& token) const;

  // {"keys":[…]}, with members in upstream's order.
  std::string Document() const;
  // ES256, RS256 …: sorted, each once.
  std::vector<std::string> Algorithms() const;

 private:
  struct Key {
    std::string id;
    std::string algorithm;
    PublicKey key;
  };
  std::vector<Key> keys_;
};

}  // namespace podium::pki
