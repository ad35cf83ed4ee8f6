#include "apiserver/authorization/rbac_authorizer.h"

#include <fmt/format.h>

#include <string>
#include <unordered_set>
#include <vector>

#include "api/status.h"
#include "apiserver/authorization/authorizers.h"
#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::rbac::v1::RoleRef;
using api::rbac::v1::Subject;
using reflect::GoQuoted;

// Upstream has the name before the namespace.
std::string Qualified(std::string_view name, std::string_view name_space) {
  return GoQuoted(fmt::format("{}/{}", name, name_space));
}

std::string Describe(const Subject& subject, std::string_view binding_namespace) {
  if (subject.kind != api::rbac::v1::kServiceAccountKind) {
    return fmt::format("{} {}", subject.kind, GoQuoted(subject.name));
  }
  const std::string_view name_space =
      subject.namespace_.empty() ? binding_namespace : std::string_view(subject.namespace_);
  return fmt::format("{} {}", subject.kind, Qualified(subject.name, name_space));
}

std::string Describe(const IndexedBinding& binding, const User& user) {
  const std::string who = Describe(*binding.SubjectOf(user), binding.namespace_);
  const std::string what = binding.namespace_.empty()
                               ? "ClusterRoleBinding " + GoQuoted(binding.name)
                               : "RoleBinding " + Qualified(binding.name, binding.namespace_);
  return fmt::format("{} of {} {} to {}", what, binding.role_ref->kind,
                     GoQuoted(binding.role_ref->name), who);
}

bool IsKnownKind(const RoleRef& role_ref) {
  return role_ref.kind == "Role" || role_ref.kind == "ClusterRole";
}

std::string UnknownKind(const RoleRef& role_ref) {
  return "unsupported role reference kind: " + GoQuoted(role_ref.kind);
}

// Why a binding has no rules. Upstream reads them from caches, whose errors name the kind, in lower
// case, where those of the API name the resource.
std::string MissingRole(const RoleRef& role_ref) {
  if (!IsKnownKind(role_ref)) return UnknownKind(role_ref);
  return fmt::format("{}.{} {} not found", LowerCase(role_ref.kind), api::rbac::v1::kGroupName,
                     GoQuoted(role_ref.name));
}

}  // namespace

RbacAuthorizer::RbacAuthorizer(store::Store& store)
    : follower_(store, RbacIndex::Prefixes(), index_) {}

Authorization RbacAuthorizer::Authorize(const AuthorizationQuestion& question) const {
  const auto lock = follower_.Read();
  if (!lock.ok()) return {.reason = "RBAC: " + lock.error().message()};
  Authorization answer;
  std::vector<std::string> errors;
  index_.VisitBindings(question.user, question.namespace_, [&](const IndexedBinding& binding) {
    const PolicyRules* rules = index_.FindRules(*binding.role_ref, binding.namespace_);
    if (rules == nullptr) {
      errors.push_back(MissingRole(*binding.role_ref));
      return true;
    }
    if (!RulesAllow(question, *rules)) return true;
    answer.decision = Decision::kAllow;
    answer.reason = "RBAC: allowed by " + Describe(binding, question.user);
    return false;
  });
  if (answer.decision == Decision::kAllow) return answer;
  for (std::string& error : index_.ErrorsOf(question.namespace_)) {
    errors.push_back(std::move(error));
  }
  if (!errors.empty()) answer.reason = "RBAC: " + JoinErrors(errors);
  return answer;
}

UserRules RbacAuthorizer::RulesFor(const User& user, std::string_view name_space) const {
  const auto lock = follower_.Read();
  if (!lock.ok()) return {.error = lock.error().message()};
  UserRules found;
  std::vector<std::string> errors = index_.ErrorsOf(name_space);
  std::unordered_set<const IndexedBinding*> seen;
  index_.VisitBindings(user, name_space, [&](const IndexedBinding& binding) {
    if (!seen.insert(&binding).second) return true;
    const PolicyRules* rules = index_.FindRules(*binding.role_ref, binding.namespace_);
    if (rules == nullptr) {
      errors.push_back(MissingRole(*binding.role_ref));
    } else {
      found.rules.insert(found.rules.end(), rules->begin(), rules->end());
    }
    return true;
  });
  found.error = JoinErrors(errors);
  return found;
}

Result<PolicyRules> RbacAuthorizer::RulesOf(const RoleRef& role_ref,
                                            std::string_view name_space) const {
  TRY(const auto lock, follower_.Read());
  if (!IsKnownKind(role_ref)) return Error(Code::kInternal, UnknownKind(role_ref));
  const PolicyRules* rules = index_.FindRules(role_ref, name_space);
  if (rules != nullptr) return *rules;
  return api::NotFoundError({.group = api::rbac::v1::kGroupName,
                             .resource = role_ref.kind == "Role" ? "roles" : "clusterroles"},
                            role_ref.name);
}

}  // namespace podium::apiserver
