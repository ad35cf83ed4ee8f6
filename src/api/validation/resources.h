// Rules for amounts of resources: of containers, of a whole pod, and of its overhead. Internal to
// the folder. Source: upstream's pkg/apis/core/validation, release 1.36.
#pragma once

#include "api/validation/containers.h"

namespace podium::api {

// A qualified name, which without a domain is one that the system knows.
field::ErrorList ValidateResourceName(const std::string& name, const field::Path& path);
// The same of what containers ask for.
field::ErrorList ValidateContainerResourceName(const std::string& name, const field::Path& path);

// Requests and limits of one container, and the claims it uses.
field::ErrorList ValidateContainerResourceRequirements(
    const core::v1::ResourceRequirements& requirements, const ClaimNames& claim_names,
    const field::Path& path, const PodValidationOptions& options);

field::ErrorList ValidateOverhead(const reflect::Map<Quantity>& overhead, const field::Path& path,
                                  const PodValidationOptions& options);

// spec.resources, and that the containers fit into them. `path` is that of the spec.
field::ErrorList ValidatePodResources(const core::v1::PodSpec& spec, const ClaimNames& claim_names,
                                      const field::Path& path, const PodValidationOptions& options);

// spec.resourceClaims. `pod_meta` is null where there is no pod yet.
field::ErrorList ValidatePodResourceClaims(const core::v1::PodSpec& spec,
                                           const meta::v1::ObjectMeta* pod_meta,
                                           const field::Path& path);

// What the containers of a pod need together, as the scheduler counts it: regular containers and
// sidecars run side by side, other init containers one after the other before them.
reflect::Map<Quantity> AggregateContainerRequests(const core::v1::PodSpec& spec);
reflect::Map<Quantity> AggregateContainerLimits(const core::v1::PodSpec& spec);

// The quality-of-service class that follows from requests and limits: Guaranteed, Burstable or
// BestEffort.
std::string_view ComputePodQos(const core::v1::PodSpec& spec);

}  // namespace podium::api
