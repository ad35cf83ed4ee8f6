#include "api/validation/webhooks.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>

#include "api/labels.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"

namespace podium::api {

using admissionregistration::v1::MatchCondition;
using admissionregistration::v1::MutatingWebhook;
using admissionregistration::v1::MutatingWebhookConfiguration;
using admissionregistration::v1::RuleWithOperations;
using admissionregistration::v1::ServiceReference;
using admissionregistration::v1::ValidatingWebhookConfiguration;
using admissionregistration::v1::WebhookClientConfig;
using field::ErrorList;
using field::Path;

namespace {

using Names = reflect::List<std::string>;
using Allowed = std::initializer_list<std::string_view>;

// What stored hooks may keep that new ones may not have.
struct Options {
  bool allow_invalid_label_values = false;
  bool allow_side_effects = false;
  bool allow_unknown_review_versions = false;
  bool allow_duplicate_names = false;
  bool same_conditions = false;
};

bool Has(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

void CheckOneOf(const std::optional<std::string>& value, Allowed allowed, const Path& path,
                ErrorList* errors) {
  if (value && !IsOneOf(*value, allowed)) {
    errors->Add(field::NotSupported(path, NamedString(*value), allowed));
  }
}

// At least one name, and only one when that stands for all.
void CheckNames(const Names& names, std::string_view others, const Path& path, ErrorList* errors) {
  if (names.empty()) errors->Add(field::Required(path, ""));
  if (names.size() > 1 && Has(names, "*")) {
    errors->Add(field::Invalid(path, names,
                               "if '*' is present, must not specify other " + std::string(others)));
  }
}

// "pods", "pods/status", "pods/*", "*/status", "*", "*/*".
void CheckResources(const Names& resources, const Path& path, ErrorList* errors) {
  if (resources.empty()) errors->Add(field::Required(path, ""));
  std::set<std::string_view> with_any_subresource;
  std::set<std::string_view> of_any_resource;
  bool other_without_subresource = false;
  for (size_t i = 0; i < resources.size(); ++i) {
    const std::string_view each = resources[i];
    const auto refuse = [&](const std::string& present) {
      errors->Add(
          field::Invalid(path.Index(i), each,
                         "if '" + present + "' is present, must not specify " + resources[i]));
    };
    if (each.empty()) {
      errors->Add(field::Required(path.Index(i), ""));
      continue;
    }
    const size_t slash = each.find('/');
    if (slash == std::string_view::npos) {
      other_without_subresource = each != "*";  // the last one counts, upstream too
      continue;
    }
    const std::string_view resource = each.substr(0, slash);
    const std::string_view subresource = each.substr(slash + 1);
    if (with_any_subresource.contains(resource)) refuse(std::string(resource) + "/*");
    if (of_any_resource.contains(subresource)) refuse("*/" + std::string(subresource));
    if (subresource == "*") with_any_subresource.insert(resource);
    if (resource == "*") of_any_resource.insert(subresource);
  }
  if (resources.size() > 1 && Has(resources, "*/*")) {
    errors->Add(
        field::Invalid(path, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (other_without_subresource && Has(resources, "*")) {
    errors->Add(
        field::Invalid(path, resources,
                       "if '*' is present, must not specify other resources without subresources"));
  }
}

void CheckRule(const RuleWithOperations& rule, const Path& path, ErrorList* errors) {
  const Path operations = path.Child("operations");
  CheckNames(rule.operations, "operations", operations, errors);
  for (size_t i = 0; i < rule.operations.size(); ++i) {
    CheckOneOf(rule.operations[i], {"*", "CONNECT", "CREATE", "DELETE", "UPDATE"},
               operations.Index(i), errors);
  }
  CheckNames(rule.apiGroups, "API groups", path.Child("apiGroups"), errors);
  const Path versions = path.Child("apiVersions");
  CheckNames(rule.apiVersions, "API versions", versions, errors);
  for (size_t i = 0; i < rule.apiVersions.size(); ++i) {
    if (rule.apiVersions[i].empty()) errors->Add(field::Required(versions.Index(i), ""));
  }
  CheckResources(rule.resources, path.Child("resources"), errors);
  CheckOneOf(rule.scope, {"*", "Cluster", "Namespaced"}, path.Child("scope"), errors);
}

// The parts of "scheme://user@host/path?query#fragment" that a hook's URL has rules for.
struct UrlParts {
  std::string_view scheme;
  std::optional<std::string_view> user;
  std::string_view host;
  std::string_view query;
  std::string_view fragment;
};

// Takes what follows `mark` off the end of `text`.
std::string_view TakeAfter(std::string_view* text, char mark) {
  const size_t at = text->find(mark);
  if (at == std::string_view::npos) return {};
  const std::string_view after = text->substr(at + 1);
  *text = text->substr(0, at);
  return after;
}

UrlParts SplitUrl(std::string_view url) {
  UrlParts parts;
  parts.fragment = TakeAfter(&url, '#');
  if (const size_t colon = url.find_first_of(":/?");
      colon != std::string_view::npos && url[colon] == ':') {
    parts.scheme = url.substr(0, colon);
    url.remove_prefix(colon + 1);
  }
  parts.query = TakeAfter(&url, '?');
  if (!url.starts_with("//")) return parts;
  url.remove_prefix(2);
  parts.host = url.substr(0, url.find('/'));
  if (const size_t at = parts.host.rfind('@'); at != std::string_view::npos) {
    parts.user = parts.host.substr(0, at);
    parts.host.remove_prefix(at + 1);
  }
  return parts;
}

void CheckUrl(std::string_view url, const Path& path, ErrorList* errors) {
  const std::string form = "; desired format: https://host[/path]";
  const UrlParts parts = SplitUrl(url);
  if (parts.scheme != "https") {
    errors->Add(field::Invalid(path, LowerToAscii(parts.scheme),
                               "'https' is the only allowed URL scheme" + form));
  }
  if (parts.host.empty()) errors->Add(field::Invalid(path, "", "host must be specified" + form));
  if (parts.user) {
    errors->Add(field::Invalid(path, *parts.user, "user information is not permitted in the URL"));
  }
  if (!parts.fragment.empty()) {
    errors->Add(field::Invalid(path, parts.fragment, "fragments are not permitted in the URL"));
  }
  if (!parts.query.empty()) {
    errors->Add(field::Invalid(path, parts.query, "query parameters are not permitted in the URL"));
  }
}

void CheckServicePath(const std::string& value, const Path& path, ErrorList* errors) {
  if (value.empty() || value == "/") return;
  const auto refuse = [&](size_t segment, const std::string& problem) {
    errors->Add(field::Invalid(path, value, "segment[" + std::to_string(segment) + "]" + problem));
  };
  if (value == "//") return refuse(0, " may not be empty");
  if (!value.starts_with('/')) errors->Add(field::Invalid(path, value, "must start with a '/'"));
  std::string_view rest = std::string_view(value).substr(1);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  for (size_t i = 0;; ++i) {
    const std::string_view segment = rest.substr(0, rest.find('/'));
    if (segment.empty()) {
      refuse(i, " may not be empty");
    } else {
      for (const std::string& message : IsDNS1123Subdomain(segment)) refuse(i, ": " + message);
    }
    if (segment.size() == rest.size()) return;
    rest.remove_prefix(segment.size() + 1);
  }
}

void CheckService(const ServiceReference& service, const Path& path, ErrorList* errors) {
  // Upstream hands over the two the wrong way round.
  if (service.namespace_.empty()) errors->Add(field::Required(path.Child("name"), ""));
  if (service.name.empty()) errors->Add(field::Required(path.Child("namespace"), ""));
  const int32_t port = service.port.value_or(0);
  for (const std::string& message : IsValidPortNum(port)) {
    errors->Add(field::Invalid(path.Child("port"), port, "port is not valid: " + message));
  }
  if (service.path) CheckServicePath(*service.path, path.Child("path"), errors);
}

void CheckClient(const WebhookClientConfig& client, const Path& path, ErrorList* errors) {
  if (client.url.has_value() == (client.service != nullptr)) {
    errors->Add(field::Required(path, "exactly one of url or service is required"));
  } else if (client.url) {
    CheckUrl(*client.url, path.Child("url"), errors);
  } else {
    CheckService(*client.service, path.Child("service"), errors);
  }
}

void CheckConditions(const reflect::List<MatchCondition>& conditions, const Path& path,
                     ErrorList* errors) {
  constexpr int64_t kMost = 64;
  const auto count = static_cast<int64_t>(conditions.size());
  if (count > kMost) errors->Add(field::TooMany(path, count, kMost));
  std::set<std::string_view> names;
  for (size_t i = 0; i < conditions.size(); ++i) {
    const auto& [name, expression] = conditions[i];
    const Path at = path.Index(i);
    if (expression.find_first_not_of(" \t\n\v\f\r") == std::string::npos) {
      errors->Add(field::Required(at.Child("expression"), ""));
    }
    if (name.empty()) {
      errors->Add(field::Required(at.Child("name"), ""));
      continue;
    }
    errors->AddInvalid(at.Child("name"), name, IsQualifiedName(name));
    if (!names.insert(name).second) errors->Add(field::Duplicate(at.Child("name"), name));
  }
}

void CheckReviewVersions(const Names& versions, const Options& options, const Path& path,
                         ErrorList* errors) {
  if (versions.empty()) {
    errors->Add(field::Required(path, "must specify one of v1, v1beta1"));
    return;
  }
  bool known = options.allow_unknown_review_versions;
  std::set<std::string_view> seen;
  for (size_t i = 0; i < versions.size(); ++i) {
    if (!seen.insert(versions[i]).second) {
      errors->Add(field::Invalid(path.Index(i), versions[i], "duplicate version"));
    }
    errors->AddInvalid(path.Index(i), versions[i], IsDNS1035Label(versions[i]));
    known = known || IsOneOf(versions[i], {"v1", "v1beta1"});
  }
  if (!known) {
    errors->Add(field::Invalid(path, versions, "must include at least one of v1, v1beta1"));
  }
}

template <class Hook>
void CheckHook(const Hook& hook, const Options& options, const Path& path, ErrorList* errors) {
  errors->Append(IsFullyQualifiedName(path.Child("name"), hook.name));
  const Path rules = path.Child("rules");
  for (size_t i = 0; i < hook.rules.size(); ++i) {
    CheckRule(hook.rules[i], rules.Index(i), errors);
  }
  CheckOneOf(hook.failurePolicy, {"Fail", "Ignore"}, path.Child("failurePolicy"), errors);
  CheckOneOf(hook.matchPolicy, {"Equivalent", "Exact"}, path.Child("matchPolicy"), errors);
  const Path effects = path.Child("sideEffects");
  if (!hook.sideEffects && !options.allow_side_effects) {
    errors->Add(field::Required(effects, "must specify one of None, NoneOnDryRun"));
  }
  if (options.allow_side_effects) {
    CheckOneOf(hook.sideEffects, {"None", "NoneOnDryRun", "Some", "Unknown"}, effects, errors);
  } else {
    CheckOneOf(hook.sideEffects, {"None", "NoneOnDryRun"}, effects, errors);
  }
  constexpr int32_t kLongest = 30;
  if (hook.timeoutSeconds && (*hook.timeoutSeconds < 1 || *hook.timeoutSeconds > kLongest)) {
    errors->Add(field::Invalid(path.Child("timeoutSeconds"), *hook.timeoutSeconds,
                               "the timeout value must be between 1 and 30 seconds"));
  }
  const auto check_selector = [&](const auto& selector, std::string_view name) {
    if (!selector) return;
    errors->Append(
        ValidateLabelSelector(*selector, path.Child(name),
                              {.allow_invalid_label_values = options.allow_invalid_label_values}));
  };
  check_selector(hook.namespaceSelector, "namespaceSelector");
  check_selector(hook.objectSelector, "objectSelector");
  if constexpr (std::is_same_v<Hook, MutatingWebhook>) {
    CheckOneOf(hook.reinvocationPolicy, {"IfNeeded", "Never"}, path.Child("reinvocationPolicy"),
               errors);
  }
  CheckClient(hook.clientConfig, path.Child("clientConfig"), errors);
  if (!options.same_conditions) {
    CheckConditions(hook.matchConditions, path.Child("matchConditions"), errors);
  }
  CheckReviewVersions(hook.admissionReviewVersions, options, path.Child("admissionReviewVersions"),
                      errors);
}

template <class Hooks>
ErrorList ValidateHooks(const Hooks& hooks, const Options& options) {
  ErrorList errors = ValidateGenericObjectMeta(hooks.metadata, Scope::kCluster, NameIsDNSSubdomain,
                                               Path("metadata"));
  const Path path("webhooks");
  std::set<std::string_view> names;
  for (size_t i = 0; i < hooks.webhooks.size(); ++i) {
    const auto& hook = hooks.webhooks[i];
    CheckHook(hook, options, path.Index(i), &errors);
    if (!hook.name.empty() && !names.insert(hook.name).second && !options.allow_duplicate_names) {
      errors.Add(field::Duplicate(path.Index(i).Child("name"), hook.name));
    }
  }
  return errors;
}

template <class Hooks>
ErrorList ValidateHooksUpdate(const Hooks& hooks, const Hooks& old_hooks) {
  Options options;
  std::set<std::string_view> names;
  for (const auto& old_hook : old_hooks.webhooks) {
    const auto invalid = [](const auto& selector) {
      return selector && HasInvalidLabelValue(*selector);
    };
    const Names& versions = old_hook.admissionReviewVersions;
    if (invalid(old_hook.namespaceSelector) || invalid(old_hook.objectSelector)) {
      options.allow_invalid_label_values = true;
    }
    if (!IsOneOf(old_hook.sideEffects.value_or(""), {"None", "NoneOnDryRun"})) {
      options.allow_side_effects = true;
    }
    if (!versions.empty() && !Has(versions, "v1") && !Has(versions, "v1beta1")) {
      options.allow_unknown_review_versions = true;
    }
    if (!names.insert(old_hook.name).second) options.allow_duplicate_names = true;
  }
  options.same_conditions = std::ranges::equal(
      hooks.webhooks, old_hooks.webhooks, [](const auto& hook, const auto& old_hook) {
        return SameLists(hook.matchConditions, old_hook.matchConditions);
      });
  return ValidateHooks(hooks, options);
}

}  // namespace

ErrorList ValidateValidatingWebhookConfiguration(const ValidatingWebhookConfiguration& hooks) {
  return ValidateHooks(hooks, {});
}

ErrorList ValidateValidatingWebhookConfigurationUpdate(
    const ValidatingWebhookConfiguration& hooks, const ValidatingWebhookConfiguration& old_hooks) {
  return ValidateHooksUpdate(hooks, old_hooks);
}

ErrorList ValidateMutatingWebhookConfiguration(const MutatingWebhookConfiguration& hooks) {
  return ValidateHooks(hooks, {});
}

ErrorList ValidateMutatingWebhookConfigurationUpdate(
    const MutatingWebhookConfiguration& hooks, const MutatingWebhookConfiguration& old_hooks) {
  return ValidateHooksUpdate(hooks, old_hooks);
}

}  // namespace podium::api
