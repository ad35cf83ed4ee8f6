#include "api/validation/pod_options.h"

#include <algorithm>

#include "api/labels.h"
#include "api/resource_names.h"
#include "api/types/core_v1.h"
#include "api/validation/containers.h"
#include "api/validation/pod_annotations.h"
#include "api/validation/scheduling.h"
#include "api/validation/security_context.h"
#include "api/validation/volume_paths.h"

namespace podium::api {

using core::v1::Container;
using core::v1::PodAffinityTerm;
using core::v1::PodSpec;
using core::v1::TopologySpreadConstraint;
using field::Path;

namespace {

// Whether any container of the spec, of whichever list, has a property.
template <class Predicate>
bool AnyContainer(const PodSpec& spec, Predicate predicate) {
  bool found = false;
  VisitContainers(spec, Path(), [&](const Container& container, const Path&) {
    found = found || predicate(container);
  });
  return found;
}

bool HasIndivisibleHugePages(const reflect::Map<Quantity>& resources) {
  return std::ranges::any_of(resources, [](const auto& each) {
    return IsHugePageResourceName(each.first) &&
           !IsHugePageResourceValueDivisible(each.first, each.second);
  });
}

bool HasIndivisibleHugePages(const PodSpec& spec) {
  return HasIndivisibleHugePages(spec.overhead) ||
         AnyContainer(spec, [](const Container& container) {
           return HasIndivisibleHugePages(container.resources.limits) ||
                  HasIndivisibleHugePages(container.resources.requests);
         });
}

bool HasInvalidSelector(const PodAffinityTerm& term) {
  return !ValidatePodAffinityTermSelectors(term, false, Path()).empty();
}

template <class PodAffinity>
bool HasInvalidSelectors(const PodAffinity& affinity) {
  return std::ranges::any_of(affinity.requiredDuringSchedulingIgnoredDuringExecution,
                             HasInvalidSelector) ||
         std::ranges::any_of(
             affinity.preferredDuringSchedulingIgnoredDuringExecution,
             [](const auto& weighted) { return HasInvalidSelector(weighted.podAffinityTerm); });
}

void AllowAffinityOf(const PodSpec& old, PodValidationOptions* options) {
  if (!old.affinity) return;
  const core::v1::Affinity& affinity = *old.affinity;
  options->allow_invalid_label_value_in_selector =
      (affinity.podAffinity && HasInvalidSelectors(*affinity.podAffinity)) ||
      (affinity.podAntiAffinity && HasInvalidSelectors(*affinity.podAntiAffinity));
  if (!affinity.nodeAffinity) return;
  const auto& required = affinity.nodeAffinity->requiredDuringSchedulingIgnoredDuringExecution;
  options->allow_invalid_label_value_in_required_node_affinity =
      required && HasInvalidLabelValue(*required);
}

void AllowSpreadOf(const PodSpec& old, PodValidationOptions* options) {
  for (const TopologySpreadConstraint& constraint : old.topologySpreadConstraints) {
    if (constraint.labelSelector &&
        !ValidateLabelSelector(*constraint.labelSelector, Path()).empty()) {
      options->allow_invalid_topology_spread_constraint_label_selector = true;
    }
    if (!ValidateMatchLabelKeysAndMismatchLabelKeys(constraint.matchLabelKeys, {},
                                                    constraint.labelSelector, Path())
             .empty()) {
      options->old_pod_violates_match_label_keys_validation = true;
    }
  }
}

bool HasNonLocalTokenPath(const PodSpec& spec) {
  for (const core::v1::Volume& volume : spec.volumes) {
    if (!volume.projected) continue;
    for (const core::v1::VolumeProjection& source : volume.projected->sources) {
      if (source.serviceAccountToken &&
          !ValidateLocalNonReservedPath(source.serviceAccountToken->path, Path()).empty()) {
        return true;
      }
    }
  }
  return false;
}

bool HasHostSysctl(const PodSpec& spec) {
  return spec.securityContext &&
         std::ranges::any_of(spec.securityContext->sysctls, [&](const core::v1::Sysctl& sysctl) {
           return IsHostSysctl(sysctl.name, spec);
         });
}

bool HasVolumeDevices(const PodSpec& spec) {
  return AnyContainer(spec,
                      [](const Container& container) { return !container.volumeDevices.empty(); });
}

bool HasRestartingResizePolicy(const PodSpec& spec) {
  return std::ranges::any_of(spec.initContainers, [](const Container& container) {
    return !IsRestartableInitContainer(container) &&
           std::ranges::any_of(container.resizePolicy, [](const auto& policy) {
             return policy.restartPolicy == "RestartContainer";
           });
  });
}

bool HasEmptyImageReference(const PodSpec& spec) {
  return std::ranges::any_of(spec.volumes, [](const core::v1::Volume& volume) {
    return volume.image && volume.image->reference.empty();
  });
}

bool HasComparingToleration(const PodSpec& spec) {
  return std::ranges::any_of(spec.tolerations, [](const core::v1::Toleration& toleration) {
    return toleration.operator_ == "Lt" || toleration.operator_ == "Gt";
  });
}

}  // namespace

PodValidationOptions PodValidationOptionsFor(const PodSpec* old_spec,
                                             const meta::v1::ObjectMeta* old_meta) {
  PodValidationOptions options;
  if (old_meta) {
    options.allow_invalid_pod_deletion_cost = !IsValidDeletionCost(old_meta->annotations);
  }
  if (!old_spec) return options;
  const PodSpec& old = *old_spec;
  bool own_users = !old.hostUsers.value_or(true);
  options.allow_indivisible_huge_pages_values = HasIndivisibleHugePages(old);
  AllowAffinityOf(old, &options);
  AllowSpreadOf(old, &options);
  options.allow_non_local_projected_token_path = HasNonLocalTokenPath(old);
  options.allow_namespaced_sysctls_for_host_net_and_host_ipc = HasHostSysctl(old);
  options.allow_only_recursive_selinux_change_policy =
      !(old.securityContext && old.securityContext->seLinuxChangePolicy);
  options.allow_existing_restart_container_for_non_sidecar_init_container =
      HasRestartingResizePolicy(old);
  options.allow_user_namespaces_with_volume_devices = own_users && HasVolumeDevices(old);
  options.allow_user_namespaces_host_network_support = own_users && old.hostNetwork;
  options.allow_taint_toleration_comparison_operators = HasComparingToleration(old);
  options.allow_empty_image_volume_reference = HasEmptyImageReference(old);
  return options;
}

PodValidationOptions PodValidationOptionsForTemplate(
    const core::v1::PodTemplateSpec* old_template) {
  if (!old_template) return PodValidationOptions();
  return PodValidationOptionsFor(&old_template->spec, &old_template->metadata);
}

}  // namespace podium::api
