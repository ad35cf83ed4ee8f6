// Rules for the kinds of flowcontrol.apiserver.k8s.io (upstream's pkg/apis/flowcontrol/validation,
// release 1.36). The objects have their defaults.
//
// Four objects are mandatory: the FlowSchemas and the PriorityLevelConfigurations named exempt and
// catch-all. Under these names only the server's own specs are valid, but for what an exempt level
// lends.
#pragma once

#include "api/field_errors.h"
#include "api/types/flowcontrol_v1.h"

namespace podium::api {

// flow_schema.cpp
field::ErrorList ValidateFlowSchema(const flowcontrol::v1::FlowSchema& schema);
field::ErrorList ValidateFlowSchemaUpdate(const flowcontrol::v1::FlowSchema& schema,
                                          const flowcontrol::v1::FlowSchema& old_schema);
field::ErrorList ValidateFlowSchemaStatusUpdate(const flowcontrol::v1::FlowSchema& schema,
                                                const flowcontrol::v1::FlowSchema& old_schema);

// priority_level.cpp
field::ErrorList ValidatePriorityLevelConfiguration(
    const flowcontrol::v1::PriorityLevelConfiguration& level);
field::ErrorList ValidatePriorityLevelConfigurationUpdate(
    const flowcontrol::v1::PriorityLevelConfiguration& level,
    const flowcontrol::v1::PriorityLevelConfiguration& old_level);
field::ErrorList ValidatePriorityLevelConfigurationStatusUpdate(
    const flowcontrol::v1::PriorityLevelConfiguration& level,
    const flowcontrol::v1::PriorityLevelConfiguration& old_level);

}  // namespace podium::api
