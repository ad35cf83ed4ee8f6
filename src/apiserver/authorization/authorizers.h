// Authorizers that are made of nothing and of others (upstream's
// k8s.io/apiserver/pkg/authorization/authorizerfactory and union).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apiserver/authorization/authorizer.h"
#include "apiserver/authorization/rule_resolver.h"

namespace podium::apiserver {

// Allows whatever who is in the group asks for, and has no opinion of others. The server's own
// group, system:masters, stands before all other authorizers, so that a cluster whose roles are
// broken can be mended.
class PrivilegedGroupAuthorizer : public Authorizer {
 public:
  explicit PrivilegedGroupAuthorizer(std::string_view group) : group_(group) {}
  Authorization Authorize(const AuthorizationQuestion& question) const override;

 private:
  const std::string group_;
};

// Asks one after the other; the first that has an opinion decides, and its reason alone is given.
// When none has: the reasons and errors of all.
class AuthorizerUnion : public Authorizer {
 public:
  // They outlive it.
  explicit AuthorizerUnion(std::vector<const Authorizer*> authorizers)
      : authorizers_(std::move(authorizers)) {}
  Authorization Authorize(const AuthorizationQuestion& question) const override;

 private:
  const std::vector<const Authorizer*> authorizers_;
};

// The rules that any of them knows.
class RuleResolverUnion : public RuleResolver {
 public:
  // They outlive it.
  explicit RuleResolverUnion(std::vector<const RuleResolver*> resolvers)
      : resolvers_(std::move(resolvers)) {}
  UserRules RulesFor(const User& user, std::string_view name_space) const override;

 private:
  const std::vector<const RuleResolver*> resolvers_;
};

// Several errors as one text: `a`, or `[a, b]`, each once (upstream's
// k8s.io/apimachinery/pkg/util/errors, Aggregate).
std::string JoinErrors(const std::vector<std::string>& errors);

}  // namespace podium::apiserver
