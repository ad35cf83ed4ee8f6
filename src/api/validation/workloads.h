// What the rules of kinds that carry a pod template share. Private to them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/field_errors.h"
#include "api/int_or_string.h"
#include "api/labels.h"
#include "api/types/core_v1.h"
#include "api/validation/pod_options.h"

namespace podium::api {

// spec.selector of a workload, made into something that matches.
class TemplateSelector {
 public:
  explicit TemplateSelector(const reflect::Box<meta::v1::LabelSelector>& selector)
      : selector_(labels::LabelSelectorAsSelector(selector)) {}

  // The selector can be used; an absent one can, and matches nothing.
  bool valid() const { return selector_.ok(); }
  // Only when valid.
  bool MatchesAll() const { return selector_->Empty(); }
  bool Matches(const reflect::Map<std::string>& labels) const { return selector_->Matches(labels); }

 private:
  Result<labels::Selector> selector_;
};

// The selector is there, is well formed and is not empty; `empty_detail` says so of an empty one.
field::ErrorList ValidateWorkloadSelector(const reflect::Box<meta::v1::LabelSelector>& selector,
                                          const field::Path& path, std::string_view empty_detail);

// "`selector` does not match template `labels`", where it does not. `path` is the template's.
void CheckTemplateLabels(bool matches, const core::v1::PodTemplateSpec& pod_template,
                         const field::Path& path, field::ErrorList* errors);

// Of a template whose pods run for ever: restartPolicy Always, and no deadline in `kind`.
void CheckRunsForever(const core::v1::PodSpec& spec, const field::Path& path, std::string_view kind,
                      field::ErrorList* errors);

void CheckNonnegative(int64_t value, const field::Path& path, field::ErrorList* errors);
// An absent value passes.
template <class T>
void CheckNonnegative(const std::optional<T>& value, const field::Path& path,
                      field::ErrorList* errors) {
  if (value) CheckNonnegative(int64_t{*value}, path, errors);
}

// A number that is not negative, or a percentage; absent counts as 0.
void CheckIntOrPercent(const std::optional<IntOrString>& value, const field::Path& path,
                       field::ErrorList* errors);
void CheckAtMost100Percent(const std::optional<IntOrString>& value, const field::Path& path,
                           field::ErrorList* errors);
// The number, or that of the percentage; 0 for anything else.
int64_t IntOrPercentValue(const std::optional<IntOrString>& value);

// "field is immutable", where `same` is false; prints `value`.
void CheckImmutable(bool same, const field::BadValue& value, const field::Path& path,
                    field::ErrorList* errors);

// Counters of a status: `value` is at most `limit`, which `detail` names.
void CheckNotGreater(int64_t value, int64_t limit, std::string_view detail, const field::Path& path,
                     field::ErrorList* errors);

// Counters that ReplicaSets and ReplicationControllers share: none is negative, and no part is
// greater than the whole.
template <class Status>
void CheckReplicaCounters(const Status& status, const field::Path& path, field::ErrorList* errors) {
  CheckNonnegative(status.replicas, path.Child("replicas"), errors);
  CheckNonnegative(status.fullyLabeledReplicas, path.Child("fullyLabeledReplicas"), errors);
  CheckNonnegative(status.readyReplicas, path.Child("readyReplicas"), errors);
  CheckNonnegative(status.availableReplicas, path.Child("availableReplicas"), errors);
  CheckNonnegative(status.observedGeneration, path.Child("observedGeneration"), errors);
}
template <class Status>
void CheckReplicaLimits(const Status& status, const field::Path& path, field::ErrorList* errors) {
  constexpr std::string_view kReplicas = "cannot be greater than status.replicas";
  CheckNotGreater(status.fullyLabeledReplicas, status.replicas, kReplicas,
                  path.Child("fullyLabeledReplicas"), errors);
  CheckNotGreater(status.readyReplicas, status.replicas, kReplicas, path.Child("readyReplicas"),
                  errors);
  CheckNotGreater(status.availableReplicas, status.replicas, kReplicas,
                  path.Child("availableReplicas"), errors);
  CheckNotGreater(status.availableReplicas, status.readyReplicas,
                  "cannot be greater than readyReplicas", path.Child("availableReplicas"), errors);
}

// A strategy whose type is unknown. Upstream's internal type has no JSON names: its fields print as
// in Go.
template <class Strategy>
field::BadValue StrategyAsUpstreamPrints(const Strategy& strategy) {
  const auto number = [](const std::optional<IntOrString>& value) {
    return field::BadValue(value.value_or(IntOrString{})).text();
  };
  std::string json = "{\"Type\":" + field::BadValue(strategy.type).text() + ",\"RollingUpdate\":";
  if (strategy.rollingUpdate) {
    json += "{\"MaxUnavailable\":" + number(strategy.rollingUpdate->maxUnavailable) +
            ",\"MaxSurge\":" + number(strategy.rollingUpdate->maxSurge) + "}";
  } else {
    json += "null";
  }
  return field::BadValue::Json(json + "}");
}

// status.collisionCount neither sinks nor goes away.
void CheckCollisionCount(const std::optional<int32_t>& value, const std::optional<int32_t>& old,
                         const field::Path& path, field::ErrorList* errors);

}  // namespace podium::api
