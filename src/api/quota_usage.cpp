#include "api/quota_usage.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "api/grace_period.h"
#include "api/names.h"
#include "api/pod_amounts.h"
#include "api/validation/resources.h"
#include "base/text.h"

namespace podium::api {
namespace {

using core::v1::Container;
using core::v1::PersistentVolumeClaim;
using core::v1::Pod;
using core::v1::ResourceQuota;
using core::v1::ScopedResourceSelectorRequirement;
using core::v1::Service;

constexpr std::string_view kRequests = "requests.";
constexpr std::string_view kHugePages = "hugepages-";
constexpr std::string_view kByClass = ".storageclass.storage.k8s.io/";

template <class T>
const T* As(const QuotaObject& object) {
  return object.type == &reflect::TypeOf<T>() ? static_cast<const T*>(object.object) : nullptr;
}

Quantity One() { return Quantity::FromInt(1); }

std::string CountName(std::string_view group, std::string_view resource) {
  std::string name = "count/" + std::string(resource);
  if (!group.empty()) name += "." + std::string(group);
  return name;
}

// The plural, where quotas knew it before they counted everything.
bool HasOldName(std::string_view group, std::string_view resource) {
  return group.empty() && (resource == "configmaps" || resource == "resourcequotas" ||
                           resource == "replicationcontrollers" || resource == "secrets");
}

bool IsNative(std::string_view name) {
  return !name.contains('/') || name.contains("kubernetes.io/");
}

// Of containers: example.com/gpu.
bool IsExtended(std::string_view name) {
  return !IsNative(name) && !name.starts_with(kRequests) &&
         IsQualifiedName(std::string(kRequests) + std::string(name)).empty();
}

bool IsPodName(std::string_view name) {
  static constexpr std::array<std::string_view, 10> kNames = {
      "cpu",          "memory",          "ephemeral-storage",
      "requests.cpu", "requests.memory", "requests.ephemeral-storage",
      "limits.cpu",   "limits.memory",   "limits.ephemeral-storage",
      "pods",
  };
  if (std::ranges::find(kNames, name) != kNames.end()) return true;
  if (name.starts_with(kHugePages) || name.starts_with("requests.hugepages-")) return true;
  return !IsNative(name) && name.starts_with(kRequests);
}

bool IsServiceName(std::string_view name) {
  return name == "services" || name == "services.nodeports" || name == "services.loadbalancers";
}

bool IsClaimName(std::string_view name) {
  if (const size_t at = name.find(kByClass); at != name.npos) {
    name.remove_prefix(at + kByClass.size());
  }
  return name == "persistentvolumeclaims" || name == "requests.storage";
}

bool IsNameOf(std::string_view group, std::string_view resource, std::string_view name) {
  if (name == CountName(group, resource)) return true;
  if (!group.empty()) return false;
  if (resource == "pods") return IsPodName(name);
  if (resource == "services") return IsServiceName(name);
  if (resource == "persistentvolumeclaims") return IsClaimName(name);
  return HasOldName(group, resource) && name == resource;
}

// What requests and limits count for.
QuotaAmounts ComputeUsage(const QuotaAmounts& requests, const QuotaAmounts& limits) {
  QuotaAmounts used;
  used["pods"] = One();
  for (const std::string_view name : {"cpu", "memory", "ephemeral-storage"}) {
    if (const auto found = requests.find(name); found != requests.end()) {
      used[std::string(name)] = found->second;
      used[std::string(kRequests) + std::string(name)] = found->second;
    }
    if (const auto found = limits.find(name); found != limits.end()) {
      used["limits." + std::string(name)] = found->second;
    }
  }
  for (const auto& [name, amount] : requests) {
    if (name.starts_with(kHugePages)) used[name] = amount;
    if (name.starts_with(kHugePages) || IsExtended(name))
      used[std::string(kRequests) + name] = amount;
  }
  return used;
}

bool IsOver(const Pod& pod, int64_t now) {
  if (pod.status.phase == "Failed" || pod.status.phase == "Succeeded") return true;
  return pod.metadata.deletionTimestamp && pod.metadata.deletionGracePeriodSeconds &&
         now > pod.metadata.deletionTimestamp->unix_seconds() +
                   BoundedGracePeriod(*pod.metadata.deletionGracePeriodSeconds);
}

void AddServiceUsage(const Service& service, QuotaAmounts* used) {
  (*used)["services"] = One();
  Quantity& balancers = (*used)["services.loadbalancers"];
  Quantity& ports = (*used)["services.nodeports"];
  const bool balanced = service.spec.type == "LoadBalancer";
  if (balanced) balancers = One();
  if (!balanced && service.spec.type != "NodePort") return;
  // Ports are not given out yet, so what counts is what is wanted.
  auto count = static_cast<int64_t>(service.spec.ports.size());
  if (balanced && !service.spec.allocateLoadBalancerNodePorts.value_or(true)) {
    count = std::ranges::count_if(service.spec.ports,
                                  [](const auto& port) { return port.nodePort != 0; });
  }
  ports = Quantity::FromInt(count);
}

void AddClaimUsage(const PersistentVolumeClaim& claim, QuotaAmounts* used) {
  const auto annotated = claim.metadata.annotations.find("volume.beta.kubernetes.io/storage-class");
  std::string by_class = annotated != claim.metadata.annotations.end()
                             ? annotated->second
                             : claim.spec.storageClassName.value_or("");
  const bool has_class = !by_class.empty();
  by_class += kByClass;
  (*used)["persistentvolumeclaims"] = One();
  if (has_class) (*used)[by_class + "persistentvolumeclaims"] = One();
  const auto wanted = claim.spec.resources.requests.find("storage");
  if (wanted == claim.spec.resources.requests.end()) return;
  Quantity storage = wanted->second;
  const auto allocated = claim.status.allocatedResources.find("storage");
  if (allocated != claim.status.allocatedResources.end() && allocated->second > storage) {
    storage = allocated->second;
  }
  // Quotas of storage are whole bytes.
  storage.RoundUp(Quantity::kOne);
  (*used)["requests.storage"] = storage;
  if (has_class) (*used)[by_class + "requests.storage"] = storage;
}

template <class Terms, class Term>
bool AnyAcross(const Terms& terms, Term term_of) {
  return std::ranges::any_of(terms, [&](const auto& each) {
    const auto& term = term_of(each);
    return !term.namespaces.empty() || term.namespaceSelector;
  });
}

// Of affinity and anti-affinity alike.
template <class Affinity>
bool ReachesAcross(const Affinity& affinity) {
  if (!affinity) return false;
  return AnyAcross(affinity->requiredDuringSchedulingIgnoredDuringExecution,
                   [](const auto& each) -> const auto& { return each; }) ||
         AnyAcross(affinity->preferredDuringSchedulingIgnoredDuringExecution,
                   [](const auto& each) -> const auto& { return each.podAffinityTerm; });
}

// Whether one of these values is what the operator asks for.
bool Satisfies(const ScopedResourceSelectorRequirement& wanted,
               const std::set<std::string>& values) {
  const auto is_named = [&](const std::string& value) {
    return std::ranges::find(wanted.values, value) != wanted.values.end();
  };
  if (wanted.operator_ == "Exists") return !values.empty();
  if (wanted.operator_ == "DoesNotExist") return values.empty();
  if (wanted.operator_ == "In") return std::ranges::any_of(values, is_named);
  if (wanted.operator_ == "NotIn") {
    return values.empty() || !std::ranges::all_of(values, is_named);
  }
  return false;
}

bool IsInScope(const ScopedResourceSelectorRequirement& scope, const Pod& pod) {
  const std::string& name = scope.scopeName;
  const bool terminating = pod.spec.activeDeadlineSeconds && *pod.spec.activeDeadlineSeconds >= 0;
  if (name == "Terminating") return terminating;
  if (name == "NotTerminating") return !terminating;
  if (name == "BestEffort" || name == "NotBestEffort") {
    const std::string_view qos =
        pod.status.qosClass.empty() ? ComputePodQos(pod.spec) : pod.status.qosClass;
    return (qos == "BestEffort") == (name == "BestEffort");
  }
  if (name == "PriorityClass") {
    std::set<std::string> values;
    if (!pod.spec.priorityClassName.empty()) values.insert(pod.spec.priorityClassName);
    return Satisfies(scope, values);
  }
  if (name == "CrossNamespacePodAffinity") {
    return pod.spec.affinity && (ReachesAcross(pod.spec.affinity->podAffinity) ||
                                 ReachesAcross(pod.spec.affinity->podAntiAffinity));
  }
  return false;
}

bool IsInScope(const ScopedResourceSelectorRequirement& scope, const PersistentVolumeClaim& claim) {
  if (scope.scopeName != "VolumeAttributesClass") return false;
  std::set<std::string> names;
  names.insert(claim.spec.volumeAttributesClassName.value_or(""));
  names.insert(claim.status.currentVolumeAttributesClassName.value_or(""));
  if (claim.status.modifyVolumeStatus) {
    names.insert(claim.status.modifyVolumeStatus->targetVolumeAttributesClassName);
  }
  names.erase("");
  return Satisfies(scope, names);
}

bool IsInScope(const ScopedResourceSelectorRequirement& scope, const QuotaObject& object) {
  if (const Pod* pod = As<Pod>(object)) return IsInScope(scope, *pod);
  if (const auto* claim = As<PersistentVolumeClaim>(object)) return IsInScope(scope, *claim);
  return false;
}

}  // namespace

std::vector<std::string> QuotaNamesOf(std::string_view group, std::string_view resource,
                                      const QuotaAmounts& amounts) {
  std::vector<std::string> names;
  for (const auto& [name, amount] : amounts) {
    if (IsNameOf(group, resource, name)) names.push_back(name);
  }
  return names;
}

bool QuotaCounts(const ResourceQuota& quota, const QuotaObject& object) {
  if (QuotaNamesOf(object.group, object.resource, quota.status.hard).empty()) return false;
  for (const std::string& scope : quota.spec.scopes) {
    if (!IsInScope({.scopeName = scope, .operator_ = "Exists", .values = {}}, object)) return false;
  }
  if (!quota.spec.scopeSelector) return true;
  return std::ranges::all_of(quota.spec.scopeSelector->matchExpressions,
                             [&](const auto& scope) { return IsInScope(scope, object); });
}

QuotaAmounts QuotaUsageOf(const QuotaObject& object, int64_t now) {
  QuotaAmounts used;
  if (const Pod* pod = As<Pod>(object); pod != nullptr && !IsOver(*pod, now)) {
    const PodAmounts amounts = ChargedAmountsOf(*pod);
    used = ComputeUsage(amounts.requests, amounts.limits);
  }
  if (const auto* service = As<Service>(object)) AddServiceUsage(*service, &used);
  if (const auto* claim = As<PersistentVolumeClaim>(object)) AddClaimUsage(*claim, &used);
  if (HasOldName(object.group, object.resource)) used[std::string(object.resource)] = One();
  used[CountName(object.group, object.resource)] = One();
  return used;
}

std::string QuotaConstraintProblem(const std::vector<std::string>& names,
                                   const QuotaObject& object) {
  static constexpr std::array<std::string_view, 6> kMustBeSaid = {
      "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"};
  const Pod* pod = As<Pod>(object);
  if (pod == nullptr) return "";
  QuotaAmounts of_pod;
  if (pod->spec.resources) {
    of_pod = ComputeUsage(pod->spec.resources->requests, pod->spec.resources->limits);
  }
  std::map<std::string, std::set<std::string>> missing;
  const auto check = [&](const Container& container) {
    const QuotaAmounts used =
        ComputeUsage(container.resources.requests, container.resources.limits);
    for (const std::string& name : names) {
      if (std::ranges::find(kMustBeSaid, name) == kMustBeSaid.end()) continue;
      if (!used.contains(name) && !of_pod.contains(name)) missing[name].insert(container.name);
    }
  };
  for (const Container& container : pod->spec.containers) check(container);
  for (const Container& container : pod->spec.initContainers) check(container);
  if (missing.empty()) return "";
  return "must specify " + Join(missing, "; ", [](const auto& each) {
           return each.first + " for: " + Join(each.second, ",");
         });
}

}  // namespace podium::api
