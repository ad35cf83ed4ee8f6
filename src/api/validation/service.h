// Rules for Service (upstream's pkg/apis/core/validation, release 1.36). The objects have their
// defaults, and clusterIP and clusterIPs agree where the registry makes them (clusterIPs is what
// rules look at).
#pragma once

#include "api/field_errors.h"
#include "api/types/core_v1.h"

namespace podium::api {

// A new object.
field::ErrorList ValidateService(const core::v1::Service& service);

// One that replaces `old_service`.
field::ErrorList ValidateServiceUpdate(const core::v1::Service& service,
                                       const core::v1::Service& old_service);

// The same through the status subresource.
field::ErrorList ValidateServiceStatusUpdate(const core::v1::Service& service,
                                             const core::v1::Service& old_service);

// A number or a name of a port.
field::ErrorList ValidatePortNumOrName(const IntOrString& port, const field::Path& path);

// Of updates, before everything else: what may not change once it was given (service_update.cpp).
void CheckServiceTransition(const core::v1::Service& service, const core::v1::Service& old_service,
                            field::ErrorList* errors);

// clusterIPs has the one value None.
bool IsHeadless(const core::v1::ServiceSpec& spec);
// A load balancer that asks the nodes whether they have pods.
bool NeedsHealthCheck(const core::v1::ServiceSpec& spec);
// Its form, and that it is a load balancer's.
void CheckLoadBalancerClass(const core::v1::ServiceSpec& spec, field::ErrorList* errors);

// spec.clusterIPs as it follows from spec.clusterIP of a client that does not know the list, as
// upstream's registry does it before validation (normalizeClusterIPs). `old_service` is null for a
// new one.
void NormalizeClusterIPs(const core::v1::Service* old_service, core::v1::Service* service);

}  // namespace podium::api
