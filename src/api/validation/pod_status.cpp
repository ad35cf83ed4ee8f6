// Changes of a pod's status.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "api/ip.h"
#include "api/names.h"
#include "api/resource_names.h"
#include "api/types/core_v1.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/pod.h"
#include "api/validation/pod_annotations.h"
#include "api/validation/security_context.h"
#include "api/validation/unversioned_json.h"

namespace podium::api {

using core::v1::Container;
using core::v1::ContainerRestartRule;
using core::v1::ContainerStatus;
using core::v1::Pod;
using core::v1::PodSpec;
using core::v1::PodStatus;
using core::v1::ResourceStatus;
using field::ErrorList;
using field::Path;
using reflect::List;

namespace {

constexpr size_t kMaxHealthMessage = 1024;
constexpr size_t kMaxImageRef = 256;

ErrorList ValidateConditions(const List<core::v1::PodCondition>& conditions, const Path& path) {
  ErrorList errors;
  for (size_t i = 0; i < conditions.size(); ++i) {
    Path at = path.Index(i);
    if (conditions[i].observedGeneration < 0) {
      errors.Add(field::Invalid(at.Child("observedGeneration"), conditions[i].observedGeneration,
                                "must be a non-negative integer"));
    }
    if (IsOneOf(conditions[i].type, {"PodScheduled", "Ready", "Initialized"})) continue;
    errors.Append(ValidateQualifiedName(conditions[i].type, at.Child("Type")));
  }
  return errors;
}

ErrorList ValidateNomination(const Pod& new_pod, const Pod& old_pod, const Path& path) {
  ErrorList errors;
  const std::string& name = new_pod.status.nominatedNodeName;
  if (name.empty() || name == old_pod.status.nominatedNodeName) return errors;
  errors.AddInvalid(path, name, NameIsDNSSubdomain(name, false));
  if (!old_pod.spec.nodeName.empty()) {
    errors.Add(field::Forbidden(path, "may not be set on pods that are already bound to a node"));
  }
  return errors;
}

// Whether containers that have ended may run again.

bool Matches(const ContainerRestartRule& rule, int32_t exit_code) {
  if (!rule.exitCodes) return false;
  bool listed =
      std::ranges::find(rule.exitCodes->values, exit_code) != rule.exitCodes->values.end();
  return rule.exitCodes->operator_ == "In" ? listed
                                           : rule.exitCodes->operator_ == "NotIn" && !listed;
}

// Nothing where the policy is not a known one.
std::optional<bool> PolicyRestarts(std::string_view policy, int32_t exit_code) {
  if (policy == "Always") return true;
  if (policy == "OnFailure") return exit_code != 0;
  if (policy == "Never") return false;
  return std::nullopt;
}

bool ShouldRestart(const Container& container, const PodSpec& spec, int32_t exit_code) {
  bool pod_restarts = PolicyRestarts(spec.restartPolicy, exit_code).value_or(true);
  if (!container.restartPolicy) return pod_restarts;
  for (const ContainerRestartRule& rule : container.restartPolicyRules) {
    if (!Matches(rule, exit_code)) continue;
    if (rule.action == "Restart") return true;
    break;
  }
  return PolicyRestarts(*container.restartPolicy, exit_code).value_or(pod_restarts);
}

bool MayRestartAll(const List<Container>& containers) {
  return std::ranges::any_of(containers, [](const Container& container) {
    return std::ranges::any_of(container.restartPolicyRules, [](const ContainerRestartRule& rule) {
      return rule.action == "RestartAllContainers";
    });
  });
}

bool IsTerminated(const ContainerStatus& status) { return status.state.terminated.has_value(); }

// Names of those that have not ended, and how many statuses there are of each.
std::map<std::string_view, size_t> Running(const List<ContainerStatus>& statuses) {
  std::map<std::string_view, size_t> running;
  for (const ContainerStatus& status : statuses) {
    if (!IsTerminated(status)) ++running[status.name];
  }
  return running;
}

// A container that has ended stays so unless it may restart. `containers` are those of the spec
// that the statuses belong to.
ErrorList ValidateStateTransitions(const List<ContainerStatus>& statuses,
                                   const List<ContainerStatus>& old, const PodSpec& spec,
                                   const List<Container>& containers, const Path& path,
                                   const PodValidationOptions& options) {
  ErrorList errors;
  if (options.allow_restart_all_containers &&
      (MayRestartAll(spec.containers) || MayRestartAll(spec.initContainers))) {
    return errors;
  }
  const std::map<std::string_view, size_t> running = Running(statuses);
  std::map<std::string_view, const Container*> by_name;  // the first of each name
  for (const Container& container : containers) by_name.try_emplace(container.name, &container);
  for (size_t i = 0; i < old.size(); ++i) {
    if (!IsTerminated(old[i]) || !running.contains(old[i].name)) continue;
    const auto container = by_name.find(old[i].name);
    int32_t exit_code = old[i].state.terminated->exitCode;
    if (container != by_name.end() && ShouldRestart(*container->second, spec, exit_code)) continue;
    Path at = path.Index(i);
    errors.Add(
        field::Forbidden(at.Child("state"), "may not be transitioned to non-terminated state"));
  }
  return errors;
}

ErrorList ValidateEphemeralTransitions(const List<ContainerStatus>& statuses,
                                       const List<ContainerStatus>& old, const Path& path) {
  ErrorList errors;
  const std::map<std::string_view, size_t> running = Running(statuses);
  for (size_t i = 0; i < old.size(); ++i) {
    if (errors.full()) break;
    if (!IsTerminated(old[i])) continue;
    const auto found = running.find(old[i].name);
    const size_t count = found == running.end() ? 0 : found->second;
    for (size_t j = 0; j < count && !errors.full(); ++j) {
      Path at = path.Index(i);
      errors.Add(
          field::Forbidden(at.Child("state"), "may not be transitioned to non-terminated state"));
    }
  }
  return errors;
}

ErrorList ValidateClaimStatuses(const PodStatus& status, const PodSpec& spec, const Path& path) {
  ErrorList errors;
  std::set<std::string_view> claims;
  for (const core::v1::PodResourceClaim& claim : spec.resourceClaims) claims.insert(claim.name);
  std::set<std::string_view> names;
  for (size_t i = 0; i < status.resourceClaimStatuses.size(); ++i) {
    const core::v1::PodResourceClaimStatus& claim = status.resourceClaimStatuses[i];
    Path at = path.Index(i);
    if (!claims.contains(claim.name)) {
      errors.Add(field::Invalid(at.Child("name"), claim.name,
                                "must match the name of an entry in `spec.resourceClaims`"));
    }
    if (!names.insert(claim.name).second) {
      errors.Add(field::Duplicate(at.Child("name"), claim.name));
    }
    if (claim.resourceClaimName) {
      errors.AddInvalid(at.Child("resourceClaimName"), NamedString(*claim.resourceClaimName),
                        NameIsDNSSubdomain(*claim.resourceClaimName, false));
    }
  }
  return errors;
}

ErrorList ValidateExtendedClaimStatus(const PodStatus& status, const PodSpec& spec,
                                      const Path& path) {
  ErrorList errors;
  if (!status.extendedResourceClaimStatus) return errors;
  const core::v1::PodExtendedResourceClaimStatus& claim = *status.extendedResourceClaimStatus;
  reflect::Map<const Container*> containers;
  for (const Container& container : spec.initContainers) containers[container.name] = &container;
  for (const Container& container : spec.containers) containers[container.name] = &container;
  Path mappings = path.Child("requestMappings");
  if (claim.requestMappings.empty()) {
    errors.Add(field::Required(mappings, "at least one request mapping is required"));
  }
  std::set<std::tuple<std::string_view, std::string_view, std::string_view>> seen;
  for (size_t i = 0; i < claim.requestMappings.size(); ++i) {
    const core::v1::ContainerExtendedResourceRequest& mapping = claim.requestMappings[i];
    Path at = mappings.Index(i);
    auto container = containers.find(mapping.containerName);
    if (container == containers.end()) {
      errors.Add(field::Invalid(at.Child("containerName"), mapping.containerName,
                                "must match the name of an entry in spec.initContainers.name or "
                                "spec.containers.name"));
    } else if (!container->second->resources.requests.contains(mapping.resourceName)) {
      errors.Add(field::Invalid(
          at.Child("resourceName"), mapping.resourceName,
          "must match the extended resource name of an entry in "
          "spec.initContainers.resources.requests or spec.containers.resources.requests"));
    }
    errors.Append(ValidateDNS1123Label(mapping.requestName, path.Child("requestName")));
    if (!seen.emplace(mapping.containerName, mapping.resourceName, mapping.requestName).second) {
      errors.Add(field::Duplicate(at.Child("containerName"), mapping.containerName));
      errors.Add(field::Duplicate(at.Child("resourceName"), mapping.resourceName));
      errors.Add(field::Duplicate(at.Child("requestName"), mapping.requestName));
    }
  }
  if (claim.resourceClaimName.empty()) {
    errors.Add(field::Required(path.Child("resourceClaimName"), ""));
  } else {
    errors.AddInvalid(path.Child("resourceClaimName"), claim.resourceClaimName,
                      NameIsDNSSubdomain(claim.resourceClaimName, false));
  }
  return errors;
}

// The claims that the pod refers to, itself or through a template.
std::set<std::string_view> UsedClaims(const PodStatus& status, const PodSpec& spec) {
  std::set<std::string_view> claims;
  const auto add = [&](const auto& references) {
    for (const auto& claim : references) {
      if (claim.resourceClaimName) claims.insert(*claim.resourceClaimName);
    }
  };
  add(spec.resourceClaims);
  add(status.resourceClaimStatuses);
  return claims;
}

ErrorList ValidateNodeAllocatableClaims(const PodStatus& status, const PodSpec& spec,
                                        const Path& path) {
  ErrorList errors;
  const std::set<std::string_view> used = UsedClaims(status, spec);
  for (size_t i = 0; i < status.nodeAllocatableResourceClaimStatuses.size(); ++i) {
    const auto& claim = status.nodeAllocatableResourceClaimStatuses[i];
    Path at = path.Index(i);
    if (claim.resourceClaimName.empty()) {
      errors.Add(field::Required(at.Child("resourceClaimName"), "must not be empty"));
    }
    if (!used.contains(claim.resourceClaimName)) {
      errors.Add(field::Invalid(at.Child("resourceClaimName"), claim.resourceClaimName,
                                "no mapping found in pod reference"));
    }
    if (claim.containers.empty()) {
      errors.Add(field::Required(at.Child("containers"), "must not be empty"));
    }
    Path resources = at.Child("resources");
    if (claim.resources.empty()) errors.Add(field::Required(resources, "must not be empty"));
    for (const auto& [name, quantity] : claim.resources) {
      if (!IsNativeResource(name)) {
        errors.Add(field::Invalid(resources.Key(name), NamedString(name),
                                  "must be a node allocatable resource name"));
      }
      if (quantity.Sign() < 0) {
        errors.Add(field::Invalid(resources.Key(name), quantity.String(), "must be non-negative"));
      }
    }
  }
  return errors;
}

template <class Address>
std::vector<std::string> IpsOf(const List<Address>& addresses) {
  std::vector<std::string> ips;
  for (const Address& address : addresses) ips.push_back(address.ip);
  return ips;
}

// Addresses that were there may stay as they are; there is one of each family at most.
template <class Address>
ErrorList ValidateIps(const List<Address>& addresses, const List<Address>& old, const Path& path) {
  ErrorList errors;
  std::vector<std::string> ips = IpsOf(addresses);
  const std::vector<std::string> old_list = IpsOf(old);
  const std::set<std::string_view> old_ips(old_list.begin(), old_list.end());
  for (size_t i = 0; i < ips.size(); ++i) {
    if (old_ips.contains(ips[i])) continue;
    errors.AddInvalid(path.Index(i), ips[i], IsValidIPForLegacyField(ips[i]));
  }
  if (ips.size() < 2) return errors;
  bool v4 = false;
  bool v6 = false;
  for (size_t i = 0; i < ips.size(); ++i) {
    std::optional<IPAddress> address = ParseIP(ips[i]);
    if (!address) {
      errors.Add(field::InternalError(
          path,
          fmt::format("failed to check for dual stack with error:invalid IP[{}]: {}", i, ips[i])));
      v4 = v6 = false;
      break;
    }
    (address->IsIPv4() ? v4 : v6) = true;
  }
  if (!v4 || !v6 || ips.size() > 2) {
    errors.Add(field::Invalid(path, UnversionedValue(addresses),
                              "may specify no more than one IP for each IP family"));
  }
  return errors;
}

// The single address is older than the list, and right where the two differ.
List<core::v1::PodIP> PodIpsOf(const PodStatus& status) {
  bool differ = status.podIPs.empty() || status.podIPs[0].ip != status.podIP;
  if (!status.podIP.empty() && differ) return {core::v1::PodIP{.ip = status.podIP}};
  return status.podIPs;
}

ErrorList ValidateHostIps(const PodStatus& status, const PodStatus& old, const Path& path) {
  ErrorList errors;
  if (status.hostIPs.empty()) return errors;
  if (status.hostIP != status.hostIPs[0].ip) {
    Path first = path.Index(0);
    errors.Add(
        field::Invalid(first.Child("ip"), status.hostIPs[0].ip, "must be equal to `hostIP`"));
  }
  errors.Append(ValidateIps(status.hostIPs, old.hostIPs, path));
  return errors;
}

ErrorList ValidateLinuxUser(const core::v1::LinuxContainerUser& user, const Path& path) {
  ErrorList errors;
  errors.AddInvalid(path.Child("uid"), user.uid, IsValidUserID(user.uid));
  errors.AddInvalid(path.Child("gid"), user.gid, IsValidGroupID(user.gid));
  Path groups = path.Child("supplementalGroups");
  for (size_t i = 0; i < user.supplementalGroups.size(); ++i) {
    int64_t group = user.supplementalGroups[i];
    errors.AddInvalid(groups.Index(i), group, IsValidGroupID(group));
  }
  return errors;
}

ErrorList ValidateUsers(const List<ContainerStatus>& statuses, const PodSpec& spec,
                        const Path& path) {
  ErrorList errors;
  std::string_view os = spec.os ? std::string_view(spec.os->name) : "linux";
  for (size_t i = 0; i < statuses.size(); ++i) {
    if (!statuses[i].user || !statuses[i].user->linux_) continue;
    Path at = path.Index(i);
    Path user = at.Child("user");
    if (os == "windows") {
      errors.Add(field::Forbidden(user.Child("linux"), "cannot be set for a windows pod"));
    } else if (os == "linux") {
      errors.Append(ValidateLinuxUser(*statuses[i].user->linux_, user.Child("linux")));
    }
  }
  return errors;
}

// As the status of a resource names them.
std::set<std::string, std::less<>> ClaimsOf(const Container& container) {
  std::set<std::string, std::less<>> names;
  for (const auto& claim : container.resources.claims) {
    names.insert("claim:" + claim.name + (claim.request.empty() ? "" : "/" + claim.request));
  }
  return names;
}

ErrorList ValidateHealth(const ResourceStatus& resource, const Path& path) {
  ErrorList errors;
  std::set<std::string_view> ids;
  for (size_t i = 0; i < resource.resources.size(); ++i) {
    const core::v1::ResourceHealth& health = resource.resources[i];
    Path at = path.Index(i);
    if (!IsOneOf(health.health, {"Healthy", "Unhealthy", "Unknown"})) {
      errors.Add(field::NotSupported(at.Child("health"), NamedString(health.health),
                                     {"Healthy", "Unhealthy", "Unknown"}));
    }
    if (health.message && health.message->empty()) {
      errors.Add(field::Required(at.Child("message"), "must be non-empty if specified"));
    } else if (health.message && health.message->size() > kMaxHealthMessage) {
      errors.Add(field::TooLong(at.Child("message"), kMaxHealthMessage));
    }
    if (!ids.insert(health.resourceID).second) {
      errors.Add(field::Duplicate(at.Child("resourceID"), NamedString(health.resourceID)));
    }
  }
  return errors;
}

ErrorList ValidateAllocated(const List<ContainerStatus>& statuses,
                            const List<Container>& containers, const Path& path) {
  ErrorList errors;
  // The first of each name, and its claims.
  struct Known {
    const Container* container;
    std::set<std::string, std::less<>> claims;
  };
  std::map<std::string_view, Known> by_name;
  for (const Container& container : containers) {
    if (by_name.contains(container.name)) continue;
    by_name.emplace(container.name, Known{&container, ClaimsOf(container)});
  }
  for (size_t i = 0; i < statuses.size(); ++i) {
    const auto container = by_name.find(statuses[i].name);
    Path index = path.Index(i);
    Path allocated = index.Child("allocatedResourcesStatus");
    for (size_t j = 0; j < statuses[i].allocatedResourcesStatus.size(); ++j) {
      const ResourceStatus& resource = statuses[i].allocatedResourcesStatus[j];
      Path at = allocated.Index(j);
      bool claim = resource.name.starts_with("claim:");
      // A status of a container that is not in the spec is passed over.
      bool known =
          container == by_name.end() ||
          (claim ? container->second.claims.contains(resource.name)
                 : container->second.container->resources.requests.contains(resource.name));
      if (!known) {
        errors.Add(field::Invalid(
            at.Child("name"), NamedString(resource.name),
            claim ? "must match one of the container's resource claims in a format "
                    "'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
                  : "must match one of the container's resource requests"));
      }
      errors.Append(ValidateHealth(resource, at.Child("resources")));
    }
  }
  return errors;
}

ErrorList ForbidAllocated(const List<ContainerStatus>& statuses, const Path& path) {
  ErrorList errors;
  for (size_t i = 0; i < statuses.size(); ++i) {
    if (statuses[i].allocatedResourcesStatus.empty()) continue;
    Path at = path.Index(i);
    errors.Add(field::Forbidden(at.Child("allocatedResourcesStatus"),
                                "must not be specified in container status"));
  }
  return errors;
}

ErrorList ValidateVolumeStatuses(const List<ContainerStatus>& statuses, const Path& path) {
  ErrorList errors;
  for (size_t i = 0; i < statuses.size(); ++i) {
    Path index = path.Index(i);
    Path mounts = index.Child("volumeMounts");
    for (size_t j = 0; j < statuses[i].volumeMounts.size(); ++j) {
      const auto& volume = statuses[i].volumeMounts[j].volumeStatus;
      if (!volume || !volume->image) continue;
      Path mount = mounts.Index(j);
      Path volume_path = mount.Child("volumeStatus");
      Path image = volume_path.Child("imageVolumeStatus");
      if (volume->image->imageRef.empty()) {
        errors.Add(field::Required(image.Child("imageRef"), "imageRef must not be empty"));
      }
      if (volume->image->imageRef.size() > kMaxImageRef) {
        errors.Add(field::TooLong(image.Child("imageRef"), kMaxImageRef));
      }
    }
  }
  return errors;
}

}  // namespace

ErrorList ValidatePodStatusUpdate(const Pod& new_pod, const Pod& old_pod,
                                  const PodValidationOptions& options) {
  Path meta("metadata");
  Path path("status");
  const PodStatus& status = new_pod.status;
  const PodStatus& old = old_pod.status;
  const PodSpec& spec = new_pod.spec;
  Path containers = path.Child("containerStatuses");
  Path init = path.Child("initContainerStatuses");
  Path ephemeral = path.Child("ephemeralContainerStatuses");

  ErrorList errors = ValidateObjectMetaUpdate(new_pod.metadata, old_pod.metadata, meta);
  errors.Append(
      ValidatePodSpecificAnnotationUpdates(new_pod, old_pod, meta.Child("annotations"), options));
  errors.Append(ValidateConditions(status.conditions, path.Child("conditions")));
  if (spec.nodeName != old_pod.spec.nodeName) {
    errors.Add(field::Forbidden(path.Child("nodeName"), "may not be changed directly"));
  }
  errors.Append(ValidateNomination(new_pod, old_pod, path.Child("nominatedNodeName")));
  if (status.observedGeneration < 0) {
    errors.Add(field::Invalid(path.Child("observedGeneration"), status.observedGeneration,
                              "must be a non-negative integer"));
  }
  if (status.qosClass != old.qosClass) {
    errors.Add(
        field::Invalid(path.Child("qosClass"), NamedString(status.qosClass), kFieldImmutable));
  }
  errors.Append(ValidateStateTransitions(status.containerStatuses, old.containerStatuses,
                                         old_pod.spec, old_pod.spec.containers, containers,
                                         options));
  errors.Append(ValidateStateTransitions(status.initContainerStatuses, old.initContainerStatuses,
                                         old_pod.spec, old_pod.spec.initContainers, init, options));
  errors.Append(ValidateEphemeralTransitions(status.ephemeralContainerStatuses,
                                             old.ephemeralContainerStatuses, ephemeral));
  errors.Append(ValidateClaimStatuses(status, spec, path.Child("resourceClaimStatuses")));
  errors.Append(
      ValidateExtendedClaimStatus(status, spec, path.Child("extendedResourceClaimStatus")));
  errors.Append(ValidateNodeAllocatableClaims(status, spec,
                                              path.Child("nodeAllocatableResourceClaimStatuses")));
  errors.Append(ValidateIps(PodIpsOf(status), PodIpsOf(old), path.Child("podIPs")));
  errors.Append(ValidateHostIps(status, old, path.Child("hostIPs")));
  errors.Append(ValidateUsers(status.containerStatuses, spec, containers));
  errors.Append(ValidateUsers(status.initContainerStatuses, spec, init));
  errors.Append(ValidateUsers(status.ephemeralContainerStatuses, spec, ephemeral));
  errors.Append(ValidateAllocated(status.containerStatuses, spec.containers, containers));
  errors.Append(ValidateAllocated(status.initContainerStatuses, spec.initContainers, init));
  errors.Append(ForbidAllocated(status.ephemeralContainerStatuses, ephemeral));
  if (options.allow_image_volume_with_digest) {
    errors.Append(ValidateVolumeStatuses(status.containerStatuses, containers));
    errors.Append(ValidateVolumeStatuses(status.initContainerStatuses, init));
    errors.Append(ValidateVolumeStatuses(status.ephemeralContainerStatuses, ephemeral));
  }
  return errors;
}

}  // namespace podium::api
