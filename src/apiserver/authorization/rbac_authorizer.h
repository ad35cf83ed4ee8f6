// RbacAuthorizer: who may do what, by roles and their bindings (upstream's
// plugin/pkg/auth/authorizer/rbac and pkg/registry/rbac/validation, release 1.36).
//
// A role or binding whose write was acknowledged counts for the next question; one whose deletion
// was, does not.
#pragma once

#include <string_view>

#include "api/types/rbac_v1.h"
#include "apiserver/authorization/authorizer.h"
#include "apiserver/authorization/rbac_index.h"
#include "apiserver/authorization/rule_resolver.h"
#include "apiserver/authorization/store_follower.h"
#include "base/result.h"
#include "store/store.h"

namespace podium::apiserver {

// Threads: any. A question takes well below a microsecond, and some more for each rule that the
// user has.
class RbacAuthorizer : public Authorizer, public RuleResolver {
 public:
  // The store outlives it.
  explicit RbacAuthorizer(store::Store& store);

  // Allows or has no opinion; never denies. The reason names the binding and the subject that
  // allow it, or says which roles are bound and not there.
  Authorization Authorize(const AuthorizationQuestion& question) const override;
  UserRules RulesFor(const User& user, std::string_view name_space) const override;

  // The rules of the role that a binding in the namespace ("": of the cluster) names. kNotFound
  // with upstream's words.
  Result<PolicyRules> RulesOf(const api::rbac::v1::RoleRef& role_ref,
                              std::string_view name_space) const;

 private:
  mutable RbacIndex index_;
  mutable StoreFollower follower_;
};

}  // namespace podium::apiserver
