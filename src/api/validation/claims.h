// Rules for PersistentVolumeClaim, and for its spec, which ephemeral volumes and StatefulSets carry
// (upstream's pkg/apis/core/validation, release 1.36). The objects have their defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/core_v1.h"

namespace podium::api {

// What an object that was there before may keep.
struct ClaimOptions {
  bool allow_invalid_label_value_in_selector = false;
  bool allow_invalid_api_group_in_data_source = false;
};

field::ErrorList ValidatePersistentVolumeClaimSpec(const core::v1::PersistentVolumeClaimSpec& spec,
                                                   const field::Path& path,
                                                   const ClaimOptions& options = {});

// Known ones, of claims and volumes alike; the one for a single pod stands alone.
void CheckAccessModes(const reflect::List<std::string>& modes, const field::Path& path,
                      field::ErrorList* errors);

// Metadata of a template that objects are made from: only labels and annotations may be set.
field::ErrorList ValidateTemplateObjectMeta(const meta::v1::ObjectMeta& metadata,
                                            const field::Path& path);

// Of an ephemeral volume: only labels and annotations may be set beside the spec.
field::ErrorList ValidatePersistentVolumeClaimTemplate(
    const core::v1::PersistentVolumeClaimTemplate& claim_template, const field::Path& path);

// Claims as objects of their own: claim_objects.cpp.
field::ErrorList ValidatePersistentVolumeClaim(const core::v1::PersistentVolumeClaim& claim);
// Only a bound claim may grow, or get other volume attributes.
field::ErrorList ValidatePersistentVolumeClaimUpdate(
    const core::v1::PersistentVolumeClaim& claim, const core::v1::PersistentVolumeClaim& old_claim);
field::ErrorList ValidatePersistentVolumeClaimStatusUpdate(
    const core::v1::PersistentVolumeClaim& claim, const core::v1::PersistentVolumeClaim& old_claim);

}  // namespace podium::api
