// All conversions but the autoscaler's.
#include <string>

#include "api/conversion/converters.h"
#include "api/types/batch_v1.h"
#include "api/types/batch_v1beta1.h"
#include "api/types/core_v1.h"
#include "api/types/discovery_v1.h"
#include "api/types/discovery_v1beta1.h"
#include "api/types/events_v1.h"
#include "api/types/policy_v1.h"
#include "api/types/policy_v1beta1.h"
#include "reflect/copy.h"

namespace podium::api {
namespace {

using meta::v1::LabelSelector;

// An empty selector selects no pod in v1beta1 and every pod in v1. Each is, in the other version, a
// requirement that no pod meets, or that every pod does: no pod has a label of this name.
constexpr const char* kEmptySelectorLabel =
    "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match";

LabelSelector Required(const char* op) {
  LabelSelector selector;
  auto& requirement = selector.matchExpressions.emplace_back();
  requirement.key = kEmptySelectorLabel;
  requirement.operator_ = op;
  return selector;
}

// `theirs`: what an empty selector of the one version is called in the other; `ours`: what says in
// the one version what an empty selector says in the other.
void ConvertSelector(const char* theirs, const char* ours, reflect::Box<LabelSelector>* selector) {
  if (!selector->has_value()) return;
  if (reflect::Equal(**selector, LabelSelector())) {
    **selector = Required(theirs);
  } else if (reflect::Equal(**selector, Required(ours))) {
    **selector = LabelSelector();
  }
}

Result<void> BudgetToStored(const policy::v1beta1::PodDisruptionBudget& from,
                            policy::v1::PodDisruptionBudget* to) {
  TRY_VOID(ByName(from, to));
  ConvertSelector("Exists", "DoesNotExist", &to->spec.selector);
  return {};
}

Result<void> BudgetFromStored(const policy::v1::PodDisruptionBudget& from,
                              policy::v1beta1::PodDisruptionBudget* to) {
  TRY_VOID(ByName(from, to));
  ConvertSelector("DoesNotExist", "Exists", &to->spec.selector);
  return {};
}

constexpr const char* kHostname = "kubernetes.io/hostname";
constexpr const char* kZone = "topology.kubernetes.io/zone";

std::optional<std::string> Take(const char* key, reflect::Map<std::string>* labels) {
  const auto found = labels->find(key);
  if (found == labels->end()) return std::nullopt;
  std::string value = std::move(found->second);
  labels->erase(found);
  return value;
}

Result<void> SliceToStored(const discovery::v1beta1::EndpointSlice& from,
                           discovery::v1::EndpointSlice* to) {
  TRY_VOID(ByName(from, to));
  for (size_t i = 0; i < from.endpoints.size(); ++i) {
    discovery::v1::Endpoint& endpoint = to->endpoints[i];
    reflect::Map<std::string> topology = from.endpoints[i].topology;
    endpoint.zone = Take(kZone, &topology);
    // A label that says another thing than the field stays where it is, so that neither is lost.
    const auto label = topology.find(kHostname);
    if (label != topology.end() && (!endpoint.nodeName || *endpoint.nodeName == label->second)) {
      endpoint.nodeName = Take(kHostname, &topology);
    }
    endpoint.deprecatedTopology = std::move(topology);
  }
  return {};
}

Result<void> SliceFromStored(const discovery::v1::EndpointSlice& from,
                             discovery::v1beta1::EndpointSlice* to) {
  TRY_VOID(ByName(from, to));
  for (size_t i = 0; i < from.endpoints.size(); ++i) {
    const discovery::v1::Endpoint& endpoint = from.endpoints[i];
    reflect::Map<std::string> topology = endpoint.deprecatedTopology;
    if (endpoint.zone) topology[kZone] = *endpoint.zone;
    if (endpoint.nodeName && topology[kHostname].empty()) topology[kHostname] = *endpoint.nodeName;
    to->endpoints[i].topology = std::move(topology);
  }
  return {};
}

Result<void> EventToEvents(const core::v1::Event& from, events::v1::Event* to) {
  TRY_VOID(ByName(from, to));
  to->regarding = reflect::Copy(from.involvedObject);
  to->note = from.message;
  to->reportingController = from.reportingComponent;
  to->deprecatedSource = reflect::Copy(from.source);
  to->deprecatedFirstTimestamp = from.firstTimestamp;
  to->deprecatedLastTimestamp = from.lastTimestamp;
  to->deprecatedCount = from.count;
  return {};
}

Result<void> EventToCore(const events::v1::Event& from, core::v1::Event* to) {
  TRY_VOID(ByName(from, to));
  to->involvedObject = reflect::Copy(from.regarding);
  to->message = from.note;
  to->reportingComponent = from.reportingController;
  to->source = reflect::Copy(from.deprecatedSource);
  to->firstTimestamp = from.deprecatedFirstTimestamp;
  to->lastTimestamp = from.deprecatedLastTimestamp;
  to->count = from.deprecatedCount;
  return {};
}

}  // namespace

std::span<const Conversion> ObjectConversions() {
  using policy::v1::PodDisruptionBudget;
  static const Conversion kConversions[] = {
      ConversionOf<batch::v1beta1::CronJob, batch::v1::CronJob>("batch/v1"),
      ConversionOf<batch::v1::CronJob, batch::v1beta1::CronJob>("batch/v1beta1"),
      ConversionOf<policy::v1beta1::Eviction, policy::v1::Eviction>("policy/v1"),
      ConversionOf<policy::v1::Eviction, policy::v1beta1::Eviction>("policy/v1beta1"),
      ConversionOf<policy::v1beta1::PodDisruptionBudget, PodDisruptionBudget, BudgetToStored>(
          "policy/v1"),
      ConversionOf<PodDisruptionBudget, policy::v1beta1::PodDisruptionBudget, BudgetFromStored>(
          "policy/v1beta1"),
      ConversionOf<discovery::v1beta1::EndpointSlice, discovery::v1::EndpointSlice, SliceToStored>(
          "discovery.k8s.io/v1"),
      ConversionOf<discovery::v1::EndpointSlice, discovery::v1beta1::EndpointSlice,
                   SliceFromStored>("discovery.k8s.io/v1beta1"),
      ConversionOf<core::v1::Event, events::v1::Event, EventToEvents>("events.k8s.io/v1"),
      ConversionOf<events::v1::Event, core::v1::Event, EventToCore>("v1"),
  };
  return kConversions;
}

}  // namespace podium::api
