#include "apiserver/authorization/reconcile.h"

#include <algorithm>
#include <concepts>
#include <vector>

#include "apiserver/authorization/policy_rules.h"
#include "reflect/type.h"

namespace podium::apiserver {
namespace {

using api::rbac::v1::ClusterRole;
using api::rbac::v1::ClusterRoleBinding;
using api::rbac::v1::Role;
using api::rbac::v1::RoleBinding;
using api::rbac::v1::Subject;
using Selectors = std::vector<api::meta::v1::LabelSelector>;

template <class T>
bool IsProtected(const T& object) {
  const auto& annotations = object.metadata.annotations;
  const auto found = annotations.find(api::rbac::v1::kAutoUpdateAnnotationKey);
  return found != annotations.end() && found->second == "false";
}

// Adds what is not there; what is there counts more. Whether something was added.
template <class Map>
bool AddMissing(const Map& wanted, Map* map) {
  const size_t before = map->size();
  map->insert(wanted.begin(), wanted.end());
  return map->size() != before;
}

template <class T>
bool AddMetadata(const T& wanted, T* object) {
  const bool annotations = AddMissing(wanted.metadata.annotations, &object->metadata.annotations);
  const bool labels = AddMissing(wanted.metadata.labels, &object->metadata.labels);
  return annotations || labels;
}

template <class T>
bool AddRules(const T& wanted, T* role) {
  const PolicyRules missing = MissingRules(role->rules, wanted.rules);
  role->rules.insert(role->rules.end(), missing.begin(), missing.end());
  return !missing.empty();
}

bool Same(const Subject& a, const Subject& b) {
  return a.kind == b.kind && a.apiGroup == b.apiGroup && a.name == b.name &&
         a.namespace_ == b.namespace_;
}

template <class T>
bool AddSubjects(const T& wanted, T* binding) {
  const size_t before = binding->subjects.size();
  for (const Subject& subject : wanted.subjects) {
    const bool has = std::ranges::any_of(binding->subjects,
                                         [&](const Subject& own) { return Same(own, subject); });
    if (!has) binding->subjects.push_back(subject);
  }
  return binding->subjects.size() != before;
}

bool HasSelector(const Selectors& selectors, const api::meta::v1::LabelSelector& selector) {
  return std::ranges::any_of(selectors, [&](const auto& own) {
    return reflect::EqualObjects(reflect::TypeOf<api::meta::v1::LabelSelector>(), &own, &selector);
  });
}

// What others aggregate is not kept: a role that is none of that kind must not become one.
bool ReconcileAggregation(const ClusterRole& wanted, ClusterRole* role) {
  if (!wanted.aggregationRule) {
    if (!role->aggregationRule) return false;
    role->aggregationRule.reset();
    return true;
  }
  bool added = false;
  for (const auto& selector : wanted.aggregationRule->clusterRoleSelectors) {
    if (role->aggregationRule &&
        HasSelector(role->aggregationRule->clusterRoleSelectors, selector)) {
      continue;
    }
    role->aggregationRule.ensure().clusterRoleSelectors.push_back(selector);
    added = true;
  }
  return added;
}

// Whether the copy of what exists was changed.
bool Complete(const Role& wanted, Role* role) { return AddRules(wanted, role); }

bool Complete(const ClusterRole& wanted, ClusterRole* role) {
  // The rules of an aggregated role are its controller's.
  const bool aggregated = wanted.aggregationRule && role->aggregationRule;
  const bool rules = !aggregated && AddRules(wanted, role);
  const bool aggregation = ReconcileAggregation(wanted, role);
  return rules || aggregation;
}

template <class T>
bool Complete(const T& wanted, T* binding) {
  return AddSubjects(wanted, binding);
}

template <class T>
constexpr bool kIsBinding = std::same_as<T, RoleBinding> || std::same_as<T, ClusterRoleBinding>;

template <class T>
bool BindsSameRole(const T& a, const T& b) {
  return a.roleRef.apiGroup == b.roleRef.apiGroup && a.roleRef.kind == b.roleRef.kind &&
         a.roleRef.name == b.roleRef.name;
}

}  // namespace

template <class T>
Reconciled<T> Reconcile(const T* existing, const T& wanted) {
  if (existing == nullptr) return {.action = ReconcileAction::kCreate, .object = wanted};
  if (IsProtected(*existing)) return {};
  if constexpr (kIsBinding<T>) {
    if (!BindsSameRole(*existing, wanted)) {
      return {.action = ReconcileAction::kRecreate, .object = wanted};
    }
  }
  Reconciled<T> next{.action = ReconcileAction::kUpdate, .object = *existing};
  const bool metadata = AddMetadata(wanted, &next.object);
  const bool completed = Complete(wanted, &next.object);
  if (metadata || completed) return next;
  return {};
}

template Reconciled<Role> Reconcile(const Role*, const Role&);
template Reconciled<ClusterRole> Reconcile(const ClusterRole*, const ClusterRole&);
template Reconciled<RoleBinding> Reconcile(const RoleBinding*, const RoleBinding&);
template Reconciled<ClusterRoleBinding> Reconcile(const ClusterRoleBinding*,
                                                  const ClusterRoleBinding&);

}  // namespace podium::apiserver
