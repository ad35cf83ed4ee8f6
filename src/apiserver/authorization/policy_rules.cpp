#include "apiserver/authorization/policy_rules.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::rbac::v1::PolicyRule;
using Texts = std::vector<std::string>;

bool Has(const Texts& texts, std::string_view text) {
  return std::ranges::find(texts, text) != texts.end();
}

bool HasOrAll(const Texts& texts, std::string_view text) {
  return std::ranges::any_of(texts,
                             [text](const std::string& own) { return own == "*" || own == text; });
}

// Whether `own`, "pods", "pods/log", "*/scale" or "*", is this resource.
bool ResourceMatches(std::string_view own, std::string_view resource,
                     std::string_view subresource) {
  if (own == "*") return true;
  if (subresource.empty()) return own == resource;
  if (!own.ends_with(subresource)) return false;
  own.remove_suffix(subresource.size());
  if (!own.ends_with('/')) return false;
  own.remove_suffix(1);
  return own == "*" || own == resource;
}

// The path, and what begins with it when it ends with stars. Upstream takes all of them off.
bool PathMatches(std::string_view own, std::string_view path) {
  if (own == path) return true;
  if (!own.ends_with('*')) return false;
  return path.starts_with(own.substr(0, own.find_last_not_of('*') + 1));
}

bool ResourceCovered(const Texts& owned, const std::string& resource) {
  if (Has(owned, "*") || Has(owned, resource)) return true;
  const size_t slash = resource.find('/');
  return slash != std::string::npos && Has(owned, "*" + resource.substr(slash));
}

// `wanted` has at most one of each.
bool Covers(const PolicyRule& owned, const PolicyRule& wanted) {
  const auto all = [](const Texts& texts, auto covered) {
    return std::ranges::all_of(texts, covered);
  };
  return all(wanted.verbs, [&](const auto& verb) { return HasOrAll(owned.verbs, verb); }) &&
         all(wanted.apiGroups,
             [&](const auto& group) { return HasOrAll(owned.apiGroups, group); }) &&
         all(wanted.resources,
             [&](const auto& resource) { return ResourceCovered(owned.resources, resource); }) &&
         all(wanted.nonResourceURLs,
             [&](const auto& path) {
               return std::ranges::any_of(owned.nonResourceURLs, [&](const std::string& own) {
                 return PathMatches(own, path);
               });
             }) &&
         (owned.resourceNames.empty() ||
          (!wanted.resourceNames.empty() && all(wanted.resourceNames, [&](const auto& name) {
            return Has(owned.resourceNames, name);
          })));
}

void BreakDownResources(const PolicyRule& rule, PolicyRules* out) {
  for (const std::string& group : rule.apiGroups) {
    for (const std::string& resource : rule.resources) {
      for (const std::string& verb : rule.verbs) {
        PolicyRule single;
        single.apiGroups = {group};
        single.resources = {resource};
        single.verbs = Texts{verb};
        if (rule.resourceNames.empty()) out->push_back(single);
        for (const std::string& name : rule.resourceNames) {
          single.resourceNames = {name};
          out->push_back(single);
        }
      }
    }
  }
}

PolicyRules BreakDown(const PolicyRule& rule) {
  PolicyRules out;
  BreakDownResources(rule, &out);
  for (const std::string& path : rule.nonResourceURLs) {
    for (const std::string& verb : rule.verbs) {
      PolicyRule& single = out.emplace_back();
      single.nonResourceURLs = {path};
      single.verbs = Texts{verb};
    }
  }
  return out;
}

}  // namespace

bool RuleAllows(const AuthorizationQuestion& question, const PolicyRule& rule) {
  if (!HasOrAll(rule.verbs, question.verb)) return false;
  if (!question.is_resource) {
    return std::ranges::any_of(rule.nonResourceURLs, [&](const std::string& own) {
      return PathMatches(own, question.path);
    });
  }
  return HasOrAll(rule.apiGroups, question.group) &&
         std::ranges::any_of(rule.resources,
                             [&](const std::string& own) {
                               return ResourceMatches(own, question.resource, question.subresource);
                             }) &&
         (rule.resourceNames.empty() || Has(rule.resourceNames, question.name));
}

bool RulesAllow(const AuthorizationQuestion& question, const PolicyRules& rules) {
  return std::ranges::any_of(rules,
                             [&](const PolicyRule& rule) { return RuleAllows(question, rule); });
}

bool SameRule(const PolicyRule& a, const PolicyRule& b) {
  return static_cast<const Texts&>(a.verbs) == static_cast<const Texts&>(b.verbs) &&
         a.apiGroups == b.apiGroups && a.resources == b.resources &&
         a.resourceNames == b.resourceNames && a.nonResourceURLs == b.nonResourceURLs;
}

PolicyRules MissingRules(const PolicyRules& owned, const PolicyRules& wanted) {
  PolicyRules missing;
  for (const PolicyRule& rule : wanted) {
    for (PolicyRule& single : BreakDown(rule)) {
      const bool covered =
          std::ranges::any_of(owned, [&](const PolicyRule& own) { return Covers(own, single); });
      if (!covered) missing.push_back(std::move(single));
    }
  }
  return missing;
}

PolicyRules CompactRules(const PolicyRules& rules) {
  PolicyRules compact;
  std::map<std::pair<std::string, std::string>, size_t> simple;
  for (const PolicyRule& rule : rules) {
    const bool is_simple = rule.resourceNames.empty() && rule.nonResourceURLs.empty() &&
                           rule.apiGroups.size() == 1 && rule.resources.size() == 1;
    if (is_simple) {
      const auto [found, added] =
          simple.try_emplace({rule.apiGroups[0], rule.resources[0]}, compact.size());
      if (!added) {
        PolicyRule& joined = compact[found->second];
        joined.verbs.insert(joined.verbs.end(), rule.verbs.begin(), rule.verbs.end());
        continue;
      }
    }
    compact.push_back(rule);
  }
  return compact;
}

std::string DescribeRule(const PolicyRule& rule) {
  std::string out = "{";
  const auto add = [&out](std::string_view name, const Texts& texts) {
    if (texts.empty()) return;
    if (out.size() > 1) out += ", ";
    out.append(name).append(":").append(QuotedList(texts));
  };
  add("APIGroups", rule.apiGroups);
  add("Resources", rule.resources);
  add("NonResourceURLs", rule.nonResourceURLs);
  add("ResourceNames", rule.resourceNames);
  add("Verbs", rule.verbs);
  return out + "}";
}

std::string QuotedList(const std::vector<std::string>& texts) {
  return "[" + Join(texts, " ", reflect::GoQuoted) + "]";
}

}  // namespace podium::apiserver
