#include "apiserver/authentication/known_user.h"

#include <utility>

#include "api/names.h"
#include "base/text.h"

namespace podium::apiserver {

AuthenticatedPtr KnownUser(Authenticated who) {
  User& user = who.user;
  if (user.name != kAnonymous && !user.InGroup(kAuthenticatedGroup) &&
      !user.InGroup(kUnauthenticatedGroup)) {
    user.groups.emplace_back(kAuthenticatedGroup);
  }
  return std::make_shared<const Authenticated>(std::move(who));
}

bool SplitServiceAccountName(std::string_view user, std::string_view* name_space,
                             std::string_view* name) {
  if (!user.starts_with(kServiceAccountPrefix)) return false;
  const auto parts = Split(user.substr(kServiceAccountPrefix.size()), ':');
  if (parts.size() != 2 || !api::IsDNS1123Label(parts[0]).empty() ||
      !api::IsDNS1123Subdomain(parts[1]).empty()) {
    return false;
  }
  *name_space = parts[0];
  *name = parts[1];
  return true;
}

std::vector<std::string> ServiceAccountGroups(std::string_view name_space) {
  const std::string all(kServiceAccountsGroup);
  return {all, all + ":" + std::string(name_space)};
}

}  // namespace podium::apiserver
