// Changes of the resources of a pod that is there.

#include <algorithm>

#include "api/types/core_v1.h"
#include "api/validation/common.h"
#include "api/validation/containers.h"
#include "api/validation/object_meta.h"
#include "api/validation/pod.h"
#include "api/validation/pod_annotations.h"
#include "api/validation/resources.h"
#include "reflect/copy.h"

namespace podium::api {

using core::v1::Container;
using core::v1::Pod;
using core::v1::PodSpec;
using core::v1::ResourceRequirements;
using field::ErrorList;
using field::Path;
using reflect::Box;
using reflect::List;

namespace {

using ResourceList = reflect::Map<Quantity>;

// Containers keep their number, order and names.
ErrorList ValidateOrder(const List<Container>& containers, const List<Container>& old,
                        std::string_view list, const Path& path) {
  ErrorList errors;
  if (containers.size() != old.size()) {
    errors.Add(
        field::Forbidden(path, std::string(list) + " may not be added or removed on resize"));
    return errors;
  }
  for (size_t i = 0; i < old.size(); ++i) {
    if (containers[i].name == old[i].name) continue;
    Path at = path.Index(i);
    errors.Add(field::Forbidden(at.Child("name"),
                                std::string(list) + " may not be renamed or reordered on resize"));
  }
  return errors;
}

bool Removes(const ResourceList& resources, const ResourceList& old) {
  return old.size() > resources.size() || std::ranges::any_of(old, [&](const auto& each) {
           return !resources.contains(each.first);
         });
}

// Cpu and memory as they were before: what is left may not differ.
void TakeCpuAndMemory(const ResourceList& old, ResourceList* resources) {
  for (std::string_view name : {"cpu", "memory"}) {
    auto found = old.find(name);
    auto own = resources->find(name);
    if (found != old.end()) {
      resources->insert_or_assign(found->first, found->second);
    } else if (own != resources->end()) {
      resources->erase(own);
    }
  }
}

// As upstream, the claims are taken out of the comparison.
void TakeCpuAndMemory(const Container& old, Container* container) {
  TakeCpuAndMemory(old.resources.limits, &container->resources.limits);
  TakeCpuAndMemory(old.resources.requests, &container->resources.requests);
  container->resources.claims.clear();
}

bool HasAmounts(const Box<ResourceRequirements>& resources) {
  return resources && !(resources->requests.empty() && resources->limits.empty());
}

bool SameResources(const Box<ResourceRequirements>& a, const Box<ResourceRequirements>& b) {
  return a && b ? reflect::Equal(*a, *b) : a.get() == b.get();
}

// Resources of the whole pod; takes the old cpu and memory over into `munged`.
ErrorList ValidatePodLevelResize(const PodSpec& spec, const PodSpec& old, const Path& path,
                                 PodSpec* munged) {
  ErrorList errors;
  Path resources = path.Child("resources");
  if (old.resources && !spec.resources) {
    errors.Add(field::Forbidden(resources, "pod-level resources cannot be removed"));
    return errors;
  }
  if (old.resources) {
    if (Removes(spec.resources->requests, old.resources->requests)) {
      errors.Add(field::Forbidden(resources.Child("requests"),
                                  "pod-level resource requests cannot be removed"));
    }
    if (Removes(spec.resources->limits, old.resources->limits)) {
      errors.Add(field::Forbidden(resources.Child("limits"),
                                  "pod-level resource limits cannot be removed"));
    }
  }
  if (munged->resources) {
    const ResourceRequirements none;
    const ResourceRequirements& before = old.resources ? *old.resources : none;
    ResourceRequirements& own = *munged->resources;
    TakeCpuAndMemory(before.requests, &own.requests);
    TakeCpuAndMemory(before.limits, &own.limits);
    bool empty = own.requests.empty() && own.limits.empty() && own.claims.empty();
    if (!old.resources && empty) munged->resources.reset();
  }
  if (!SameResources(munged->resources, old.resources)) {
    errors.Add(field::Forbidden(path, "only cpu and memory resources are mutable at pod-level"));
  }
  return errors;
}

ErrorList ForbidRemoval(const Container& container, const Container& old, const Path& path) {
  ErrorList errors;
  Path resources = path.Child("resources");
  if (Removes(container.resources.requests, old.resources.requests)) {
    errors.Add(
        field::Forbidden(resources.Child("requests"), "resource requests cannot be removed"));
  }
  if (Removes(container.resources.limits, old.resources.limits)) {
    errors.Add(field::Forbidden(resources.Child("limits"), "resource limits cannot be removed"));
  }
  return errors;
}

ErrorList ValidateContainerChanges(const List<Container>& old, const Path& path,
                                   List<Container>* munged) {
  ErrorList errors;
  for (size_t i = 0; i < old.size(); ++i) {
    TakeCpuAndMemory(old[i], &(*munged)[i]);
    if (!reflect::Equal((*munged)[i], old[i])) {
      errors.Add(field::Forbidden(path, "only cpu and memory resources are mutable"));
    }
  }
  return errors;
}

ErrorList ValidateInitContainerChanges(const List<Container>& old, const Path& path,
                                       List<Container>* munged) {
  ErrorList errors;
  for (size_t i = 0; i < old.size(); ++i) {
    Container& container = (*munged)[i];
    bool modified = !reflect::Equal(container, old[i]);
    TakeCpuAndMemory(old[i], &container);
    if (!reflect::Equal(container, old[i])) {
      errors.Add(field::Forbidden(
          path.Index(i),
          "only cpu and memory resources for init or sidecar containers are mutable"));
    }
    if (!modified || IsRestartableInitContainer(container)) continue;
    for (const core::v1::ContainerResizePolicy& policy : container.resizePolicy) {
      if (policy.restartPolicy != "RestartContainer") continue;
      errors.Add(field::Forbidden(path.Index(i),
                                  "non-sidecar init containers with a resize policy of "
                                  "RestartContainer cannot be resized"));
    }
  }
  return errors;
}

// A node that can resize reports the resources of what runs. Without a running container nothing is
// known of the node, and it is taken to be able.
bool NodeCanResize(const Pod& pod) {
  for (const core::v1::ContainerStatus& status : pod.status.containerStatuses) {
    if (status.state.running) return status.resources.has_value();
  }
  return true;
}

std::string_view QosOf(const Pod& pod) {
  return pod.status.qosClass.empty() ? ComputePodQos(pod.spec)
                                     : std::string_view(pod.status.qosClass);
}

}  // namespace

ErrorList ValidatePodResize(const Pod& new_pod, const Pod& old_pod,
                            const PodValidationOptions& options) {
  const PodSpec spec = ComparablePodSpec(new_pod.spec);
  const PodSpec old = ComparablePodSpec(old_pod.spec);
  ErrorList errors = ValidateObjectMetaUpdate(new_pod.metadata, old_pod.metadata, Path("metadata"));
  errors.Append(ValidatePodMetadataAndSpec(new_pod, options));
  if (old_pod.metadata.annotations.contains(kMirrorPodAnnotation)) {
    return {field::Forbidden(Path(""), "static pods cannot be resized")};
  }
  if (old.os && old.os->name == "windows") {
    return {field::Forbidden(Path(""), "windows pods cannot be resized")};
  }

  Path path("spec");
  if (QosOf(old_pod) != ComputePodQos(spec)) {
    errors.Add(field::Invalid(path, NamedString(new_pod.status.qosClass),
                              "Pod QOS Class may not change as a result of resizing"));
  }
  if (!NodeCanResize(old_pod)) {
    errors.Add(field::Forbidden(path, "Pod running on node without support for resize"));
  }
  PodSpec munged = reflect::Copy(spec);
  if (HasAmounts(old.resources) || HasAmounts(spec.resources)) {
    if (!options.in_place_pod_level_resources_vertical_scaling_enabled) {
      errors.Add(field::Forbidden(Path(""),
                                  "resize of pods with pod-level resources is forbidden when "
                                  "InPlacePodLevelResourcesVerticalScalingEnabled feature gate is "
                                  "disabled"));
      return errors;
    }
    errors.Append(ValidatePodLevelResize(spec, old, path, &munged));
  }
  if (!old_pod.status.nodeAllocatableResourceClaimStatuses.empty()) {
    errors.Add(
        field::Forbidden(path, "pods with node allocatable resource claims cannot be resized"));
  }

  Path containers = path.Child("containers");
  Path init = path.Child("initContainers");
  ErrorList order = ValidateOrder(spec.containers, old.containers, "containers", containers);
  order.Append(ValidateOrder(spec.initContainers, old.initContainers, "initContainers", init));
  if (!order.empty()) {
    errors.Append(std::move(order));
    return errors;
  }
  for (size_t i = 0; i < old.initContainers.size(); ++i) {
    errors.Append(ForbidRemoval(spec.initContainers[i], old.initContainers[i], init.Index(i)));
  }
  for (size_t i = 0; i < old.containers.size(); ++i) {
    errors.Append(ForbidRemoval(spec.containers[i], old.containers[i], containers.Index(i)));
  }
  errors.Append(ValidateContainerChanges(old.containers, path, &munged.containers));
  errors.Append(ValidateInitContainerChanges(old.initContainers, init, &munged.initContainers));
  if (!errors.empty()) return errors;
  if (!reflect::Equal(munged, old)) {
    errors.Add(field::Forbidden(path, "only cpu and memory resources are mutable"));
  }
  return errors;
}

}  // namespace podium::api
