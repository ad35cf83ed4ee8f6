#include "apiserver/managed_fields.h"

#include <string>
#include <utility>
#include <vector>

#include "api/apply_rules.h"
#include "api/conversion/conversion.h"
#include "api/object_meta.h"
#include "api/scheme.h"
#include "apiserver/custom_resources/custom_version.h"
#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "reflect/json_writer.h"

namespace podium::apiserver {
namespace {

using api::meta::v1::ManagedFieldsEntry;
using api::meta::v1::ObjectMeta;
using reflect::JsonValue;
using reflect::VersionedValue;

Result<JsonValue> TreeOf(const reflect::Type& type, const void* object) {
  std::string json;
  TRY_VOID(reflect::EncodeJson(type, object, &json));
  return reflect::ParseJson(json);
}

// Between the versions of a built-in kind.
Result<VersionedValue> ConvertTree(const VersionedValue& value, std::string_view api_version,
                                   std::string_view kind) {
  const reflect::Type* to = api::FindType(api_version, kind);
  if (value.type == nullptr || to == nullptr || !api::IsConvertible(*value.type, *to)) {
    return Error(Code::kNotFound, "no version " + std::string(api_version));
  }
  reflect::AnyObject object(*value.type);
  TRY_VOID(reflect::DecodeJsonInto(reflect::ToText(value.value), *value.type, object.get(),
                                   {.strict = false}));
  TRY(const reflect::AnyObject converted, api::ConvertObject(*value.type, object.get(), *to));
  TRY(JsonValue tree, TreeOf(*to, converted.get()));
  return VersionedValue{to, std::string(api_version), std::move(tree)};
}

const reflect::Type* TypeToApply(const CustomSchema& schema) {
  return schema.typed != nullptr ? &schema.typed->root() : nullptr;
}

// Between the versions of a custom resource.
Result<VersionedValue> ConvertCustom(const CustomResource& definition, const VersionedValue& value,
                                     std::string_view api_version) {
  const CustomSchema* to = definition.Find(api_version);
  if (to == nullptr) return Error(Code::kNotFound, "no version " + std::string(api_version));
  if (value.api_version == api_version) return value;
  std::vector<JsonValue> one{value.value};
  TRY(one, definition.conversion->Convert(std::move(one), to->api_version));
  return VersionedValue{TypeToApply(*to), to->api_version, std::move(one.front())};
}

}  // namespace

Result<JsonValue> EntriesTree(const ObjectMeta& metadata) {
  TRY(const JsonValue tree, TreeOf(reflect::TypeOf<ObjectMeta>(), &metadata));
  const JsonValue* entries = tree.Find("managedFields");
  return entries == nullptr ? JsonValue() : *entries;
}

Result<reflect::List<ManagedFieldsEntry>> EntriesOf(const JsonValue* entries) {
  if (entries == nullptr || entries->is_null()) return reflect::List<ManagedFieldsEntry>();
  ObjectMeta holder;
  JsonValue wrapped = JsonValue::Of(JsonValue::Object());
  wrapped.Set("managedFields", *entries);
  TRY_VOID(reflect::DecodeJsonInto(reflect::ToText(wrapped), reflect::TypeOf<ObjectMeta>(), &holder,
                                   {.strict = false}));
  return std::move(holder.managedFields);
}

reflect::FieldManager FieldManagerOf(const ServedResource& resource, std::string_view subresource) {
  reflect::FieldManagerOptions options{.type = resource.type,
                                       .api_version = resource.api_version,
                                       .kind = resource.kind,
                                       .subresource = std::string(subresource)};
  if (resource.builtin != nullptr) {
    options.hooks.filter = api::OwnedFields(*resource.builtin, subresource);
    options.hooks.convert = [kind = resource.kind](const VersionedValue& value,
                                                   std::string_view api_version) {
      return ConvertTree(value, api_version, kind);
    };
  }
  if (resource.custom != nullptr) {
    const CustomVersion& version = *resource.custom;
    options.type = TypeToApply(*version.shown);
    options.hooks.filter =
        api::CustomOwnedFields(resource.api_version, version.shown->has_status, subresource);
    options.hooks.convert = [definition = version.resource](const VersionedValue& value,
                                                            std::string_view api_version) {
      return ConvertCustom(*definition, value, api_version);
    };
  }
  return reflect::FieldManager(std::move(options));
}

Result<reflect::List<ManagedFieldsEntry>> TrackedEntries(const reflect::FieldManager& fields,
                                                         const reflect::Type& type,
                                                         std::string_view manager, api::Time now,
                                                         const void* live, const void* object) {
  JsonValue live_tree;
  if (live != nullptr) {
    TRY(live_tree, TreeOf(type, live));
  } else {
    TRY(live_tree, fields.NewObject());
  }
  TRY(JsonValue tree, TreeOf(type, object));
  TRY(const JsonValue tracked,
      fields.Update(live_tree, std::move(tree),
                    {.manager = std::string(manager), .time = now.String()}));
  const JsonValue* metadata = tracked.Find("metadata");
  return EntriesOf(metadata != nullptr ? metadata->Find("managedFields") : nullptr);
}

Result<void> TrackFields(const ServedResource& resource, std::string_view subresource,
                         std::string_view manager, api::Time now, const void* live,
                         reflect::AnyObject* object) {
  auto tracked = TrackedEntries(FieldManagerOf(resource, subresource), *resource.type, manager, now,
                                live, object->get());
  ObjectMeta& metadata = *api::EnsureObjectMeta(*resource.type, object->get());
  // A custom resource may not fit its schema: that is for the check to say. Nobody owns anything
  // then, as upstream has it.
  if (!tracked.ok() && resource.custom != nullptr) {
    metadata.managedFields.clear();
    return {};
  }
  if (!tracked.ok()) return tracked.error();
  metadata.managedFields = *std::move(tracked);
  return {};
}

bool SameButForTimes(const reflect::Type& type, const void* a, const void* b) {
  reflect::AnyObject first(type);
  reflect::AnyObject second(type);
  reflect::CopyObject(type, a, first.get());
  reflect::CopyObject(type, b, second.get());
  for (reflect::AnyObject* object : {&first, &second}) {
    ObjectMeta& metadata = *api::EnsureObjectMeta(type, object->get());
    metadata.resourceVersion.clear();
    for (ManagedFieldsEntry& entry : metadata.managedFields) entry.time.reset();
  }
  return reflect::EqualObjects(type, first.get(), second.get());
}

}  // namespace podium::apiserver
