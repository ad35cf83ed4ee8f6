#include "reflect/apply/managed_fields.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "reflect/go_text.h"

namespace podium::reflect {
namespace {

constexpr std::string_view kApply = "Apply";
constexpr std::string_view kUpdate = "Update";
constexpr std::string_view kFieldsV1 = "FieldsV1";

std::string TextOf(const JsonValue& object, std::string_view key) {
  const JsonValue* value = object.Find(key);
  return value && value->is_string() ? value->string() : std::string();
}

void SetText(JsonValue* object, std::string_view key, std::string text) {
  if (text.empty()) return;
  object->object().push_back({std::string(key), JsonValue::String(std::move(text))});
}

Error Invalid(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

Result<void> DecodeEntry(const JsonValue& entry, size_t place, Managed* managed) {
  const std::string operation = TextOf(entry, "operation");
  if (operation != kApply && operation != kUpdate) {
    return Invalid("operation must be `Apply` or `Update`");
  }
  ManagerInfo info{.manager = TextOf(entry, "manager"),
                   .applies = operation == kApply,
                   .api_version = TextOf(entry, "apiVersion"),
                   .subresource = TextOf(entry, "subresource")};
  if (info.api_version.empty()) return Invalid("apiVersion must not be empty");
  const std::string type = TextOf(entry, "fieldsType");
  if (type != kFieldsV1) {
    return Invalid((type.empty() ? "missing fieldsType" : "invalid fieldsType " + GoQuoted(type)) +
                   " in managed fields entry " + std::to_string(place));
  }
  ManagedSet set{.fields = {}, .api_version = info.api_version, .applied = info.applies};
  const std::string identifier = info.Identifier();
  if (const JsonValue* fields = entry.Find("fieldsV1"); fields && !fields->is_null()) {
    Result<FieldSet> decoded = FieldSet::FromJson(*fields);
    if (!decoded.ok()) {
      return Invalid("error decoding versioned set from " + identifier +
                     ": error decoding set: " + decoded.error().message());
    }
    set.fields = *std::move(decoded);
  }
  managed->sets[identifier] = std::move(set);
  managed->times[identifier] = TextOf(entry, "time");
  return {};
}

JsonValue EncodeEntry(const ManagerInfo& info, const ManagedSet& set, const std::string& time) {
  JsonValue entry = JsonValue::Of(JsonValue::Object{});
  SetText(&entry, "manager", info.manager);
  SetText(&entry, "operation", std::string(set.applied ? kApply : kUpdate));
  SetText(&entry, "apiVersion", set.api_version);
  SetText(&entry, "time", time);
  SetText(&entry, "fieldsType", std::string(kFieldsV1));
  entry.object().push_back({"fieldsV1", set.fields.ToJson()});
  SetText(&entry, "subresource", info.subresource);
  return entry;
}

}  // namespace

std::string ManagerInfo::Identifier() const {
  JsonValue entry = JsonValue::Of(JsonValue::Object{});
  SetText(&entry, "manager", manager);
  SetText(&entry, "operation", std::string(applies ? kApply : kUpdate));
  if (!applies) SetText(&entry, "apiVersion", api_version);
  SetText(&entry, "subresource", subresource);
  return ToText(entry);
}

ManagerInfo ManagerInfo::Of(const std::string& identifier) {
  const Result<JsonValue> entry = ParseJson(identifier);
  if (!entry.ok())
    return {.manager = identifier, .applies = true, .api_version = {}, .subresource = {}};
  return {.manager = TextOf(*entry, "manager"),
          .applies = TextOf(*entry, "operation") == kApply,
          .api_version = TextOf(*entry, "apiVersion"),
          .subresource = TextOf(*entry, "subresource")};
}

Result<Managed> DecodeManaged(const JsonValue* entries) {
  Managed managed;
  if (entries == nullptr || !entries->is_array()) return managed;
  for (size_t i = 0; i < entries->array().size(); ++i) {
    TRY_VOID(DecodeEntry(entries->array()[i], i, &managed));
  }
  return managed;
}

JsonValue EncodeManaged(const Managed& managed) {
  if (managed.sets.empty()) return {};
  struct Entry {
    ManagerInfo info;
    const ManagedSet* set;
    std::string time;
  };
  std::vector<Entry> entries;
  for (const auto& [identifier, set] : managed.sets) {
    const auto time = managed.times.find(identifier);
    entries.push_back({ManagerInfo::Of(identifier), &set,
                       time == managed.times.end() ? std::string() : time->second});
  }
  // Times are all of one form, so that their texts are in their order.
  const auto rank = [](const Entry& entry) {
    return std::tie(entry.time, entry.info.manager, entry.set->api_version, entry.info.subresource);
  };
  std::ranges::sort(entries, [&](const Entry& a, const Entry& b) {
    if (a.set->applied != b.set->applied) return a.set->applied;
    return rank(a) < rank(b);
  });
  JsonValue::Array out;
  for (const Entry& entry : entries) {
    out.push_back(EncodeEntry(entry.info, *entry.set, entry.time));
  }
  return JsonValue::Of(std::move(out));
}

void CapUpdateManagers(size_t most, Managed* managed) {
  std::vector<std::string> updaters;
  for (const auto& [identifier, set] : managed->sets) {
    if (!set.applied) updaters.push_back(identifier);
  }
  if (updaters.size() <= most) return;
  std::ranges::sort(updaters, [&](const std::string& a, const std::string& b) {
    return std::tie(managed->times[a], a) < std::tie(managed->times[b], b);
  });
  size_t left = updaters.size();
  std::map<std::string, std::string> first_of;  // by version
  for (const std::string& updater : updaters) {
    if (left <= most) break;
    const ManagedSet set = managed->sets[updater];
    const std::string bucket = ManagerInfo{
        .manager = "ancient-changes",
        .applies = false,
        .api_version = set.api_version,
        .subresource = {}}.Identifier();
    const auto [first, is_first] = first_of.emplace(set.api_version, updater);
    if (is_first) continue;
    if (!managed->sets.contains(bucket)) {
      managed->sets[bucket] = std::move(managed->sets[first->second]);
      managed->sets.erase(first->second);
    }
    ManagedSet& merged = managed->sets[bucket];
    merged = {Union(set.fields, merged.fields), set.api_version, set.applied};
    managed->sets.erase(updater);
    --left;
    managed->times[bucket] = managed->times[updater];
  }
}

bool AsksForReset(const JsonValue* entries) {
  if (entries == nullptr || !entries->is_array()) return false;
  const JsonValue::Array& array = entries->array();
  return array.empty() || (array.size() == 1 && array[0].is_object() && array[0].object().empty());
}

}  // namespace podium::reflect
