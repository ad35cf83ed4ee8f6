#include "apiserver/authorization/default_roles.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/text.h"
#include "reflect/type.h"

namespace podium::apiserver {
namespace {

using api::rbac::v1::ClusterRole;
using api::rbac::v1::ClusterRoleBinding;
using api::rbac::v1::PolicyRule;
using api::rbac::v1::Role;
using api::rbac::v1::RoleBinding;
using api::rbac::v1::RoleRef;
using api::rbac::v1::Subject;
using Texts = std::vector<std::string>;

constexpr std::string_view kControllerPrefix = "system:controller:";

struct Abbreviation {
  std::string_view word;
  std::string_view verbs;
};
constexpr Abbreviation kAbbreviations[] = {
    {"read", "get list watch"},
    {"write", "create update patch delete deletecollection"},
    {"readwrite", "get list watch create update patch delete deletecollection"},
    {"readupdate", "get list watch update patch"},
};

// Sorted, as upstream's are.
Texts SortedWords(std::string_view text) {
  Texts words;
  for (const std::string_view word : Words(text, " ")) {
    words.emplace_back(word == "core" ? "" : word);
  }
  std::ranges::sort(words);
  return words;
}

Texts ReadVerbs(std::string_view text) {
  const std::string_view word = Words(text, " ").front();
  for (const Abbreviation& abbreviation : kAbbreviations) {
    if (word == abbreviation.word) return SortedWords(abbreviation.verbs);
  }
  return SortedWords(text);
}

PolicyRule ReadRule(std::string_view line) {
  const auto cells = line == "  events"
                         ? Split("create update patch|core events.k8s.io|events", '|')
                         : Split(line, '|');
  // The tables are part of the program; a test reads them.
  if (cells.size() < 3) std::abort();
  PolicyRule rule;
  rule.verbs = ReadVerbs(cells[0]);
  if (Words(cells[1], " ").front() == "paths") {
    rule.nonResourceURLs = SortedWords(cells[2]);
    return rule;
  }
  rule.apiGroups = SortedWords(cells[1]);
  rule.resources = SortedWords(cells[2]);
  if (cells.size() > 3) rule.resourceNames = SortedWords(cells[3]);
  return rule;
}

// "group=system:masters"
Subject ReadSubject(std::string_view word) {
  const size_t equals = word.find('=');
  const std::string_view kind = word.substr(0, equals);
  const std::string_view name = word.substr(equals + 1);
  Subject subject;
  if (kind == "account") {
    const size_t slash = name.find('/');
    subject.kind = api::rbac::v1::kServiceAccountKind;
    subject.namespace_ = name.substr(0, slash);
    subject.name = name.substr(slash + 1);
    return subject;
  }
  subject.kind = kind == "user" ? api::rbac::v1::kUserKind : api::rbac::v1::kGroupKind;
  subject.apiGroup = api::rbac::v1::kGroupName;
  subject.name = name;
  return subject;
}

RoleRef RefTo(std::string_view kind, std::string_view name) {
  return {.apiGroup = std::string(api::rbac::v1::kGroupName),
          .kind = std::string(kind),
          .name = std::string(name)};
}

template <class T>
T New(std::string_view name_space, std::string_view name) {
  const reflect::Type& type = reflect::TypeOf<T>();
  T object;
  object.kind = type.name;
  object.apiVersion = type.ApiVersion();
  object.metadata.namespace_ = name_space;
  object.metadata.name = name;
  object.metadata.labels["kubernetes.io/bootstrapping"] = "rbac-defaults";
  object.metadata.annotations[std::string(api::rbac::v1::kAutoUpdateAnnotationKey)] = "true";
  return object;
}

ClusterRole NewClusterRole(const std::vector<std::string_view>& words) {
  auto role = New<ClusterRole>("", words[1]);
  for (size_t i = 2; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    const std::string label(words[i].substr(equals + 1));
    if (words[i].substr(0, equals) == "label") {
      role.metadata.labels[label] = "true";
      continue;
    }
    api::meta::v1::LabelSelector selector;
    selector.matchLabels[label] = "true";
    role.aggregationRule.ensure().clusterRoleSelectors.push_back(std::move(selector));
  }
  return role;
}

template <class Binding>
void ReadSubjects(const std::vector<std::string_view>& words, size_t from, Binding* binding) {
  for (size_t i = from; i < words.size(); ++i) binding->subjects.push_back(ReadSubject(words[i]));
}

void AddBinding(const std::vector<std::string_view>& words, DefaultRoles* out) {
  auto& binding = out->cluster_role_bindings.emplace_back(New<ClusterRoleBinding>("", words[1]));
  binding.roleRef = RefTo("ClusterRole", words[1]);
  ReadSubjects(words, 2, &binding);
}

void AddRoleBinding(const std::vector<std::string_view>& words, DefaultRoles* out) {
  auto& binding = out->role_bindings.emplace_back(New<RoleBinding>(words[1], words[2]));
  binding.roleRef = RefTo("Role", words[3]);
  ReadSubjects(words, 4, &binding);
}

void ReadTable(std::string_view table, DefaultRoles* out) {
  reflect::Nullable<std::vector<PolicyRule>>* rules = nullptr;
  for (const std::string_view line : Split(table, '\n')) {
    const auto words = Words(line, " ");
    if (words.empty()) continue;
    if (line.starts_with(' ')) {
      rules->push_back(ReadRule(line));
    } else if (words[0] == "clusterrole") {
      rules = &out->cluster_roles.emplace_back(NewClusterRole(words)).rules;
    } else if (words[0] == "role") {
      rules = &out->roles.emplace_back(New<Role>(words[1], words[2])).rules;
    } else if (words[0] == "binding") {
      AddBinding(words, out);
    } else {
      AddRoleBinding(words, out);
    }
  }
}

}  // namespace

DefaultRoles MakeDefaultRoles() {
  DefaultRoles out;
  ReadTable(kDefaultRoleTable, &out);
  const size_t others = out.cluster_roles.size();
  ReadTable(kControllerRoleTable, &out);
  for (size_t i = others; i < out.cluster_roles.size(); ++i) {
    const std::string& name = out.cluster_roles[i].metadata.name;
    const std::string account = "account=kube-system/" + name.substr(kControllerPrefix.size());
    AddBinding({"binding", name, account}, &out);
  }
  return out;
}

PolicyRules NodeRules() {
  const DefaultRoles roles = MakeDefaultRoles();
  const auto node = std::ranges::find(roles.cluster_roles, "system:node",
                                      [](const auto& role) { return role.metadata.name; });
  return node->rules;
}

}  // namespace podium::apiserver
