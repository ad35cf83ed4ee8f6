#include "reflect/apply/updater.h"

#include <algorithm>
#include <utility>

#include "reflect/apply/merge.h"
#include "reflect/apply/object_fields.h"
#include "reflect/apply/pruning.h"
#include "reflect/apply/touched_part.h"

namespace podium::reflect {
namespace {

bool IsMissing(const Error& error) { return error.code() == Code::kNotFound; }

}  // namespace

FieldSet Updater::Filtered(std::string_view version, FieldSet set) const {
  return hooks_.filter ? hooks_.filter(version, set) : std::move(set);
}

Comparison Updater::Filtered(std::string_view version, Comparison comparison) const {
  if (!hooks_.filter) return comparison;
  return {.added = hooks_.filter(version, comparison.added),
          .modified = hooks_.filter(version, comparison.modified),
          .removed = hooks_.filter(version, comparison.removed)};
}

// What was granular when a set was written may be atomic now; sets of versions that are gone go.
Result<void> Updater::Reconcile(const VersionedValue& live, ManagedSets* sets) const {
  std::map<std::string, const Type*, std::less<>> types{{live.api_version, live.type}};
  for (auto at = sets->begin(); at != sets->end();) {
    ManagedSet& set = at->second;
    auto known = types.find(set.api_version);
    if (known == types.end()) {
      const Result<VersionedValue> converted = ConvertTo(hooks_, live, set.api_version);
      if (!converted.ok() && IsMissing(converted.error())) {
        at = sets->erase(at);
        continue;
      }
      if (!converted.ok()) return converted.error();
      known = types.emplace(set.api_version, converted->type).first;
    }
    set.fields = WithAtomicFields(SchemaOf(known->second), std::move(set.fields));
    ++at;
  }
  return {};
}

Result<Updater::Losses> Updater::LossesIn(const std::string& version, const VersionedValue& live,
                                          const VersionedValue& now) const {
  const auto convert = [&](const VersionedValue& value, std::string_view which) {
    Result<VersionedValue> converted = ConvertTo(hooks_, value, version);
    if (converted.ok() || IsMissing(converted.error())) return converted;
    return Result<VersionedValue>(Error(
        Code::kInternal,
        "failed to convert " + std::string(which) + " object: " + converted.error().message()));
  };
  TRY(const VersionedValue before, convert(live, "old"));
  TRY(const VersionedValue after, convert(now, "new"));
  Comparison changes = Filtered(version, Compare(SchemaOf(before.type), before.value, after.value));
  return Losses{Union(changes.modified, changes.added), std::move(changes.removed)};
}

Result<std::vector<OwnedField>> Updater::TakeFromOthers(const VersionedValue& live,
                                                        const VersionedValue& now,
                                                        const Comparison& changes,
                                                        const std::string& manager, bool force,
                                                        ManagedSets* sets) const {
  std::map<std::string, Losses> losses;
  losses[api_version_] = {Union(changes.modified, changes.added), changes.removed};
  std::vector<OwnedField> conflicts;
  for (auto at = sets->begin(); at != sets->end();) {
    auto& [other, set] = *at;
    if (other != manager) {
      auto known = losses.find(set.api_version);
      if (known == losses.end()) {
        Result<Losses> its = LossesIn(set.api_version, live, now);
        if (!its.ok() && IsMissing(its.error())) {
          at = sets->erase(at);
          continue;
        }
        if (!its.ok()) return std::move(its).error();
        known = losses.emplace(set.api_version, *std::move(its)).first;
      }
      const auto& [changed, removed] = known->second;
      if (const FieldSet taken = Intersection(set.fields, changed); !taken.empty()) {
        if (!force) {
          taken.ForEach([&](const FieldPathElements& path) { conflicts.push_back({other, path}); });
        }
        set.fields = Difference(set.fields, taken);
      }
      if (!removed.empty()) set.fields = Difference(set.fields, removed);
    }
    at = set.fields.empty() ? sets->erase(at) : std::next(at);
  }
  return conflicts;
}

Result<void> Updater::Update(const VersionedValue& live, const VersionedValue& now,
                             const std::string& manager, ManagedSets* sets) const {
  TRY_VOID(Reconcile(live, sets));
  const Comparison changes =
      Filtered(api_version_, Compare(SchemaOf(live.type), live.value, now.value));
  TRY_VOID(TakeFromOthers(live, now, changes, manager, true, sets));
  ManagedSet& own = (*sets)[manager];
  FieldSet fields =
      Union(Union(Difference(own.fields, changes.removed), changes.modified), changes.added);
  own = {Filtered(api_version_, std::move(fields)), api_version_, false};
  if (own.fields.empty()) sets->erase(manager);
  return {};
}

Result<Updater::Applied> Updater::Apply(VersionedValue live, const JsonValue& config,
                                        const std::string& manager, bool force,
                                        ManagedSets* sets) const {
  TRY_VOID(Reconcile(live, sets));
  const ValueSchema schema = SchemaOf(live.type);
  ManagedSet& own = (*sets)[manager];
  const ManagedSet last =
      std::exchange(own, {Filtered(api_version_, FieldsOf(schema, config)), api_version_, true});
  // Other versions are made of whole objects; what they change by that is not known here.
  const bool whole =
      std::ranges::any_of(
          *sets, [&](const auto& entry) { return entry.second.api_version != api_version_; }) ||
      (!last.fields.empty() && last.api_version != api_version_);
  const Touch touch{.config = &config, .last = &last.fields, .own = &own.fields};
  const auto part_of = [&](const VersionedValue& object) {
    return VersionedValue{object.type, object.api_version,
                          TouchedPart(schema, object.value, touch)};
  };
  const VersionedValue before = whole ? live : part_of(live);
  VersionedValue now = std::move(live);
  MergeValue(schema, config, &now.value);
  const Result<void> pruned = Prune(hooks_, last, *sets, &now);
  if (!pruned.ok()) {
    return Error(pruned.error().code(), "failed to prune fields: " + pruned.error().message());
  }
  const VersionedValue after_part = whole ? VersionedValue() : part_of(now);
  const VersionedValue& after = whole ? now : after_part;
  Comparison changes = Compare(schema, before.value, after.value);
  const bool is_same = changes.is_same();
  changes = Filtered(api_version_, std::move(changes));
  Applied applied;
  TRY(applied.conflicts, TakeFromOthers(before, after, changes, manager, force, sets));
  if (!applied.conflicts.empty()) return applied;
  // The order of elements is no difference between sets of fields.
  applied.changed = !is_same || !Equivalent(before.value, after.value);
  applied.object = std::move(now.value);
  return applied;
}

}  // namespace podium::reflect
