#include <algorithm>
#include <map>

#include "api/conversion/conversion.h"
#include "api/object_meta.h"
#include "api/scheme.h"
#include "api/status.h"
#include "api/types/core_v1.h"
#include "api/types/resources.h"
#include "apiserver/admission/webhooks.h"
#include "apiserver/custom_resources/custom_version.h"
#include "apiserver/stored_object.h"

namespace podium::apiserver {
namespace {

using api::admissionregistration::v1::MutatingWebhook;
using api::admissionregistration::v1::MutatingWebhookConfiguration;
using api::admissionregistration::v1::RuleWithOperations;
using api::admissionregistration::v1::ValidatingWebhook;
using api::admissionregistration::v1::ValidatingWebhookConfiguration;
using api::core::v1::Namespace;
using Labels = api::labels::Set;

bool Has(const reflect::List<std::string>& list, std::string_view value) {
  return std::ranges::any_of(list,
                             [&](const std::string& each) { return each == "*" || each == value; });
}

// "pods", "pods/status", "*/scale", "*", "*/*"
bool NamesResource(std::string_view pattern, const AdmissionRequest& request) {
  const size_t slash = pattern.find('/');
  const std::string_view resource = pattern.substr(0, slash);
  const std::string_view subresource = slash == pattern.npos ? "" : pattern.substr(slash + 1);
  return (resource == "*" || resource == request.resource) &&
         (subresource == "*" || subresource == request.subresource);
}

bool IsNamespace(const AdmissionRequest& request) {
  return request.group.empty() && request.resource == "namespaces";
}

bool IsInScope(std::string_view scope, const AdmissionRequest& request) {
  const bool namespaced = !request.namespace_.empty() && !IsNamespace(request);
  if (scope == "Namespaced") return namespaced;
  return scope != "Cluster" || !namespaced;
}

// A mistake in one of these must be mendable, so no webhook hears of them.
bool IsExempt(const AdmissionRequest& request) {
  if (request.group != "admissionregistration.k8s.io") return false;
  return request.resource.ends_with("webhookconfigurations") ||
         request.resource.contains("admissionpolicies") ||
         request.resource.contains("admissionpolicybindings");
}

template <class Hook>
Result<WebhookPtr> Compile(const std::string& configuration, size_t index, const Hook& hook) {
  auto made = std::make_shared<Webhook>();
  made->configuration = configuration;
  made->index = index;
  made->name = hook.name;
  made->where = hook.clientConfig;
  made->rules = hook.rules;
  const api::meta::v1::LabelSelector everything;
  TRY(made->namespace_selector,
      api::labels::LabelSelectorAsSelector(hook.namespaceSelector ? hook.namespaceSelector.get()
                                                                  : &everything));
  TRY(made->object_selector, api::labels::LabelSelectorAsSelector(
                                 hook.objectSelector ? hook.objectSelector.get() : &everything));
  made->ignore_failures = hook.failurePolicy == "Ignore";
  made->equivalent = hook.matchPolicy != "Exact";
  made->side_effects = hook.sideEffects != "None" && hook.sideEffects != "NoneOnDryRun";
  made->reads_v1 =
      std::ranges::find(hook.admissionReviewVersions, "v1") != hook.admissionReviewVersions.end();
  if constexpr (requires { hook.reinvocationPolicy; }) {
    made->again_if_needed = hook.reinvocationPolicy == "IfNeeded";
  }
  made->timeout_seconds = hook.timeoutSeconds.value_or(made->timeout_seconds);
  return WebhookPtr(std::move(made));
}

template <class Configuration>
std::vector<WebhookPtr> CompileAll(const Configuration& configuration) {
  std::vector<WebhookPtr> webhooks;
  for (size_t i = 0; i < configuration.webhooks.size(); ++i) {
    auto made = Compile(configuration.metadata.name, i, configuration.webhooks[i]);
    // Validation lets no selector in that cannot be read.
    if (made.ok()) webhooks.push_back(*std::move(made));
  }
  return webhooks;
}

const reflect::Type& ConfigurationType(WebhookSet::Kind kind) {
  return kind == WebhookSet::Kind::kMutating ? reflect::TypeOf<MutatingWebhookConfiguration>()
                                             : reflect::TypeOf<ValidatingWebhookConfiguration>();
}

// Of the namespace that the request is in, or about; null for none.
Result<std::shared_ptr<const Namespace>> NamespaceOf(const Objects& objects,
                                                     const AdmissionRequest& request) {
  const std::string_view name = IsNamespace(request) ? request.name : request.namespace_;
  TRY(auto found, objects.Get<Namespace>("", name));
  if (found == nullptr) return api::NotFoundError({"", "namespaces"}, name);
  return found;
}

Result<bool> NamespaceMatches(const Objects& objects, const Webhook& webhook,
                              const AdmissionRequest& request) {
  const api::labels::Selector& selector = webhook.namespace_selector;
  if (selector.Empty()) return true;
  if (IsNamespace(request)) {
    // Of the namespace as it will be.
    if (const auto* meta = request.metadata()) return selector.Matches(meta->labels);
    if (const auto* meta = request.old_metadata()) return selector.Matches(meta->labels);
  } else if (request.namespace_.empty()) {
    return true;
  }
  TRY(const auto found, NamespaceOf(objects, request));
  return selector.Matches(found->metadata.labels);
}

bool ObjectMatches(const Webhook& webhook, const AdmissionRequest& request) {
  const api::labels::Selector& selector = webhook.object_selector;
  if (selector.Empty()) return true;
  const auto* now = request.metadata();
  const auto* before = request.old_metadata();
  return (now != nullptr && selector.Matches(now->labels)) ||
         (before != nullptr && selector.Matches(before->labels));
}

// The request as it came in.
Invocation AsItIs(WebhookPtr webhook, const AdmissionRequest& request) {
  std::string api_version(request.kind_group);
  if (!api_version.empty()) api_version += "/";
  api_version += request.kind_version;
  const reflect::Type* type = api::FindType(api_version, request.kind);
  if (type == nullptr || !api::IsConvertible(*request.type, *type)) type = request.type;
  return {std::move(webhook),   request.group, request.version, request.kind_group,
          request.kind_version, type,          nullptr};
}

// The first version of a custom resource that the rules name, in the order of its definition;
// upstream asks of those that are not served, too.
std::optional<Invocation> MatchOtherVersion(const WebhookPtr& webhook,
                                            const AdmissionRequest& request) {
  for (const CustomSchemaPtr& other : request.custom->resource->versions) {
    if (other->version == request.version ||
        !MatchesRules(*webhook, request, request.group, other->version)) {
      continue;
    }
    Invocation invocation = AsItIs(webhook, request);
    invocation.version = other->version;
    // A Scale is one in every version.
    if (request.kind == other->kind && request.kind_group == other->group) {
      invocation.kind_version = other->version;
      invocation.custom = other.get();
    }
    return invocation;
  }
  return std::nullopt;
}

// As what it is shown; nothing when the webhook is not to be asked.
std::optional<Invocation> MatchRules(const WebhookPtr& webhook, const AdmissionRequest& request) {
  if (MatchesRules(*webhook, request, request.group, request.version)) {
    return AsItIs(webhook, request);
  }
  if (!webhook->equivalent) return std::nullopt;
  if (request.custom != nullptr) return MatchOtherVersion(webhook, request);
  if (request.builtin == nullptr) return std::nullopt;
  for (const api::Resource& other : api::kResources) {
    if (other.plural != request.resource || other.type == nullptr ||
        !api::IsConvertible(*request.builtin->type, *other.type) ||
        !MatchesRules(*webhook, request, other.group, other.version)) {
      continue;
    }
    Invocation invocation = AsItIs(webhook, request);
    invocation.group = other.group;
    invocation.version = other.version;
    // Subresources with a kind of their own, such as Scale, have it in every version.
    if (request.kind == other.kind) {
      invocation.kind_group = other.group;
      invocation.kind_version = other.version;
      invocation.type = other.type;
    }
    return invocation;
  }
  return std::nullopt;
}

}  // namespace

bool MatchesRules(const Webhook& webhook, const AdmissionRequest& request, std::string_view group,
                  std::string_view version) {
  return std::ranges::any_of(webhook.rules, [&](const RuleWithOperations& rule) {
    return IsInScope(rule.scope.value_or("*"), request) &&
           Has(rule.operations, NameOf(request.operation)) && Has(rule.apiGroups, group) &&
           Has(rule.apiVersions, version) &&
           std::ranges::any_of(rule.resources, [&](const std::string& pattern) {
             return NamesResource(pattern, request);
           });
  });
}

// By configuration.
class WebhookSet::Index final : public StoreFollower::Handler {
 public:
  explicit Index(Kind kind) : kind_(kind), prefix_(Objects::PrefixOf(ConfigurationType(kind))) {}

