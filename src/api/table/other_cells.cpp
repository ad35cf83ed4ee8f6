// Autoscalers, certificates, admission, flow control, and groups of one kind.
#include <algorithm>
#include <string>
#include <vector>

#include "api/pod_row.h"
#include "api/table/cells.h"
#include "api/types/admissionregistration_v1.h"
#include "api/types/apiregistration_v1.h"
#include "api/types/autoscaling_v1.h"
#include "api/types/autoscaling_v2.h"
#include "api/types/certificates_v1.h"
#include "api/types/coordination_v1.h"
#include "api/types/flowcontrol_v1.h"
#include "api/types/node_v1.h"
#include "api/types/resource_v1.h"
#include "api/types/scheduling_v1.h"
#include "base/text.h"

namespace podium::api {
namespace {

using namespace admissionregistration::v1;  // NOLINT: the kinds of three groups, named once
using namespace flowcontrol::v1;            // NOLINT: likewise
using namespace resource::v1;               // NOLINT: likewise
namespace scaling = autoscaling::v2;

std::string OrUnknown(const std::optional<Quantity>& quantity) {
  return quantity ? quantity->String() : std::string(kUnknown);
}

std::string Percent(const std::optional<int32_t>& value, std::string_view otherwise) {
  return value ? std::to_string(*value) + '%' : std::string(otherwise);
}

// What Go writes for the quantity that a pointer does not have.
std::string OrNil(const std::optional<Quantity>& quantity) {
  return quantity ? quantity->String() : "<nil>";
}

// Of a resource, of all containers or of one; in amounts or in percent of what was requested.
std::string ResourceText(const std::string& name, const scaling::MetricTarget& target,
                         const scaling::MetricValueStatus* current) {
  if (target.averageValue) {
    return name + ": " + (current ? OrNil(current->averageValue) : std::string(kUnknown)) + '/' +
           target.averageValue->String();
  }
  return name + ": " + Percent(current ? current->averageUtilization : std::nullopt, kUnknown) +
         '/' + Percent(target.averageUtilization, "<auto>");
}

// Of something else: by its average a pod, or as a whole.
std::string MetricText(const scaling::MetricTarget& target,
                       const scaling::MetricValueStatus* current) {
  if (target.averageValue) {
    return OrUnknown(current ? current->averageValue : std::nullopt) + '/' +
           target.averageValue->String() + " (avg)";
  }
  return (current ? OrNil(current->value) : std::string(kUnknown)) + '/' + OrNil(target.value);
}

std::string TargetText(const scaling::MetricSpec& spec, const scaling::MetricStatus& status) {
  if (spec.type == "Resource" && spec.resource.has_value()) {
    return ResourceText(spec.resource->name, spec.resource->target,
                        status.resource.has_value() ? &status.resource->current : nullptr);
  }
  if (spec.type == "ContainerResource" && spec.containerResource.has_value()) {
    return ResourceText(
        spec.containerResource->name, spec.containerResource->target,
        status.containerResource.has_value() ? &status.containerResource->current : nullptr);
  }
  if (spec.type == "Pods" && spec.pods.has_value()) {
    return (status.pods.has_value() ? OrNil(status.pods->current.averageValue)
                                    : std::string(kUnknown)) +
           '/' + OrNil(spec.pods->target.averageValue);
  }
  if (spec.type == "Object" && spec.object.has_value()) {
    return MetricText(spec.object->target,
                      status.object.has_value() ? &status.object->current : nullptr);
  }
  if (spec.type == "External" && spec.external.has_value()) {
    return MetricText(spec.external->target,
                      status.external.has_value() ? &status.external->current : nullptr);
  }
  return "<unknown type>";
}

template <class Autoscaler>
void MakeAutoscaler(const Autoscaler& object, const std::vector<std::string>& targets,
                    Cells* cells) {
  constexpr size_t kMostTargets = 2;
  cells->Text(object.metadata.name);
  cells->Text(object.spec.scaleTargetRef.kind + '/' + object.spec.scaleTargetRef.name);
  cells->Text(targets.empty() ? std::string(kNone) : JoinSome(targets, kMostTargets, ", "));
  cells->Number(object.spec.minReplicas, kUnset);
  cells->Number(object.spec.maxReplicas);
  cells->Number(object.status.currentReplicas);
  cells->Age(object.metadata);
}

void MakeAutoscalerV2(const scaling::HorizontalPodAutoscaler& object, Cells* cells) {
  const scaling::MetricStatus none;
  std::vector<std::string> targets;
  for (size_t i = 0; i < object.spec.metrics.size(); ++i) {
    const bool known = i < object.status.currentMetrics.size();
    targets.push_back(
        TargetText(object.spec.metrics[i], known ? object.status.currentMetrics[i] : none));
  }
  MakeAutoscaler(object, targets, cells);
}

// The first version knows one metric.
void MakeAutoscalerV1(const autoscaling::v1::HorizontalPodAutoscaler& object, Cells* cells) {
  std::vector<std::string> targets;
  if (object.spec.targetCPUUtilizationPercentage) {
    targets.push_back("cpu: " + Percent(object.status.currentCPUUtilizationPercentage, kUnknown) +
                      '/' + Percent(object.spec.targetCPUUtilizationPercentage, ""));
  }
  MakeAutoscaler(object, targets, cells);
}

void MakeSigningRequest(const certificates::v1::CertificateSigningRequest& object, Cells* cells) {
  const auto has = [&](std::string_view type) {
    return std::ranges::any_of(object.status.conditions,
                               [&](const auto& condition) { return condition.type == type; });
  };
  std::string state = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending";
  if (has("Failed")) state += ",Failed";
  if (!object.status.certificate.data.empty()) state += ",Issued";
  cells->Text(object.metadata.name);
  cells->Age(object.metadata);
  cells->Text(object.spec.signerName, kNone);
  cells->Text(object.spec.username);
  cells->Text(object.spec.expirationSeconds ? HumanDuration(*object.spec.expirationSeconds)
                                            : std::string(kNone));
  cells->Text(state);
}

template <class Configuration>
void MakeWebhooks(const Configuration& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Number(static_cast<int64_t>(object.webhooks.size()));
  cells->Age(object.metadata);
}

void MakeAdmissionPolicy(const meta::v1::ObjectMeta& metadata, size_t rules,
                         const reflect::Box<ParamKind>& kind, Cells* cells) {
  cells->Text(metadata.name);
  cells->Number(static_cast<int64_t>(rules));
  cells->Text(kind.has_value() ? kind->apiVersion + '/' + kind->kind : std::string(kUnset));
  cells->Age(metadata);
}

void MakeValidatingPolicy(const ValidatingAdmissionPolicy& object, Cells* cells) {
  MakeAdmissionPolicy(object.metadata, object.spec.validations.size(), object.spec.paramKind,
                      cells);
}

void MakeMutatingPolicy(const MutatingAdmissionPolicy& object, Cells* cells) {
  MakeAdmissionPolicy(object.metadata, object.spec.mutations.size(), object.spec.paramKind, cells);
}

// The struct as upstream's generated code writes it: the printer does not look for a shorter form.
std::string StructText(const meta::v1::LabelSelector& selector) {
  std::string out = "&LabelSelector{MatchLabels:map[string]string{";
  for (const auto& [key, value] : selector.matchLabels) {
    out.append(key).append(": ").append(value).append(",");
  }
  out += "},MatchExpressions:[]LabelSelectorRequirement{";
  for (const meta::v1::LabelSelectorRequirement& each : selector.matchExpressions) {
    out += "LabelSelectorRequirement{Key:" + each.key + ",Operator:" + each.operator_ +
           ",Values:[" + Join(each.values, " ") + "],},";
  }
  return out + "},}";
}

template <class Binding>
void MakePolicyBinding(const Binding& object, Cells* cells) {
  std::string parameters(kUnset);
  if (object.spec.paramRef.has_value()) {
    const ParamRef& reference = *object.spec.paramRef;
    if (!reference.name.empty()) {
      parameters =
          (reference.namespace_.empty() ? "*" : reference.namespace_) + '/' + reference.name;
    } else if (reference.selector.has_value()) {
      parameters = StructText(*reference.selector);
    }
  }
  cells->Text(object.metadata.name);
  cells->Text(object.spec.policyName);
  cells->Text(parameters);
  cells->Age(object.metadata);
}

void MakeApiService(const apiregistration::v1::APIService& object, Cells* cells) {
  const auto found = std::ranges::find_if(
      object.status.conditions, [](const auto& each) { return each.type == "Available"; });
  std::string available = "Unknown";
  if (found != object.status.conditions.end()) {
    available = found->status;
    if (available != "True" && !found->reason.empty()) available += " (" + found->reason + ')';
  }
  const auto& service = object.spec.service;
  cells->Text(object.metadata.name);
  cells->Text(service.has_value() ? service->namespace_ + '/' + service->name : "Local");
  cells->Text(available);
  cells->Age(object.metadata);
}

void MakePriorityClass(const scheduling::v1::PriorityClass& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Number(object.value);
  cells->Truth(object.globalDefault);
  cells->Age(object.metadata);
  cells->Text(object.preemptionPolicy, "");
}

void MakeLease(const coordination::v1::Lease& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Text(object.spec.holderIdentity, "");
  cells->Age(object.metadata);
}

void MakeRuntimeClass(const node::v1::RuntimeClass& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Text(object.handler);
  cells->Age(object.metadata);
}

template <class Object>
void MakeNameAndAge(const Object& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Age(object.metadata);
}

void MakeResourceClaim(const ResourceClaim& object, Cells* cells) {
  const bool allocated = object.status.allocation.has_value();
  std::vector<std::string> states;
  if (object.metadata.deletionTimestamp) states.emplace_back("deleted");
  if (allocated) {
    states.emplace_back("allocated");
    if (!object.status.reservedFor.empty()) states.emplace_back("reserved");
  } else if (states.empty()) {
    states.emplace_back("pending");
  }
  cells->Text(object.metadata.name);
  cells->Text(Join(states, ","));
  cells->Age(object.metadata);
}

void MakeResourceSlice(const ResourceSlice& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Text(object.spec.nodeName, "");
  cells->Text(object.spec.driver);
  cells->Text(object.spec.pool.name);
  cells->Age(object.metadata);
}

void MakeFlowSchema(const FlowSchema& object, Cells* cells) {
  const auto dangling = std::ranges::find_if(
      object.status.conditions, [](const auto& each) { return each.type == "Dangling"; });
  cells->Text(object.metadata.name);
  cells->Text(object.spec.priorityLevelConfiguration.name);
  cells->Number(object.spec.matchingPrecedence);
  cells->Text(object.spec.distinguisherMethod.has_value() ? object.spec.distinguisherMethod->type
                                                          : std::string(kNone));
  cells->Age(object.metadata);
  cells->Text(dangling == object.status.conditions.end() ? "?" : dangling->status);
}

void MakePriorityLevel(const PriorityLevelConfiguration& object, Cells* cells) {
  const auto& limited = object.spec.limited;
  const QueuingConfiguration* queuing =
      limited.has_value() ? limited->limitResponse.queuing.get() : nullptr;
  cells->Text(object.metadata.name);
  cells->Text(object.spec.type);
  cells->Number(limited.has_value() ? limited->nominalConcurrencyShares : std::nullopt, kNone);
  for (const auto member : {&QueuingConfiguration::queues, &QueuingConfiguration::handSize,
                            &QueuingConfiguration::queueLengthLimit}) {
    cells->Number(queuing ? std::optional(queuing->*member) : std::nullopt, kNone);
  }
  cells->Age(object.metadata);
}

void MakeStatus(const meta::v1::Status& object, Cells* cells) {
  cells->Text(object.status);
  cells->Text(object.reason);
  cells->Text(object.message);
}

}  // namespace

std::span<const CellMaker> OtherCells() {
  static const CellMaker kMakers[] = {
      Maker<scaling::HorizontalPodAutoscaler, MakeAutoscalerV2>(),
      Maker<autoscaling::v1::HorizontalPodAutoscaler, MakeAutoscalerV1>(),
      Maker<certificates::v1::CertificateSigningRequest, MakeSigningRequest>(),
      Maker<ValidatingWebhookConfiguration, MakeWebhooks<ValidatingWebhookConfiguration>>(),
      Maker<MutatingWebhookConfiguration, MakeWebhooks<MutatingWebhookConfiguration>>(),
      Maker<ValidatingAdmissionPolicy, MakeValidatingPolicy>(),
      Maker<MutatingAdmissionPolicy, MakeMutatingPolicy>(),
      Maker<ValidatingAdmissionPolicyBinding,
            MakePolicyBinding<ValidatingAdmissionPolicyBinding>>(),
      Maker<MutatingAdmissionPolicyBinding, MakePolicyBinding<MutatingAdmissionPolicyBinding>>(),
      Maker<apiregistration::v1::APIService, MakeApiService>(),
      Maker<scheduling::v1::PriorityClass, MakePriorityClass>(),
      Maker<coordination::v1::Lease, MakeLease>(),
      Maker<node::v1::RuntimeClass, MakeRuntimeClass>(),
      Maker<DeviceClass, MakeNameAndAge<DeviceClass>>(),
      Maker<ResourceClaimTemplate, MakeNameAndAge<ResourceClaimTemplate>>(),
      Maker<ResourceClaim, MakeResourceClaim>(),
      Maker<ResourceSlice, MakeResourceSlice>(),
      Maker<FlowSchema, MakeFlowSchema>(),
      Maker<PriorityLevelConfiguration, MakePriorityLevel>(),
      Maker<meta::v1::Status, MakeStatus>(),
  };
  return kMakers;
}

}  // namespace podium::api
