#include "api/validation/rbac.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "api/labels.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/unversioned_json.h"

namespace podium::api {

using field::ErrorList;
using field::Path;
using rbac::v1::ClusterRole;
using rbac::v1::ClusterRoleBinding;
using rbac::v1::PolicyRule;
using rbac::v1::Role;
using rbac::v1::RoleBinding;
using rbac::v1::RoleRef;
using rbac::v1::Subject;

namespace {

constexpr std::string_view kGroup = "rbac.authorization.k8s.io";

void CheckRule(const PolicyRule& rule, Scope scope, const Path& path, ErrorList* errors) {
  if (rule.verbs.empty()) {
    errors->Add(field::Required(path.Child("verbs"), "verbs must contain at least one value"));
  }
  if (!rule.nonResourceURLs.empty()) {
    const Path urls = path.Child("nonResourceURLs");
    if (scope == Scope::kNamespaced) {
      errors->Add(field::Invalid(urls, rule.nonResourceURLs,
                                 "namespaced rules cannot apply to non-resource URLs"));
    }
    if (!rule.apiGroups.empty() || !rule.resources.empty() || !rule.resourceNames.empty()) {
      errors->Add(
          field::Invalid(urls, rule.nonResourceURLs,
                         "rules cannot apply to both regular resources and non-resource URLs"));
    }
    return;
  }
  if (rule.apiGroups.empty()) {
    errors->Add(field::Required(path.Child("apiGroups"),
                                "resource rules must supply at least one api group"));
  }
  if (rule.resources.empty()) {
    errors->Add(field::Required(path.Child("resources"),
                                "resource rules must supply at least one resource"));
  }
}

template <class AnyRole>
ErrorList ValidateRules(const AnyRole& role, Scope scope) {
  ErrorList errors = ValidateObjectMeta(role.metadata, scope, NameIsPathSegment, Path("metadata"));
  const Path rules("rules");
  for (size_t i = 0; i < role.rules.size(); ++i) {
    CheckRule(role.rules[i], scope, rules.Index(i), &errors);
  }
  return errors;
}

ErrorList ValidateWholeClusterRole(const ClusterRole& role, bool allow_invalid_label_values) {
  ErrorList errors = ValidateRules(role, Scope::kCluster);
  if (!role.aggregationRule) return errors;
  const Path rule("aggregationRule");
  const Path path = rule.Child("clusterRoleSelectors");
  const auto& selectors = role.aggregationRule->clusterRoleSelectors;
  if (selectors.empty()) {
    errors.Add(field::Required(
        path, "at least one clusterRoleSelector required if aggregationRule is non-nil"));
  }
  for (size_t i = 0; i < selectors.size(); ++i) {
    errors.Append(ValidateLabelSelector(
        selectors[i], path.Index(i), {.allow_invalid_label_values = allow_invalid_label_values}));
    if (!labels::LabelSelectorAsSelector(&selectors[i]).ok()) {
      errors.Add(
          field::Invalid(path.Index(i), field::BadValue(nullptr), "invalid label selector."));
    }
  }
  return errors;
}

void CheckSubject(const Subject& subject, Scope scope, const Path& path, ErrorList* errors) {
  const Path name = path.Child("name");
  const Path group = path.Child("apiGroup");
  if (subject.name.empty()) errors->Add(field::Required(name, ""));
  if (subject.kind == "ServiceAccount") {
    if (!subject.name.empty()) {
      errors->AddInvalid(name, subject.name, NameIsDNSSubdomain(subject.name, false));
    }
    if (!subject.apiGroup.empty()) {
      errors->Add(field::NotSupported(group, subject.apiGroup, {""}));
    }
    if (scope == Scope::kCluster && subject.namespace_.empty()) {
      errors->Add(field::Required(path.Child("namespace"), ""));
    }
  } else if (IsOneOf(subject.kind, {"User", "Group"})) {
    if (subject.apiGroup != kGroup) {
      errors->Add(field::NotSupported(group, subject.apiGroup, {kGroup}));
    }
  } else {
    errors->Add(
        field::NotSupported(path.Child("kind"), subject.kind, {"ServiceAccount", "User", "Group"}));
  }
}

template <class Binding>
ErrorList ValidateBinding(const Binding& binding, Scope scope,
                          std::initializer_list<std::string_view> kinds) {
  ErrorList errors =
      ValidateObjectMeta(binding.metadata, scope, NameIsPathSegment, Path("metadata"));
  const RoleRef& role = binding.roleRef;
  const Path path("roleRef");
  if (role.apiGroup != kGroup) {
    errors.Add(field::NotSupported(path.Child("apiGroup"), role.apiGroup, {kGroup}));
  }
  if (!IsOneOf(role.kind, kinds)) {
    errors.Add(field::NotSupported(path.Child("kind"), role.kind, kinds));
  }
  if (role.name.empty()) {
    errors.Add(field::Required(path.Child("name"), ""));
  } else {
    errors.AddInvalid(path.Child("name"), role.name, NameIsPathSegment(role.name, false));
  }
  const Path subjects("subjects");
  for (size_t i = 0; i < binding.subjects.size(); ++i) {
    CheckSubject(binding.subjects[i], scope, subjects.Index(i), &errors);
  }
  return errors;
}

// `own` is what is wrong with the object itself, which upstream checks twice.
template <class Object>
ErrorList WithMetaUpdate(const ErrorList& own, const Object& object, const Object& old_object) {
  ErrorList errors = own;
  errors.Append(own);
  errors.Append(ValidateObjectMetaUpdate(object.metadata, old_object.metadata, Path("metadata")));
  return errors;
}

template <class Binding>
ErrorList WithBindingUpdate(const ErrorList& own, const Binding& binding,
                            const Binding& old_binding) {
  ErrorList errors = WithMetaUpdate(own, binding, old_binding);
  if (!reflect::Equal(binding.roleRef, old_binding.roleRef)) {
    errors.Add(field::Invalid(Path("roleRef"), UnversionedValue(binding.roleRef),
                              "cannot change roleRef"));
  }
  return errors;
}

}  // namespace

ErrorList ValidateRole(const Role& role) { return ValidateRules(role, Scope::kNamespaced); }

ErrorList ValidateRoleUpdate(const Role& role, const Role& old_role) {
  return WithMetaUpdate(ValidateRole(role), role, old_role);
}

ErrorList ValidateClusterRole(const ClusterRole& role) {
  return ValidateWholeClusterRole(role, false);
}

ErrorList ValidateClusterRoleUpdate(const ClusterRole& role, const ClusterRole& old_role) {
  const bool had_invalid =
      old_role.aggregationRule &&
      std::ranges::any_of(old_role.aggregationRule->clusterRoleSelectors, HasInvalidLabelValue);
  return WithMetaUpdate(ValidateWholeClusterRole(role, had_invalid), role, old_role);
}

ErrorList ValidateRoleBinding(const RoleBinding& binding) {
  return ValidateBinding(binding, Scope::kNamespaced, {"Role", "ClusterRole"});
}

ErrorList ValidateRoleBindingUpdate(const RoleBinding& binding, const RoleBinding& old_binding) {
  return WithBindingUpdate(ValidateRoleBinding(binding), binding, old_binding);
}

ErrorList ValidateClusterRoleBinding(const ClusterRoleBinding& binding) {
  return ValidateBinding(binding, Scope::kCluster, {"ClusterRole"});
}

ErrorList ValidateClusterRoleBindingUpdate(const ClusterRoleBinding& binding,
                                           const ClusterRoleBinding& old_binding) {
  return WithBindingUpdate(ValidateClusterRoleBinding(binding), binding, old_binding);
}

}  // namespace podium::api
