// The rules of ClusterRoles that have an aggregationRule, such as admin, edit and view (upstream's
// pkg/controller/clusterroleaggregation).
#pragma once

#include <memory>

#include "controllers/controller.h"

namespace podium::controllers {

// Writes by server-side apply, as upstream: the field `rules` is the controller's from then on.
std::unique_ptr<Controller> MakeClusterRoleAggregation(const ControllerContext& context);

}  // namespace podium::controllers
