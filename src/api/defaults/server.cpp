// What configures the API server itself: admissionregistration.k8s.io, apiextensions.k8s.io,
// apiregistration.k8s.io and flowcontrol.apiserver.k8s.io.
#include <algorithm>
#include <array>

#include "api/defaults/rules.h"
#include "api/types/admissionregistration_v1.h"
#include "api/types/apiextensions_v1.h"
#include "api/types/apiregistration_v1.h"
#include "api/types/flowcontrol_v1.h"
#include "base/text.h"

namespace podium::api::defaults {
namespace {

using namespace admissionregistration::v1;

constexpr int32_t kHttpsPort = 443;
constexpr int32_t kWebhookSeconds = 10;

// A ServiceReference of any of the groups.
template <class Reference>
void DefaultServicePort(reflect::Box<Reference>& service) {
  if (service) SetIfUnset(service->port, kHttpsPort);
}

template <class Rules>
void DefaultRules(Rules& rules) {
  for (auto& rule : rules) SetIfUnset(rule.scope, "*");
}

template <class Webhook>
void DefaultWebhook(Webhook& webhook) {
  SetIfUnset(webhook.failurePolicy, "Fail");
  SetIfUnset(webhook.matchPolicy, "Equivalent");
  webhook.namespaceSelector.ensure();
  webhook.objectSelector.ensure();
  SetIfUnset(webhook.timeoutSeconds, kWebhookSeconds);
  DefaultServicePort(webhook.clientConfig.service);
  DefaultRules(webhook.rules);
}

void DefaultValidatingWebhooks(ValidatingWebhookConfiguration& configuration) {
  for (ValidatingWebhook& webhook : configuration.webhooks) DefaultWebhook(webhook);
}

void DefaultMutatingWebhooks(MutatingWebhookConfiguration& configuration) {
  for (MutatingWebhook& webhook : configuration.webhooks) {
    DefaultWebhook(webhook);
    SetIfUnset(webhook.reinvocationPolicy, "Never");
  }
}

void DefaultMatchResources(reflect::Box<MatchResources>& match) {
  if (!match) return;
  SetIfUnset(match->matchPolicy, "Equivalent");
  match->namespaceSelector.ensure();
  match->objectSelector.ensure();
  DefaultRules(match->resourceRules);
  DefaultRules(match->excludeResourceRules);
}

// ValidatingAdmissionPolicy and MutatingAdmissionPolicy.
template <class Policy>
void DefaultPolicy(Policy& policy) {
  SetIfUnset(policy.spec.failurePolicy, "Fail");
  DefaultMatchResources(policy.spec.matchConstraints);
}
template <class Binding>
void DefaultPolicyBinding(Binding& binding) {
  DefaultMatchResources(binding.spec.matchResources);
}

void DefaultCustomResource(apiextensions::v1::CustomResourceDefinition& definition) {
  auto& names = definition.spec.names;
  if (names.singular.empty()) names.singular = LowerCase(names.kind);
  if (names.listKind.empty() && !names.kind.empty()) names.listKind = names.kind + "List";
  if (!definition.spec.conversion) definition.spec.conversion.emplace().strategy = "None";
  auto& webhook = definition.spec.conversion->webhook;
  if (webhook && webhook->clientConfig) DefaultServicePort(webhook->clientConfig->service);

  if (!definition.status.storedVersions.empty()) return;
  const auto& versions = definition.spec.versions;
  auto stored = std::find_if(versions.begin(), versions.end(),
                             [](const auto& version) { return version.storage; });
  if (stored != versions.end()) definition.status.storedVersions.push_back(stored->name);
}

void DefaultApiService(apiregistration::v1::APIService& service) {
  DefaultServicePort(service.spec.service);
}

void DefaultFlowSchema(flowcontrol::v1::FlowSchema& schema) {
  SetIfZero(schema.spec.matchingPrecedence, 1000);
}

void DefaultPriorityLevel(flowcontrol::v1::PriorityLevelConfiguration& level) {
  if (auto& exempt = level.spec.exempt) {
    SetIfUnset(exempt->nominalConcurrencyShares, 0);
    SetIfUnset(exempt->lendablePercent, 0);
  }
  if (auto& limited = level.spec.limited) {
    SetIfUnset(limited->nominalConcurrencyShares, 30);
    SetIfUnset(limited->lendablePercent, 0);
    if (auto& queuing = limited->limitResponse.queuing) {
      SetIfZero(queuing->handSize, 8);
      SetIfZero(queuing->queues, 64);
      SetIfZero(queuing->queueLengthLimit, 50);
    }
  }
}

}  // namespace

std::span<const Kind> ServerKinds() {
  static const std::array kKinds = {
      KindOf<ValidatingWebhookConfiguration, DefaultValidatingWebhooks>(),
      KindOf<MutatingWebhookConfiguration, DefaultMutatingWebhooks>(),
      KindOf<ValidatingAdmissionPolicy, DefaultPolicy<ValidatingAdmissionPolicy>>(),
      KindOf<MutatingAdmissionPolicy, DefaultPolicy<MutatingAdmissionPolicy>>(),
      KindOf<ValidatingAdmissionPolicyBinding,
             DefaultPolicyBinding<ValidatingAdmissionPolicyBinding>>(),
      KindOf<MutatingAdmissionPolicyBinding,
             DefaultPolicyBinding<MutatingAdmissionPolicyBinding>>(),
      KindOf<apiextensions::v1::CustomResourceDefinition, DefaultCustomResource>(),
      KindOf<apiregistration::v1::APIService, DefaultApiService>(),
      KindOf<flowcontrol::v1::FlowSchema, DefaultFlowSchema>(),
      KindOf<flowcontrol::v1::PriorityLevelConfiguration, DefaultPriorityLevel>(),
  };
  return kKinds;
}

}  // namespace podium::api::defaults
