// Pods (upstream's pkg/registry/core/pod/strategy.go).

#include "api/validation/pod.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "api/names.h"
#include "api/types/core_v1.h"
#include "api/validation/resources.h"
#include "api/validation/security_context.h"
#include "apiserver/strategies/address_warnings.h"
#include "apiserver/strategies/pod_spec_rules.h"
#include "apiserver/strategies/rows.h"
#include "reflect/copy.h"

namespace podium::apiserver {
namespace {

using api::core::v1::AppArmorProfile;
using api::core::v1::Container;
using api::core::v1::EphemeralContainer;
using api::core::v1::Pod;
using api::core::v1::PodCondition;
using api::field::ErrorList;
using api::field::Path;
using api::meta::v1::DeleteOptions;
using reflect::Box;
using reflect::List;

constexpr std::string_view kAppArmorAnnotation = "container.apparmor.security.beta.kubernetes.io/";

// Nothing when the annotation says no profile that there is.
Box<AppArmorProfile> ProfileOfAnnotation(std::string_view text) {
  constexpr std::string_view kLocalhost = "localhost/";
  AppArmorProfile profile;
  if (text == "unconfined") {
    profile.type = "Unconfined";
  } else if (text == "runtime/default") {
    profile.type = "RuntimeDefault";
  } else if (text.starts_with(kLocalhost) && text.size() > kLocalhost.size()) {
    profile.type = "Localhost";
    profile.localhostProfile = std::string(text.substr(kLocalhost.size()));
  } else {
    return nullptr;
  }
  Box<AppArmorProfile> box(std::move(profile));
  if (!api::ValidateAppArmorProfile(box, Path("appArmorProfile")).empty()) return nullptr;
  return box;
}

// What an annotation says becomes a field, as nodes read fields only.
template <class AnyContainer>
void TakeAppArmorAnnotations(const StrategyContext& context, Pod& pod,
                             List<AnyContainer>& containers) {
  const AppArmorProfile* of_pod =
      pod.spec.securityContext ? pod.spec.securityContext->appArmorProfile.get() : nullptr;
  for (AnyContainer& container : containers) {
    const std::string key = std::string(kAppArmorAnnotation) + container.name;
    const auto annotation = pod.metadata.annotations.find(key);
    if (annotation == pod.metadata.annotations.end()) continue;
    if (container.securityContext && container.securityContext->appArmorProfile) continue;
    Box<AppArmorProfile> profile = ProfileOfAnnotation(annotation->second);
    if (profile && of_pod != nullptr && reflect::Equal(*profile, *of_pod)) continue;
    if (profile) container.securityContext.ensure().appArmorProfile = std::move(profile);
    if (context.warnings != nullptr) {
      context.warnings->push_back(
          Path("metadata").Child("annotations").Key(key).String() +
          ": deprecated since v1.30; use the \"appArmorProfile\" field instead");
    }
  }
}

void PrepareNewPod(const StrategyContext& context, Pod& pod) {
  pod.status.phase = "Pending";
  pod.status.qosClass = api::ComputePodQos(pod.spec);
  DropDisabledFields(nullptr, &pod.spec);
  if (!pod.spec.schedulingGates.empty()) {
    PodCondition condition;
    condition.type = "PodScheduled";
    condition.status = "False";
    condition.reason = "SchedulingGated";
    condition.message = "Scheduling is blocked due to non-empty scheduling gates";
    condition.lastTransitionTime = context.now;
    pod.status.conditions.push_back(std::move(condition));
  }
  api::MergeMatchLabelKeys(&pod);
  if (pod.spec.os && pod.spec.os->name == "windows") return;
  TakeAppArmorAnnotations(context, pod, pod.spec.initContainers);
  TakeAppArmorAnnotations(context, pod, pod.spec.containers);
  TakeAppArmorAnnotations(context, pod, pod.spec.ephemeralContainers);
}

void PreparePod(const StrategyContext&, Pod& pod, const Pod& old) {
  DropDisabledFields(&old.spec, &pod.spec);
}

// Writers that do not know observedGeneration leave it as it was. Conditions are told apart by type
// and by their order within a type, as validation permits several of one type.
void KeepObservedGenerations(const Pod& old, Pod& pod) {
  if (pod.status.observedGeneration == 0) {
    pod.status.observedGeneration = old.status.observedGeneration;
  }
  std::multimap<std::string_view, int64_t> known;
  for (const PodCondition& condition : old.status.conditions) {
    known.emplace(condition.type, condition.observedGeneration);
  }
  for (PodCondition& condition : pod.status.conditions) {
    const auto found = known.find(condition.type);
    if (found == known.end()) continue;
    // find may give any of a type; lower_bound the first.
    const auto first = known.lower_bound(condition.type);
    if (condition.observedGeneration == 0) condition.observedGeneration = first->second;
    known.erase(first);
  }
}

void PreparePodStatus(const StrategyContext&, Pod& pod, const Pod& old) {
  // Of a pod that is being deleted it comes back with the other times.
  pod.metadata.deletionTimestamp.reset();
  // Kubelets of old left it out for pods that they had rejected.
  if (pod.status.qosClass.empty()) pod.status.qosClass = old.status.qosClass;
  KeepObservedGenerations(old, pod);
}

void PrepareEphemeralContainers(const StrategyContext&, Pod& pod, const Pod& old) {
  List<EphemeralContainer> wanted = std::move(pod.spec.ephemeralContainers);
  pod.spec = reflect::Copy(old.spec);
  pod.spec.ephemeralContainers = std::move(wanted);
  pod.status = reflect::Copy(old.status);
}

// The old containers with the resources of the new ones; the new ones as they are when they are
// others, which validation refuses.
template <class Containers>
Containers Resized(Containers wanted, const Containers& old) {
  const auto same_name = [](const Container& a, const Container& b) { return a.name == b.name; };
  if (!std::ranges::equal(wanted, old, same_name)) return wanted;
  Containers resized = old;
  for (size_t i = 0; i < resized.size(); ++i) {
    resized[i].resources = std::move(wanted[i].resources);
    resized[i].resizePolicy = std::move(wanted[i].resizePolicy);
  }
  return resized;
}

void PrepareResize(const StrategyContext&, Pod& pod, const Pod& old) {
  if (pod.spec.containers.size() != old.spec.containers.size() ||
      pod.spec.initContainers.size() != old.spec.initContainers.size()) {
    return;
  }
  auto containers = Resized(std::move(pod.spec.containers), old.spec.containers);
  auto init_containers = Resized(std::move(pod.spec.initContainers), old.spec.initContainers);
  auto resources = std::move(pod.spec.resources);
  pod.spec = reflect::Copy(old.spec);
  pod.spec.containers = std::move(containers);
  pod.spec.initContainers = std::move(init_containers);
  pod.spec.resources = std::move(resources);
  pod.status = reflect::Copy(old.status);
}

ErrorList CheckPod(const Pod& pod, const Pod* old) {
  return CheckServedFields(pod.spec, old != nullptr ? &old->spec : nullptr, Path("spec"));
}

// Of new pods only, as people rarely change pods by hand.
std::vector<std::string> WarnOfPod(const Pod& pod, const Pod* old) {
  if (old != nullptr) return {};
  std::vector<std::string> warnings;
  if (const auto messages = api::IsDNS1123Label(pod.metadata.name); !messages.empty()) {
    warnings.push_back(
        "metadata.name: this is used in the Pod's hostname, which can result in surprising "
        "behavior; a DNS label is recommended: " +
        fmt::format("[{}]", fmt::join(messages, " ")));
  }
  auto others = WarningsForPodTemplate(pod.metadata, pod.spec, Path(), false);
  std::ranges::move(others, std::back_inserter(warnings));
  return warnings;
}

std::vector<std::string> WarnOfPodStatus(const Pod& pod, const Pod*) {
  std::vector<std::string> warnings;
  const Path status("status");
  const auto warn = [&](const auto& addresses, std::string_view field) {
    const Path path = status.Child(field);
    for (size_t i = 0; i < addresses.size(); ++i) {
      const Path at = path.Index(i);
      WarnOfIP(at.Child("ip"), addresses[i].ip, &warnings);
    }
  };
  warn(pod.status.podIPs, "podIPs");
  warn(pod.status.hostIPs, "hostIPs");
  return warnings;
}

// A pod that nobody runs, or that has ended, has nothing to end gracefully.
GracefulDeletion DeletePodGracefully(const void* object, const DeleteOptions& options) {
  const Pod& pod = *static_cast<const Pod*>(object);
  int64_t seconds =
      options.gracePeriodSeconds.value_or(pod.spec.terminationGracePeriodSeconds.value_or(0));
  const bool has_ended = pod.status.phase == "Failed" || pod.status.phase == "Succeeded";
  if (pod.spec.nodeName.empty() || has_ended) seconds = 0;
  return {.graceful = true, .seconds = seconds < 0 ? 1 : seconds};
}

}  // namespace

std::span<const Strategy> PodStrategies() {
  static const Strategy kRows[] = {
      {.type = &reflect::TypeOf<Pod>(),
       .has_status = true,
       .generation = Generation::kSpec,
       .prepare_create = Create<Pod, PrepareNewPod>,
       .prepare_update = Update<Pod, PreparePod>,
       .validate_create = CheckCreate<Pod, CheckPod>,
       .validate_update = CheckUpdate<Pod, CheckPod>,
       .warnings = Warn<Pod, WarnOfPod>,
       .graceful_deletion = DeletePodGracefully,
       .returns_deleted = true},
      {.type = &reflect::TypeOf<Pod>(),
       .subresource = "status",
       .own_field = "status",
       // Old kubelets garbled owner references, after which the garbage collector took the pod.
       .kept_metadata = KeptMetadata::kOwners,
       .prepare_update = Update<Pod, PreparePodStatus>,
       .warnings = Warn<Pod, WarnOfPodStatus>},
      {.type = &reflect::TypeOf<Pod>(),
       .subresource = "ephemeralcontainers",
       .generation = Generation::kSpec,
       .kept_metadata = KeptMetadata::kNames,
       .prepare_update = Update<Pod, PrepareEphemeralContainers>},
      {.type = &reflect::TypeOf<Pod>(),
       .subresource = "resize",
       .generation = Generation::kSpec,
       .kept_metadata = KeptMetadata::kNames,
       .prepare_update = Update<Pod, PrepareResize>},
  };
  return kRows;
}

}  // namespace podium::apiserver
