#include "apiserver/authorization/rbac_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "apiserver/objects.h"
#include "reflect/type.h"

namespace podium::apiserver {
namespace {

using api::rbac::v1::ClusterRole;
using api::rbac::v1::ClusterRoleBinding;
using api::rbac::v1::Role;
using api::rbac::v1::RoleBinding;
using api::rbac::v1::Subject;

// The numbers of the prefixes.
enum Prefix : size_t { kClusterRoles, kClusterRoleBindings, kRoles, kRoleBindings };

const reflect::Type& TypeOfPrefix(size_t prefix) {
  switch (prefix) {
    case kClusterRoles:
      return reflect::TypeOf<ClusterRole>();
    case kClusterRoleBindings:
      return reflect::TypeOf<ClusterRoleBinding>();
    case kRoles:
      return reflect::TypeOf<Role>();
    default:
      return reflect::TypeOf<RoleBinding>();
  }
}

bool IsBinding(size_t prefix) { return prefix == kClusterRoleBindings || prefix == kRoleBindings; }

// The user's name of an account.
std::string AccountName(std::string_view name_space, std::string_view name) {
  std::string user(kServiceAccountPrefix);
  return user.append(name_space).append(":").append(name);
}

// The name that users of the subject have, "" when there is none: an account of no namespace.
std::string UserNameOf(const Subject& subject, std::string_view binding_namespace) {
  if (subject.kind == api::rbac::v1::kUserKind) return subject.name;
  if (subject.kind != api::rbac::v1::kServiceAccountKind) return "";
  const std::string_view name_space =
      subject.namespace_.empty() ? binding_namespace : std::string_view(subject.namespace_);
  return name_space.empty() ? "" : AccountName(name_space, subject.name);
}

template <class T>
IndexedBinding Index(const DecodedPtr& decoded) {
  const T& binding = *decoded->As<T>();
  return {.object = decoded,
          .name = binding.metadata.name,
          .namespace_ = binding.metadata.namespace_,
          .role_ref = &binding.roleRef,
          .subjects = &binding.subjects};
}

}  // namespace

const Subject* IndexedBinding::SubjectOf(const User& user) const {
  const auto found = std::ranges::find_if(*subjects, [&](const Subject& subject) {
    if (subject.kind == api::rbac::v1::kGroupKind) return user.InGroup(subject.name);
    if (subject.kind == api::rbac::v1::kUserKind) return user.name == subject.name;
    const std::string account = UserNameOf(subject, namespace_);
    return !account.empty() && account == user.name;
  });
  return found == subjects->end() ? nullptr : &*found;
}

std::vector<std::string> RbacIndex::Prefixes() {
  std::vector<std::string> prefixes;
  for (const size_t prefix : {kClusterRoles, kClusterRoleBindings, kRoles, kRoleBindings}) {
    prefixes.push_back(Objects::PrefixOf(TypeOfPrefix(prefix)));
  }
  return prefixes;
}

void RbacIndex::Reset() { scopes_.clear(); }

RbacIndex::Place RbacIndex::PlaceOf(size_t prefix, std::string_view key) {
  static const std::vector<std::string> kPrefixes = Prefixes();
  key.remove_prefix(kPrefixes[prefix].size());
  if (prefix == kClusterRoles || prefix == kClusterRoleBindings) return {"", key};
  const size_t slash = std::min(key.find('/'), key.size());
  return {key.substr(0, slash), slash < key.size() ? key.substr(slash + 1) : ""};
}

void RbacIndex::Put(size_t prefix, const store::Entry& entry) {
  Remove(prefix, entry.key());
  const Place place = PlaceOf(prefix, entry.key());
  Scope& scope = scopes_[std::string(place.namespace_)];
  const auto stored = StoredObject::Of(entry);
  auto decoded = stored.ok() ? (*stored)->Decode(TypeOfPrefix(prefix), true)
                             : Result<DecodedPtr>(stored.error());
  if (!decoded.ok()) {
    scope.errors.emplace(entry.key(), decoded.error().message());
    return;
  }
  DecodedPtr& object = *decoded;
  switch (prefix) {
    case kClusterRoles:
      return PutRole(&scope, place.name, object, object->As<ClusterRole>()->rules);
    case kRoles:
      return PutRole(&scope, place.name, object, object->As<Role>()->rules);
    case kClusterRoleBindings:
      return PutBinding(&scope, place.name, Index<ClusterRoleBinding>(object));
    default:
      return PutBinding(&scope, place.name, Index<RoleBinding>(object));
  }
}

void RbacIndex::PutRole(Scope* scope, std::string_view name, DecodedPtr object,
                        const PolicyRules& rules) {
  scope->roles.insert_or_assign(std::string(name), IndexedRole{std::move(object), &rules});
}

void RbacIndex::PutBinding(Scope* scope, std::string_view name, IndexedBinding binding) {
  const IndexedBinding& added =
      scope->bindings.insert_or_assign(std::string(name), std::move(binding)).first->second;
  const auto add = [&added](Bindings& list, const std::string& name) {
    std::vector<const IndexedBinding*>& bindings = list[name];
    // A subject may be listed twice.
    if (bindings.empty() || bindings.back() != &added) bindings.push_back(&added);
  };
  for (const Subject& subject : *added.subjects) {
    if (subject.kind == api::rbac::v1::kGroupKind) {
      add(scope->groups, subject.name);
      continue;
    }
    const std::string user = UserNameOf(subject, added.namespace_);
    if (!user.empty()) add(scope->users, user);
  }
}

void RbacIndex::Remove(size_t prefix, std::string_view key) {
  const Place place = PlaceOf(prefix, key);
  const auto scope = scopes_.find(place.namespace_);
  if (scope == scopes_.end()) return;
  RemoveFrom(&scope->second, prefix, key, place.name);
  if (scope->second.Empty()) scopes_.erase(scope);
}

void RbacIndex::RemoveFrom(Scope* scope, size_t prefix, std::string_view key,
                           std::string_view name) {
  if (const auto error = scope->errors.find(key); error != scope->errors.end()) {
    scope->errors.erase(error);
  }
  if (!IsBinding(prefix)) {
    if (const auto role = scope->roles.find(name); role != scope->roles.end()) {
      scope->roles.erase(role);
    }
    return;
  }
  const auto binding = scope->bindings.find(name);
  if (binding == scope->bindings.end()) return;
  const auto take_out = [&](Bindings& list, const std::string& subject) {
    const auto found = list.find(subject);
    if (found == list.end()) return;
    std::erase(found->second, &binding->second);
    if (found->second.empty()) list.erase(found);
  };
  for (const Subject& subject : *binding->second.subjects) {
    take_out(scope->groups, subject.name);
    take_out(scope->users, UserNameOf(subject, binding->second.namespace_));
  }
  scope->bindings.erase(binding);
}

const PolicyRules* RbacIndex::FindRules(const api::rbac::v1::RoleRef& role_ref,
                                        std::string_view name_space) const {
  const bool is_role = role_ref.kind == "Role";
  if (is_role ? name_space.empty() : role_ref.kind != "ClusterRole") return nullptr;
  const auto scope = scopes_.find(is_role ? name_space : std::string_view());
  if (scope == scopes_.end()) return nullptr;
  const auto role = scope->second.roles.find(role_ref.name);
  return role == scope->second.roles.end() ? nullptr : role->second.rules;
}

std::vector<std::string> RbacIndex::ErrorsOf(std::string_view name_space) const {
  std::vector<std::string> errors;
  for (const std::string_view of : {std::string_view(), name_space}) {
    const auto scope = scopes_.find(of);
    if (scope == scopes_.end()) continue;
    for (const auto& [key, error] : scope->second.errors) {
      errors.push_back(fmt::format("{}: {}", key, error));
    }
    if (name_space.empty()) break;
  }
  return errors;
}

}  // namespace podium::apiserver
