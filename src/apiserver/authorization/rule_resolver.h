// Which rules a user has (upstream's authorizer.RuleResolver, and AuthorizationRuleResolver of
// pkg/registry/rbac/validation).
#pragma once

#include <string>
#include <string_view>

#include "apiserver/authorization/policy_rules.h"
#include "apiserver/user.h"

namespace podium::apiserver {

struct UserRules {
  PolicyRules rules{};
  // There may be rights that nobody can list.
  bool incomplete = false;
  // Of what could not be read, "" for nothing; the rules that are here count all the same.
  std::string error{};
};

// Threads: any.
class RuleResolver {
 public:
  virtual ~RuleResolver() = default;
  // With "" for the namespace: those on the whole cluster. Otherwise these and those in it.
  virtual UserRules RulesFor(const User& user, std::string_view name_space) const = 0;
};

}  // namespace podium::apiserver
