#include "apiserver/authentication/bootstrap_tokens.h"

#include <algorithm>
#include <set>

#include "api/time.h"
#include "apiserver/authentication/known_user.h"
#include "base/ascii.h"
#include "base/text.h"
#include "pki/digest.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Secret;

constexpr std::string_view kGroup = "system:bootstrappers";
constexpr size_t kIdSize = 6;
constexpr size_t kSecretSize = 16;

bool AllLowerOrDigit(std::string_view text) { return std::ranges::all_of(text, IsLowerOrDigit); }

std::string_view DataOf(const Secret& secret, std::string_view key) {
  const auto found = secret.data.find(std::string(key));
  return found != secret.data.end() ? std::string_view(found->second.data) : "";
}

// As upstream: a time that cannot be read has passed.
bool HasExpired(const Secret& secret, int64_t now) {
  const std::string_view text = DataOf(secret, "expiration");
  if (text.empty()) return false;
  const auto time = api::Time::Parse(text);
  return !time.ok() || time->unix_seconds() <= now;
}

// system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]
bool IsGroup(std::string_view name) {
  constexpr std::string_view kPrefix = "system:bootstrappers:";
  if (!name.starts_with(kPrefix)) return false;
  name.remove_prefix(kPrefix.size());
  const auto fits = [](char c) { return IsLowerOrDigit(c) || c == ':' || c == '-'; };
  return !name.empty() && name.size() <= 256 && std::ranges::all_of(name, fits) &&
         IsLowerOrDigit(name.back());
}

// False: one of them is no group that such a token may give.
bool ReadGroups(const Secret& secret, std::vector<std::string>* groups) {
  std::set<std::string> all = {std::string(kGroup)};
  const std::string_view text = DataOf(secret, "auth-extra-groups");
  for (const std::string_view group : Split(text, ',')) {
    if (text.empty()) break;
    if (!IsGroup(group)) return false;
    all.emplace(group);
  }
  groups->assign(all.begin(), all.end());
  return true;
}

}  // namespace

Result<AuthenticatedPtr> BootstrapTokens::AuthenticateToken(
    std::string_view token, std::span<const std::string> /*audiences*/) {
  if (token.size() != kIdSize + 1 + kSecretSize || token[kIdSize] != '.') return AuthenticatedPtr();
  const std::string_view id = token.substr(0, kIdSize);
  const std::string_view secret_part = token.substr(kIdSize + 1);
  if (!AllLowerOrDigit(id) || !AllLowerOrDigit(secret_part)) return AuthenticatedPtr();
  TRY(const auto secret, objects_.Get<Secret>("kube-system", "bootstrap-token-" + std::string(id)));
  if (secret == nullptr || secret->metadata.deletionTimestamp ||
      secret->type != "bootstrap.kubernetes.io/token") {
    return AuthenticatedPtr();
  }
  std::vector<std::string> groups;
  if (!pki::EqualInConstantTime(DataOf(*secret, "token-secret"), secret_part) ||
      DataOf(*secret, "token-id") != id || HasExpired(*secret, clock_.Now() / kNanosPerSecond) ||
      DataOf(*secret, "usage-bootstrap-authentication") != "true" ||
      !ReadGroups(*secret, &groups)) {
    return AuthenticatedPtr();
  }
  return KnownUser(
      {.user = {.name = "system:bootstrap:" + std::string(id), .groups = std::move(groups)}});
}

}  // namespace podium::apiserver
