#include "apiserver/authorization/escalation.h"

#include <fmt/format.h>

#include <set>

#include "api/status.h"
#include "apiserver/authorization/policy_rules.h"
#include "base/text.h"
#include "reflect/go_text.h"
#include "reflect/type.h"

namespace podium::apiserver {
namespace {

using api::rbac::v1::ClusterRole;
using api::rbac::v1::ClusterRoleBinding;
using api::rbac::v1::PolicyRule;
using api::rbac::v1::Role;
using api::rbac::v1::RoleBinding;
using api::rbac::v1::RoleRef;

PolicyRules FullAuthority() {
  PolicyRules rules(2);
  rules[0].verbs = std::vector<std::string>{"*"};
  rules[0].apiGroups = {"*"};
  rules[0].resources = {"*"};
  rules[1].verbs = std::vector<std::string>{"*"};
  rules[1].nonResourceURLs = {"*"};
  return rules;
}

bool IsAggregated(const ClusterRole& role) {
  return role.aggregationRule && !role.aggregationRule->clusterRoleSelectors.empty();
}

// What the garbage collector writes into an object that goes: owners and finalizers.
template <class T>
bool ChangesOnlyOwnersAndFinalizers(const T& object, const T& old_object) {
  T as_old = object;
  as_old.metadata.ownerReferences = old_object.metadata.ownerReferences;
  as_old.metadata.finalizers = old_object.metadata.finalizers;
  as_old.metadata.managedFields = old_object.metadata.managedFields;
  return reflect::EqualObjects(reflect::TypeOf<T>(), &as_old, &old_object);
}

}  // namespace

bool EscalationCheck::MayEscalate(const User& user, const Place& place) const {
  return authorizer_
             .Authorize({.user = user,
                         .verb = "escalate",
                         .namespace_ = place.namespace_,
                         .group = api::rbac::v1::kGroupName,
                         .version = "*",
                         .resource = place.resource,
                         .name = place.name})
             .decision == Decision::kAllow;
}

// In the namespace of the binding, so that somebody may be given the right to bind some
// ClusterRoles there.
bool EscalationCheck::MayBind(const User& user, const RoleRef& role_ref,
                              std::string_view name_space) const {
  if (role_ref.kind != "ClusterRole" && role_ref.kind != "Role") return false;
  return authorizer_
             .Authorize({.user = user,
                         .verb = "bind",
                         .namespace_ = name_space,
                         .group = role_ref.apiGroup,
                         .version = "*",
                         .resource = role_ref.kind == "Role" ? "roles" : "clusterroles",
                         .name = role_ref.name})
             .decision == Decision::kAllow;
}

std::string EscalationCheck::FindEscalation(const User& user, std::string_view name_space,
                                            const PolicyRules& rules) const {
  const UserRules owned = rbac_.RulesFor(user, name_space);
  const PolicyRules missing = CompactRules(MissingRules(owned.rules, rules));
  if (missing.empty()) return "";
  std::set<std::string> described;
  for (const PolicyRule& rule : missing) described.insert(DescribeRule(rule));
  std::string message = fmt::format(
      "user {} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
      reflect::GoQuoted(user.name), QuotedList(user.groups), Join(described, "\n"));
  if (!owned.error.empty()) message += "; resolution errors: [" + owned.error + "]";
  return message;
}

Result<void> EscalationCheck::CheckRules(const User& user, const Place& place,
                                         const PolicyRules& rules) const {
  const std::string escalation = FindEscalation(user, place.namespace_, rules);
  if (escalation.empty()) return {};
  return api::ForbiddenError({.group = api::rbac::v1::kGroupName, .resource = place.resource},
                             place.name, escalation);
}

Result<void> EscalationCheck::CheckRole(const User& user, std::string_view name, const Role& role,
                                        const Role* old_role) const {
  const std::string_view name_space = role.metadata.namespace_;
  if (user.InGroup(kMastersGroup) || MayEscalate(user, {"roles", name_space, name})) return {};
  if (old_role != nullptr && ChangesOnlyOwnersAndFinalizers(role, *old_role)) return {};
  return CheckRules(user, {"roles", name_space, role.metadata.name}, role.rules);
}

Result<void> EscalationCheck::CheckClusterRole(const User& user, std::string_view name,
                                               const ClusterRole& role,
                                               const ClusterRole* old_role) const {
  if (user.InGroup(kMastersGroup) || MayEscalate(user, {"clusterroles", "", name})) return {};
  if (old_role != nullptr && ChangesOnlyOwnersAndFinalizers(role, *old_role)) return {};
  TRY_VOID(CheckRules(user, {"clusterroles", "", role.metadata.name}, role.rules));
  // It gathers whatever has a label, now and later.
  const bool aggregated = IsAggregated(role) || (old_role != nullptr && IsAggregated(*old_role));
  if (!aggregated || FindEscalation(user, "", FullAuthority()).empty()) return {};
  return api::ForbiddenError({.group = api::rbac::v1::kGroupName, .resource = "clusterroles"},
                             role.metadata.name,
                             "must have cluster-admin privileges to use the aggregationRule");
}

Result<void> EscalationCheck::CheckBinding(const User& user, const Place& place,
                                           const RoleRef& role_ref) const {
  if (MayBind(user, role_ref, place.namespace_)) return {};
  TRY(const PolicyRules rules, rbac_.RulesOf(role_ref, place.namespace_));
  return CheckRules(user, place, rules);
}

Result<void> EscalationCheck::CheckRoleBinding(const User& user, const RoleBinding& binding,
                                               const RoleBinding* old_binding) const {
  if (user.InGroup(kMastersGroup)) return {};
  if (old_binding != nullptr && ChangesOnlyOwnersAndFinalizers(binding, *old_binding)) return {};
  return CheckBinding(user, {"rolebindings", binding.metadata.namespace_, binding.metadata.name},
                      binding.roleRef);
}

Result<void> EscalationCheck::CheckClusterRoleBinding(const User& user,
                                                      const ClusterRoleBinding& binding,
                                                      const ClusterRoleBinding* old_binding) const {
  if (user.InGroup(kMastersGroup)) return {};
  if (old_binding != nullptr && ChangesOnlyOwnersAndFinalizers(binding, *old_binding)) return {};
  return CheckBinding(user, {"clusterrolebindings", "", binding.metadata.name}, binding.roleRef);
}

}  // namespace podium::apiserver
