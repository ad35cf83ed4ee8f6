#include "reflect/apply/field_manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/bulk_heap.h"
#include "reflect/apply/managed_fields.h"
#include "reflect/apply/object_fields.h"
#include "reflect/apply/updater.h"
#include "reflect/go_text.h"
#include "reflect/json.h"

namespace podium::reflect {
namespace {

constexpr size_t kMostUpdateManagers = 10;
constexpr std::string_view kMetadata = "metadata";
constexpr std::string_view kManagedFields = "managedFields";
constexpr std::string_view kAnnotations = "annotations";
constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";
constexpr size_t kAnnotationBytes = size_t{256} << 10;
// The manager that takes over from client-side apply.
constexpr std::string_view kKubectl = "kubectl";

const JsonValue* FindIn(const JsonValue& object, std::string_view outer, std::string_view inner) {
  const JsonValue* found = object.Find(outer);
  return found ? found->Find(inner) : nullptr;
}

std::string TextAt(const JsonValue* value) {
  return value && value->is_string() ? value->string() : std::string();
}

// As upstream prints a kind: apps/v1, Kind=Deployment; /v1, Kind=Pod.
std::string KindText(std::string_view api_version, std::string_view kind) {
  return fmt::format("{}{}, Kind={}", api_version.contains('/') ? "" : "/", api_version, kind);
}

std::string NameText(const JsonValue& object) {
  return fmt::format("{}/{}; {}", TextAt(FindIn(object, kMetadata, "namespace")),
                     TextAt(FindIn(object, kMetadata, "name")),
                     KindText(TextAt(object.Find("apiVersion")), TextAt(object.Find("kind"))));
}

// What no set has.
const FieldSet& StrippedFields() {
  static const FieldSet& set = *[] {
    auto* fields = new FieldSet();
    for (const char* name : {"apiVersion", "kind", "metadata"}) {
      fields->Insert({PathElement::Field(name)});
    }
    for (const char* name : {"name", "namespace", "creationTimestamp", "selfLink", "uid",
                             "clusterName", "generation", "managedFields", "resourceVersion"}) {
      fields->Insert({PathElement::Field(std::string(kMetadata)), PathElement::Field(name)});
    }
    return fields;
  }();
  return set;
}

void Strip(const std::string& manager, ManagedSets* sets) {
  const auto found = sets->find(manager);
  if (found == sets->end()) return;
  found->second.fields = Difference(found->second.fields, StrippedFields());
  if (found->second.fields.empty()) sets->erase(found);
}

JsonValue TakeManagedFields(JsonValue* object) {
  JsonValue* metadata = object->Find(kMetadata);
  JsonValue* found = metadata ? metadata->Find(kManagedFields) : nullptr;
  if (found == nullptr) return {};
  JsonValue entries = std::move(*found);
  metadata->Erase(kManagedFields);
  return entries;
}

void PutManagedFields(JsonValue entries, JsonValue* object) {
  if (entries.is_null()) return;
  JsonValue* metadata = object->Find(kMetadata);
  if (metadata == nullptr || !metadata->is_object()) {
    metadata = &object->Set(kMetadata, JsonValue::Of(JsonValue::Object{}));
  }
  metadata->Set(kManagedFields, std::move(entries));
}

VersionedValue VersionedIn(const FieldManagerOptions& options, JsonValue value) {
  return {options.type, options.api_version, std::move(value)};
}

// One request, over the managers that the object has.
class Request {
 public:
  Request(const FieldManagerOptions& options, const WriteOptions& write, Managed managed)
      : options_(options),
        write_(write),
        updater_(options.api_version, options.hooks),
        schema_(SchemaOf(options.type)),
        managed_(std::move(managed)) {}

  Managed& managed() { return managed_; }

  Result<void> Update(const VersionedValue& live, const VersionedValue& object,
                      const std::string& manager);
  Result<ApplyOutcome> Apply(VersionedValue live, const JsonValue& config);

 private:
  struct Attempt {
    Updater::Applied applied;
    Managed managed;
  };

