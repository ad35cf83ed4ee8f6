// Rules for the kinds of networking.k8s.io (upstream's pkg/apis/networking/validation,
// release 1.36). The objects have their defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/networking_v1.h"

namespace podium::api {

// ingress.cpp
field::ErrorList ValidateIngress(const networking::v1::Ingress& ingress);
field::ErrorList ValidateIngressUpdate(const networking::v1::Ingress& ingress,
                                       const networking::v1::Ingress& old_ingress);
field::ErrorList ValidateIngressStatusUpdate(const networking::v1::Ingress& ingress,
                                             const networking::v1::Ingress& old_ingress);
field::ErrorList ValidateIngressClass(const networking::v1::IngressClass& ingress_class);
field::ErrorList ValidateIngressClassUpdate(const networking::v1::IngressClass& ingress_class,
                                            const networking::v1::IngressClass& old_ingress_class);

// network_policy.cpp
field::ErrorList ValidateNetworkPolicy(const networking::v1::NetworkPolicy& policy);
field::ErrorList ValidateNetworkPolicyUpdate(const networking::v1::NetworkPolicy& policy,
                                             const networking::v1::NetworkPolicy& old_policy);

// service_ranges.cpp
field::ErrorList ValidateIPAddress(const networking::v1::IPAddress& address);
field::ErrorList ValidateIPAddressUpdate(const networking::v1::IPAddress& address,
                                         const networking::v1::IPAddress& old_address);
field::ErrorList ValidateServiceCIDR(const networking::v1::ServiceCIDR& range);
field::ErrorList ValidateServiceCIDRUpdate(const networking::v1::ServiceCIDR& range,
                                           const networking::v1::ServiceCIDR& old_range);

}  // namespace podium::api
