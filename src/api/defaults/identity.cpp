// rbac.authorization.k8s.io, authentication.k8s.io and scheduling.k8s.io: who may do what, and who
// comes first.
#include <array>

#include "api/defaults/rules.h"
#include "api/types/authentication_v1.h"
#include "api/types/rbac_v1.h"
#include "api/types/scheduling_v1.h"

namespace podium::api::defaults {
namespace {

constexpr const char* kRbacGroup = "rbac.authorization.k8s.io";

// RoleBinding and ClusterRoleBinding.
template <class Binding>
void DefaultBinding(Binding& binding) {
  SetIfEmpty(binding.roleRef.apiGroup, kRbacGroup);
  for (rbac::v1::Subject& subject : binding.subjects) {
    // A ServiceAccount is of the core group, whose name is empty.
    if (subject.kind == "User" || subject.kind == "Group") SetIfEmpty(subject.apiGroup, kRbacGroup);
  }
}

void DefaultTokenRequest(authentication::v1::TokenRequest& request) {
  SetIfUnset(request.spec.expirationSeconds, 3600);
}

void DefaultPriorityClass(scheduling::v1::PriorityClass& priority_class) {
  SetIfUnset(priority_class.preemptionPolicy, "PreemptLowerPriority");
}

}  // namespace

std::span<const Kind> IdentityKinds() {
  static const std::array kKinds = {
      KindOf<rbac::v1::RoleBinding, DefaultBinding<rbac::v1::RoleBinding>>(),
      KindOf<rbac::v1::ClusterRoleBinding, DefaultBinding<rbac::v1::ClusterRoleBinding>>(),
      KindOf<authentication::v1::TokenRequest, DefaultTokenRequest>(),
      KindOf<scheduling::v1::PriorityClass, DefaultPriorityClass>(),
  };
  return kKinds;
}

}  // namespace podium::api::defaults
