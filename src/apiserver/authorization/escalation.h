// Nobody gives away rights that they do not have: what is asked of a role or binding before it is
// written (upstream's pkg/registry/rbac: escalation_check.go, validation/rule.go and the
// policybased storages, release 1.36). Who may `escalate` roles or `bind` them may do it all the
// same, and so may system:masters.
#pragma once

#include <string>
#include <string_view>

#include "api/types/rbac_v1.h"
#include "apiserver/authorization/authorizer.h"
#include "apiserver/authorization/rbac_authorizer.h"
#include "base/result.h"

namespace podium::apiserver {

// Threads: any.
class EscalationCheck {
 public:
  // They outlive it. `authorizer` is the whole server's, `rbac` one of those it asks.
  EscalationCheck(const Authorizer& authorizer, const RbacAuthorizer& rbac)
      : authorizer_(authorizer), rbac_(rbac) {}

  // `old_role` is null for a creation. `name` is the one that the request has: "" when it does not,
  // as upstream asks before it knows the object. Errors are answers: 403 with upstream's list of
  // what is missing, and of bindings 404 when there is no such role.
  Result<void> CheckRole(const User& user, std::string_view name, const api::rbac::v1::Role& role,
                         const api::rbac::v1::Role* old_role) const;
  Result<void> CheckClusterRole(const User& user, std::string_view name,
                                const api::rbac::v1::ClusterRole& role,
                                const api::rbac::v1::ClusterRole* old_role) const;
  Result<void> CheckRoleBinding(const User& user, const api::rbac::v1::RoleBinding& binding,
                                const api::rbac::v1::RoleBinding* old_binding) const;
  Result<void> CheckClusterRoleBinding(const User& user,
                                       const api::rbac::v1::ClusterRoleBinding& binding,
                                       const api::rbac::v1::ClusterRoleBinding* old_binding) const;

 private:
  // The request that asks for it.
  struct Place {
    std::string_view resource;
    std::string_view namespace_;
    std::string_view name;
  };
  bool MayEscalate(const User& user, const Place& place) const;
  bool MayBind(const User& user, const api::rbac::v1::RoleRef& role_ref,
               std::string_view name_space) const;
  // The message when the user does not have all these rights; "" when they do.
  std::string FindEscalation(const User& user, std::string_view name_space,
                             const PolicyRules& rules) const;
  Result<void> CheckRules(const User& user, const Place& place, const PolicyRules& rules) const;
  Result<void> CheckBinding(const User& user, const Place& place,
                            const api::rbac::v1::RoleRef& role_ref) const;

  const Authorizer& authorizer_;
  const RbacAuthorizer& rbac_;
};

}  // namespace podium::apiserver
