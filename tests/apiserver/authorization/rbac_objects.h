// Short ways to make roles and bindings.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/types/rbac_v1.h"
#include "apiserver/authorization/policy_rules.h"

namespace podium::apiserver {

inline api::rbac::v1::PolicyRule RuleOf(std::vector<std::string> verbs,
                                        std::vector<std::string> groups,
                                        std::vector<std::string> resources) {
  api::rbac::v1::PolicyRule rule;
  rule.verbs = std::move(verbs);
  rule.apiGroups = std::move(groups);
  rule.resources = std::move(resources);
  return rule;
}

inline api::rbac::v1::Subject SubjectOf(std::string kind, std::string group, std::string name_space,
                                        std::string name) {
  return {.kind = std::move(kind),
          .apiGroup = std::move(group),
          .name = std::move(name),
          .namespace_ = std::move(name_space)};
}
inline api::rbac::v1::Subject UserSubject(std::string name) {
  return SubjectOf("User", "rbac.authorization.k8s.io", "", std::move(name));
}
inline api::rbac::v1::Subject GroupSubject(std::string name) {
  return SubjectOf("Group", "rbac.authorization.k8s.io", "", std::move(name));
}
inline api::rbac::v1::Subject AccountSubject(std::string name_space, std::string name) {
  return SubjectOf("ServiceAccount", "", std::move(name_space), std::move(name));
}

inline api::rbac::v1::ClusterRole ClusterRoleOf(std::string name, PolicyRules rules) {
  api::rbac::v1::ClusterRole role;
  role.metadata.name = std::move(name);
  role.rules = std::move(rules);
  return role;
}
inline api::rbac::v1::Role RoleOf(std::string name_space, std::string name, PolicyRules rules) {
  api::rbac::v1::Role role;
  role.metadata.namespace_ = std::move(name_space);
  role.metadata.name = std::move(name);
  role.rules = std::move(rules);
  return role;
}

inline api::rbac::v1::ClusterRoleBinding ClusterRoleBindingOf(
    std::string name, std::string role, std::vector<api::rbac::v1::Subject> subjects) {
  api::rbac::v1::ClusterRoleBinding binding;
  binding.metadata.name = std::move(name);
  binding.roleRef = {
      .apiGroup = "rbac.authorization.k8s.io", .kind = "ClusterRole", .name = std::move(role)};
  binding.subjects = std::move(subjects);
  return binding;
}
// `kind` is that of the role.
inline api::rbac::v1::RoleBinding RoleBindingOf(std::string name, std::string name_space,
                                                std::string kind, std::string role,
                                                std::vector<api::rbac::v1::Subject> subjects) {
  api::rbac::v1::RoleBinding binding;
  binding.metadata.namespace_ = std::move(name_space);
  binding.metadata.name = std::move(name);
  binding.roleRef = {
      .apiGroup = "rbac.authorization.k8s.io", .kind = std::move(kind), .name = std::move(role)};
  binding.subjects = std::move(subjects);
  return binding;
}

}  // namespace podium::apiserver
