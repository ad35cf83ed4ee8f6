// Bearer tokens: taking one apart gets by with any text; what comes out is what was in it; claims
// that are read and written are read as the same; and no text that was not signed gets through.
// What the input is: a token, or with its dots taken for a payload, the claims of one.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "apiserver/authentication/service_account_claims.h"
#include "fuzz/require.h"
#include "pki/base64_url.h"
#include "pki/jwt.h"

using podium::fuzz::Require;

namespace {

void CheckClaims(const podium::reflect::JsonValue& value) {
  const auto claims = podium::apiserver::ReadClaims(value);
  if (!claims.ok()) return;
  const auto again = podium::apiserver::ReadClaims(podium::apiserver::WriteClaims(*claims));
  Require(again.ok());
}

void CheckToken(std::string_view text, const podium::pki::KeySet& keys) {
  const auto token = podium::pki::ParseToken(text);
  if (!token.ok()) return;
  Require(token->claims.is_object());
  Require(text.starts_with(token->signed_part));
  Require(text.size() > token->signed_part.size());
  // It is written as it was read, so that a token has one text.
  Require(std::string(token->signed_part) + "." + podium::pki::EncodeBase64Url(token->signature) ==
          text);
  Require(!keys.Verify(*token).ok());
  CheckClaims(token->claims);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* const kKeys = new podium::pki::KeySet(
      *podium::pki::KeySet::Create({podium::pki::PrivateKey::Generate()->public_key()}));
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckToken(text, *kKeys);
  CheckToken(podium::pki::EncodeBase64Url(R"({"alg":"ES256"})") + "." +
                 podium::pki::EncodeBase64Url(text) + ".AAAA",
             *kKeys);
  CheckToken(podium::pki::EncodeBase64Url(text) + ".e30.AAAA", *kKeys);
  return 0;
}
