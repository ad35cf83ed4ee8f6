// Kinds that are about the server itself: certificates, webhooks, definitions of resources
// (upstream's pkg/registry/certificates and admissionregistration, and
// k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition).

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "api/structural/formats.h"
#include "api/types/admissionregistration_v1.h"
#include "api/types/apiextensions_v1.h"
#include "api/types/certificates_v1.h"
#include "apiserver/custom_resources/definition_status.h"
#include "apiserver/strategies/rows.h"
#include "reflect/copy.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::admissionregistration::v1::MutatingWebhookConfiguration;
using api::admissionregistration::v1::ValidatingWebhookConfiguration;
using api::apiextensions::v1::CustomResourceDefinition;
using api::apiextensions::v1::CustomResourceDefinitionVersion;
using api::apiextensions::v1::JSONSchemaProps;
using api::certificates::v1::CertificateSigningRequest;
using api::certificates::v1::CertificateSigningRequestCondition;
using api::field::ErrorList;
using api::field::Path;

// Who asks is what the server knows, whatever the request says.
void PrepareNewRequest(const StrategyContext& context, CertificateSigningRequest& request) {
  request.spec.username.clear();
  request.spec.uid.clear();
  request.spec.groups.clear();
  request.spec.extra.clear();
  if (context.user == nullptr) return;
  request.spec.username = context.user->name;
  request.spec.uid = context.user->uid;
  request.spec.groups = context.user->groups;
  for (const auto& [key, values] : context.user->extra) {
    request.spec.extra[key].items = reflect::List<std::string>(values);
  }
}

void PrepareRequest(const StrategyContext&, CertificateSigningRequest& request,
                    const CertificateSigningRequest& old) {
  request.spec = reflect::Copy(old.spec);
}

using Conditions = reflect::List<CertificateSigningRequestCondition>;

void FillTimes(const StrategyContext& context, const Conditions& old, Conditions* conditions) {
  for (CertificateSigningRequestCondition& condition : *conditions) {
    if (condition.lastUpdateTime.IsZero()) condition.lastUpdateTime = context.now;
    if (!condition.lastTransitionTime.IsZero()) continue;
    const auto same = std::ranges::find_if(old, [&](const auto& each) {
      return each.type == condition.type && each.status == condition.status &&
             !each.lastTransitionTime.IsZero();
    });
    condition.lastTransitionTime = same != old.end() ? same->lastTransitionTime : context.now;
  }
}

// Conditions of a type as they were. When there are more or fewer of them it is validation that
// says no.
void KeepConditions(std::string_view type, const Conditions& old, Conditions* conditions) {
  const auto is_type = [&](const auto& condition) { return condition.type == type; };
  if (std::ranges::count_if(old, is_type) != std::ranges::count_if(*conditions, is_type)) return;
  auto from = old.begin();
  for (auto& condition : *conditions) {
    if (!is_type(condition)) continue;
    from = std::find_if(from, old.end(), is_type);
    condition = *from++;
  }
}

// Whoever signs does not approve.
void PrepareRequestStatus(const StrategyContext& context, CertificateSigningRequest& request,
                          const CertificateSigningRequest& old) {
  KeepConditions("Approved", old.status.conditions, &request.status.conditions);
  KeepConditions("Denied", old.status.conditions, &request.status.conditions);
  FillTimes(context, old.status.conditions, &request.status.conditions);
}

// Whoever approves does not sign.
void PrepareApproval(const StrategyContext& context, CertificateSigningRequest& request,
                     const CertificateSigningRequest& old) {
  FillTimes(context, old.status.conditions, &request.status.conditions);
  request.status.certificate = old.status.certificate;
}

// Objects may be stored in every version that was ever the storage version.
void AddStoredVersion(CustomResourceDefinition* definition) {
  const auto& versions = definition->spec.versions;
  const auto stored =
      std::ranges::find_if(versions, [](const auto& version) { return version.storage; });
  if (stored == versions.end()) return;
  auto& known = definition->status.storedVersions;
  if (std::ranges::find(known, stored->name) == known.end()) known.push_back(stored->name);
}

void PrepareNewDefinition(const StrategyContext&, CustomResourceDefinition& definition) {
  AddStoredVersion(&definition);
}

void PrepareDefinition(const StrategyContext&, CustomResourceDefinition& definition,
                       const CustomResourceDefinition&) {
  AddStoredVersion(&definition);
}

// Its instances are deleted before it is (custom_resources/definition_cleanup.h).
bool HoldsDefinition(const void* object) {
  const auto& definition = *static_cast<const CustomResourceDefinition*>(object);
  return !definition.metadata.deletionTimestamp || HasCleanupFinalizer(definition);
}

void MarkDefinition(void* object) {
  auto& definition = *static_cast<CustomResourceDefinition*>(object);
  if (HasCleanupFinalizer(definition)) return;
  definition.metadata.finalizers.emplace_back(kCleanupFinalizer);
  SetTerminating(true, "InstanceDeletionPending",
                 "CustomResourceDefinition marked for deletion; CustomResource deletion will begin "
                 "soon",
                 definition.metadata.deletionTimestamp.value_or(api::Time()), &definition);
}

using UseSchema = std::function<void(const JSONSchemaProps& schema)>;

// The schema and all that it is made of.
void ForEachSchema(const JSONSchemaProps& schema, const UseSchema& use);

template <class Schemas>
void ForEachNamed(const Schemas& schemas, const UseSchema& use) {
  for (const auto& [name, schema] : schemas) ForEachSchema(schema, use);
}
template <class Schemas>
void ForEachListed(const Schemas& schemas, const UseSchema& use) {
  for (const JSONSchemaProps& schema : schemas) ForEachSchema(schema, use);
}

