#include "api/validation/autoscaling.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "api/conversion/conversion.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/resources.h"
#include "api/validation/workloads.h"

namespace podium::api {

using autoscaling::v1::Scale;
using autoscaling::v2::CrossVersionObjectReference;
using autoscaling::v2::HorizontalPodAutoscaler;
using autoscaling::v2::HorizontalPodAutoscalerSpec;
using autoscaling::v2::HPAScalingRules;
using autoscaling::v2::MetricIdentifier;
using autoscaling::v2::MetricSpec;
using autoscaling::v2::MetricTarget;
using field::ErrorList;
using field::Path;
using OldAutoscaler = autoscaling::v1::HorizontalPodAutoscaler;

namespace {

void CheckPathSegment(const std::string& value, std::string_view detail, const Path& path,
                      ErrorList* errors) {
  if (value.empty()) {
    errors->Add(field::Required(path, detail));
  } else {
    errors->AddInvalid(path, value, NameIsPathSegment(value, false));
  }
}

// What the apiVersion of a reference may be.
struct ReferenceOptions {
  bool allow_empty_group = false;
  bool allow_invalid_version = false;
};

struct Options {
  int32_t least_replicas = 1;
  ReferenceOptions target;
  ReferenceOptions metrics{.allow_empty_group = true};
};

// Empty when nothing is wrong with it.
std::string ApiVersionProblem(const std::string& version, const ReferenceOptions& options) {
  if (options.allow_invalid_version) return "";
  const auto slashes = std::ranges::count(version, '/');
  if (slashes > 1) return "unexpected GroupVersion string: " + version;
  const bool has_group = slashes == 1 && !version.starts_with('/');
  return has_group || options.allow_empty_group ? "" : "apiVersion must specify API group";
}

void CheckReference(const CrossVersionObjectReference& reference, const ReferenceOptions& options,
                    const Path& path, ErrorList* errors) {
  CheckPathSegment(reference.kind, "", path.Child("kind"), errors);
  CheckPathSegment(reference.name, "", path.Child("name"), errors);
  const std::string problem = ApiVersionProblem(reference.apiVersion, options);
  if (!problem.empty()) {
    errors->Add(field::Invalid(path.Child("apiVersion"), reference.apiVersion, problem));
  }
}

void CheckMetric(const MetricIdentifier& metric, const Path& path, ErrorList* errors) {
  CheckPathSegment(metric.name, "must specify a metric name", path.Child("name"), errors);
}

void CheckTarget(const MetricTarget& target, const Path& path, ErrorList* errors) {
  const Path type = path.Child("type");
  if (target.type.empty()) {
    errors->Add(field::Required(type, "must specify a metric target type"));
  }
  if (!IsOneOf(target.type, {"Utilization", "Value", "AverageValue"})) {
    errors->Add(field::Invalid(type, NamedString(target.type),
                               "must be either Utilization, Value, or AverageValue"));
  }
  const auto check = [&](const std::optional<Quantity>& value, std::string_view name) {
    if (value && value->Sign() != 1) {
      errors->Add(
          field::Invalid(path.Child(name), field::BadValue::Of(*value), "must be positive"));
    }
  };
  check(target.value, "value");
  check(target.averageValue, "averageValue");
  if (target.averageUtilization && *target.averageUtilization < 1) {
    errors->Add(field::Invalid(path.Child("averageUtilization"), *target.averageUtilization,
                               "must be greater than 0"));
  }
}

// Of a resource: either its amount, or the share of what was asked for.
void CheckResourceTarget(const MetricTarget& target, const Path& path, ErrorList* errors) {
  CheckTarget(target, path, errors);
  if (!target.averageUtilization && !target.averageValue) {
    errors->Add(field::Required(path.Child("averageUtilization"),
                                "must set either a target raw value or a target utilization"));
  }
  if (target.averageUtilization && target.averageValue) {
    errors->Add(field::Forbidden(path.Child("averageValue"),
                                 "may not set both a target raw value and a target utilization"));
  }
}

void CheckObject(const autoscaling::v2::ObjectMetricSource& source, const ReferenceOptions& options,
                 const Path& path, ErrorList* errors) {
  const Path target = path.Child("target");
  CheckReference(source.describedObject, options, path.Child("describedObject"), errors);
  CheckMetric(source.metric, path.Child("metric"), errors);
  CheckTarget(source.target, target, errors);
  if (!source.target.value && !source.target.averageValue) {
    errors->Add(field::Required(target.Child("averageValue"),
                                "must set either a target value or averageValue"));
  }
}

void CheckExternal(const autoscaling::v2::ExternalMetricSource& source, const Path& path,
                   ErrorList* errors) {
  const Path target = path.Child("target");
  CheckMetric(source.metric, path.Child("metric"), errors);
  CheckTarget(source.target, target, errors);
  if (!source.target.value && !source.target.averageValue) {
    errors->Add(field::Required(target.Child("averageValue"),
                                "must set either a target value for metric or a per-pod target"));
  }
  if (source.target.value && source.target.averageValue) {
    errors->Add(field::Forbidden(
        target.Child("value"), "may not set both a target value for metric and a per-pod target"));
  }
}

void CheckPods(const autoscaling::v2::PodsMetricSource& source, const Path& path,
               ErrorList* errors) {
  const Path target = path.Child("target");
  CheckMetric(source.metric, path.Child("metric"), errors);
  CheckTarget(source.target, target, errors);
  if (!source.target.averageValue) {
    errors->Add(field::Required(target.Child("averageValue"),
                                "must specify a positive target averageValue"));
  }
}

void CheckResource(const autoscaling::v2::ResourceMetricSource& source, const Path& path,
                   ErrorList* errors) {
  if (source.name.empty()) {
    errors->Add(field::Required(path.Child("name"), "must specify a resource name"));
  }
  CheckResourceTarget(source.target, path.Child("target"), errors);
}

void CheckContainerResource(const autoscaling::v2::ContainerResourceMetricSource& source,
                            const Path& path, ErrorList* errors) {
  if (source.name.empty()) {
    errors->Add(field::Required(path.Child("name"), "must specify a resource name"));
  } else {
    errors->Append(ValidateContainerResourceName(source.name, path.Child("name")));
  }
  if (source.container.empty()) {
    errors->Add(field::Required(path.Child("container"), "must specify a container"));
  } else {
    errors->Append(ValidateDNS1123Label(source.container, path.Child("container")));
  }
  CheckResourceTarget(source.target, path.Child("target"), errors);
}

// The field that a type of metric fills; empty for an unknown one.
std::string_view FieldOf(std::string_view type) {
  if (type == "ContainerResource") return "containerResource";
  if (type == "External") return "external";
  if (type == "Object") return "object";
  if (type == "Pods") return "pods";
  if (type == "Resource") return "resource";
  return "";
}

void CheckMetricSpec(const MetricSpec& spec, const ReferenceOptions& options, const Path& path,
                     ErrorList* errors) {
  const Path type = path.Child("type");
  const std::string_view expected = FieldOf(spec.type);
  const auto refuse_type = [&] {
    if (!expected.empty()) return;
    errors->Add(
        field::NotSupported(type, NamedString(spec.type),
                            {"ContainerResource", "External", "Object", "Pods", "Resource"}));
  };
  if (spec.type.empty()) {
    errors->Add(field::Required(type, "must specify a metric source type"));
  }
  refuse_type();
  // Only the first one is looked into.
  std::set<std::string_view> present;
  const auto look = [&](const auto& source, std::string_view name, auto check) {
    if (!source) return;
    present.insert(name);
    if (present.size() == 1) check(*source, path.Child(name), errors);
  };
  look(spec.object, "object", [&](const auto& source, const Path& at, ErrorList* found) {
    CheckObject(source, options, at, found);
  });
  look(spec.external, "external", CheckExternal);
  look(spec.pods, "pods", CheckPods);
  look(spec.resource, "resource", CheckResource);
  look(spec.containerResource, "containerResource", CheckContainerResource);
  // Upstream asks for the type a second time.
  refuse_type();
  if (!expected.empty() && !present.contains(expected)) {
    errors->Add(field::Required(path.Child(expected),
                                "must populate information for the given metric source"));
  }
  if (present.size() == 1) return;
  present.erase(expected);
  for (std::string_view name : present) {
    errors->Add(field::Forbidden(path.Child(name), "must populate the given metric source only"));
  }
}

void CheckRules(const reflect::Box<HPAScalingRules>& rules, const Path& path, ErrorList* errors) {
  if (!rules) return;
  const Path window = path.Child("stabilizationWindowSeconds");
  if (const auto& seconds = rules->stabilizationWindowSeconds) {
    if (*seconds < 0) {
      errors->Add(field::Invalid(window, *seconds, "must be greater than or equal to zero"));
    }
    if (*seconds > 3600) {
      errors->Add(field::Invalid(window, *seconds, "must be less than or equal to 3600"));
    }
  }
  const auto& select = rules->selectPolicy;
  if (select && !IsOneOf(*select, {"Disabled", "Max", "Min"})) {
    errors->Add(field::NotSupported(path.Child("selectPolicy"), NamedString(select),
                                    {"Disabled", "Max", "Min"}));
  }
  const Path policies = path.Child("policies");
  if (rules->policies.empty()) {
    errors->Add(field::Required(policies, "must specify at least one Policy"));
  }
  for (size_t i = 0; i < rules->policies.size(); ++i) {
    const auto& policy = rules->policies[i];
    const Path at = policies.Index(i);
    if (!IsOneOf(policy.type, {"Percent", "Pods"})) {
      errors->Add(
          field::NotSupported(at.Child("type"), NamedString(policy.type), {"Percent", "Pods"}));
    }
    if (policy.value <= 0) errors->Append(ValidatePositiveField(policy.value, at.Child("value")));
    const Path period = at.Child("periodSeconds");
    if (policy.periodSeconds <= 0) {
      errors->Append(ValidatePositiveField(policy.periodSeconds, period));
    }
    if (policy.periodSeconds > 1800) {
      errors->Add(
          field::Invalid(period, policy.periodSeconds, "must be less than or equal to 1800"));
    }
  }
  if (rules->tolerance) {
    errors->Append(ValidateNonnegativeQuantity(*rules->tolerance, path.Child("tolerance")));
  }
}

void CheckSpec(const HorizontalPodAutoscalerSpec& spec, const Options& options, ErrorList* errors) {
  const Path path("spec");
  const auto& min = spec.minReplicas;
  if (min && *min < options.least_replicas) {
    errors->Add(field::Invalid(
        path.Child("minReplicas"), *min,
        "must be greater than or equal to " + std::to_string(options.least_replicas)));
  }
  const Path max = path.Child("maxReplicas");
  if (spec.maxReplicas < 1) {
    errors->Add(field::Invalid(max, spec.maxReplicas, "must be greater than 0"));
  }
  if (min && spec.maxReplicas < *min) {
    errors->Add(
        field::Invalid(max, spec.maxReplicas, "must be greater than or equal to `minReplicas`"));
  }
  CheckReference(spec.scaleTargetRef, options.target, path.Child("scaleTargetRef"), errors);
  const Path metrics = path.Child("metrics");
  bool from_outside = false;
  for (size_t i = 0; i < spec.metrics.size(); ++i) {
    CheckMetricSpec(spec.metrics[i], options.metrics, metrics.Index(i), errors);
    if (IsOneOf(spec.metrics[i].type, {"Object", "External"})) from_outside = true;
  }
  // Pods that are not there have no metrics of their own.
  if (min && *min == 0 && !from_outside) {
    errors->Add(field::Forbidden(
        metrics,
        "must specify at least one Object or External metric to support scaling to zero replicas"));
  }
  if (!spec.behavior) return;
  const Path behavior = path.Child("behavior");
  CheckRules(spec.behavior->scaleUp, behavior.Child("scaleUp"), errors);
  CheckRules(spec.behavior->scaleDown, behavior.Child("scaleDown"), errors);
}

// The one kind that can be scaled and has no group is the ReplicationController.
bool IsOfCore(const CrossVersionObjectReference& target) {
  return target.kind == "ReplicationController";
}

// What was stored before may stay.
Options OptionsFor(const HorizontalPodAutoscalerSpec& spec,
                   const HorizontalPodAutoscalerSpec& old_spec) {
  Options options;
  if (old_spec.minReplicas == 0) options.least_replicas = 0;
  const auto& target = spec.scaleTargetRef;
  const auto& old_target = old_spec.scaleTargetRef;
  if (target.apiVersion == old_target.apiVersion && target.kind == old_target.kind) {
    options.target.allow_invalid_version = true;
  } else {
    options.target.allow_empty_group = IsOfCore(target);
  }
  options.metrics
      .allow_invalid_version = std::ranges::any_of(old_spec.metrics, [&](const MetricSpec& metric) {
    return metric.type == "Object" && metric.object &&
           !ApiVersionProblem(metric.object->describedObject.apiVersion, options.metrics).empty();
  });
  return options;
}

// What the older version asks for, with what it keeps in annotations; a problem when that cannot be
// told.
Result<HorizontalPodAutoscaler> Converted(const OldAutoscaler& old) {
  TRY(const reflect::AnyObject object, ConvertObject(reflect::TypeOf<OldAutoscaler>(), &old,
                                                     reflect::TypeOf<HorizontalPodAutoscaler>()));
  return reflect::Copy(*static_cast<const HorizontalPodAutoscaler*>(object.get()));
}

ErrorList Unconverted(const Error& error) {
  ErrorList errors;
  errors.Add(field::InternalError(Path(), error.message()));
  return errors;
}

template <ErrorList (*validate)(const HorizontalPodAutoscaler&, const HorizontalPodAutoscaler&)>
ErrorList ValidateConverted(const OldAutoscaler& autoscaler, const OldAutoscaler& old_autoscaler) {
  const auto converted = Converted(autoscaler);
  if (!converted.ok()) return Unconverted(converted.error());
  const auto old_converted = Converted(old_autoscaler);
  if (!old_converted.ok()) return Unconverted(old_converted.error());
  return validate(*converted, *old_converted);
}

}  // namespace

ErrorList ValidateHorizontalPodAutoscaler(const HorizontalPodAutoscaler& autoscaler) {
  ErrorList errors = ValidateObjectMeta(autoscaler.metadata, Scope::kNamespaced, NameIsDNSSubdomain,
                                        Path("metadata"));
  Options options;
  options.target.allow_empty_group = IsOfCore(autoscaler.spec.scaleTargetRef);
  CheckSpec(autoscaler.spec, options, &errors);
  return errors;
}

ErrorList ValidateHorizontalPodAutoscalerUpdate(const HorizontalPodAutoscaler& autoscaler,
                                                const HorizontalPodAutoscaler& old_autoscaler) {
  ErrorList errors =
      ValidateObjectMetaUpdate(autoscaler.metadata, old_autoscaler.metadata, Path("metadata"));
  CheckSpec(autoscaler.spec, OptionsFor(autoscaler.spec, old_autoscaler.spec), &errors);
  return errors;
}

ErrorList ValidateHorizontalPodAutoscalerStatusUpdate(
    const HorizontalPodAutoscaler& autoscaler, const HorizontalPodAutoscaler& old_autoscaler) {
  ErrorList errors =
      ValidateObjectMetaUpdate(autoscaler.metadata, old_autoscaler.metadata, Path("metadata"));
  const Path status("status");
  CheckNonnegative(autoscaler.status.currentReplicas, status.Child("currentReplicas"), &errors);
  CheckNonnegative(autoscaler.status.desiredReplicas, status.Child("desiredReplicas"), &errors);
  return errors;
}

ErrorList ValidateHorizontalPodAutoscaler(const OldAutoscaler& autoscaler) {
  const auto converted = Converted(autoscaler);
  return converted.ok() ? ValidateHorizontalPodAutoscaler(*converted)
                        : Unconverted(converted.error());
}

ErrorList ValidateHorizontalPodAutoscalerUpdate(const OldAutoscaler& autoscaler,
                                                const OldAutoscaler& old_autoscaler) {
  return ValidateConverted<ValidateHorizontalPodAutoscalerUpdate>(autoscaler, old_autoscaler);
}

ErrorList ValidateHorizontalPodAutoscalerStatusUpdate(const OldAutoscaler& autoscaler,
                                                      const OldAutoscaler& old_autoscaler) {
  return ValidateConverted<ValidateHorizontalPodAutoscalerStatusUpdate>(autoscaler, old_autoscaler);
}

ErrorList ValidateScale(const Scale& scale) {
  ErrorList errors =
      ValidateObjectMeta(scale.metadata, Scope::kNamespaced, NameIsDNSSubdomain, Path("metadata"));
  CheckNonnegative(scale.spec.replicas, Path("spec").Child("replicas"), &errors);
  return errors;
}

// What was there before does not matter.
ErrorList ValidateScaleUpdate(const Scale& scale, const Scale&) { return ValidateScale(scale); }

}  // namespace podium::api
