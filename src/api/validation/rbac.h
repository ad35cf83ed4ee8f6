// Rules for roles and their bindings (upstream's pkg/apis/rbac/validation, release 1.36). The
// objects have their defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/rbac_v1.h"

namespace podium::api {

field::ErrorList ValidateRole(const rbac::v1::Role& role);
field::ErrorList ValidateRoleUpdate(const rbac::v1::Role& role, const rbac::v1::Role& old_role);
field::ErrorList ValidateClusterRole(const rbac::v1::ClusterRole& role);
field::ErrorList ValidateClusterRoleUpdate(const rbac::v1::ClusterRole& role,
                                           const rbac::v1::ClusterRole& old_role);
field::ErrorList ValidateRoleBinding(const rbac::v1::RoleBinding& binding);
field::ErrorList ValidateRoleBindingUpdate(const rbac::v1::RoleBinding& binding,
                                           const rbac::v1::RoleBinding& old_binding);
field::ErrorList ValidateClusterRoleBinding(const rbac::v1::ClusterRoleBinding& binding);
field::ErrorList ValidateClusterRoleBindingUpdate(const rbac::v1::ClusterRoleBinding& binding,
                                                  const rbac::v1::ClusterRoleBinding& old_binding);

}  // namespace podium::api
