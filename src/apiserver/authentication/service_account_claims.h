// What tokens of service accounts say (upstream's pkg/serviceaccount, claims.go and legacy.go).
// Times are seconds since 1970.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reflect/json_value.h"

namespace podium::apiserver {

// Of tokens in Secrets, which have no end.
inline constexpr std::string_view kLegacyIssuer = "kubernetes/serviceaccount";

struct ServiceAccountClaims {
  struct Reference {
    std::string name{};
    std::string uid{};
    friend bool operator==(const Reference&, const Reference&) = default;
  };

  std::string issuer{};
  std::string subject{};  // system:serviceaccount:NAMESPACE:NAME
  std::vector<std::string> audiences{};
  std::string id{};  // jti
  std::optional<int64_t> expires{};
  std::optional<int64_t> not_before{};
  std::optional<int64_t> issued_at{};

  std::string name_space{};
  Reference account{};
  // What the token ends with. With a pod, the node is where the pod runs, and binds nothing.
  std::optional<Reference> pod{};
  std::optional<Reference> node{};
  std::optional<Reference> secret{};  // of a legacy token, the name alone
  std::optional<int64_t> warn_after{};

  bool is_legacy() const { return issuer == kLegacyIssuer; }
  friend bool operator==(const ServiceAccountClaims&, const ServiceAccountClaims&) = default;
};

// The issuer that a token's claims name; "" when they name none.
std::string_view IssuerOf(const reflect::JsonValue& claims);

// kUnauthenticated: a claim is of another type than it must be.
Result<ServiceAccountClaims> ReadClaims(const reflect::JsonValue& claims);
reflect::JsonValue WriteClaims(const ServiceAccountClaims& claims);

}  // namespace podium::apiserver
