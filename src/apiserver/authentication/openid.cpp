#include "apiserver/authentication/openid.h"

#include <fmt/format.h>

#include "base/text.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

std::string Quoted(std::string_view text) {
  std::string out;
  reflect::AppendJsonString(text, &out);
  return out;
}

Error Bad(std::string_view what, std::string_view issuer) {
  return Error(Code::kInvalidArgument, fmt::format("{}, got: {}", what, issuer));
}

}  // namespace

Result<OpenIdDocuments> MakeOpenIdDocuments(std::string_view issuer, std::string_view server,
                                            const pki::KeySet& keys) {
  if (!issuer.starts_with("https://")) return Bad("issuer URL must use https scheme", issuer);
  if (issuer.contains('?')) return Bad("issuer URL may not include a query", issuer);
  if (issuer.contains('#')) return Bad("issuer URL may not include a fragment", issuer);
  OpenIdDocuments documents;
  documents.configuration = fmt::format(
      R"({{"issuer":{},"jwks_uri":{},"response_types_supported":["id_token"],)"
      R"("subject_types_supported":["public"],"id_token_signing_alg_values_supported":[{}]}})",
      Quoted(issuer), Quoted(fmt::format("https://{}{}", server, kOpenIdKeysPath)),
      Join(keys.Algorithms(), ",", Quoted));
  documents.keys = keys.Document();
  return documents;
}

}  // namespace podium::apiserver
