// Tokens in Secrets that Kubernetes before 1.24 made for every ServiceAccount: when each was used
// last is noted, and those that nobody has used for a year are marked invalid, and deleted after
// another one (upstream's pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go,
// pkg/controlplane/controller/legacytokentracking and pkg/serviceaccount/legacy.go, release 1.36).
// Secrets that somebody made by hand stay.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/types/core_v1.h"
#include "controllers/controller.h"

namespace podium::controllers {

enum class LegacyTokenFate { kStays, kBecomesInvalid, kIsDeleted };

struct LegacyTokenFacts {
  const api::core::v1::Secret* secret = nullptr;
  // Whom it is for; null when that one is gone.
  const api::core::v1::ServiceAccount* account = nullptr;
  // Whether a pod names it. Only asked when all else speaks against it.
  std::function<bool()> is_named{};
  int64_t now = 0;  // seconds since 1970
};

// What becomes of a Secret, when uses have been noted for a year at least. Pure.
LegacyTokenFate DecideLegacyToken(const LegacyTokenFacts& facts);

class LegacyTokens : public Controller {
 public:
  // That the token in this Secret was used today. Any thread; waits for nothing.
  virtual void NoteUse(std::string_view name_space, std::string_view secret) = 0;
};

// Since when uses are noted is kept in the ConfigMap
// kube-system/kube-apiserver-legacy-service-account-token-tracking. Secrets are looked over once a
// day.
std::unique_ptr<LegacyTokens> MakeLegacyTokens(const ControllerContext& context);

}  // namespace podium::controllers
