#include "apiserver/subresources/binding.h"

#include <fmt/format.h>

#include <string>

#include "api/status.h"
#include "api/validation/pod.h"
#include "apiserver/subresources/pod_conditions.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Binding;
using api::core::v1::Pod;
using api::core::v1::PodCondition;

constexpr api::GroupResource kPods{"", "pods"};
constexpr api::GroupResource kBindings{"", "pods/binding"};

}  // namespace

Result<void> CheckBinding(const Binding& binding, std::string_view pod_name) {
  if (binding.metadata.name != pod_name) {
    return api::BadRequestError("name in URL does not match name in Binding object");
  }
  const auto errors = api::ValidatePodBinding(binding);
  if (errors.empty()) return {};
  // Upstream makes no Status of these.
  return api::InternalError(errors.AggregateText());
}

Result<void> Bind(const Binding& binding, api::Time now, Pod* pod) {
  const std::string& name = pod->metadata.name;
  const auto& wanted = binding.metadata;
  if (!wanted.uid.empty() && wanted.uid != pod->metadata.uid) {
    return api::PreconditionError(kPods, name, "UID", wanted.uid, pod->metadata.uid);
  }
  if (!wanted.resourceVersion.empty() && wanted.resourceVersion != pod->metadata.resourceVersion) {
    return api::PreconditionError(kPods, name, "ResourceVersion", wanted.resourceVersion,
                                  pod->metadata.resourceVersion);
  }
  const auto refuse = [&](const std::string& why) {
    return api::ConflictError(kBindings, name, why);
  };
  if (pod->metadata.deletionTimestamp) {
    return refuse(fmt::format("pod {} is being deleted, cannot be assigned to a host", name));
  }
  if (!pod->spec.nodeName.empty()) {
    return refuse(fmt::format("pod {} is already assigned to node {}", name,
                              reflect::GoQuoted(pod->spec.nodeName)));
  }
  if (!pod->spec.schedulingGates.empty()) {
    return refuse(fmt::format("pod {} has non-empty .spec.schedulingGates", name));
  }
  pod->spec.nodeName = binding.target.name;
  for (const auto& [key, value] : wanted.annotations) pod->metadata.annotations[key] = value;
  for (const auto& [key, value] : wanted.labels) pod->metadata.labels.try_emplace(key, value);
  PodCondition scheduled;
  scheduled.type = "PodScheduled";
  scheduled.status = "True";
  scheduled.observedGeneration = pod->metadata.generation;
  SetPodCondition(std::move(scheduled), now, &pod->status);
  pod->status.nominatedNodeName.clear();
  return {};
}

}  // namespace podium::apiserver
