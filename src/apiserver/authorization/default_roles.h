// The roles and bindings that a cluster has from its first start: what system components, nodes and
// controllers may do, and what admin, edit, view and cluster-admin are (upstream's
// plugin/pkg/auth/authorizer/rbac/bootstrappolicy, release 1.36, with its feature gates as they are
// by default). reconcile.h says what is to be written of them.
//
// Pure; any thread.
#pragma once

#include <string_view>
#include <vector>

#include "api/types/rbac_v1.h"
#include "apiserver/authorization/policy_rules.h"

namespace podium::apiserver {

// With labels, annotations, kind and apiVersion, in the order in which they are to be written:
// roles come before what binds them.
struct DefaultRoles {
  std::vector<api::rbac::v1::ClusterRole> cluster_roles{};
  std::vector<api::rbac::v1::ClusterRoleBinding> cluster_role_bindings{};
  // Of kube-system and kube-public.
  std::vector<api::rbac::v1::Role> roles{};
  std::vector<api::rbac::v1::RoleBinding> role_bindings{};
};
DefaultRoles MakeDefaultRoles();

// The rules of system:node, which the node authorizer goes by.
PolicyRules NodeRules();

// What they are made of (default_role_tables.cpp). A line that is not indented begins an object,
// those below it are its rules:
//
//   clusterrole NAME [label=KEY]... [aggregate=KEY]
//   role NAMESPACE NAME
//     VERBS | GROUPS | RESOURCES [| NAMES]
//     VERBS | paths | PATHS
//     events                                   to write events
//   binding NAME SUBJECT...                    binds the ClusterRole of this name
//   rolebinding NAMESPACE NAME ROLE SUBJECT... binds a Role
//
// A label has the value "true"; an aggregated role has the rules of those with the label. Words are
// divided by spaces; "core" is the group "". Among verbs read, write, readwrite and readupdate
// stand for several. A subject is user=NAME, group=NAME or account=NAMESPACE/NAME. Each
// system:controller:x is bound to the account kube-system/x.
extern const std::string_view kDefaultRoleTable;
extern const std::string_view kControllerRoleTable;

}  // namespace podium::apiserver