void ForEachSchema(const JSONSchemaProps& schema, const UseSchema& use) {
  use(schema);
  const auto each = [&](const reflect::Box<JSONSchemaProps>& inner) {
    if (inner) ForEachSchema(*inner, use);
  };
  if (schema.items) each(schema.items->schema);
  ForEachListed(schema.allOf, use);
  ForEachListed(schema.anyOf, use);
  ForEachListed(schema.oneOf, use);
  each(schema.not_);
  ForEachNamed(schema.properties, use);
  if (schema.additionalProperties) each(schema.additionalProperties->schema);
}

// Formats of strings that nobody checks, in the order in which they stand; of numbers they are for
// the readers alone.
std::vector<std::string> UnknownFormats(const CustomResourceDefinition& definition) {
  std::vector<std::string> formats;
  for (const CustomResourceDefinitionVersion& version : definition.spec.versions) {
    if (!version.schema || !version.schema->openAPIV3Schema) continue;
    ForEachSchema(*version.schema->openAPIV3Schema, [&](const JSONSchemaProps& schema) {
      if (schema.type != "string" || schema.format.empty()) return;
      if (!api::IsKnownFormat(schema.format)) formats.push_back(schema.format);
    });
  }
  return formats;
}

void WarnOfFormats(const CustomResourceDefinition& definition, const CustomResourceDefinition* old,
                   std::vector<std::string>* warnings) {
  const auto before = old != nullptr ? UnknownFormats(*old) : std::vector<std::string>();
  for (const std::string& format : UnknownFormats(definition)) {
    if (std::ranges::find(before, format) != before.end()) continue;
    warnings->push_back("unrecognized format " + reflect::GoQuoted(format));
  }
}

bool HasRules(const JSONSchemaProps& schema) {
  bool has_rules = false;
  ForEachSchema(schema, [&](const JSONSchemaProps& each) {
    has_rules = has_rules || !each.xKubernetesValidations.empty();
  });
  return has_rules;
}

std::vector<std::string> WarnOfDefinition(const CustomResourceDefinition& definition,
                                          const CustomResourceDefinition* old) {
  std::vector<std::string> warnings;
  WarnOfFormats(definition, old, &warnings);
  if (old != nullptr && definition.metadata.generation == old->metadata.generation) return warnings;
  const Path spec("spec");
  const Path versions = spec.Child("versions");
  for (size_t i = 0; i < definition.spec.versions.size(); ++i) {
    const CustomResourceDefinitionVersion& version = definition.spec.versions[i];
    if (!version.schema || !version.schema->openAPIV3Schema) continue;
    if (!HasRules(*version.schema->openAPIV3Schema)) continue;
    const Path at = versions.Index(i);
    const Path schema = at.Child("schema");
    warnings.push_back(schema.Child("openAPIV3Schema").String() +
                       ": x-kubernetes-validations are kept, but this server does not evaluate "
                       "them: objects are not checked against these rules");
  }
  return warnings;
}

// A condition that nobody evaluates would send too much to a webhook, or too little.
template <class T>
ErrorList CheckWebhooks(const T& configuration, const T*) {
  ErrorList errors;
  const Path path("webhooks");
  for (size_t i = 0; i < configuration.webhooks.size(); ++i) {
    if (configuration.webhooks[i].matchConditions.empty()) continue;
    const Path webhook = path.Index(i);
    errors.Add(api::field::Forbidden(webhook.Child("matchConditions"),
                                     "this server does not evaluate expressions in CEL"));
  }
  return errors;
}

template <class T>
Strategy WebhooksRow() {
  return {.type = &reflect::TypeOf<T>(),
          .generation = Generation::kContent,
          .validate_create = CheckCreate<T, CheckWebhooks<T>>,
          .validate_update = CheckUpdate<T, CheckWebhooks<T>>,
          .unconditional_update = false};
}

}  // namespace

std::span<const Strategy> ServerStrategies() {
  using Request = CertificateSigningRequest;
  using Definition = CustomResourceDefinition;
  static const Strategy kRows[] = {
      {.type = &reflect::TypeOf<Request>(),
       .has_status = true,
       .prepare_create = Create<Request, PrepareNewRequest>,
       .prepare_update = Update<Request, PrepareRequest>},
      {.type = &reflect::TypeOf<Request>(),
       .subresource = "status",
       .own_field = "status",
       .prepare_update = Update<Request, PrepareRequestStatus>},
      {.type = &reflect::TypeOf<Request>(),
       .subresource = "approval",
       .own_field = "status",
       .prepare_update = Update<Request, PrepareApproval>},
      WebhooksRow<MutatingWebhookConfiguration>(),
      WebhooksRow<ValidatingWebhookConfiguration>(),
      {.type = &reflect::TypeOf<Definition>(),
       .has_status = true,
       .generation = Generation::kSpec,
       .prepare_create = Create<Definition, PrepareNewDefinition>,
       .prepare_update = Update<Definition, PrepareDefinition>,
       .warnings = Warn<Definition, WarnOfDefinition>,
       .unconditional_update = false,
       .held = HoldsDefinition,
       .mark_deleting = MarkDefinition},
      {.type = &reflect::TypeOf<Definition>(),
       .subresource = "status",
       .own_field = "status",
       .kept_metadata = KeptMetadata::kNames,
       .unconditional_update = false},
  };
  return kRows;
}

}  // namespace podium::apiserver
