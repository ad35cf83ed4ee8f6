#include "reflect/apply/scale_fields.h"

#include <utility>

#include "reflect/apply/managed_fields.h"

namespace podium::reflect {
namespace {

constexpr const char* kScaleVersion = "autoscaling/v1";

FieldPathElements PathInScale() {
  return {PathElement::Field("spec"), PathElement::Field("replicas")};
}

FieldSet SetOf(const FieldPathElements& path) {
  FieldSet set;
  set.Insert(path);
  return set;
}

}  // namespace

Result<JsonValue> ManagedFieldsOfScale(const JsonValue* entries, const ReplicasPaths& paths) {
  TRY(const Managed managed, DecodeManaged(entries));
  Managed out;
  for (const auto& [manager, set] : managed.sets) {
    const auto path = paths.find(set.api_version);
    if (path == paths.end() || !set.fields.Has(path->second)) continue;
    out.sets[manager] = {SetOf(PathInScale()), kScaleVersion, set.applied};
    out.times[manager] = managed.times.at(manager);
  }
  return EncodeManaged(out);
}

Result<JsonValue> ManagedFieldsAfterScale(const JsonValue* entries, const JsonValue* scale_entries,
                                          const std::string& api_version,
                                          const ReplicasPaths& paths) {
  TRY(const Managed before, DecodeManaged(entries));
  TRY(Managed scale, DecodeManaged(scale_entries));
  Managed out;
  for (const auto& [manager, set] : before.sets) {
    const auto path = paths.find(set.api_version);
    if (path == paths.end()) continue;
    FieldSet fields = set.fields;
    const bool owned_both = fields.Has(path->second) && scale.sets.erase(manager) > 0;
    // What others took by the scale is lost.
    if (fields.Has(path->second) && !owned_both) fields = Difference(fields, SetOf(path->second));
    if (fields.empty() && !set.fields.empty()) continue;
    out.sets[manager] = {std::move(fields), set.api_version, set.applied};
    out.times[manager] = before.times.at(manager);
  }
  const auto here = paths.find(api_version);
  const FieldSet number = here == paths.end() ? FieldSet() : SetOf(here->second);
  for (const auto& [manager, set] : scale.sets) {
    if (!set.fields.Has(PathInScale())) continue;
    out.sets[manager] = {number, api_version, set.applied};
    // As upstream: an entry that is new here has no time.
    const auto time = before.times.find(manager);
    out.times[manager] = time == before.times.end() ? std::string() : time->second;
  }
  return EncodeManaged(out);
}

}  // namespace podium::reflect
