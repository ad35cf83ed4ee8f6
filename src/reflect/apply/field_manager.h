// Server-side apply: who set which field of an object, kept in its metadata.managedFields, and the
// merging of what several write into one object without undoing each other's work.
//
//   const FieldManager fields({.type = &TypeOf<Deployment>(), .api_version = "apps/v1",
//                              .kind = "Deployment"});
//   TRY(ApplyOutcome outcome, fields.Apply(live, config, {.manager = "ci", .time = now}));
//   if (!outcome.conflicts.empty()) return ConflictMessage(outcome.conflicts);
//
// Semantics and texts are those of upstream's package managedfields (apimachinery v0.36) over
// structured-merge-diff v6:
// - what a configuration says is owned by who applies it: leaves, elements of lists that are maps
//   or sets, entries of maps; what is atomic, as a whole;
// - what another manager owns and the configuration changes is a conflict, unless it is forced;
// - what was applied before and is not any more goes, when nobody else owns it;
// - what other writes (create, update, patch) add or change is owned by their managers, in entries
//   of their own by version and subresource; ten of them at most, then the oldest become one;
// - `kubectl` takes over what its client-side apply wrote, which the annotation last-applied tells.
//
// Objects are JSON trees. Live ones are as EncodeJson writes them, so that a struct that is there
// and empty is there; configurations are as they were sent: what they leave out they do not own.
// Decoding what comes out, defaulting it and dropping its nulls is the caller's.
//
// Time is linear in the objects and sets, n log n in list elements; nothing is kept between calls,
// and any thread may call. Errors, by what upstream's API server answers:
//   kInvalidArgument  400: the configuration is of another kind, or has managedFields itself
//   kInternal         500: it does not fit the schema: `failed to create typed patch object (...)`
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "reflect/apply/field_set.h"
#include "reflect/json_value.h"
#include "reflect/type.h"

namespace podium::reflect {

// An object, or what is to become one, in one version.
struct VersionedValue {
  const Type* type = nullptr;  // null: any JSON, whose lists are atomic
  std::string api_version;
  JsonValue value;
};

// What depends on the resource. Either may be empty.
struct FieldManagerHooks {
  // The value in another version, and its type. kNotFound when that version is not known any more:
  // then who wrote in it owns nothing. Without it, only the object's own version is known.
  std::function<Result<VersionedValue>(const VersionedValue& value, std::string_view api_version)>
      convert{};
  // Of a set of fields of a version those that writes through this resource or subresource count
  // for; the others they reset (status on the main resource) and do not own.
  std::function<FieldSet(std::string_view api_version, const FieldSet& fields)> filter{};
};

struct FieldManagerOptions {
  const Type* type = nullptr;  // as in VersionedValue
  std::string api_version{};
  std::string kind{};
  std::string subresource{};  // that is written to; empty for the object itself
  FieldManagerHooks hooks{};
};

// A field that another manager owns.
struct FieldConflict {
  std::string manager;  // "kubectl" using apps/v1
  std::string field;    // .spec.replicas

  friend bool operator==(const FieldConflict&, const FieldConflict&) = default;
};

// `Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas`; several
// are listed by manager, a line each.
std::string ConflictMessage(const std::vector<FieldConflict>& conflicts);

struct ApplyOutcome {
  JsonValue object;                      // with its managedFields; null when there are conflicts
  std::vector<FieldConflict> conflicts;  // by manager
};

struct WriteOptions {
  std::string manager{};  // "unknown" when empty
  std::string time{};     // now, as 2026-03-14T09:26:53Z
  bool force = false;     // of an apply: take what others own
};

class FieldManager {
 public:
  explicit FieldManager(FieldManagerOptions options) : options_(std::move(options)) {}

  // What stands for an object that is not there yet, in both of the following.
  Result<JsonValue> NewObject() const;

  Result<ApplyOutcome> Apply(JsonValue live, const JsonValue& config,
                             const WriteOptions& options) const;

  // `object`, which is to replace `live` (to be created, when that has no uid), with the
  // managedFields it has then. Those that it brings along count, unless they are empty or wrong;
  // [] or [{}] drops all, and fields are not tracked any more until the next apply. To a
  // subresource nobody brings any.
  Result<JsonValue> Update(const JsonValue& live, JsonValue object,
                           const WriteOptions& options) const;

 private:
  const FieldManagerOptions options_;
};

// Whether metadata.managedFields (null when there is none) can be read; the error is upstream's.
Result<void> CheckManagedFields(const JsonValue* entries);

// Where nothing but times of managedFields differs between what is stored and what is to be, the
// times stay as they are, so that a write that changes nothing is none. Both are objects in the
// form that is stored.
void KeepTimesOfUnchanged(const JsonValue& stored, JsonValue* object);

// A filter (FieldManagerHooks): without these paths and what is behind them.
std::function<FieldSet(std::string_view, const FieldSet&)> WithoutFields(
    std::vector<std::pair<std::string, FieldSet>> sets_by_version);

}  // namespace podium::reflect
