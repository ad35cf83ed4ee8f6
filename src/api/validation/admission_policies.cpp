#include "api/validation/admission_policies.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "api/labels.h"
#include "api/names.h"
#include "api/validation/admission_rules.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/policy.h"
#include "api/validation/unversioned_json.h"
#include "reflect/go_trim.h"
#include "reflect/json_path.h"

namespace podium::api {

using admissionregistration::v1::AuditAnnotation;
using admissionregistration::v1::MatchResources;
using admissionregistration::v1::MutatingAdmissionPolicy;
using admissionregistration::v1::MutatingAdmissionPolicyBinding;
using admissionregistration::v1::Mutation;
using admissionregistration::v1::NamedRuleWithOperations;
using admissionregistration::v1::ParamKind;
using admissionregistration::v1::ParamRef;
using admissionregistration::v1::ValidatingAdmissionPolicy;
using admissionregistration::v1::ValidatingAdmissionPolicyBinding;
using admissionregistration::v1::Validation;
using admissionregistration::v1::Variable;
using field::ErrorList;
using field::Path;

namespace {

using NamedRules = reflect::List<NamedRuleWithOperations>;

// All that is wrong with one part of a value, as one error.
void AddJoined(const Messages& messages, std::string_view start, std::string_view value,
               const Path& path, ErrorList* errors) {
  if (messages.empty()) return;
  std::string detail(start);
  for (const std::string& message : messages) {
    if (detail.size() > start.size()) detail += ',';
    detail += message;
  }
  errors->Add(field::Invalid(path, value, detail));
}

void CheckApiVersion(const std::string& text, const Path& path, ErrorList* errors) {
  if (text.empty()) {
    errors->Add(field::Required(path, ""));
    return;
  }
  const auto slashes = std::ranges::count(text, '/');
  if (slashes > 1) {
    errors->Add(field::Invalid(path, text, "unexpected GroupVersion string: " + text));
    return;
  }
  const size_t slash = slashes == 0 ? std::string::npos : text.find('/');
  const std::string_view group =
      slashes == 0 ? std::string_view() : std::string_view(text).substr(0, slash);
  const std::string_view version = std::string_view(text).substr(slash + 1);
  if (!group.empty()) AddJoined(IsDNS1123Subdomain(group), "", group, path, errors);
  if (version.empty()) {
    errors->Add(field::Invalid(path, text, "version must be specified"));
  } else {
    AddJoined(IsDNS1035Label(version), "", version, path, errors);
  }
}

void CheckParamKind(const ParamKind& param, const Path& path, ErrorList* errors) {
  CheckApiVersion(param.apiVersion, path.Child("apiVersion"), errors);
  const Path kind = path.Child("kind");
  if (param.kind.empty()) {
    errors->Add(field::Required(kind, ""));
  } else {
    AddJoined(IsDNS1035Label(LowerToAscii(param.kind)),
              "may have mixed case, but should otherwise match: ", param.kind, kind, errors);
  }
}

void CheckNamedRules(const NamedRules& rules, const Path& path, ErrorList* errors) {
  for (size_t i = 0; i < rules.size(); ++i) {
    const Path at = path.Index(i);
    const Path names = at.Child("resourceNames");
    std::set<std::string_view> seen;
    for (size_t n = 0; n < rules[i].resourceNames.size(); ++n) {
      const std::string& name = rules[i].resourceNames[n];
      errors->AddInvalid(names.Index(n), name, NameIsPathSegment(name, false));
      if (!seen.insert(name).second) errors->Add(field::Duplicate(names.Index(n), name));
    }
    CheckAdmissionRule(rules[i], at, errors);
  }
}

void CheckSelector(const reflect::Box<meta::v1::LabelSelector>& selector, const Path& path,
                   ErrorList* errors) {
  if (selector) {
    errors->Append(ValidateLabelSelector(*selector, path));
  } else {
    errors->Add(field::Required(path, ""));
  }
}

void CheckMatchResources(const MatchResources& match, const Path& path, ErrorList* errors) {
  const Path policy = path.Child("matchPolicy");
  if (!match.matchPolicy) errors->Add(field::Required(policy, ""));
  CheckOneOf(match.matchPolicy, {"Equivalent", "Exact"}, policy, errors);
  CheckSelector(match.namespaceSelector, path.Child("namespaceSelector"), errors);
  CheckSelector(match.objectSelector, path.Child("objectSelector"), errors);
  CheckNamedRules(match.resourceRules, path.Child("resourceRules"), errors);
  CheckNamedRules(match.excludeResourceRules, path.Child("excludeResourceRules"), errors);
}

// What is deleted cannot be changed on the way.
void CheckMutableOperations(const NamedRules& rules, const Path& path, ErrorList* errors) {
  const Path resource_rules = path.Child("resourceRules");
  for (const NamedRuleWithOperations& rule : rules) {
    for (const std::string& operation : rule.operations) {
      CheckOneOf(operation, {"*", "CONNECT", "CREATE", "UPDATE"},
                 resource_rules.Child("operations"), errors);
    }
  }
}

void CheckVariables(const reflect::List<Variable>& variables, const Path& path, ErrorList* errors) {
  const auto is_identifier = [](std::string_view name) {
    return IsCIdentifier(name).empty() &&
           !IsOneOf(name,
                    {"true",     "false",   "null",      "in",       "as",  "break",  "const",
                     "continue", "else",    "for",       "function", "if",  "import", "let",
                     "loop",     "package", "namespace", "return",   "var", "void",   "while"});
  };
  for (size_t i = 0; i < variables.size(); ++i) {
    const auto& [name, expression] = variables[i];
    const Path at = path.Index(i);
    if (reflect::TrimGoSpace(name).empty()) {
      errors->Add(field::Required(at.Child("name"), "name is not specified"));
    } else if (!is_identifier(name)) {
      errors->Add(field::Invalid(at.Child("name"), name, "must be a valid CEL identifier"));
    }
    if (reflect::TrimGoSpace(expression).empty()) {
      errors->Add(field::Required(at.Child("expression"), "expression is not specified"));
    }
  }
}

// What the specs of both kinds of policy begin with. `same_conditions`: they and the kind of
// parameters are as they were, so that they are not looked at again. `only_mutable`: only of what
// can be changed.
template <class Spec>
void CheckCommonSpec(const Spec& spec, bool same_conditions, bool only_mutable, const Path& path,
                     ErrorList* errors) {
  const Path failure = path.Child("failurePolicy");
  if (!spec.failurePolicy) errors->Add(field::Required(failure, ""));
  CheckOneOf(spec.failurePolicy, {"Fail", "Ignore"}, failure, errors);
  if (spec.paramKind) CheckParamKind(*spec.paramKind, path.Child("paramKind"), errors);
  const Path match = path.Child("matchConstraints");
  if (!spec.matchConstraints) {
    errors->Add(field::Required(match, ""));
  } else {
    CheckMatchResources(*spec.matchConstraints, match, errors);
    const NamedRules& rules = spec.matchConstraints->resourceRules;
    if (rules.empty()) errors->Add(field::Required(match.Child("resourceRules"), ""));
    if (only_mutable) CheckMutableOperations(rules, match, errors);
  }
  if (!same_conditions) {
    CheckMatchConditions(spec.matchConditions, path.Child("matchConditions"), errors);
  }
  CheckVariables(spec.variables, path.Child("variables"), errors);
}

template <class Policy>
bool HasSameConditions(const Policy& policy, const Policy& old_policy) {
  return policy.spec.paramKind == old_policy.spec.paramKind &&
         SameLists(policy.spec.matchConditions, old_policy.spec.matchConditions);
}

void CheckValidation(const Validation& validation, const Path& path, ErrorList* errors) {
  constexpr std::string_view kNonEmpty = "must be non-empty if specified";
  if (reflect::TrimGoSpace(validation.expression).empty()) {
    errors->Add(field::Required(path.Child("expression"), "expression is not specified"));
  }
  const auto is_blank = [](const std::string& text) {
    return !text.empty() && reflect::TrimGoSpace(text).empty();
  };
  if (is_blank(validation.messageExpression)) {
    errors->Add(
        field::Invalid(path.Child("messageExpression"), validation.messageExpression, kNonEmpty));
  }
  const Path message = path.Child("message");
  if (is_blank(validation.message)) {
    errors->Add(field::Invalid(message, validation.message, kNonEmpty));
  } else if (reflect::TrimGoSpace(validation.message).find_first_of("\r\n") != std::string::npos) {
    errors->Add(field::Invalid(message, validation.message, "must not contain line breaks"));
  }
  CheckOneOf(validation.reason, {"Forbidden", "Invalid", "RequestEntityTooLarge"},
             path.Child("reason"), errors);
}

void CheckAuditAnnotation(const AuditAnnotation& annotation, const std::string& policy,
                          const Path& path, ErrorList* errors) {
  constexpr size_t kMaxExpression = size_t{5} * 1024;
  const Path key = path.Child("key");
  if (policy.empty()) {
    errors->Add(field::Invalid(key, annotation.key, "requires metadata.name be non-empty"));
  } else {
    errors->Append(ValidateQualifiedName(policy + "/" + annotation.key, key));
  }
  const Path value = path.Child("valueExpression");
  const size_t length = reflect::TrimGoSpace(annotation.valueExpression).size();
  if (length == 0) {
    errors->Add(field::Required(value, "valueExpression is not specified"));
  } else if (length > kMaxExpression) {
    errors->Add(field::Required(
        value, "must not exceed " + std::to_string(kMaxExpression) + " bytes in length"));
  }
}

void CheckAuditAnnotations(const ValidatingAdmissionPolicy& policy, const Path& path,
                           ErrorList* errors) {
  constexpr size_t kMost = 20;
  const auto& annotations = policy.spec.auditAnnotations;
  if (annotations.size() > kMost) {
    errors->Add(
        field::Invalid(path, UnversionedValue(annotations),
                       "must not have more than " + std::to_string(kMost) + " auditAnnotations"));
  }
  std::set<std::string_view> keys;
  for (size_t i = 0; i < annotations.size(); ++i) {
    const Path at = path.Index(i);
    const std::string& key = annotations[i].key;
    CheckAuditAnnotation(annotations[i], policy.metadata.name, at, errors);
    if (!keys.insert(key).second) errors->Add(field::Duplicate(at.Child("key"), key));
  }
}

ErrorList Validate(const ValidatingAdmissionPolicy& policy, bool same_conditions) {
  ErrorList errors = ValidateGenericObjectMeta(policy.metadata, Scope::kCluster, NameIsDNSSubdomain,
                                               Path("metadata"));
  const Path path("spec");
  CheckCommonSpec(policy.spec, same_conditions, false, path, &errors);
  const Path validations = path.Child("validations");
  const Path annotations = path.Child("auditAnnotations");
  if (policy.spec.validations.empty() && policy.spec.auditAnnotations.empty()) {
    constexpr std::string_view kOne =
        "validations or auditAnnotations must contain at least one item";
    errors.Add(field::Required(validations, kOne));
    errors.Add(field::Required(annotations, kOne));
    return errors;
  }
  for (size_t i = 0; i < policy.spec.validations.size(); ++i) {
    CheckValidation(policy.spec.validations[i], validations.Index(i), &errors);
  }
  CheckAuditAnnotations(policy, annotations, &errors);
  return errors;
}

// One of the two members of a mutation, whose type names it.
template <class Member>
void CheckPatch(const reflect::Box<Member>& member, const Path& path, const std::string& type,
                ErrorList* errors) {
  if (!member) {
    errors->Add(field::Required(path, "must be specified when patchType is " + type));
  } else if (reflect::TrimGoSpace(member->expression).empty()) {
    errors->Add(field::Required(path.Child("expression"), ""));
  }
}

void ForbidPatch(bool set, std::string_view name, const Path& path, const std::string& type,
                 ErrorList* errors) {
  if (!set) return;
  errors->Add(field::Invalid(path.Child(name), "{" + std::string(name) + "}",
                             "must not be specified when patchType is " + type));
}

void CheckMutation(const Mutation& mutation, const Path& path, ErrorList* errors) {
  const std::string& type = mutation.patchType;
  if (type.empty()) {
    errors->Add(field::Required(path.Child("patchType"), ""));
  } else if (type == "JSONPatch") {
    CheckPatch(mutation.jsonPatch, path.Child("jsonPatch"), type, errors);
    ForbidPatch(mutation.applyConfiguration.has_value(), "applyConfiguration", path, type, errors);
  } else if (type == "ApplyConfiguration") {
    CheckPatch(mutation.applyConfiguration, path.Child("applyConfiguration"), type, errors);
    ForbidPatch(mutation.jsonPatch.has_value(), "jsonPatch", path, type, errors);
  } else {
    CheckOneOf(type, {"ApplyConfiguration", "JSONPatch"}, path.Child("patchType"), errors);
  }
}

ErrorList Validate(const MutatingAdmissionPolicy& policy, bool same_conditions) {
  ErrorList errors = ValidateGenericObjectMeta(policy.metadata, Scope::kCluster, NameIsDNSSubdomain,
                                               Path("metadata"));
  const Path path("spec");
  CheckCommonSpec(policy.spec, same_conditions, true, path, &errors);
  const Path mutations = path.Child("mutations");
  if (policy.spec.mutations.empty()) {
    errors.Add(field::Required(mutations, "mutations must contain at least one item"));
  }
  for (size_t i = 0; i < policy.spec.mutations.size(); ++i) {
    CheckMutation(policy.spec.mutations[i], mutations.Index(i), &errors);
  }
  const Path reinvocation = path.Child("reinvocationPolicy");
  if (policy.spec.reinvocationPolicy.empty()) {
    errors.Add(field::Required(reinvocation, ""));
  } else {
    CheckOneOf(policy.spec.reinvocationPolicy, {"IfNeeded", "Never"}, reinvocation, &errors);
  }
  return errors;
}

void CheckParamRef(const ParamRef& param, const Path& path, ErrorList* errors) {
  constexpr std::string_view kExclusive = "name and selector are mutually exclusive";
  const Path name = path.Child("name");
  const Path selector = path.Child("selector");
  const bool has_both = !param.name.empty() && param.selector;
  if (!param.name.empty()) {
    errors->AddInvalid(name, param.name, NameIsPathSegment(param.name, false));
  }
  if (has_both) errors->Add(field::Forbidden(name, kExclusive));
  if (param.selector) errors->Append(ValidateLabelSelector(*param.selector, selector));
  if (has_both) errors->Add(field::Forbidden(selector, kExclusive));
  if (param.name.empty() && !param.selector) {
    errors->Add(field::Required(path, "one of name or selector must be specified"));
  }
  const Path action = path.Child("parameterNotFoundAction");
  if (param.parameterNotFoundAction.value_or("").empty()) {
    errors->Add(field::Required(action, ""));
  } else {
    CheckOneOf(param.parameterNotFoundAction, {"Deny", "Allow"}, action, errors);
  }
}

// A binding of either kind.
template <class Binding>
ErrorList ValidateCommonBinding(const Binding& binding) {
  ErrorList errors = ValidateGenericObjectMeta(binding.metadata, Scope::kCluster,
                                               NameIsDNSSubdomain, Path("metadata"));
  const Path path("spec");
  const Path name = path.Child("policyName");
  const std::string& policy = binding.spec.policyName;
  if (policy.empty()) {
    errors.Add(field::Required(name, ""));
  } else {
    errors.AddInvalid(name, policy, NameIsDNSSubdomain(policy, false));
  }
  if (binding.spec.paramRef) {
    CheckParamRef(*binding.spec.paramRef, path.Child("paramRef"), &errors);
  }
  if (binding.spec.matchResources) {
    CheckMatchResources(*binding.spec.matchResources, path.Child("matchResources"), &errors);
  }
  return errors;
}

void CheckActions(const reflect::List<std::string>& actions, const Path& path, ErrorList* errors) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < actions.size(); ++i) {
    CheckOneOf(actions[i], {"Audit", "Deny", "Warn"}, path.Index(i), errors);
    if (!seen.insert(actions[i]).second) {
      errors->Add(field::Duplicate(path.Index(i), NamedString(actions[i])));
    }
  }
  if (seen.contains("Deny") && seen.contains("Warn")) {
    errors->Add(field::Invalid(path, actions,
                               "must not contain both Deny and Warn (repeating the same validation "
                               "failure information in the API response and headers serves no "
                               "purpose)"));
  }
  if (seen.empty())
    errors->Add(field::Required(path, "at least one validation action is required"));
}

}  // namespace

