#include "reflect/apply/client_side_upgrade.h"

#include <algorithm>
#include <utility>

namespace podium::reflect {
namespace {

constexpr std::string_view kApply = "Apply";
constexpr std::string_view kUpdate = "Update";

std::string_view TextOf(const JsonValue& entry, std::string_view key) {
  const JsonValue* value = entry.Find(key);
  return value && value->is_string() ? std::string_view(value->string()) : std::string_view();
}

// Which entry.
struct Wanted {
  std::string_view manager;
  std::string_view operation;
  std::string_view subresource;

  bool Is(const JsonValue& entry) const {
    return TextOf(entry, "manager") == manager && TextOf(entry, "operation") == operation &&
           TextOf(entry, "subresource") == subresource;
  }
};

JsonValue* First(JsonValue::Array* entries, const Wanted& wanted) {
  const auto found =
      std::ranges::find_if(*entries, [&](const JsonValue& entry) { return wanted.Is(entry); });
  return found == entries->end() ? nullptr : &*found;
}

Result<FieldSet> FieldsIn(const JsonValue& entry) {
  const JsonValue* fields = entry.Find("fieldsV1");
  return FieldSet::FromJson(fields ? *fields : JsonValue());
}

Result<FieldSet> ReadFields(const JsonValue& entry) {
  Result<FieldSet> fields = FieldsIn(entry);
  if (fields.ok()) return fields;
  return Error(Code::kInvalidArgument,
               "failed to convert fields to set: " + fields.error().message());
}

Result<void> UpgradeOne(const Wanted& client, const Wanted& server, JsonValue::Array* entries) {
  JsonValue* target = First(entries, server);
  if (target == nullptr) {
    // Entries stand in the order of their times.
    target = First(entries, client);
    if (target == nullptr) return {};
    target->Set("operation", JsonValue::String(std::string(server.operation)));
    target->Set("manager", JsonValue::String(std::string(server.manager)));
  }
  TRY(FieldSet fields, ReadFields(*target));
  const std::string version(TextOf(*target, "apiVersion"));
  const auto same = std::ranges::find_if(*entries, [&](const JsonValue& entry) {
    return client.Is(entry) && TextOf(entry, "apiVersion") == version;
  });
  if (same != entries->end()) {
    TRY(const FieldSet theirs, ReadFields(*same));
    fields = Union(fields, theirs);
  }
  target->Set("fieldsV1", fields.ToJson());
  std::erase_if(*entries, [&](const JsonValue& entry) { return client.Is(entry); });
  return {};
}

}  // namespace

FieldSet LastAppliedField() {
  FieldSet set;
  set.Insert({PathElement::Field("metadata"), PathElement::Field("annotations"),
              PathElement::Field("kubectl.kubernetes.io/last-applied-configuration")});
  return set;
}

std::set<std::string> FieldsOwners(const JsonValue* entries, ManagedOperation operation,
                                   const FieldSet& fields) {
  std::set<std::string> owners;
  if (entries == nullptr || !entries->is_array()) return owners;
  for (const JsonValue& entry : entries->array()) {
    const bool applies = operation == ManagedOperation::kApply;
    if (TextOf(entry, "operation") != (applies ? kApply : kUpdate)) continue;
    const Result<FieldSet> its = FieldsIn(entry);
    if (its.ok() && Difference(fields, *its).empty()) {
      owners.emplace(TextOf(entry, "manager"));
    }
  }
  return owners;
}

Result<JsonValue> UpgradeManagedFields(JsonValue entries,
                                       const std::set<std::string>& client_managers,
                                       std::string_view server_manager,
                                       std::string_view subresource) {
  if (!entries.is_array()) return entries;
  const Wanted server{server_manager, kApply, subresource};
  for (const std::string& manager : client_managers) {
    TRY_VOID(UpgradeOne({manager, kUpdate, subresource}, server, &entries.array()));
  }
  return entries;
}

Result<std::optional<JsonValue>> UpgradeManagedFieldsPatch(
    const JsonValue& object, const std::set<std::string>& client_managers,
    std::string_view server_manager, std::string_view subresource) {
  const JsonValue* metadata = object.Find("metadata");
  const JsonValue* found = metadata ? metadata->Find("managedFields") : nullptr;
  const JsonValue before = found ? *found : JsonValue();
  TRY(JsonValue after, UpgradeManagedFields(before, client_managers, server_manager, subresource));
  if (Equivalent(before, after)) return std::optional<JsonValue>();
  const auto replace = [](std::string_view path, JsonValue value) {
    return JsonValue::Of(JsonValue::Object{{"op", JsonValue::String("replace")},
                                           {"path", JsonValue::String(std::string(path))},
                                           {"value", std::move(value)}});
  };
  // The version is replaced by itself instead of tested, so that a conflict is the answer when
  // the object has another one by then.
  const std::string version(metadata ? TextOf(*metadata, "resourceVersion") : "");
  return std::optional(JsonValue::Of(
      JsonValue::Array{replace("/metadata/managedFields", std::move(after)),
                       replace("/metadata/resourceVersion", JsonValue::String(version))}));
}

}  // namespace podium::reflect
