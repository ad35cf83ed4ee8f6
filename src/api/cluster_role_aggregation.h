// The rules that a ClusterRole has by its aggregationRule (upstream's
// pkg/controller/clusterroleaggregation, release 1.36), for the controller that writes them.
//
// Pure; any thread.
#pragma once

#include <span>
#include <vector>

#include "api/types/rbac_v1.h"
#include "base/result.h"

namespace podium::api {

// The rules of all roles that one of its selectors finds, but for its own: selector by selector,
// roles by name, each rule once. The role has an aggregationRule. kInvalidArgument: one of its
// selectors is none.
Result<std::vector<rbac::v1::PolicyRule>> AggregatedRules(
    const rbac::v1::ClusterRole& role, std::span<const rbac::v1::ClusterRole* const> roles);

}  // namespace podium::api
