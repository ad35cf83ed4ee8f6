#include <algorithm>
#include <string>
#include <string_view>

#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/flow_control.h"
#include "api/validation/flow_control_status.h"
#include "api/validation/object_meta.h"
#include "api/validation/unversioned_json.h"
#include "reflect/json.h"

namespace podium::api {

using field::ErrorList;
using field::Path;
using flowcontrol::v1::FlowSchema;
using flowcontrol::v1::FlowSchemaSpec;
using flowcontrol::v1::NonResourcePolicyRule;
using flowcontrol::v1::PolicyRulesWithSubjects;
using flowcontrol::v1::ResourcePolicyRule;
using flowcontrol::v1::ServiceAccountSubject;
using flowcontrol::v1::Subject;

namespace {

using Names = reflect::Nullable<reflect::List<std::string>>;

constexpr std::string_view kAll = "*";

bool IsVerb(std::string_view verb) {
  return IsOneOf(verb, {"create", "delete", "deletecollection", "get", "list", "patch", "proxy",
                        "update", "watch"});
}

// At least one name, and only one when that stands for all. Whether the names themselves are to be
// looked at.
bool CheckNames(const Names& names, std::string_view missing, std::string_view others,
                const Path& path, ErrorList* errors) {
  if (names.empty()) {
    errors->Add(field::Required(path, missing));
    return false;
  }
  if (std::ranges::find(names, kAll) == names.end()) return true;
  if (names.size() > 1) {
    errors->Add(field::Invalid(path, names,
                               "if '*' is present, must not specify other " + std::string(others)));
  }
  return false;
}

void CheckVerbs(const Names& verbs, const Path& path, ErrorList* errors) {
  const bool look =
      CheckNames(verbs, "verbs must contain at least one value", "verbs", path, errors);
  if (!look || std::ranges::all_of(verbs, IsVerb)) return;
  errors->Add(field::NotSupported(path, verbs,
                                  {"create", "delete", "deletecollection", "get", "list", "patch",
                                   "proxy", "update", "watch"}));
}

void CheckNamespaces(const ResourcePolicyRule& rule, const Path& path, ErrorList* errors) {
  if (rule.namespaces.empty() && rule.clusterScope) return;
  const bool look =
      CheckNames(rule.namespaces,
                 "resource rules that are not cluster scoped must supply at least one namespace",
                 "namespaces", path, errors);
  if (!look) return;
  for (size_t i = 0; i < rule.namespaces.size(); ++i) {
    const std::string& name = rule.namespaces[i];
    for (const std::string& message : NameIsDNSLabel(name, false)) {
      errors->Add(
          field::Invalid(path.Index(i), name,
                         "each member of this list must be '*' or a DNS-1123 label; " + message));
    }
  }
}

void CheckResourceRule(const ResourcePolicyRule& rule, const Path& path, ErrorList* errors) {
  CheckVerbs(rule.verbs, path.Child("verbs"), errors);
  CheckNames(rule.apiGroups, "resource rules must supply at least one api group", "api groups",
             path.Child("apiGroups"), errors);
  CheckNames(rule.resources, "resource rules must supply at least one resource", "resources",
             path.Child("resources"), errors);
  CheckNamespaces(rule, path.Child("namespaces"), errors);
}

// What is wrong with the path of a URL: the first thing only. Empty when it is fine.
std::string_view UrlPathProblem(std::string_view url) {
  if (url.empty()) return "must not be empty";
  if (url == "/") return "";
  if (!url.starts_with('/')) return "must start with slash";
  if (url.contains(' ')) return "must not contain white-space";
  if (url.contains("//")) return "must not contain double slash";
  const auto stars = std::ranges::count(url, '*');
  if (stars > 1 || (stars == 1 && !url.ends_with("/*"))) {
    return "wildcard can only do suffix matching";
  }
  return "";
}

void CheckNonResourceRule(const NonResourcePolicyRule& rule, const Path& path, ErrorList* errors) {
  CheckVerbs(rule.verbs, path.Child("verbs"), errors);
  const Path urls = path.Child("nonResourceURLs");
  const bool look =
      CheckNames(rule.nonResourceURLs, "nonResourceURLs must contain at least one value",
                 "non-resource URLs", urls, errors);
  if (!look) return;
  for (size_t i = 0; i < rule.nonResourceURLs.size(); ++i) {
    const std::string& url = rule.nonResourceURLs[i];
    const std::string_view problem = UrlPathProblem(url);
    if (!problem.empty()) errors->Add(field::Invalid(urls.Index(i), url, problem));
  }
}

void CheckServiceAccount(const ServiceAccountSubject& account, const Path& path,
                         ErrorList* errors) {
  if (account.name.empty()) {
    errors->Add(field::Required(path.Child("name"), ""));
  } else if (account.name != kAll) {
    errors->AddInvalid(path.Child("name"), account.name, NameIsDNSSubdomain(account.name, false));
  }
  const Path space = path.Child("namespace");
  if (account.namespace_.empty()) {
    errors->Add(field::Required(space, "must specify namespace for service account"));
  } else {
    errors->AddInvalid(space, account.namespace_, NameIsDNSLabel(account.namespace_, false));
  }
}

// A user or a group.
template <class Named>
void CheckName(const Named& named, const Path& path, ErrorList* errors) {
  if (named.name.empty()) errors->Add(field::Required(path.Child("name"), ""));
}

// One of the three members of a subject. Its kind names exactly one, which must be there.
template <class Member, class Check>
void CheckMember(const reflect::Box<Member>& member, std::string_view name, std::string_view kind,
                 const Path& path, ErrorList* errors, Check check) {
  if (member) {
    check(*member, path.Child(name), errors);
  } else {
    errors->Add(field::Required(
        path.Child(name),
        std::string(name) + " is required when subject kind is '" + std::string(kind) + "'"));
  }
}

void ForbidMember(bool set, std::string_view name, std::string_view kind, const Path& path,
                  ErrorList* errors) {
  if (!set) return;
  errors->Add(field::Forbidden(
      path.Child(name),
      std::string(name) + " is forbidden when subject kind is not '" + std::string(kind) + "'"));
}

void CheckSubject(const Subject& subject, const Path& path, ErrorList* errors) {
  const auto forbid_account = [&] {
    ForbidMember(subject.serviceAccount.has_value(), "serviceAccount", "ServiceAccount", path,
                 errors);
  };
  const auto forbid_user = [&] {
    ForbidMember(subject.user.has_value(), "user", "User", path, errors);
  };
  const auto forbid_group = [&] {
    ForbidMember(subject.group.has_value(), "group", "Group", path, errors);
  };
  if (subject.kind == "ServiceAccount") {
    CheckMember(subject.serviceAccount, "serviceAccount", subject.kind, path, errors,
                CheckServiceAccount);
    forbid_user();
    forbid_group();
  } else if (subject.kind == "User") {
    CheckMember(subject.user, "user", subject.kind, path, errors,
                CheckName<flowcontrol::v1::UserSubject>);
    forbid_account();
    forbid_group();
  } else if (subject.kind == "Group") {
    CheckMember(subject.group, "group", subject.kind, path, errors,
                CheckName<flowcontrol::v1::GroupSubject>);
    forbid_account();
    forbid_user();
  } else {
    errors->Add(field::NotSupported(path.Child("kind"), NamedString(subject.kind),
                                    {"Group", "ServiceAccount", "User"}));
  }
}

void CheckRule(const PolicyRulesWithSubjects& rule, const Path& path, ErrorList* errors) {
  const Path subjects = path.Child("subjects");
  if (rule.subjects.empty()) {
    errors->Add(field::Required(subjects, "subjects must contain at least one value"));
  }
  for (size_t i = 0; i < rule.subjects.size(); ++i) {
    CheckSubject(rule.subjects[i], subjects.Index(i), errors);
  }
  if (rule.resourceRules.empty() && rule.nonResourceRules.empty()) {
    errors->Add(field::Required(
        path, "at least one of resourceRules and nonResourceRules has to be non-empty"));
  }
  const Path resource_rules = path.Child("resourceRules");
  for (size_t i = 0; i < rule.resourceRules.size(); ++i) {
    CheckResourceRule(rule.resourceRules[i], resource_rules.Index(i), errors);
  }
  const Path other_rules = path.Child("nonResourceRules");
  for (size_t i = 0; i < rule.nonResourceRules.size(); ++i) {
    CheckNonResourceRule(rule.nonResourceRules[i], other_rules.Index(i), errors);
  }
}

void CheckPrecedence(int32_t precedence, std::string_view name, const Path& path,
                     ErrorList* errors) {
  constexpr int32_t kGreatest = 10'000;
  if (precedence <= 0) errors->Add(field::Invalid(path, precedence, "must be a positive value"));
  if (precedence > kGreatest) {
    errors->Add(
        field::Invalid(path, precedence, "must not be greater than " + std::to_string(kGreatest)));
  }
  if (precedence == 1 && name != "exempt") {
    errors->Add(field::Invalid(path, precedence,
                               "only the schema named 'exempt' may have matchingPrecedence 1"));
  }
}

// The spec that a mandatory schema must have; null for other names.
const FlowSchemaSpec* MandatorySpec(std::string_view name) {
  constexpr std::string_view kAnyRequest = R"("resourceRules":[{"verbs":["*"],"apiGroups":["*"],
    "resources":["*"],"clusterScope":true,"namespaces":["*"]}],
    "nonResourceRules":[{"verbs":["*"],"nonResourceURLs":["*"]}]}]})";
  constexpr std::string_view kExempt = R"({"priorityLevelConfiguration":{"name":"exempt"},
    "matchingPrecedence":1,
    "rules":[{"subjects":[{"kind":"Group","group":{"name":"system:masters"}}],)";
  constexpr std::string_view kCatchAll = R"({"priorityLevelConfiguration":{"name":"catch-all"},
    "matchingPrecedence":10000,"distinguisherMethod":{"type":"ByUser"},
    "rules":[{"subjects":[{"kind":"Group","group":{"name":"system:unauthenticated"}},
      {"kind":"Group","group":{"name":"system:authenticated"}}],)";
  const auto make = [&](std::string_view start) {
    return *reflect::FromJson<FlowSchemaSpec>(std::string(start) + std::string(kAnyRequest));
  };
  static const FlowSchemaSpec kExemptSpec = make(kExempt);
  static const FlowSchemaSpec kCatchAllSpec = make(kCatchAll);
  if (name == "exempt") return &kExemptSpec;
  return name == "catch-all" ? &kCatchAllSpec : nullptr;
}

void CheckSpec(const FlowSchema& schema, ErrorList* errors) {
  const Path path("spec");
  const FlowSchemaSpec& spec = schema.spec;
  CheckPrecedence(spec.matchingPrecedence, schema.metadata.name, path.Child("matchingPrecedence"),
                  errors);
  const auto& method = spec.distinguisherMethod;
  if (method && !IsOneOf(method->type, {"ByNamespace", "ByUser"})) {
    const Path method_path = path.Child("distinguisherMethod");
    errors->Add(field::NotSupported(method_path.Child("type"), UnversionedValue(*method),
                                    {"ByNamespace", "ByUser"}));
  }
  const Path level = path.Child("priorityLevelConfiguration");
  const std::string& level_name = spec.priorityLevelConfiguration.name;
  if (level_name.empty()) {
    errors->Add(field::Required(level.Child("name"), "must reference a priority level"));
  } else {
    errors->AddInvalid(level.Child("name"), level_name, NameIsDNSSubdomain(level_name, false));
  }
  const Path rules = path.Child("rules");
  for (size_t i = 0; i < spec.rules.size(); ++i) {
    CheckRule(spec.rules[i], rules.Index(i), errors);
  }
  const FlowSchemaSpec* mandatory = MandatorySpec(schema.metadata.name);
  if (mandatory && !reflect::Equal(spec, *mandatory)) {
    errors->Add(
        field::Invalid(path, UnversionedValue(spec),
                       "spec of '" + schema.metadata.name + "' must equal the fixed value"));
  }
  CheckFlowConditions(schema.status.conditions, errors);
}

}  // namespace

ErrorList ValidateFlowSchema(const FlowSchema& schema) {
  ErrorList errors =
      ValidateObjectMeta(schema.metadata, Scope::kCluster, NameIsDNSSubdomain, Path("metadata"));
  CheckSpec(schema, &errors);
  return errors;
}

ErrorList ValidateFlowSchemaUpdate(const FlowSchema& schema, const FlowSchema& /*old_schema*/) {
  return ValidateFlowSchema(schema);
}

ErrorList ValidateFlowSchemaStatusUpdate(const FlowSchema& schema,
                                         const FlowSchema& /*old_schema*/) {
  ErrorList errors;
  CheckFlowConditions(schema.status.conditions, &errors);
  return errors;
}

}  // namespace podium::api
