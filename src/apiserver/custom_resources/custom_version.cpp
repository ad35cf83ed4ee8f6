#include "apiserver/custom_resources/custom_version.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <tuple>
#include <utility>

#include "api/types/meta_v1.h"
#include "apiserver/storage_keys.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::apiextensions::v1::CustomResourceDefinition;
using api::apiextensions::v1::CustomResourceDefinitionSpec;
using api::apiextensions::v1::CustomResourceDefinitionVersion;
using reflect::JsonValue;

constexpr std::array<std::string_view, 8> kVerbs = {
    "delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"};
constexpr std::array<std::string_view, 3> kPartVerbs = {"get", "patch", "update"};

constexpr std::string_view kEnvelope =
    R"({"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{)"
    R"("spec":{"x-kubernetes-preserve-unknown-fields":true},)"
    R"("status":{"x-kubernetes-preserve-unknown-fields":true}}})";
constexpr std::string_view kList =
    R"({"type":"object","properties":{"items":{"x-kubernetes-preserve-unknown-fields":true}}})";

// v12beta3 as {beta, 12, 3}.
struct KnownForm {
  int stability = 0;  // 2: stable, 1: beta, 0: alpha
  uint64_t major = 0;
  uint64_t minor = 0;
};

bool ReadNumber(std::string_view* text, uint64_t* number) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *number);
  if (error != std::errc() || end == text->data()) return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return true;
}

std::optional<KnownForm> ReadForm(std::string_view text) {
  KnownForm form;
  if (!text.starts_with('v')) return std::nullopt;
  text.remove_prefix(1);
  if (text.starts_with('0') || !ReadNumber(&text, &form.major)) return std::nullopt;
  if (text.empty()) {
    form.stability = 2;
    return form;
  }
  const bool beta = text.starts_with("beta");
  if (!beta && !text.starts_with("alpha")) return std::nullopt;
  form.stability = beta ? 1 : 0;
  text.remove_prefix(beta ? 4 : 5);
  if (text.starts_with('0') || !ReadNumber(&text, &form.minor) || !text.empty()) {
    return std::nullopt;
  }
  return form;
}

// The text of its Warning.
std::string DeprecationOf(const CustomResourceDefinitionSpec& spec,
                          const CustomResourceDefinitionVersion& version) {
  if (!version.deprecated) return "";
  if (version.deprecationWarning) return *version.deprecationWarning;
  const auto named = [&](const std::string& name) {
    return spec.group + "/" + name + " " + spec.names.kind;
  };
  std::string text = named(version.name) + " is deprecated";
  const CustomResourceDefinitionVersion* better = nullptr;
  for (const CustomResourceDefinitionVersion& each : spec.versions) {
    if (!each.served || each.deprecated || CompareVersions(each.name, version.name) >= 0) continue;
    if (better == nullptr || CompareVersions(each.name, better->name) < 0) better = &each;
  }
  return better != nullptr ? text + "; use " + named(better->name) : text;
}

Result<std::shared_ptr<const reflect::RuntimeTypes>> TypesOf(std::string_view schema,
                                                             const CustomSchema& of,
                                                             const std::string& kind,
                                                             bool has_metadata) {
  TRY(const JsonValue parsed, reflect::ParseJson(schema));
  reflect::RuntimeTypeOptions options;
  if (has_metadata) options.object_meta = &reflect::TypeOf<api::meta::v1::ObjectMeta>();
  return reflect::RuntimeTypes::FromSchema(parsed, {of.group, of.version, kind}, options);
}

void AddSubresources(const CustomResourceDefinitionVersion& version, CustomSchema* schema) {
  if (!version.subresources) return;
  if (version.subresources->status) {
    schema->has_status = true;
    schema->subresources.push_back({"status", schema->group, schema->version, schema->kind,
                                    std::span<const std::string_view>(kPartVerbs)});
  }
  if (version.subresources->scale) {
    const auto& scale = *version.subresources->scale;
    schema->scale =
        CustomScalePaths{scale.specReplicasPath, scale.statusReplicasPath, scale.labelSelectorPath};
    schema->subresources.push_back(
        {"scale", "autoscaling", "v1", "Scale", std::span<const std::string_view>(kPartVerbs)});
  }
}

Result<void> AddSchema(const CustomResourceDefinitionVersion& version, CustomSchema* schema) {
  if (!version.schema || !version.schema->openAPIV3Schema) return {};
  TRY(const std::string json, reflect::ToJson(*version.schema->openAPIV3Schema));
  TRY(schema->schema, reflect::ParseJson(json));
  TRY(auto structural, reflect::ParseStructural(schema->schema));
  reflect::PruneDefaults(structural.get());
  schema->structural = std::move(structural);
  reflect::RuntimeTypeOptions options;
  options.object_meta = &reflect::TypeOf<api::meta::v1::ObjectMeta>();
  auto typed = reflect::RuntimeTypes::FromSchema(
      schema->schema, {schema->group, schema->version, schema->kind}, options);
  if (typed.ok()) schema->typed = *std::move(typed);
  return {};
}