ErrorList ValidateValidatingAdmissionPolicy(const ValidatingAdmissionPolicy& policy) {
  return Validate(policy, false);
}

ErrorList ValidateValidatingAdmissionPolicyUpdate(const ValidatingAdmissionPolicy& policy,
                                                  const ValidatingAdmissionPolicy& old_policy) {
  return Validate(policy, HasSameConditions(policy, old_policy));
}

ErrorList ValidateValidatingAdmissionPolicyStatusUpdate(
    const ValidatingAdmissionPolicy& policy, const ValidatingAdmissionPolicy& /*old_policy*/) {
  ErrorList errors;
  const Path status("status");
  if (policy.status.typeChecking) {
    const Path checking = status.Child("typeChecking");
    const Path path = checking.Child("expressionWarnings");
    const auto& warnings = policy.status.typeChecking->expressionWarnings;
    for (size_t i = 0; i < warnings.size(); ++i) {
      const Path at = path.Index(i);
      if (warnings[i].warning.empty()) errors.Add(field::Required(at.Child("warning"), ""));
      const std::string_view reference = reflect::TrimGoSpace(warnings[i].fieldRef);
      if (reference.empty()) {
        errors.Add(field::Required(at.Child("fieldRef"), ""));
      } else if (const auto parsed = reflect::JsonPath::Parse("{" + std::string(reference) + "}");
                 !parsed.ok()) {
        errors.Add(field::Invalid(at.Child("fieldRef"), reference,
                                  "invalid JSONPath: " + parsed.error().message()));
      }
    }
  }
  errors.Append(ValidateConditions(policy.status.conditions, status.Child("conditions")));
  return errors;
}

