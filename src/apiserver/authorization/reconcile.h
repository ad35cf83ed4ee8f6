// What is to be written so that a role or binding gives at least what it should: missing rules and
// subjects are added, what others added stays, and what is marked with the annotation
// rbac.authorization.kubernetes.io/autoupdate: "false" is left alone (upstream's
// pkg/registry/rbac/reconciliation, release 1.36, as its bootstrap uses it).
//
//   for (const ClusterRole& wanted : MakeDefaultRoles().cluster_roles) {
//     TRY(const auto existing, objects.Get<ClusterRole>("", wanted.metadata.name));
//     Reconciled next = Reconcile(existing.get(), wanted);
//     … create, update or recreate next.object, and begin anew when another one was faster
//   }
//
// Pure; any thread.
#pragma once

#include "api/types/rbac_v1.h"

namespace podium::apiserver {

enum class ReconcileAction {
  kNone,
  kCreate,
  kUpdate,
  kRecreate,  // of a binding: what it binds cannot be changed; delete it, with its uid, first
};

template <class T>
struct Reconciled {
  ReconcileAction action = ReconcileAction::kNone;
  T object{};  // what is to be there; of kNone nothing
};

// `existing` is null when there is none. T is a Role or ClusterRole, or a RoleBinding or
// ClusterRoleBinding.
template <class T>
Reconciled<T> Reconcile(const T* existing, const T& wanted);

extern template Reconciled<api::rbac::v1::Role> Reconcile(const api::rbac::v1::Role*,
                                                          const api::rbac::v1::Role&);
extern template Reconciled<api::rbac::v1::ClusterRole> Reconcile(const api::rbac::v1::ClusterRole*,
                                                                 const api::rbac::v1::ClusterRole&);
extern template Reconciled<api::rbac::v1::RoleBinding> Reconcile(const api::rbac::v1::RoleBinding*,
                                                                 const api::rbac::v1::RoleBinding&);
extern template Reconciled<api::rbac::v1::ClusterRoleBinding> Reconcile(
    const api::rbac::v1::ClusterRoleBinding*, const api::rbac::v1::ClusterRoleBinding&);

}  // namespace podium::apiserver
