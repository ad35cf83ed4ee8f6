#include "apiserver/strategies/strategy.h"

#include <algorithm>
#include <functional>
#include <string>

#include "api/object_meta.h"
#include "reflect/copy.h"

namespace podium::apiserver {
namespace {

using api::meta::v1::ObjectMeta;
using reflect::Field;
using reflect::Type;

bool IsHeader(const Field& field) {
  return field.name() == "kind" || field.name() == "apiVersion" || field.name() == "metadata";
}

void TakeFields(const Type& type, const void* from, void* to,
                const std::function<bool(const Field& field)>& takes) {
  for (const Field& field : type.fields) {
    if (takes(field)) reflect::ReplaceField(field, field.at(from), field.at(to));
  }
}

bool SameField(const Type& type, std::string_view name, const void* a, const void* b) {
  const Field* field = type.Find(name);
  return field == nullptr || reflect::EqualField(*field, field->at(a), field->at(b));
}

bool SameContent(const Type& type, bool status_counts, const void* a, const void* b) {
  return std::ranges::all_of(type.fields, [&](const Field& field) {
    return IsHeader(field) || (field.name() == "status" && !status_counts) ||
           reflect::EqualField(field, field.at(a), field.at(b));
  });
}

bool IsChanged(Generation generation, const Type& type, const void* object, const void* old) {
  switch (generation) {
    case Generation::kSpec:
      return !SameField(type, "spec", object, old);
    case Generation::kContent:
      return !SameContent(type, false, object, old);
    case Generation::kAll:
      return !SameContent(type, true, object, old);
    case Generation::kNone:
    case Generation::kOwn:
      return false;
  }
  return false;
}

void KeepMetadata(KeptMetadata kept, const ObjectMeta& old, ObjectMeta* metadata) {
  if (kept == KeptMetadata::kLabels || kept == KeptMetadata::kNames) metadata->labels = old.labels;
  if (kept == KeptMetadata::kOwners || kept == KeptMetadata::kNames) {
    metadata->ownerReferences = old.ownerReferences;
  }
  if (kept == KeptMetadata::kNames) {
    metadata->annotations = old.annotations;
    metadata->finalizers = old.finalizers;
    metadata->deletionTimestamp = old.deletionTimestamp;
  }
}

constexpr Strategy kPlain{};
constexpr Strategy kPlainStatus{.subresource = "status", .own_field = "status"};
constexpr Strategy kCustom{.generation = Generation::kAll, .unconditional_update = false};
constexpr Strategy kCustomWithStatus{
    .has_status = true, .generation = Generation::kContent, .unconditional_update = false};
// The status of a custom resource is all that its subresource changes, managedFields aside.
constexpr Strategy kCustomStatus{.subresource = "status",
                                 .own_field = "status",
                                 .kept_metadata = KeptMetadata::kNames,
                                 .unconditional_update = false};

}  // namespace

void PrepareForCreate(const Strategy& strategy, const Type& type, const StrategyContext& context,
                      void* object) {
  const Field* status = type.Find("status");
  if (strategy.has_status && !strategy.created_with_status && status != nullptr) {
    reflect::ResetField(*status, status->at(object));
  }
  ObjectMeta* metadata = api::EnsureObjectMeta(type, object);
  if (strategy.generation != Generation::kNone && metadata != nullptr) metadata->generation = 1;
  if (strategy.prepare_create != nullptr) strategy.prepare_create(context, object);
}

void PrepareForUpdate(const Strategy& strategy, const Type& type, const StrategyContext& context,
                      void* object, const void* old) {
  if (!strategy.own_field.empty()) {
    TakeFields(type, old, object, [&](const Field& field) {
      return !IsHeader(field) && field.name() != strategy.own_field;
    });
  } else if (strategy.has_status) {
    TakeFields(type, old, object, [](const Field& field) { return field.name() == "status"; });
  }
  ObjectMeta* metadata = api::EnsureObjectMeta(type, object);
  const ObjectMeta* old_metadata = api::FindObjectMeta(type, old);
  const bool has_metadata = metadata != nullptr && old_metadata != nullptr;
  if (has_metadata) {
    KeepMetadata(strategy.kept_metadata, *old_metadata, metadata);
    metadata->generation = old_metadata->generation;
  }
  if (strategy.prepare_update != nullptr) strategy.prepare_update(context, object, old);
  if (has_metadata && IsChanged(strategy.generation, type, object, old)) ++metadata->generation;
}

bool IsResetField(const Strategy& strategy, const Type& type, std::string_view path) {
  const std::string_view top = path.substr(0, path.find('.'));
  if (strategy.own_field.empty()) return strategy.has_status && top == "status";
  if (top != "metadata") {
    const Field* field = type.Find(top);
    return field != nullptr && !IsHeader(*field) && top != strategy.own_field;
  }
  const auto is = [&](std::string_view name) {
    const std::string field = "metadata." + std::string(name);
    return path == field || path.starts_with(field + ".");
  };
  switch (strategy.kept_metadata) {
    case KeptMetadata::kNothing:
      return false;
    case KeptMetadata::kLabels:
      return is("labels");
    case KeptMetadata::kOwners:
      return is("ownerReferences");
    case KeptMetadata::kNames:
      return is("labels") || is("annotations") || is("finalizers") || is("ownerReferences");
  }
  return false;
}

const Strategy& StrategyOf(const Type& stored_type, std::string_view subresource) {
  for (const auto& rows : {PodStrategies(), CoreStrategies(), WorkloadStrategies(),
                           ServiceStrategies(), ClusterStrategies(), ServerStrategies()}) {
    for (const Strategy& row : rows) {
      if (row.type == &stored_type && row.subresource == subresource) return row;
    }
  }
  return subresource == "status" ? kPlainStatus : kPlain;
}

const Strategy& CustomStrategyOf(bool has_status, std::string_view subresource) {
  if (subresource == "status") return kCustomStatus;
  return has_status ? kCustomWithStatus : kCustom;
}

}  // namespace podium::apiserver
