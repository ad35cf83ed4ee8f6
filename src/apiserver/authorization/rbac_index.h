// RbacIndex: roles and their bindings, found by whom they are for, so that a question costs no more
// with ten thousand bindings of others. RbacAuthorizer keeps it up to date.
//
// Threads: as with a container: many may read, or one may change.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/types/rbac_v1.h"
#include "apiserver/authorization/policy_rules.h"
#include "apiserver/authorization/store_follower.h"
#include "apiserver/stored_object.h"
#include "apiserver/user.h"

namespace podium::apiserver {

// A ClusterRoleBinding, or a RoleBinding.
struct IndexedBinding {
  DecodedPtr object{};  // that the rest is a part of
  std::string_view name{};
  std::string_view namespace_{};  // "": a ClusterRoleBinding
  const api::rbac::v1::RoleRef* role_ref = nullptr;
  const std::vector<api::rbac::v1::Subject>* subjects = nullptr;

  // The first of its subjects that the user is, or null.
  const api::rbac::v1::Subject* SubjectOf(const User& user) const;
};

class RbacIndex : public StoreFollower::Handler {
 public:
  // The prefixes of the store that it is made of, in the order of their numbers.
  static std::vector<std::string> Prefixes();

  void Reset() override;
  void Put(size_t prefix, const store::Entry& entry) override;
  void Remove(size_t prefix, std::string_view key) override;

  // Calls visit(binding) with what binds the user on the whole cluster, then with what does so in
  // the namespace, if that is not "", until it returns false. One that binds the user in several
  // ways comes several times.
  template <class Visit>
  void VisitBindings(const User& user, std::string_view name_space, Visit visit) const {
    if (VisitScope(user, "", visit) && !name_space.empty()) VisitScope(user, name_space, visit);
  }

  // The rules of the role that a binding in this namespace ("": of the cluster) names; null when it
  // is not there.
  const PolicyRules* FindRules(const api::rbac::v1::RoleRef& role_ref,
                               std::string_view name_space) const;

  // What is stored and could not be read, of the cluster or this namespace.
  std::vector<std::string> ErrorsOf(std::string_view name_space) const;

 private:
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's word
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  template <class T>
  using Table = std::unordered_map<std::string, T, Hash, std::equal_to<>>;
  using Bindings = Table<std::vector<const IndexedBinding*>>;

  struct IndexedRole {
    DecodedPtr object;
    const PolicyRules* rules = nullptr;
  };
  // What is of one namespace, or of the cluster.
  struct Scope {
    Table<IndexedRole> roles{};
    std::map<std::string, IndexedBinding, std::less<>> bindings{};
    // By the user's name, as accounts have one, too; by the group's.
    Bindings users{};
    Bindings groups{};
    std::map<std::string, std::string, std::less<>> errors{};  // by key

    bool Empty() const { return roles.empty() && bindings.empty() && errors.empty(); }
  };

  template <class Visit>
  static bool VisitList(const Bindings& bindings, std::string_view name, Visit& visit) {
    const auto found = bindings.find(name);
    if (found == bindings.end()) return true;
    for (const IndexedBinding* binding : found->second) {
      if (!visit(*binding)) return false;
    }
    return true;
  }
  template <class Visit>
  bool VisitScope(const User& user, std::string_view name_space, Visit& visit) const {
    const auto scope = scopes_.find(name_space);
    if (scope == scopes_.end()) return true;
    if (!VisitList(scope->second.users, user.name, visit)) return false;
    for (const std::string& group : user.groups) {
      if (!VisitList(scope->second.groups, group, visit)) return false;
    }
    return true;
  }

  // Where an object is, and what it is called there.
  struct Place {
    std::string_view namespace_;
    std::string_view name;
  };
  static Place PlaceOf(size_t prefix, std::string_view key);
  static void PutRole(Scope* scope, std::string_view name, DecodedPtr object,
                      const PolicyRules& rules);
  static void PutBinding(Scope* scope, std::string_view name, IndexedBinding binding);
  static void RemoveFrom(Scope* scope, size_t prefix, std::string_view key, std::string_view name);

  Table<Scope> scopes_;
};

}  // namespace podium::apiserver