ErrorList ValidateValidatingAdmissionPolicyBinding(
    const ValidatingAdmissionPolicyBinding& binding) {
  ErrorList errors = ValidateCommonBinding(binding);
  const Path path("spec");
  CheckActions(binding.spec.validationActions, path.Child("validationActions"), &errors);
  return errors;
}

ErrorList ValidateValidatingAdmissionPolicyBindingUpdate(
    const ValidatingAdmissionPolicyBinding& binding,
    const ValidatingAdmissionPolicyBinding& /*old_binding*/) {
  return ValidateValidatingAdmissionPolicyBinding(binding);
}

ErrorList ValidateMutatingAdmissionPolicy(const MutatingAdmissionPolicy& policy) {
  return Validate(policy, false);
}

ErrorList ValidateMutatingAdmissionPolicyUpdate(const MutatingAdmissionPolicy& policy,
                                                const MutatingAdmissionPolicy& old_policy) {
  return Validate(policy, HasSameConditions(policy, old_policy));
}

ErrorList ValidateMutatingAdmissionPolicyBinding(const MutatingAdmissionPolicyBinding& binding) {
  ErrorList errors = ValidateCommonBinding(binding);
  if (binding.spec.matchResources) {
    const Path path("spec");
    CheckMutableOperations(binding.spec.matchResources->resourceRules, path.Child("matchResources"),
                           &errors);
  }
  return errors;
}

ErrorList ValidateMutatingAdmissionPolicyBindingUpdate(
    const MutatingAdmissionPolicyBinding& binding,
    const MutatingAdmissionPolicyBinding& /*old_binding*/) {
  return ValidateMutatingAdmissionPolicyBinding(binding);
}

}  // namespace podium::api
