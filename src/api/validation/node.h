// Rules for Node (upstream's pkg/apis/core/validation, release 1.36). The objects have their
// defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/core_v1.h"

namespace podium::api {

field::ErrorList ValidateNode(const core::v1::Node& node);
// The rules for new nodes, and what may not change. As upstream's, it tells some faults twice.
field::ErrorList ValidateNodeUpdate(const core::v1::Node& node, const core::v1::Node& old_node);
field::ErrorList ValidateNodeStatusUpdate(const core::v1::Node& node,
                                          const core::v1::Node& old_node);

}  // namespace podium::api
