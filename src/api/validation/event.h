// Rules for events of both groups, which are one stored kind (upstream's pkg/apis/core/validation,
// release 1.36). Errors name the fields as the core kind does.
#pragma once

#include "api/field_errors.h"
#include "api/types/core_v1.h"
#include "api/types/events_v1.h"

namespace podium::api {

// Only what has always been checked.
field::ErrorList ValidateEvent(const core::v1::Event& event);
field::ErrorList ValidateEventUpdate(const core::v1::Event& event,
                                     const core::v1::Event& old_event);

// The stricter rules of events.k8s.io.
field::ErrorList ValidateStrictEvent(const events::v1::Event& event);
field::ErrorList ValidateStrictEventUpdate(const events::v1::Event& event,
                                           const events::v1::Event& old_event);

}  // namespace podium::api