Result<CustomSchemaPtr> ReadVersion(const CustomResourceDefinition& definition,
                                    const CustomResourceDefinitionVersion& version) {
  auto schema = std::make_shared<CustomSchema>(
      CustomSchema{.group = definition.spec.group,
                   .version = version.name,
                   .kind = definition.status.acceptedNames.kind,
                   .api_version = definition.spec.group + "/" + version.name,
                   .served = version.served,
                   .deprecation = DeprecationOf(definition.spec, version),
                   .columns = api::CustomColumns(version.additionalPrinterColumns)});
  TRY(schema->envelope, TypesOf(kEnvelope, *schema, schema->kind, true));
  TRY(schema->list, TypesOf(kList, *schema, definition.status.acceptedNames.listKind, false));
  TRY_VOID(AddSchema(version, schema.get()));
  AddSubresources(version, schema.get());
  for (const auto& selectable : version.selectableFields) {
    const std::string& path = selectable.jsonPath;
    schema->selectable_fields.push_back(path.starts_with('.') ? path.substr(1) : path);
  }
  return CustomSchemaPtr(std::move(schema));
}

ServedResource Served(const CustomResourceDefinition& definition,
                      const std::shared_ptr<const CustomResource>& resource,
                      const CustomSchemaPtr& schema) {
  static std::atomic<uint64_t> last_number = 0;
  const auto& names = definition.status.acceptedNames;
  ServedResource served;
  served.group = schema->group;
  served.version = schema->version;
  served.plural = names.plural;
  served.singular = names.singular;
  served.kind = names.kind;
  served.list_kind = names.listKind;
  served.api_version = schema->api_version;
  served.namespaced = definition.spec.scope == "Namespaced";
  served.verbs.assign(kVerbs.begin(), kVerbs.end());
  served.short_names.assign(names.shortNames.begin(), names.shortNames.end());
  served.categories.assign(names.categories.begin(), names.categories.end());
  served.field_selectors = {"metadata.name", "metadata.namespace"};
  for (const std::string& field : schema->selectable_fields) {
    served.field_selectors.push_back(field);
  }
  served.custom = std::make_shared<const CustomVersion>(
      CustomVersion{.resource = resource, .shown = schema, .number = ++last_number});
  served.type = served.stored_type = &schema->envelope->root();
  served.stored_api_version = served.api_version;
  served.prefix = CustomKeyPrefix(served.group, served.plural);
  return served;
}

class None final : public CustomConversion {
 public:
  Result<std::vector<JsonValue>> Convert(std::vector<JsonValue> objects,
                                         const std::string& api_version) const override {
    for (JsonValue& object : objects) object.Set("apiVersion", JsonValue::String(api_version));
    return objects;
  }
};

}  // namespace

std::shared_ptr<const CustomConversion> NoConversion() { return std::make_shared<const None>(); }

int CompareVersions(std::string_view a, std::string_view b) {
  const auto first = ReadForm(a);
  const auto second = ReadForm(b);
  if (first.has_value() != second.has_value()) return first ? -1 : 1;
  if (!first) return a.compare(b);
  const auto order = [](const KnownForm& form) {
    return std::tuple(form.stability, form.major, form.minor);
  };
  return order(*first) > order(*second) ? -1 : order(*first) < order(*second) ? 1 : 0;
}

const CustomSchema* CustomResource::Find(std::string_view api_version) const {
  const auto found = std::ranges::find_if(
      versions, [&](const CustomSchemaPtr& each) { return each->api_version == api_version; });
  return found != versions.end() ? found->get() : nullptr;
}

const CustomSchema& CustomVersion::storage() const {
  const auto found = std::ranges::find_if(resource->versions, [&](const CustomSchemaPtr& each) {
    return each->version == resource->storage_version;
  });
  // Validation lets no definition be without one.
  return found != resource->versions.end() ? **found : *shown;
}

Result<std::shared_ptr<const CustomResource>> ReadDefinition(
    const CustomResourceDefinition& definition, const ConversionWebhooks* webhooks) {
  auto resource = std::make_shared<CustomResource>();
  resource->group = definition.spec.group;
  resource->terminating = definition.metadata.deletionTimestamp.has_value();
  for (const CustomResourceDefinitionVersion& version : definition.spec.versions) {
    TRY(CustomSchemaPtr schema, ReadVersion(definition, version));
    resource->versions.push_back(std::move(schema));
    if (version.storage) resource->storage_version = version.name;
  }
  const auto& conversion = definition.spec.conversion;
  const bool webhook = conversion && conversion->strategy == "Webhook" && webhooks != nullptr;
  resource->conversion = webhook ? webhooks->For(definition) : NoConversion();
  return std::shared_ptr<const CustomResource>(std::move(resource));
}

std::vector<ServedResource> ServedVersions(const CustomResourceDefinition& definition,
                                           const std::shared_ptr<const CustomResource>& resource) {
  std::vector<ServedResource> served;
  for (const CustomSchemaPtr& schema : resource->versions) {
    if (schema->served) served.push_back(Served(definition, resource, schema));
  }
  std::ranges::sort(served, [](const ServedResource& a, const ServedResource& b) {
    return CompareVersions(a.version, b.version) < 0;
  });
  return served;
}

}  // namespace podium::apiserver
