// HorizontalPodAutoscaler: v1 has one metric, the utilization of cpu, and keeps the others, all
// current values, the behavior and the conditions as JSON in annotations.
#include <optional>
#include <string>
#include <utility>

#include "api/conversion/converters.h"
#include "api/types/autoscaling_v1.h"
#include "api/types/autoscaling_v2.h"
#include "base/ascii.h"
#include "reflect/copy.h"
#include "reflect/json_value.h"

namespace podium::api {
namespace {

namespace old = autoscaling::v1;
namespace stored = autoscaling::v2;
using reflect::JsonValue;
using reflect::List;

constexpr const char* kMetrics = "autoscaling.alpha.kubernetes.io/metrics";
constexpr const char* kCurrentMetrics = "autoscaling.alpha.kubernetes.io/current-metrics";
constexpr const char* kBehavior = "autoscaling.alpha.kubernetes.io/behavior";
constexpr const char* kConditions = "autoscaling.alpha.kubernetes.io/conditions";
// All that stand for fields; the last two are those of v2beta2, which nobody serves any more.
constexpr const char* kRoundTrip[] = {kMetrics,
                                      kCurrentMetrics,
                                      kBehavior,
                                      kConditions,
                                      "autoscaling.alpha.kubernetes.io/scale-down-tolerance",
                                      "autoscaling.alpha.kubernetes.io/scale-up-tolerance"};
constexpr const char* kCpu = "cpu";
// What the controller of v1 took for one that says nothing.
constexpr int32_t kDefaultCpuUtilization = 80;

template <class To, class From>
To Reference(const From& from) {
  To to;
  to.kind = from.kind;
  to.name = from.name;
  to.apiVersion = from.apiVersion;
  return to;
}

// A quantity that v1 has no word for the absence of.
Quantity OrZero(const std::optional<Quantity>& quantity) { return quantity.value_or(Quantity()); }
std::optional<Quantity> UnlessZero(const Quantity& quantity) {
  return quantity.CmpInt(0) == 0 ? std::nullopt : std::optional(quantity);
}

stored::MetricIdentifier Identifier(const std::string& name,
                                    const reflect::Box<meta::v1::LabelSelector>& selector) {
  return {.name = name, .selector = selector};
}

// Of a resource, of all containers or of one.
template <class Old, class Stored>
Old ResourceToOld(const Stored& from) {
  Old to;
  to.name = from.name;
  to.targetAverageUtilization = from.target.averageUtilization;
  to.targetAverageValue = from.target.averageValue;
  return to;
}
template <class Stored, class Old>
Stored ResourceToStored(const Old& from) {
  Stored to;
  to.name = from.name;
  to.target.type = from.targetAverageUtilization ? "Utilization" : "AverageValue";
  to.target.averageUtilization = from.targetAverageUtilization;
  to.target.averageValue = from.targetAverageValue;
  return to;
}
template <class Old, class Stored>
Old CurrentToOld(const Stored& from) {
  Old to;
  to.name = from.name;
  to.currentAverageUtilization = from.current.averageUtilization;
  to.currentAverageValue = OrZero(from.current.averageValue);
  return to;
}
template <class Stored, class Old>
Stored CurrentToStored(const Old& from) {
  Stored to;
  to.name = from.name;
  to.current.averageUtilization = from.currentAverageUtilization;
  to.current.averageValue = from.currentAverageValue;
  return to;
}

old::MetricSpec ToOld(const stored::MetricSpec& from) {
  old::MetricSpec to;
  to.type = from.type;
  if (from.object.has_value()) {
    old::ObjectMetricSource& object = to.object.ensure();
    object.target = Reference<old::CrossVersionObjectReference>(from.object->describedObject);
    object.metricName = from.object->metric.name;
    object.selector = from.object->metric.selector;
    object.targetValue = OrZero(from.object->target.value);
    object.averageValue = from.object->target.averageValue;
  }
  if (from.pods.has_value()) {
    old::PodsMetricSource& pods = to.pods.ensure();
    pods.metricName = from.pods->metric.name;
    pods.selector = from.pods->metric.selector;
    pods.targetAverageValue = OrZero(from.pods->target.averageValue);
  }
  if (from.resource.has_value()) {
    to.resource.ensure() = ResourceToOld<old::ResourceMetricSource>(*from.resource);
  }
  if (from.containerResource.has_value()) {
    to.containerResource.ensure() =
        ResourceToOld<old::ContainerResourceMetricSource>(*from.containerResource);
    to.containerResource->container = from.containerResource->container;
  }
  if (from.external.has_value()) {
    old::ExternalMetricSource& external = to.external.ensure();
    external.metricName = from.external->metric.name;
    external.metricSelector = from.external->metric.selector;
    external.targetValue = from.external->target.value;
    external.targetAverageValue = from.external->target.averageValue;
  }
  return to;
}

stored::MetricSpec ToStored(const old::MetricSpec& from) {
  stored::MetricSpec to;
  to.type = from.type;
  if (from.object.has_value()) {
    stored::ObjectMetricSource& object = to.object.ensure();
    object.describedObject = Reference<stored::CrossVersionObjectReference>(from.object->target);
    object.metric = Identifier(from.object->metricName, from.object->selector);
    object.target.averageValue = from.object->averageValue;
    object.target.type = object.target.averageValue ? "AverageValue" : "Value";
    object.target.value = object.target.averageValue ? UnlessZero(from.object->targetValue)
                                                     : std::optional(from.object->targetValue);
  }
  if (from.pods.has_value()) {
    stored::PodsMetricSource& pods = to.pods.ensure();
    pods.metric = Identifier(from.pods->metricName, from.pods->selector);
    pods.target.type = "AverageValue";
    pods.target.averageValue = from.pods->targetAverageValue;
  }
  if (from.resource.has_value()) {
    to.resource.ensure() = ResourceToStored<stored::ResourceMetricSource>(*from.resource);
  }
  if (from.containerResource.has_value()) {
    to.containerResource.ensure() =
        ResourceToStored<stored::ContainerResourceMetricSource>(*from.containerResource);
    to.containerResource->container = from.containerResource->container;
  }
  if (from.external.has_value()) {
    stored::ExternalMetricSource& external = to.external.ensure();
    external.metric = Identifier(from.external->metricName, from.external->metricSelector);
    external.target.value = from.external->targetValue;
    external.target.averageValue = from.external->targetAverageValue;
    external.target.type = external.target.value ? "Value" : "AverageValue";
  }
  return to;
}

old::MetricStatus ToOld(const stored::MetricStatus& from) {
  old::MetricStatus to;
  to.type = from.type;
  if (from.object.has_value()) {
    old::ObjectMetricStatus& object = to.object.ensure();
    object.target = Reference<old::CrossVersionObjectReference>(from.object->describedObject);
    object.metricName = from.object->metric.name;
    object.selector = from.object->metric.selector;
    object.currentValue = OrZero(from.object->current.value);
    object.averageValue = from.object->current.averageValue;
  }
  if (from.pods.has_value()) {
    old::PodsMetricStatus& pods = to.pods.ensure();
    pods.metricName = from.pods->metric.name;
    pods.selector = from.pods->metric.selector;
    pods.currentAverageValue = OrZero(from.pods->current.averageValue);
  }
  if (from.resource.has_value()) {
    to.resource.ensure() = CurrentToOld<old::ResourceMetricStatus>(*from.resource);
  }
  if (from.containerResource.has_value()) {
    to.containerResource.ensure() =
        CurrentToOld<old::ContainerResourceMetricStatus>(*from.containerResource);
    to.containerResource->container = from.containerResource->container;
  }
  if (from.external.has_value()) {
    old::ExternalMetricStatus& external = to.external.ensure();
    external.metricName = from.external->metric.name;
    external.metricSelector = from.external->metric.selector;
    external.currentValue = OrZero(from.external->current.value);
    external.currentAverageValue = from.external->current.averageValue;
  }
  return to;
}

stored::MetricStatus ToStored(const old::MetricStatus& from) {
  stored::MetricStatus to;
  to.type = from.type;
  if (from.object.has_value()) {
    stored::ObjectMetricStatus& object = to.object.ensure();
    object.describedObject = Reference<stored::CrossVersionObjectReference>(from.object->target);
    object.metric = Identifier(from.object->metricName, from.object->selector);
    object.current.value = from.object->currentValue;
    object.current.averageValue = from.object->averageValue;
  }
  if (from.pods.has_value()) {
    stored::PodsMetricStatus& pods = to.pods.ensure();
    pods.metric = Identifier(from.pods->metricName, from.pods->selector);
    pods.current.averageValue = from.pods->currentAverageValue;
  }
  if (from.resource.has_value()) {
    to.resource.ensure() = CurrentToStored<stored::ResourceMetricStatus>(*from.resource);
  }
  if (from.containerResource.has_value()) {
    to.containerResource.ensure() =
        CurrentToStored<stored::ContainerResourceMetricStatus>(*from.containerResource);
    to.containerResource->container = from.containerResource->container;
  }
  if (from.external.has_value()) {
    stored::ExternalMetricStatus& external = to.external.ensure();
    external.metric = Identifier(from.external->metricName, from.external->metricSelector);
    external.current.value = from.external->currentValue;
    external.current.averageValue = from.external->currentAverageValue;
  }
  return to;
}

// The metric that v1 has a field for.
bool IsCpuUtilization(const stored::MetricSpec& metric) {
  return metric.type == "Resource" && metric.resource.has_value() &&
         metric.resource->name == kCpu && metric.resource->target.averageUtilization.has_value();
}

stored::MetricSpec CpuUtilization(int32_t percent) {
  stored::MetricSpec metric;
  metric.type = "Resource";
  stored::ResourceMetricSource& resource = metric.resource.ensure();
  resource.name = kCpu;
  resource.target.type = "Utilization";
  resource.target.averageUtilization = percent;
  return metric;
}

template <class T>
Result<std::string> ListText(const List<T>& list) {
  std::string out = "[";
  for (const T& element : list) {
    if (out.size() > 1) out += ',';
    TRY_VOID(reflect::EncodeJson(reflect::TypeOf<T>(), &element, &out));
  }
  return out + ']';
}

// What is no list of these is passed over, as upstream does.
template <class T>
std::optional<List<T>> ReadList(const std::string& text) {
  const auto value = reflect::ParseJson(text);
  if (!value.ok() || !value->is_array()) return std::nullopt;
  List<T> list;
  for (const JsonValue& element : value->array()) {
    auto read = reflect::FromJson<T>(reflect::ToText(element), {.strict = false});
    if (!read.ok()) return std::nullopt;
    list.push_back(*std::move(read));
  }
  return list;
}

JsonValue NumberOrNull(const std::optional<int32_t>& value) {
  return value ? JsonValue::Number(std::to_string(*value)) : JsonValue();
}

// Upstream writes its internal struct, whose members have the names of Go's fields and are never
// left out.
JsonValue RulesValue(const reflect::Box<stored::HPAScalingRules>& rules) {
  if (!rules.has_value()) return {};
  JsonValue out = JsonValue::Of(JsonValue::Object{});
  out.Set("StabilizationWindowSeconds", NumberOrNull(rules->stabilizationWindowSeconds));
  out.Set("SelectPolicy",
          rules->selectPolicy ? JsonValue::String(*rules->selectPolicy) : JsonValue());
  JsonValue::Array policies;
  for (const stored::HPAScalingPolicy& policy : rules->policies) {
    JsonValue& value = policies.emplace_back(JsonValue::Of(JsonValue::Object{}));
    value.Set("Type", JsonValue::String(policy.type));
    value.Set("Value", NumberOrNull(policy.value));
    value.Set("PeriodSeconds", NumberOrNull(policy.periodSeconds));
  }
  out.Set("Policies", rules->policies.empty() ? JsonValue() : JsonValue::Of(std::move(policies)));
  out.Set("Tolerance",
          rules->tolerance ? JsonValue::String(rules->tolerance->String()) : JsonValue());
  return out;
}

std::string BehaviorText(const stored::HorizontalPodAutoscalerBehavior& behavior) {
  JsonValue out = JsonValue::Of(JsonValue::Object{});
  out.Set("ScaleUp", RulesValue(behavior.scaleUp));
  out.Set("ScaleDown", RulesValue(behavior.scaleDown));
  return reflect::ToText(out);
}

// Members by the names of the API: the first letter is what differs.
JsonValue WithSmallNames(const JsonValue& value) {
  if (value.is_array()) {
    JsonValue::Array out;
    for (const JsonValue& element : value.array()) out.push_back(WithSmallNames(element));
    return JsonValue::Of(std::move(out));
  }
  if (!value.is_object()) return value;
  // Of names that become the same the decoder takes the last.
  JsonValue::Object out;
  out.reserve(value.object().size());
  for (const auto& [key, member] : value.object()) {
    std::string name(key);
    if (!name.empty()) name[0] = ToLower(name[0]);
    out.push_back({std::move(name), WithSmallNames(member)});
  }
  return JsonValue::Of(std::move(out));
}

Result<void> ToOldVersion(const stored::HorizontalPodAutoscaler& from,
                          old::HorizontalPodAutoscaler* to) {
  TRY_VOID(ByName(from, to));
  auto& annotations = to->metadata.annotations;
  for (const char* name : kRoundTrip) annotations.erase(name);
  List<old::MetricSpec> others;
  for (const stored::MetricSpec& metric : from.spec.metrics) {
    // A second one is an error that validation finds; here it is not lost.
    if (IsCpuUtilization(metric) && !to->spec.targetCPUUtilizationPercentage) {
      to->spec.targetCPUUtilizationPercentage = metric.resource->target.averageUtilization;
    } else {
      others.push_back(ToOld(metric));
    }
  }
  List<old::MetricStatus> current;
  for (const stored::MetricStatus& metric : from.status.currentMetrics) {
    current.push_back(ToOld(metric));
    if (metric.type == "Resource" && metric.resource.has_value() && metric.resource->name == kCpu &&
        metric.resource->current.averageUtilization) {
      to->status.currentCPUUtilizationPercentage = metric.resource->current.averageUtilization;
    }
  }
  List<old::HorizontalPodAutoscalerCondition> conditions;
  for (const auto& condition : from.status.conditions) {
    TRY_VOID(ByName(condition, &conditions.emplace_back()));
  }
  if (!others.empty()) {
    TRY(annotations[kMetrics], ListText(others));
  }
  if (!current.empty()) {
    TRY(annotations[kCurrentMetrics], ListText(current));
  }
  if (!conditions.empty()) {
    TRY(annotations[kConditions], ListText(conditions));
  }
  if (from.spec.behavior.has_value()) annotations[kBehavior] = BehaviorText(*from.spec.behavior);
  return {};
}

std::optional<std::string> Find(const char* name, const reflect::Map<std::string>& annotations) {
  const auto found = annotations.find(name);
  return found == annotations.end() ? std::nullopt : std::optional(found->second);
}

Result<void> StatusToStored(const old::HorizontalPodAutoscaler& from,
                            const std::optional<std::string>& current,
                            const std::optional<std::string>& conditions,
                            stored::HorizontalPodAutoscalerStatus* to) {
  if (from.status.currentCPUUtilizationPercentage) {
    stored::MetricStatus& metric = to->currentMetrics.emplace_back();
    metric.type = "Resource";
    metric.resource.ensure().name = kCpu;
    metric.resource->current.averageUtilization = from.status.currentCPUUtilizationPercentage;
  }
  // They say more than the field.
  if (const auto list = current ? ReadList<old::MetricStatus>(*current) : std::nullopt) {
    to->currentMetrics.clear();
    for (const old::MetricStatus& metric : *list) to->currentMetrics.push_back(ToStored(metric));
  }
  using Condition = old::HorizontalPodAutoscalerCondition;
  if (const auto list = conditions ? ReadList<Condition>(*conditions) : std::nullopt) {
    for (const Condition& condition : *list) {
      TRY_VOID(ByName(condition, &to->conditions.emplace_back()));
    }
  }
  return {};
}

Result<void> ToStoredVersion(const old::HorizontalPodAutoscaler& from,
                             stored::HorizontalPodAutoscaler* to) {
  TRY_VOID(ByName(from, to));
  const auto& annotations = from.metadata.annotations;
  const auto metrics = Find(kMetrics, annotations);
  const auto behavior = Find(kBehavior, annotations);
  const auto current = Find(kCurrentMetrics, annotations);
  const auto conditions = Find(kConditions, annotations);
  for (const char* name : kRoundTrip) to->metadata.annotations.erase(name);
  if (const auto list = metrics ? ReadList<old::MetricSpec>(*metrics) : std::nullopt) {
    for (const old::MetricSpec& metric : *list) to->spec.metrics.push_back(ToStored(metric));
  }
  if (from.spec.targetCPUUtilizationPercentage) {
    to->spec.metrics.push_back(CpuUtilization(*from.spec.targetCPUUtilizationPercentage));
  }
  if (to->spec.metrics.empty()) to->spec.metrics.push_back(CpuUtilization(kDefaultCpuUtilization));
  if (const auto value = reflect::ParseJson(behavior.value_or(""))) {
    using Behavior = stored::HorizontalPodAutoscalerBehavior;
    auto read =
        reflect::FromJson<Behavior>(reflect::ToText(WithSmallNames(*value)), {.strict = false});
    if (read.ok() && (read->scaleUp.has_value() || read->scaleDown.has_value())) {
      to->spec.behavior.ensure() = *std::move(read);
    }
  }
  return StatusToStored(from, current, conditions, &to->status);
}

}  // namespace

std::span<const Conversion> AutoscalerConversions() {
  static const Conversion kConversions[] = {
      ConversionOf<old::HorizontalPodAutoscaler, stored::HorizontalPodAutoscaler, ToStoredVersion>(
          "autoscaling/v2"),
      ConversionOf<stored::HorizontalPodAutoscaler, old::HorizontalPodAutoscaler, ToOldVersion>(
          "autoscaling/v1"),
  };
  return kConversions;
}

}  // namespace podium::api
