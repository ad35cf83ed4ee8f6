#include "api/validation/webhooks.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>

#include "api/labels.h"
#include "api/names.h"
#include "api/validation/admission_rules.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/webhook_client.h"

namespace podium::api {

using admissionregistration::v1::MutatingWebhook;
using admissionregistration::v1::MutatingWebhookConfiguration;
using admissionregistration::v1::ValidatingWebhookConfiguration;
using admissionregistration::v1::WebhookClientConfig;
using field::ErrorList;
using field::Path;

namespace {

using Names = reflect::List<std::string>;

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

void CheckClient(const WebhookClientConfig& client, const Path& path, ErrorList* errors) {
  if (client.url.has_value() == (client.service != nullptr)) {
    errors->Add(field::Required(path, "exactly one of url or service is required"));
  } else if (client.url) {
    errors->Append(ValidateWebhookUrl(*client.url, path.Child("url")));
  } else {
    errors->Append(ValidateWebhookService(*client.service, path.Child("service")));
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
      continue;
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
    CheckAdmissionRule(hook.rules[i], rules.Index(i), errors);
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
    CheckMatchConditions(hook.matchConditions, path.Child("matchConditions"), errors);
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
