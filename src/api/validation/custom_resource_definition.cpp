#include "api/validation/custom_resource_definition.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "api/go_url.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/definition_schema.h"
#include "api/validation/definition_versions.h"
#include "api/validation/definition_view.h"
#include "api/validation/object_meta.h"
#include "api/validation/webhook_client.h"
#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::api {

using apiextensions::v1::CustomResourceConversion;
using apiextensions::v1::CustomResourceDefinition;
using apiextensions::v1::CustomResourceDefinitionNames;
using apiextensions::v1::CustomResourceDefinitionSpec;
using field::ErrorList;
using field::Path;

namespace {

// What stored definitions may keep that new ones may not have.
struct Options {
  SchemaRequirements schemas;
  bool schema_required = true;
  bool known_review_version_required = true;
  // Only definitions that are served are held to it.
  bool valid_bundle_required = false;
};

void CheckLabel(const std::string& value, const Path& path, ErrorList* errors) {
  const Messages problems = IsDNS1035Label(value);
  if (!problems.empty()) errors->Add(field::Invalid(path, value, Join(problems, ",")));
}

void CheckLabels(const reflect::List<std::string>& values, const Path& path, ErrorList* errors) {
  for (size_t i = 0; i < values.size(); ++i) CheckLabel(values[i], path.Index(i), errors);
}

// A kind is a label but for its capitals.
void CheckKind(const std::string& kind, const Path& path, ErrorList* errors) {
  const Messages problems = IsDNS1035Label(LowerToAscii(kind));
  if (kind.empty() || problems.empty()) return;
  errors->Add(field::Invalid(
      path, kind, "may have mixed case, but should otherwise match: " + Join(problems, ",")));
}

void CheckNames(const CustomResourceDefinitionNames& names, const Path& path, ErrorList* errors) {
  if (!names.plural.empty()) CheckLabel(names.plural, path.Child("plural"), errors);
  if (!names.singular.empty()) CheckLabel(names.singular, path.Child("singular"), errors);
  CheckKind(names.kind, path.Child("kind"), errors);
  CheckKind(names.listKind, path.Child("listKind"), errors);
  CheckLabels(names.shortNames, path.Child("shortNames"), errors);
  if (!names.kind.empty() && names.kind == names.listKind) {
    errors->Add(field::Invalid(path.Child("listKind"), names.listKind,
                               "kind and listKind may not be the same"));
  }
  CheckLabels(names.categories, path.Child("categories"), errors);
}

void CheckRequiredNames(const CustomResourceDefinitionNames& names, const Path& path,
                        ErrorList* errors) {
  const auto require = [&](const std::string& name, std::string_view word) {
    if (name.empty()) errors->Add(field::Required(path.Child(word), ""));
  };
  require(names.plural, "plural");
  require(names.singular, "singular");
  require(names.kind, "kind");
  require(names.listKind, "listKind");
}

void CheckOneOf(const std::string& value, std::initializer_list<std::string_view> allowed,
                const Path& path, ErrorList* errors) {
  if (value.empty()) {
    errors->Add(field::Required(path, ""));
  } else if (!IsOneOf(value, allowed)) {
    errors->Add(field::NotSupported(path, value, allowed));
  }
}

void CheckGroup(const std::string& group, const Path& path, ErrorList* errors) {
  if (group.empty()) {
    errors->Add(field::Required(path, ""));
  } else if (const Messages problems = IsDNS1123Subdomain(group); !problems.empty()) {
    errors->Add(field::Invalid(path, group, Join(problems, ",")));
  } else if (!group.contains('.')) {
    errors->Add(field::Invalid(path, group, "should be a domain with at least one dot"));
  }
}

bool HasSchema(const DefinitionView::Version& version) {
  return version.schema && version.schema->openAPIV3Schema;
}

// That there is a schema wherever one is needed.
void CheckSchemasAreThere(const CustomResourceDefinitionSpec& spec, bool required,
                          const Path& versions, ErrorList* errors) {
  if (!required && spec.preserveUnknownFields) return;
  for (size_t i = 0; i < spec.versions.size(); ++i) {
    if (HasSchema(spec.versions[i]) || (!required && !spec.versions[i].served)) continue;
    errors->Add(field::Required(
        versions.Index(i).Child("schema").Child("openAPIV3Schema"),
        required ? "schemas are required" : "because otherwise all fields are pruned"));
  }
}

bool IsKnownReviewVersion(std::string_view version) { return IsOneOf(version, {"v1", "v1beta1"}); }

void CheckReviewVersions(const reflect::Nullable<reflect::List<std::string>>& versions,
                         bool known_required, const Path& path, ErrorList* errors) {
  if (versions.empty()) {
    errors->Add(field::Required(path, ""));
    return;
  }
  std::set<std::string_view> seen;
  for (size_t i = 0; i < versions.size(); ++i) {
    if (!seen.insert(versions[i]).second) {
      errors->Add(field::Invalid(path.Index(i), versions[i], "duplicate version"));
      continue;
    }
    errors->AddInvalid(path.Index(i), versions[i], IsDNS1035Label(versions[i]));
  }
  if (known_required && std::ranges::none_of(versions, IsKnownReviewVersion)) {
    errors->Add(field::Invalid(path, versions, "must include at least one of v1, v1beta1"));
  }
}

void CheckConversion(const CustomResourceConversion& conversion, const Options& options,
                     const Path& path, ErrorList* errors) {
  CheckOneOf(conversion.strategy, {"None", "Webhook"}, path.Child("strategy"), errors);
  const Path client_path = path.Child("webhookClientConfig");
  const Path versions_path = path.Child("conversionReviewVersions");
  static const auto& none = *new apiextensions::v1::WebhookConversion();
  const auto& webhook = conversion.webhook ? *conversion.webhook : none;
  if (conversion.strategy != "Webhook") {
    constexpr std::string_view kNotSet = "should not be set when strategy is not set to Webhook";
    if (webhook.clientConfig) errors->Add(field::Forbidden(client_path, kNotSet));
    if (!webhook.conversionReviewVersions.empty()) {
      errors->Add(field::Forbidden(versions_path, kNotSet));
    }
    return;
  }
  if (!webhook.clientConfig) {
    errors->Add(field::Required(client_path, "required when strategy is set to Webhook"));
  } else {
    const auto& client = *webhook.clientConfig;
    if (client.url.has_value() == client.service.has_value()) {
      errors->Add(field::Required(client_path, "exactly one of url or service is required"));
    } else if (client.url) {
      errors->Append(ValidateWebhookUrl(*client.url, client_path.Child("url")));
    } else {
      errors->Append(ValidateWebhookService(*client.service, client_path.Child("service")));
    }
    if (options.valid_bundle_required) {
      errors->Append(ValidateCABundle(client.caBundle, client_path.Child("caBundle")));
    }
  }
  CheckReviewVersions(webhook.conversionReviewVersions, options.known_review_version_required,
                      versions_path, errors);
}

// That the names of versions are labels and each its own, and that one is stored.
void CheckVersionNames(const DefinitionView& view, const Path& path, ErrorList* errors) {
  std::set<std::string_view> names;
  size_t stored = 0;
  for (const auto& version : view.spec.versions) {
    names.insert(version.name);
    if (version.storage) ++stored;
  }
  const Path versions = path.Child("versions");
  if (names.size() != view.spec.versions.size()) {
    errors->Add(field::Invalid(versions, view.Versions(), "must contain unique version names"));
  }
  if (stored != 1) {
    errors->Add(field::Invalid(versions, view.Versions(),
                               "must have exactly one version marked as storage version"));
  }
  // The unversioned form names the first one once more.
  if (view.spec.versions.empty() || view.spec.versions.front().name.empty()) return;
  CheckLabel(view.spec.versions.front().name, path.Child("version"), errors);
}

ErrorList ValidateSpec(const CustomResourceDefinitionSpec& spec, Options options,
                       const Path& path) {
  ErrorList errors;
  CheckGroup(spec.group, path.Child("group"), &errors);
  CheckOneOf(spec.scope, {"Cluster", "Namespaced"}, path.Child("scope"), &errors);
  const Path versions = path.Child("versions");
  CheckSchemasAreThere(spec, options.schema_required, versions, &errors);
  const bool has_defaults = HasDefaults(spec);
  if (!spec.preserveUnknownFields || has_defaults || HasExtensions(spec)) {
    options.schemas.structural = true;
  }
  if (has_defaults && spec.preserveUnknownFields) {
    errors.Add(field::Invalid(path.Child("preserveUnknownFields"), true,
                              "must be false in order to use defaults in the schema"));
  }
  const DefinitionView view(spec);
  for (size_t i = 0; i < spec.versions.size(); ++i) {
    CheckLabel(spec.versions[i].name, versions.Index(i).Child("name"), &errors);
    errors.Append(ValidateDefinitionVersion(view, i, options.schemas, versions.Index(i)));
  }
  CheckVersionNames(view, path, &errors);
  CheckRequiredNames(spec.names, path.Child("names"), &errors);
  CheckNames(spec.names, path.Child("names"), &errors);
  errors.Append(ValidateSharedParts(view, options.schemas, path));
  if (!spec.conversion) return errors;
  const Path conversion = path.Child("conversion");
  if (spec.conversion->strategy != "None" && spec.preserveUnknownFields) {
    errors.Add(field::Invalid(conversion.Child("strategy"), NamedString(spec.conversion->strategy),
                              "must be None if spec.preserveUnknownFields is true"));
  }
  CheckConversion(*spec.conversion, options, conversion, &errors);
  return errors;
}

void CheckUnchanged(const field::BadValue& value, bool changed, const Path& path,
                    ErrorList* errors) {
  if (changed) errors->Add(field::Invalid(path, value, kFieldImmutable));
}

void CheckStoredVersions(const CustomResourceDefinition& definition, ErrorList* errors) {
  const auto& stored = definition.status.storedVersions;
  const Path path("status.storedVersions");
  if (stored.empty()) {
    errors->Add(field::Invalid(path, stored, "must have at least one stored version"));
    return;
  }
  std::map<std::string_view, size_t> left;
  for (size_t i = 0; i < stored.size(); ++i) left[stored[i]] = i;
  for (const auto& version : definition.spec.versions) {
    const bool is_stored = left.erase(version.name) > 0;
    if (version.storage && !is_stored) {
      errors->Add(field::Invalid(path, stored, "must have the storage version " + version.name));
    }
  }
  for (const auto& [name, index] : left) {
    errors->Add(field::Invalid(
        path.Index(index), name,
        fmt::format("missing from spec.versions; {0} was previously a storage version, and must "
                    "remain in spec.versions until a storage migration ensures no data remains "
                    "persisted in {0} and removes {0} from status.storedVersions",
                    name)));
  }
}

enum class Approval { kMissing, kBypassed, kApproved, kInvalid };

// What the annotation says. A URL in it is where the API was approved.
Approval ApprovalOf(const CustomResourceDefinition& definition) {
  const auto& annotations = definition.metadata.annotations;
  const auto found = annotations.find(apiextensions::v1::kKubeAPIApprovedAnnotation);
  if (found == annotations.end() || found->second.empty()) return Approval::kMissing;
  const std::string& text = found->second;
  if (text.starts_with("unapproved")) return Approval::kBypassed;
  const auto url = ParseGoRequestUri(text);
  if (!url.ok() || url->host.empty() || url->scheme.empty()) return Approval::kInvalid;
  return Approval::kApproved;
}

// Groups of the Kubernetes project tell where their API was approved.
void CheckApproval(const CustomResourceDefinition& definition,
                   const CustomResourceDefinition* old_definition, ErrorList* errors) {
  const std::string suffix = "." + definition.spec.group;
  if (!suffix.ends_with(".k8s.io") && !suffix.ends_with(".kubernetes.io")) return;
  const Approval approval = ApprovalOf(definition);
  if (old_definition && ApprovalOf(*old_definition) == approval) return;
  if (approval == Approval::kApproved || approval == Approval::kBypassed) return;
  const std::string_view name = apiextensions::v1::kKubeAPIApprovedAnnotation;
  const std::string protect =
      "protected groups must have approval annotation " + reflect::GoQuoted(name);
  const std::string see = ", see https://github.com/kubernetes/enhancements/pull/1111";
  const Path annotations("metadata.annotations");
  const Path path = annotations.Key(name);
  if (approval == Approval::kMissing) {
    errors->Add(field::Required(path, protect + see));
  } else {
    errors->Add(field::Invalid(
        path, definition.metadata.annotations.find(name)->second,
        protect + " with either a URL or a reason starting with \"unapproved\"" + see));
  }
}

// What definitions have beside metadata and spec.
void CheckRest(const CustomResourceDefinition& definition,
               const CustomResourceDefinition* old_definition, ErrorList* errors) {
  CheckNames(definition.status.acceptedNames, Path("status.acceptedNames"), errors);
  CheckStoredVersions(definition, errors);
  CheckApproval(definition, old_definition, errors);
  if (old_definition && old_definition->spec.preserveUnknownFields) return;
  if (definition.spec.preserveUnknownFields) {
    errors->Add(field::Invalid(Path("spec.preserveUnknownFields"), true,
                               "cannot set to true, set x-kubernetes-preserve-unknown-fields to "
                               "true in spec.versions[*].schema instead"));
  }
}

// The name is that of the resource; problems of either name stand together.
void CheckName(const CustomResourceDefinition& definition, ErrorList* errors) {
  const auto& spec = definition.spec;
  const std::string required = spec.names.plural + "." + spec.group;
  auto place = errors->begin();
  const auto check = [&](const std::string& name, const Path& path) {
    while (place != errors->end() && place->field == path.String()) ++place;
    if (name.empty() || name == required) return;
    place = errors->insert(
        place, field::Invalid(path, name, "must be spec.names.plural+\".\"+spec.group"));
    ++place;
  };
  check(definition.metadata.generateName, Path("metadata.generateName"));
  check(definition.metadata.name, Path("metadata.name"));
}

bool IsEstablished(const CustomResourceDefinition& definition) {
  const auto& conditions = definition.status.conditions;
  const auto found = std::ranges::find_if(
      conditions, [](const auto& condition) { return condition.type == "Established"; });
  return found != conditions.end() && found->status == "True";
}

Options OptionsBeside(const CustomResourceDefinition& old_definition) {
  Options options{.schemas = RequirementsBeside(old_definition.spec)};
  options.schema_required = std::ranges::all_of(old_definition.spec.versions, HasSchema);
  const auto& conversion = old_definition.spec.conversion;
  if (conversion && conversion->webhook) {
    const auto& versions = conversion->webhook->conversionReviewVersions;
    options.known_review_version_required =
        versions.empty() || std::ranges::any_of(versions, IsKnownReviewVersion);
  }
  options.valid_bundle_required = IsEstablished(old_definition);
  if (conversion && conversion->webhook && conversion->webhook->clientConfig) {
    const auto& bundle = conversion->webhook->clientConfig->caBundle;
    if (!ValidateCABundle(bundle, Path()).empty()) options.valid_bundle_required = false;
  }
  return options;
}

}  // namespace

