// Rules for PersistentVolumeClaimSpec, which ephemeral volumes and StatefulSets carry (upstream's
// pkg/apis/core/validation, release 1.36). The objects have their defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/core_v1.h"

namespace podium::api {

// A spec that was not stored before.
field::ErrorList ValidatePersistentVolumeClaimSpec(const core::v1::PersistentVolumeClaimSpec& spec,
                                                   const field::Path& path);

// Of an ephemeral volume: only labels and annotations may be set beside the spec.
field::ErrorList ValidatePersistentVolumeClaimTemplate(
    const core::v1::PersistentVolumeClaimTemplate& claim_template, const field::Path& path);

}  // namespace podium::api
