#include "apiserver/custom_resources/custom_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "api/names.h"
#include "api/object_meta.h"
#include "api/status.h"
#include "api/structural/custom_resource.h"
#include "api/validation/object_meta.h"
#include "api/validation/validation.h"
#include "apiserver/custom_resources/custom_objects.h"
#include "base/text.h"
#include "reflect/go_text.h"
#include "reflect/json.h"
#include "reflect/number_text.h"

namespace podium::apiserver {
namespace {

using api::autoscaling::v1::Scale;
using api::field::ErrorList;
using api::field::Path;
using api::meta::v1::ObjectMeta;
using reflect::AnyObject;
using reflect::JsonValue;

std::string TextOf(const JsonValue& object, std::string_view member) {
  const JsonValue* value = object.Find(member);
  return value != nullptr && value->is_string() ? value->string() : std::string();
}

// That it is of the kind that is written: what Prune and Admit leave alone.
ErrorList CheckKind(const ServedResource& resource, const JsonValue& tree) {
  ErrorList errors;
  const std::string kind = TextOf(tree, "kind");
  if (kind != resource.kind) {
    errors.Add(api::field::Invalid(Path("kind"), kind, "must be " + resource.kind));
  }
  const std::string api_version = TextOf(tree, "apiVersion");
  if (api_version != resource.api_version) {
    errors.Add(
        api::field::Invalid(Path("apiVersion"), api_version, "must be " + resource.api_version));
  }
  return errors;
}

std::vector<std::string_view> StepsOf(std::string_view path) {
  return Split(path.starts_with('.') ? path.substr(1) : path, '.');
}

std::string_view GoTypeOf(const JsonValue& value) {
  switch (value.kind()) {
    case JsonValue::Kind::kNull:
      return "<nil>";
    case JsonValue::Kind::kBool:
      return "bool";
    case JsonValue::Kind::kNumber:
      return reflect::ReadJsonNumber(value.number()).is_integer ? "int64" : "float64";
    case JsonValue::Kind::kString:
      return "string";
    case JsonValue::Kind::kArray:
      return "[]interface {}";
    case JsonValue::Kind::kObject:
      return "map[string]interface {}";
  }
  return "";
}

// As unstructured.NestedFieldNoCopy: null when there is nothing; an error on the way through what
// is no object.
Result<const JsonValue*> ValueAt(const JsonValue& tree, std::string_view path) {
  const JsonValue* at = &tree;
  std::string way;
  for (const std::string_view step : StepsOf(path)) {
    if (at == nullptr || at->is_null()) return nullptr;
    if (!at->is_object()) {
      return Error(Code::kInvalidArgument,
                   fmt::format("{}.{} accessor error: {} is of the type {}, expected "
                               "map[string]interface{{}}",
                               way, step, reflect::ToText(*at), GoTypeOf(*at)));
    }
    way.append(".").append(step);
    at = at->Find(step);
  }
  return at;
}

Error WrongType(std::string_view path, const JsonValue& value, std::string_view wanted) {
  const std::string text = value.is_string() ? value.string() : reflect::ToText(value);
  return {
      Code::kInvalidArgument,
      fmt::format(".{} accessor error: {} is of the type {}, expected {}",
                  path.starts_with('.') ? path.substr(1) : path, text, GoTypeOf(value), wanted)};
}

// Nothing where it is absent.
Result<std::optional<int64_t>> NumberAt(const JsonValue& tree, std::string_view path) {
  TRY(const JsonValue* value, ValueAt(tree, path));
  if (value == nullptr) return std::optional<int64_t>();
  if (value->is_number()) {
    const reflect::Number number = reflect::ReadJsonNumber(value->number());
    if (number.is_integer) return std::optional(number.integer);
  }
  return WrongType(path, *value, "int64");
}

Result<std::string> SelectorAt(const JsonValue& tree, std::string_view path) {
  TRY(const JsonValue* value, ValueAt(tree, path));
  if (value == nullptr) return std::string();
  if (!value->is_string()) return WrongType(path, *value, "string");
  return value->string();
}

void CheckReplicas(const JsonValue& tree, const std::string& path, ErrorList* errors) {
  const auto number = NumberAt(tree, path);
  const Path at(path);
  if (!number.ok()) {
    errors->Add(api::field::Invalid(at, 0, number.error().message()));
    return;
  }
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  const int64_t replicas = number->value_or(0);
  if (replicas < 0) {
    errors->Add(api::field::Invalid(at, replicas, "should be a non-negative integer"));
  } else if (replicas > kMost) {
    errors->Add(api::field::Invalid(at, replicas,
                                    fmt::format("should be less than or equal to {}", kMost)));
  }
}

ErrorList CheckScale(const CustomSchema& schema, bool with_spec, const JsonValue& tree) {
  ErrorList errors;
  if (!schema.scale) return errors;
  if (with_spec) CheckReplicas(tree, schema.scale->spec_replicas, &errors);
  CheckReplicas(tree, schema.scale->status_replicas, &errors);
  if (schema.scale->label_selector) {
    const auto selector = SelectorAt(tree, *schema.scale->label_selector);
    if (!selector.ok()) {
      errors.Add(
          api::field::Invalid(Path(*schema.scale->label_selector), "", selector.error().message()));
    }
  }
  return errors;
}

Result<void> AnswerInvalid(const ServedResource& resource, const AnyObject& object,
                           const ErrorList& errors) {
  if (errors.empty()) return {};
  const ObjectMeta* metadata = api::FindObjectMeta(object.type(), object.get());
  return api::InvalidError(resource.group, resource.kind,
                           metadata != nullptr ? metadata->name : std::string(), errors);
}

const ObjectMeta& MetaOf(const AnyObject& object) {
  static const ObjectMeta kNone;
  const ObjectMeta* metadata = api::FindObjectMeta(object.type(), object.get());
  return metadata != nullptr ? *metadata : kNone;
}

}  // namespace

Result<void> CheckNewCustom(const ServedResource& resource, const AnyObject& object) {
  const CustomSchema& schema = *resource.custom->shown;
  TRY(const JsonValue tree, CustomTree(object));
  ErrorList errors = CheckKind(resource, tree);
  if (!errors.empty()) return AnswerInvalid(resource, object, errors);
  const auto scope = resource.namespaced ? api::Scope::kNamespaced : api::Scope::kCluster;
  errors = api::ValidateGenericObjectMeta(MetaOf(object), scope, api::NameIsDNSSubdomain,
                                          Path("metadata"));
  if (schema.structural != nullptr) {
    errors.Append(api::ValidateCustomResource(*schema.structural, tree, Path()));
  }
  errors.Append(CheckScale(schema, true, tree));
  if (schema.structural != nullptr) {
    errors.Append(api::ValidateEmbeddedMetadata(*schema.structural, tree, false, Path()));
    errors.Append(api::ValidateListSetsAndMaps(*schema.structural, tree, Path()));
  }
  return AnswerInvalid(resource, object, errors);
}

Result<void> CheckChangedCustom(const ServedResource& resource, std::string_view subresource,
                                const AnyObject& object, const AnyObject& old) {
  const CustomSchema& schema = *resource.custom->shown;
  const bool is_status = subresource == "status";
  TRY(const JsonValue tree, CustomTree(object));
  TRY(const JsonValue old_tree, CustomTree(old));
  ErrorList errors = CheckKind(resource, tree);
  if (!errors.empty()) return AnswerInvalid(resource, object, errors);
  errors = api::ValidateGenericObjectMetaUpdate(MetaOf(object), MetaOf(old), Path("metadata"));
  if (schema.structural != nullptr) {
    errors.Append(api::ValidateCustomResourceUpdate(*schema.structural, tree, old_tree, Path()));
  }
  errors.Append(CheckScale(schema, !is_status, tree));
  if (schema.structural != nullptr) {
    if (!is_status) {
      errors.Append(api::ValidateEmbeddedMetadata(*schema.structural, tree, false, Path()));
    }
    ErrorList lists = api::ValidateListSetsAndMaps(*schema.structural, tree, Path());
    if (!lists.empty() &&
        api::ValidateListSetsAndMaps(*schema.structural, old_tree, Path()).empty()) {
      errors.Append(std::move(lists));
    }
  }
  return AnswerInvalid(resource, object, errors);
}

std::vector<std::string> WarnOfCustom(const AnyObject& object, const AnyObject* old) {
  std::vector<std::string> warnings;
  const auto& before = old != nullptr ? MetaOf(*old).finalizers : ObjectMeta().finalizers;
  std::vector<std::string> added;
  for (const std::string& each : MetaOf(object).finalizers) {
    if (std::ranges::find(before, each) == before.end()) added.push_back(each);
  }
  std::ranges::sort(added);
  for (const std::string& each : added) {
    const std::string where = "metadata.finalizers: " + reflect::GoQuoted(each) + ": ";
    for (const std::string& problem : api::IsQualifiedName(each)) {
      warnings.push_back(where + problem);
    }
    const bool known = each == "orphan" || each == "foregroundDeletion" || each == "kubernetes";
    if (!known && !each.contains('/')) {
      warnings.push_back(where +
                         "prefer a domain-qualified finalizer name including a path (/) to avoid "
                         "accidental conflicts with other finalizer writers");
    }
  }
  return warnings;
}

Result<Scale> CustomScaleOf(const ServedResource& resource, const AnyObject& object,
                            bool missing_is_least) {
  const std::optional<CustomScalePaths>& paths = resource.custom->shown->scale;
  if (!paths) return api::NotFoundError(resource.group_resource(), MetaOf(object).name);
  TRY(const JsonValue tree, CustomTree(object));
  const auto spec = NumberAt(tree, paths->spec_replicas);
  if (!spec.ok()) return api::InternalError(spec.error().message());
  const auto status = NumberAt(tree, paths->status_replicas);
  if (!status.ok()) return api::InternalError(status.error().message());
  if (!spec->has_value() && !missing_is_least) {
    return api::InternalError("the spec replicas field " + reflect::GoQuoted(paths->spec_replicas) +
                              " does not exist");
  }
  Scale scale;
  scale.kind = "Scale";
  scale.apiVersion = "autoscaling/v1";
  const ObjectMeta& metadata = MetaOf(object);
  scale.metadata.name = metadata.name;
  scale.metadata.namespace_ = metadata.namespace_;
  scale.metadata.uid = metadata.uid;
  scale.metadata.resourceVersion = metadata.resourceVersion;
  scale.metadata.creationTimestamp = metadata.creationTimestamp;
  scale.spec.replicas = static_cast<int32_t>(spec->value_or(std::numeric_limits<int32_t>::min()));
  scale.status.replicas = static_cast<int32_t>(status->value_or(0));
  if (paths->label_selector) {
    auto selector = SelectorAt(tree, *paths->label_selector);
    if (!selector.ok()) return api::InternalError(selector.error().message());
    scale.status.selector = *std::move(selector);
  }
  return scale;
}

Result<void> ApplyCustomScale(const ServedResource& resource, const Scale& scale,
                              AnyObject* object) {
  const auto errors = api::ValidateCreate(scale);
  if (!errors.empty()) {
    return api::InvalidError("autoscaling", "Scale", scale.metadata.name, errors);
  }
  const ObjectMeta& metadata = MetaOf(*object);
  if (!scale.metadata.uid.empty() && scale.metadata.uid != metadata.uid) {
    return api::ConflictError(
        resource.group_resource(), metadata.name,
        fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: {}",
                    scale.metadata.uid, metadata.uid));
  }
  TRY(JsonValue tree, CustomTree(*object));
  JsonValue* at = &tree;
  const std::vector<std::string_view> steps = StepsOf(resource.custom->shown->scale->spec_replicas);
  for (size_t i = 0; i < steps.size(); ++i) {
    if (i + 1 == steps.size()) {
      at->Set(steps[i], JsonValue::Number(std::to_string(scale.spec.replicas)));
      break;
    }
    JsonValue* next = at->Find(steps[i]);
    if (next == nullptr || next->is_null()) {
      next = &at->Set(steps[i], JsonValue::Of(JsonValue::Object()));
    }
    if (!next->is_object()) {
      return api::InternalError("value cannot be set because ." + std::string(steps[i]) +
                                " is not a map[string]interface{}");
    }
    at = next;
  }
  TRY(*object, TakeCustomObject(*resource.custom, std::move(tree), nullptr));
  return {};
}

}  // namespace podium::apiserver