  std::string Identifier(std::string_view manager, bool applies) const {
    return ManagerInfo{.manager = std::string(manager.empty() ? "unknown" : manager),
                       .applies = applies,
                       .api_version = options_.api_version,
                       .subresource = options_.subresource}
        .Identifier();
  }
  Result<void> CheckConfig(const JsonValue& config) const;
  Result<Attempt> Try(VersionedValue live, const JsonValue& config, bool force,
                      Managed managed) const;
  std::optional<FieldSet> LastAppliedFields(const JsonValue& live) const;
  Result<Attempt> TakeOver(const VersionedValue& live, const JsonValue& config) const;

  const FieldManagerOptions& options_;
  const WriteOptions& write_;
  const Updater updater_;
  const ValueSchema schema_;
  Managed managed_;
};

Result<void> Request::Update(const VersionedValue& live, const VersionedValue& object,
                             const std::string& manager) {
  for (const auto& [value, which] :
       {std::pair(&object.value, "new"), std::pair(&live.value, "live")}) {
    const Result<void> checked = CheckValue(schema_, *value, Duplicates::kAllow);
    if (checked.ok()) continue;
    return Error(Code::kInternal, fmt::format("failed to convert {} object ({}) to smd typed: {}",
                                              which, NameText(*value), checked.error().message()));
  }
  // What changed is seen before it is put to what the manager has already.
  const std::string self = "current-operation";
  const Result<void> updated = updater_.Update(live, object, self, &managed_.sets);
  if (!updated.ok()) {
    return Error(Code::kInternal, fmt::format("failed to update ManagedFields ({}): {}",
                                              NameText(object.value), updated.error().message()));
  }
  Strip(self, &managed_.sets);
  if (auto changes = managed_.sets.extract(self)) {
    const std::string identifier = Identifier(manager, false);
    ManagedSet& own = managed_.sets[identifier];
    own = {Union(changes.mapped().fields, own.fields), options_.api_version, false};
    managed_.times[identifier] = write_.time;
  }
  CapUpdateManagers(kMostUpdateManagers, &managed_);
  return {};
}

Result<void> Request::CheckConfig(const JsonValue& config) const {
  const JsonValue* entries = FindIn(config, kMetadata, kManagedFields);
  if (entries && entries->is_array()) {
    return Error(Code::kInvalidArgument, "metadata.managedFields must be nil");
  }
  const Result<void> checked = CheckValue(schema_, config, Duplicates::kForbid);
  if (checked.ok()) return {};
  return Error(Code::kInternal, fmt::format("failed to create typed patch object ({}): {}",
                                            NameText(config), checked.error().message()));
}

Result<Request::Attempt> Request::Try(VersionedValue live, const JsonValue& config, bool force,
                                      Managed managed) const {
  Attempt attempt{.applied = {}, .managed = std::move(managed)};
  const std::string identifier = Identifier(write_.manager, true);
  TRY(attempt.applied,
      updater_.Apply(std::move(live), config, identifier, force, &attempt.managed.sets));
  Strip(identifier, &attempt.managed.sets);
  if (attempt.applied.changed) attempt.managed.times[identifier] = write_.time;
  return attempt;
}

// Fields that client-side apply set last, and that are still as it set them.
std::optional<FieldSet> Request::LastAppliedFields(const JsonValue& live) const {
  const JsonValue* annotations = FindIn(live, kMetadata, kAnnotations);
  const std::string text = TextAt(annotations ? annotations->Find(kLastApplied) : nullptr);
  const Result<JsonValue> last = ParseJson(text);
  if (text.empty() || !last.ok() || TextAt(last->Find("apiVersion")) != options_.api_version ||
      TextAt(last->Find("kind")) != options_.kind ||
      !CheckValue(schema_, live, Duplicates::kForbid).ok() ||
      !CheckValue(schema_, *last, Duplicates::kForbid).ok()) {
    return std::nullopt;
  }
  const Comparison changes = Compare(schema_, *last, live);
  return Difference(
      Difference(Difference(FieldsOf(schema_, *last), changes.modified), changes.added),
      changes.removed);
}

std::string ManagerText(const std::string& identifier) {
  const ManagerInfo info = ManagerInfo::Of(identifier);
  std::string text = GoQuoted(info.manager);
  if (!info.subresource.empty()) text += " with subresource " + GoQuoted(info.subresource);
  if (!info.applies) text += " using " + info.api_version;
  return text;
}

std::vector<FieldConflict> Conflicts(const std::vector<OwnedField>& fields) {
  std::vector<FieldConflict> conflicts;
  conflicts.reserve(fields.size());
  for (const OwnedField& field : fields) {
    conflicts.push_back({ManagerText(field.manager), Shown(field.path)});
  }
  return conflicts;
}

// The annotation of client-side apply follows what its successor applies, so that it can go back.
void UpdateLastApplied(const JsonValue& config, JsonValue* object) {
  JsonValue* metadata = object->Find(kMetadata);
  JsonValue* annotations = metadata ? metadata->Find(kAnnotations) : nullptr;
  JsonValue* there = annotations ? annotations->Find(kLastApplied) : nullptr;
  if (TextAt(there).empty()) return;
  JsonValue applied = config;
  if (JsonValue* its = applied.Find(kMetadata)) {
    if (JsonValue* set = its->Find(kAnnotations); set && set->is_object()) set->Erase(kLastApplied);
  }
  *there =
      JsonValue::String(ToText(applied, {.sort_keys = true, .canonical_numbers = true}) + '\n');
  size_t bytes = 0;
  for (const auto& [key, value] : annotations->object())
    bytes += key.size() + TextAt(&value).size();
  if (bytes > kAnnotationBytes) annotations->Erase(kLastApplied);
}

// As Try; what client-side apply set last is no conflict.
Result<Request::Attempt> Request::TakeOver(const VersionedValue& live,
                                           const JsonValue& config) const {
  TRY(Attempt attempt, Try(live, config, false, managed_));
  std::vector<OwnedField>& conflicts = attempt.applied.conflicts;
  if (conflicts.empty()) return attempt;
  const auto allowed = LastAppliedFields(live.value);
  if (!allowed) return attempt;
  std::erase_if(conflicts, [&](const OwnedField& field) { return allowed->Has(field.path); });
  if (!conflicts.empty()) return attempt;
  return Try(live, config, true, managed_);
}

Result<ApplyOutcome> Request::Apply(VersionedValue live, const JsonValue& config) {
  const std::string api_version = TextAt(config.Find("apiVersion"));
  const std::string kind = TextAt(config.Find("kind"));
  if (api_version != options_.api_version || kind != options_.kind) {
    return Error(Code::kInvalidArgument, "invalid object type: " + KindText(api_version, kind));
  }
  if (managed_.sets.empty()) {
    TRY(JsonValue empty, FieldManager(options_).NewObject());
    const Result<void> tracked =
        Update(VersionedIn(options_, std::move(empty)), live, "before-first-apply");
    if (!tracked.ok()) {
      return Error(Code::kInternal,
                   "failed to create manager for existing fields: " + tracked.error().message());
    }
  }
  TRY_VOID(CheckConfig(config));
  if (const auto checked = CheckValue(schema_, live.value, Duplicates::kAllow); !checked.ok()) {
    return Error(Code::kInternal, fmt::format("failed to create typed live object ({}): {}",
                                              NameText(live.value), checked.error().message()));
  }
  const bool takes_over = write_.manager == kKubectl && !write_.force;
  TRY(Attempt attempt,
      takes_over ? TakeOver(live, config)
                 : Try(std::move(live), config, write_.force, std::exchange(managed_, {})));
  const std::vector<OwnedField>& conflicts = attempt.applied.conflicts;
  if (!conflicts.empty()) return ApplyOutcome{{}, Conflicts(conflicts)};
  managed_ = std::move(attempt.managed);
  JsonValue object = std::move(attempt.applied.object);
  if (write_.manager == kKubectl) UpdateLastApplied(config, &object);
  return ApplyOutcome{std::move(object), {}};
}

}  // namespace

Result<JsonValue> FieldManager::NewObject() const {
  JsonValue empty = JsonValue::Of(JsonValue::Object{});
  if (options_.type != nullptr) {
    const AnyObject object(*options_.type);
    std::string text;
    TRY_VOID(EncodeJson(*options_.type, object.get(), &text));
    TRY(empty, ParseJson(text));
  }
  empty.Set("apiVersion", JsonValue::String(options_.api_version));
  empty.Set("kind", JsonValue::String(options_.kind));
  return empty;
}

Result<ApplyOutcome> FieldManager::Apply(JsonValue live, const JsonValue& config,
                                         const WriteOptions& options) const {
  const BulkAllocation bulk;
  const JsonValue entries = TakeManagedFields(&live);
  Result<Managed> managed = DecodeManaged(&entries);
  if (!managed.ok()) {
    return Error(Code::kInternal, "failed to decode managed fields: " + managed.error().message());
  }
  Request request(options_, options, *std::move(managed));
  TRY(ApplyOutcome outcome, request.Apply(VersionedIn(options_, std::move(live)), config));
  if (outcome.conflicts.empty()) {
    PutManagedFields(EncodeManaged(request.managed()), &outcome.object);
  }
  return outcome;
}

Result<JsonValue> FieldManager::Update(const JsonValue& live, JsonValue object,
                                       const WriteOptions& options) const {
  const BulkAllocation bulk;
  const JsonValue brought = TakeManagedFields(&object);
  const JsonValue* stored = FindIn(live, kMetadata, kManagedFields);
  Managed managed;
  if (!options_.subresource.empty() || !AsksForReset(&brought)) {
    Result<Managed> decoded = options_.subresource.empty() ? DecodeManaged(&brought) : Managed();
    if (!decoded.ok() || decoded->sets.empty()) decoded = DecodeManaged(stored);
    if (decoded.ok()) managed = *std::move(decoded);
  }
  const bool exists = !TextAt(FindIn(live, kMetadata, "uid")).empty();
  if (managed.sets.empty() && exists) return object;
  Request request(options_, options, std::move(managed));
  VersionedValue now = VersionedIn(options_, std::move(object));
  TRY_VOID(request.Update(VersionedIn(options_, live), now, options.manager));
  PutManagedFields(EncodeManaged(request.managed()), &now.value);
  return std::move(now.value);
}

std::string ConflictMessage(const std::vector<FieldConflict>& conflicts) {
  if (conflicts.size() == 1) {
    return fmt::format("Apply failed with 1 conflict: conflict with {}: {}", conflicts[0].manager,
                       conflicts[0].field);
  }
  std::string text = fmt::format("Apply failed with {} conflicts: ", conflicts.size());
  const std::string* manager = nullptr;
  for (const FieldConflict& conflict : conflicts) {
    if (manager == nullptr || *manager != conflict.manager) {
      text += fmt::format("{}conflicts with {}:", manager ? "\n" : "", conflict.manager);
    }
    text += "\n- " + conflict.field;
    manager = &conflict.manager;
  }
  return text;
}

Result<void> CheckManagedFields(const JsonValue* entries) {
  TRY_VOID(DecodeManaged(entries));
  return {};
}

void KeepTimesOfUnchanged(const JsonValue& stored, JsonValue* object) {
  const JsonValue* before = FindIn(stored, kMetadata, kManagedFields);
  const JsonValue* after = FindIn(*object, kMetadata, kManagedFields);
  if (!ElementsOf(before) || !ElementsOf(after) ||
      before->array().size() != after->array().size()) {
    return;
  }
  for (size_t i = 0; i < before->array().size(); ++i) {
    JsonValue left = before->array()[i];
    JsonValue right = after->array()[i];
    if (!left.is_object() || !right.is_object()) return;
    left.Erase("time");
    right.Erase("time");
    if (!Equivalent(left, right)) return;
  }
  JsonValue entries = TakeManagedFields(object);
  PutManagedFields(*before, object);
  if (!Equivalent(stored, *object)) PutManagedFields(std::move(entries), object);
}

std::function<FieldSet(std::string_view, const FieldSet&)> WithoutFields(
    std::vector<std::pair<std::string, FieldSet>> sets_by_version) {
  return [sets = std::move(sets_by_version)](std::string_view api_version, const FieldSet& fields) {
    for (const auto& [version, set] : sets) {
      if (version == api_version) return RecursiveDifference(fields, set);
    }
    return fields;
  };
}

}  // namespace podium::reflect
