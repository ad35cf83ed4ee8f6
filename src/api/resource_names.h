// Names of resources: what requests, limits, quotas and capacities count (upstream's
// pkg/apis/core/helper and pkg/apis/core/v1/helper, release 1.36).
//
//   native     cpu, memory, hugepages-2Mi; also *kubernetes.io/x
//   extended   example.com/gpu: counted in whole numbers, never overcommitted
#pragma once

#include <string_view>

#include "api/quantity.h"
#include "base/result.h"

namespace podium::api {

// hugepages-SIZE
bool IsHugePageResourceName(std::string_view name);
// hugepages-SIZE, requests.hugepages-SIZE
bool IsQuotaHugePageResourceName(std::string_view name);
// The page size of hugepages-SIZE.
Result<Quantity> HugePageSizeFromResourceName(std::string_view name);
// False too when the page size in the name is no positive whole number.
bool IsHugePageResourceValueDivisible(std::string_view name, const Quantity& value);

// Without a domain, or in one that ends in kubernetes.io.
bool IsNativeResource(std::string_view name);
// In a domain that ends in kubernetes.io.
bool IsPrefixedNativeResource(std::string_view name);
bool IsExtendedResourceName(std::string_view name);
// Limits may exceed requests.
bool IsOvercommitAllowed(std::string_view name);
// attachable-volumes-DRIVER
bool IsAttachableVolumeResourceName(std::string_view name);
// What the scheduler counts beside CPU, memory, ephemeral storage and pods.
bool IsScalarResourceName(std::string_view name);

// One that the system knows: of containers and nodes, or of quotas.
bool IsStandardResourceName(std::string_view name);
// One that a container may request without a domain.
bool IsStandardContainerResourceName(std::string_view name);
// One that a quota may limit without a domain.
bool IsStandardQuotaResourceName(std::string_view name);
// Counted in whole numbers.
bool IsIntegerResourceName(std::string_view name);

}  // namespace podium::api
