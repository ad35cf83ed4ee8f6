#include "apiserver/audit/policy.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "api/field_errors.h"
#include "api/names.h"
#include "base/text.h"
#include "reflect/go_text.h"
#include "reflect/json.h"
#include "reflect/object.h"
#include "reflect/yaml.h"

namespace podium::apiserver {
namespace {

using api::audit::v1::GroupResources;
using api::audit::v1::Policy;
using api::audit::v1::PolicyRule;
using api::field::ErrorList;
using api::field::Path;

constexpr std::array<std::string_view, 4> kLevels = {"None", "Metadata", "Request",
                                                     "RequestResponse"};
constexpr std::array<std::string_view, 4> kStages = {"RequestReceived", "ResponseStarted",
                                                     "ResponseComplete", "Panic"};

template <class Names>
std::optional<unsigned> IndexOf(const Names& names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<unsigned>(found - names.begin());
}

bool Has(const reflect::List<std::string>& list, std::string_view value) {
  return std::ranges::find(list, value) != list.end();
}

// --- Validation ---

void CheckUrls(const PolicyRule& rule, const Path& path, ErrorList* errors) {
  for (size_t i = 0; i < rule.nonResourceURLs.size(); ++i) {
    const std::string& url = rule.nonResourceURLs[i];
    if (url == "*") continue;
    if (!url.starts_with('/')) {
      errors->Add(api::field::Invalid(path.Index(i), url,
                                      "non-resource URL rules must begin with a '/' character"));
    }
    if (url.find('*') + 1 < url.size() && url.find('*') != url.npos) {
      errors->Add(api::field::Invalid(
          path.Index(i), url,
          "non-resource URL wildcards '*' must be the final character of the rule"));
    }
  }
}

void CheckResources(const PolicyRule& rule, const Path& path, ErrorList* errors) {
  // Upstream names the list, and not the element of it.
  for (const GroupResources& each : rule.resources) {
    if (!each.group.empty()) {
      const auto messages = api::NameIsDNSSubdomain(each.group, false);
      if (!messages.empty()) {
        errors->Add(api::field::Invalid(path.Child("group"), each.group, Join(messages, ",")));
      }
    }
    if (!each.resourceNames.empty() && each.resources.empty()) {
      errors->Add(api::field::Invalid(path.Child("resourceNames"), each.resourceNames,
                                      "using resourceNames requires at least one resource"));
    }
  }
}

void CheckStages(const reflect::List<std::string>& stages, const Path& path, ErrorList* errors) {
  for (size_t i = 0; i < stages.size(); ++i) {
    if (!IndexOf(kStages, stages[i])) {
      errors->Add(api::field::Invalid(path.Index(i), stages[i],
                                      "allowed stages are " + Join(kStages, ",")));
    }
  }
}

void CheckRule(const PolicyRule& rule, const Path& path, ErrorList* errors) {
  if (rule.level.empty()) {
    errors->Add(api::field::Required(path.Child("level"), ""));
  } else if (!IndexOf(kLevels, rule.level)) {
    errors->Add(api::field::NotSupported(path.Child("level"), rule.level,
                                         {"Metadata", "None", "Request", "RequestResponse"}));
  }
  const Path urls = path.Child("nonResourceURLs");
  CheckUrls(rule, urls, errors);
  CheckResources(rule, path.Child("resources"), errors);
  CheckStages(rule.omitStages, path.Child("omitStages"), errors);
  if (!rule.nonResourceURLs.empty() && (!rule.resources.empty() || !rule.namespaces.empty())) {
    errors->Add(
        api::field::Invalid(urls, rule.nonResourceURLs,
                            "rules cannot apply to both regular resources and non-resource URLs"));
  }
}

// --- Matching ---

// "pods", "pods/log", "*", "*/scale", "pods/*".
bool FitsResource(std::string_view pattern, const AuthorizationQuestion& question) {
  if (pattern == "*") return true;
  const size_t slash = pattern.find('/');
  if (slash == pattern.npos) return question.subresource.empty() && pattern == question.resource;
  const std::string_view resource = pattern.substr(0, slash);
  const std::string_view subresource = pattern.substr(slash + 1);
  if (subresource == "*") return resource == question.resource;
  return !question.subresource.empty() && subresource == question.subresource &&
         (resource == "*" || resource == question.resource);
}

bool FitsResources(const GroupResources& each, const AuthorizationQuestion& question) {
  if (each.group != question.group) return false;
  if (each.resources.empty()) return true;
  if (!each.resourceNames.empty() && !Has(each.resourceNames, question.name)) return false;
  return std::ranges::any_of(
      each.resources, [&](const std::string& pattern) { return FitsResource(pattern, question); });
}

bool FitsPath(std::string_view pattern, std::string_view path) {
  if (pattern == "*" || pattern == path) return true;
  return pattern.ends_with('*') &&
         path.starts_with(pattern.substr(0, pattern.find_last_not_of('*') + 1));
}

bool Fits(const PolicyRule& rule, const AuthorizationQuestion& question) {
  const User& user = question.user;
  if (!rule.users.empty() && !Has(rule.users, user.name)) return false;
  if (!rule.userGroups.empty() &&
      std::ranges::none_of(rule.userGroups,
                           [&](const std::string& group) { return user.InGroup(group); })) {
    return false;
  }
  if (!rule.verbs.empty() && !Has(rule.verbs, question.verb)) return false;
  if (!rule.namespaces.empty() || !rule.resources.empty()) {
    if (!question.is_resource) return false;
    if (!rule.namespaces.empty() && !Has(rule.namespaces, question.namespace_)) return false;
    return rule.resources.empty() ||
           std::ranges::any_of(rule.resources, [&](const GroupResources& each) {
             return FitsResources(each, question);
           });
  }
  if (rule.nonResourceURLs.empty()) return true;
  return !question.is_resource &&
         std::ranges::any_of(rule.nonResourceURLs, [&](const std::string& pattern) {
           return FitsPath(pattern, question.path);
         });
}

uint8_t StageBits(const reflect::List<std::string>& stages) {
  unsigned bits = 0;
  for (const std::string& stage : stages) bits |= 1U << IndexOf(kStages, stage).value_or(3);
  return static_cast<uint8_t>(bits);
}

Result<Policy> ReadPolicy(std::string_view text) {
  auto document = reflect::YamlToJson(text, {.positions = false});
  if (!document.ok()) return document.error();
  if (!document->duplicates.empty()) {
    return Error(Code::kInvalidArgument, document->DuplicatesMessage());
  }
  TRY(const reflect::ObjectHeader header, reflect::ReadHeader(document->json));
  if (header.api_version != "audit.k8s.io/v1" || header.kind != "Policy") {
    return Error(Code::kInvalidArgument,
                 "it is of apiVersion " + reflect::GoQuoted(header.api_version) + " and kind " +
                     reflect::GoQuoted(header.kind) +
                     "; an audit policy is of apiVersion \"audit.k8s.io/v1\" and kind \"Policy\"");
  }
  return reflect::FromJson<Policy>(document->json);
}

}  // namespace

std::string_view NameOf(AuditLevel level) { return kLevels[static_cast<size_t>(level)]; }
std::string_view NameOf(AuditStage stage) { return kStages[static_cast<size_t>(stage)]; }

Result<AuditPolicy> AuditPolicy::Parse(std::string_view text) {
  TRY(Policy policy, ReadPolicy(text));
  ErrorList errors;
  const Path rules("rules");
  for (size_t i = 0; i < policy.rules.size(); ++i) {
    CheckRule(policy.rules[i], rules.Index(i), &errors);
  }
  // Upstream does not look at the stages of the whole policy, and then omits nothing by them.
  CheckStages(policy.omitStages, Path("omitStages"), &errors);
  if (!errors.empty()) return Error(Code::kInvalidArgument, errors.AggregateText());
  if (policy.rules.empty()) {
    return Error(Code::kInvalidArgument, "loaded illegal policy with 0 rules");
  }
  AuditPolicy read;
  const uint8_t omitted = StageBits(policy.omitStages);
  for (PolicyRule& rule : policy.rules) {
    AuditRule what;
    what.level = static_cast<AuditLevel>(IndexOf(kLevels, rule.level).value_or(0));
    what.omitted_stages = static_cast<uint8_t>(omitted | StageBits(rule.omitStages));
    what.omit_managed_fields = rule.omitManagedFields.value_or(policy.omitManagedFields);
    read.rules_.push_back({.matches = std::move(rule), .what = what});
  }
  return read;
}

Result<AuditPolicy> AuditPolicy::Load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file) {
    return Error(Code::kNotFound, "the audit policy " + path + " cannot be read");
  }
  auto policy = Parse(text);
  if (policy.ok()) return policy;
  return Error(policy.error().code(),
               "the audit policy " + path + " is wrong: " + policy.error().message());
}

AuditRule AuditPolicy::RuleFor(const AuthorizationQuestion& question) const {
  for (const Rule& rule : rules_) {
    if (Fits(rule.matches, question)) return rule.what;
  }
  return {};
}

}  // namespace podium::apiserver
