// What lets others check tokens of service accounts (upstream's pkg/serviceaccount,
// openidmetadata.go; OpenID Connect Discovery 1.0).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "pki/jwt.h"

namespace podium::apiserver {

inline constexpr std::string_view kOpenIdConfigurationPath = "/.well-known/openid-configuration";
inline constexpr std::string_view kOpenIdKeysPath = "/openid/v1/jwks";
// Both answers' Cache-Control.
inline constexpr std::string_view kOpenIdCacheControl = "public, max-age=3600";

struct OpenIdDocuments {
  std::string configuration;  // application/json
  std::string keys;           // application/jwk-set+json
};

// `server` is where clients reach the server, HOST:PORT. kInvalidArgument: an issuer that is no URL
// of https, or has a query or a fragment; then upstream serves neither.
Result<OpenIdDocuments> MakeOpenIdDocuments(std::string_view issuer, std::string_view server,
                                            const pki::KeySet& keys);

}  // namespace podium::apiserver