  void Reset() override { webhooks_.clear(); }
  void Put(size_t, const store::Entry& entry) override {
    std::vector<WebhookPtr>& webhooks = webhooks_[NameIn(entry.key())];
    webhooks.clear();
    const auto stored = StoredObject::Of(entry);
    if (!stored.ok()) return;
    const auto decoded = (*stored)->Decode(ConfigurationType(kind_), false);
    if (!decoded.ok()) return;
    if (const auto* mutating = (*decoded)->As<MutatingWebhookConfiguration>()) {
      webhooks = CompileAll(*mutating);
    }
    if (const auto* validating = (*decoded)->As<ValidatingWebhookConfiguration>()) {
      webhooks = CompileAll(*validating);
    }
  }
  void Remove(size_t, std::string_view key) override { webhooks_.erase(NameIn(key)); }

  const std::string& prefix() const { return prefix_; }
  const std::map<std::string, std::vector<WebhookPtr>>& webhooks() const { return webhooks_; }

 private:
  std::string NameIn(std::string_view key) const { return std::string(key.substr(prefix_.size())); }

  const Kind kind_;
  const std::string prefix_;
  std::map<std::string, std::vector<WebhookPtr>> webhooks_;
};

WebhookSet::WebhookSet(const Objects& objects, Kind kind)
    : objects_(objects),
      index_(std::make_unique<Index>(kind)),
      follower_(std::make_unique<StoreFollower>(
          objects.store(), std::vector<std::string>{index_->prefix()}, *index_)) {}
WebhookSet::~WebhookSet() = default;

Result<std::vector<Invocation>> WebhookSet::For(const AdmissionRequest& request) const {
  std::vector<Invocation> invocations;
  if (IsExempt(request)) return invocations;
  {
    TRY(const auto lock, follower_->Read());
    for (const auto& [configuration, webhooks] : index_->webhooks()) {
      for (const WebhookPtr& webhook : webhooks) {
        if (auto invocation = MatchRules(webhook, request)) {
          invocations.push_back(*std::move(invocation));
        }
      }
    }
  }
  std::vector<Invocation> wanted;
  for (Invocation& each : invocations) {
    if (!ObjectMatches(*each.webhook, request)) continue;
    TRY(const bool matches, NamespaceMatches(objects_, *each.webhook, request));
    if (matches) wanted.push_back(std::move(each));
  }
  return wanted;
}

}  // namespace podium::apiserver
