// Which families of addresses a service has (upstream's Allocators.initIPFamilyFields in
// pkg/registry/core/service/storage/alloc.go). Pure.
#pragma once

#include "api/types/core_v1.h"
#include "base/result.h"

namespace podium::apiserver {

struct ServiceNetworks;

// Fills in spec.ipFamilyPolicy and ipFamilies by what the service asks for and the networks have,
// and drops what a change to SingleStack gives up. `old` is null for a new service. Errors are
// answers (422).
Result<void> InitIpFamilies(const ServiceNetworks& networks, const api::core::v1::Service* old,
                            api::core::v1::Service* service);

// A service that prefers two families keeps the one it has, until it says otherwise: it does not
// change because the cluster has.
bool KeepsFamilies(const api::core::v1::Service& old, const api::core::v1::Service& service);

}  // namespace podium::apiserver
