// Whether what a token says of its service account still holds: the account is the same, and so is
// what the token is bound to (upstream's pkg/serviceaccount). Reads the store; never waits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apiserver/authentication/authenticator.h"
#include "apiserver/authentication/service_account_claims.h"
#include "apiserver/objects.h"
#include "store/entry.h"

namespace podium::apiserver {

// Clocks may differ by this much: go-jose's jwt.DefaultLeeway.
inline constexpr int64_t kTokenLeewaySeconds = 60;

// An answer, and how long it stands: as long as these keys of the store have these revisions, and
// between these times. (A clock may be set back.)
struct ValidatedAccount {
  AuthenticatedPtr who;
  std::vector<std::pair<std::string, store::Revision>> depends_on;
  int64_t from_nanos = 0;   // since 1970
  int64_t until_nanos = 0;  // likewise
  // Of a legacy token: its Secret's label kubernetes.io/legacy-token-last-used is not of today.
  bool label_is_old = false;
};

// `token` is the whole of it: a legacy one must be what its Secret holds. `audiences` go into the
// answer. kUnauthenticated, in upstream's words.
Result<ValidatedAccount> ValidateAccount(const ServiceAccountClaims& claims, std::string_view token,
                                         std::vector<std::string> audiences, const Objects& objects,
                                         int64_t now_nanos);

}  // namespace podium::apiserver