ErrorList ValidateCustomResourceDefinition(const CustomResourceDefinition& definition) {
  ErrorList errors = ValidateGenericObjectMeta(definition.metadata, Scope::kCluster,
                                               NameIsDNSSubdomain, Path("metadata"));
  CheckName(definition, &errors);
  errors.Append(ValidateSpec(definition.spec, {}, Path("spec")));
  CheckRest(definition, nullptr, &errors);
  return errors;
}

ErrorList ValidateCustomResourceDefinitionUpdate(const CustomResourceDefinition& definition,
                                                 const CustomResourceDefinition& old_definition) {
  ErrorList errors = ValidateGenericObjectMetaUpdate(definition.metadata, old_definition.metadata,
                                                     Path("metadata"));
  const auto& spec = definition.spec;
  const auto& old_spec = old_definition.spec;
  errors.Append(ValidateSpec(spec, OptionsBeside(old_definition), Path("spec")));
  if (IsEstablished(old_definition)) {
    CheckUnchanged(NamedString(spec.scope), spec.scope != old_spec.scope, Path("spec.scope"),
                   &errors);
    CheckUnchanged(spec.names.kind, spec.names.kind != old_spec.names.kind, Path("spec.names.kind"),
                   &errors);
  }
  CheckUnchanged(spec.group, spec.group != old_spec.group, Path("spec.group"), &errors);
  CheckUnchanged(spec.names.plural, spec.names.plural != old_spec.names.plural,
                 Path("spec.names.plural"), &errors);
  CheckRest(definition, &old_definition, &errors);
  return errors;
}

ErrorList ValidateCustomResourceDefinitionStatusUpdate(
    const CustomResourceDefinition& definition, const CustomResourceDefinition& old_definition) {
  ErrorList errors = ValidateGenericObjectMetaUpdate(definition.metadata, old_definition.metadata,
                                                     Path("metadata"));
  CheckNames(definition.status.acceptedNames, Path("status.acceptedNames"), &errors);
  return errors;
}

}  // namespace podium::api
