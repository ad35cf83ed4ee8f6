// Rules for PersistentVolume (upstream's pkg/apis/core/validation, release 1.36). The objects have
// their defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/core_v1.h"

namespace podium::api {

field::ErrorList ValidatePersistentVolume(const core::v1::PersistentVolume& volume);
field::ErrorList ValidatePersistentVolumeUpdate(const core::v1::PersistentVolume& volume,
                                                const core::v1::PersistentVolume& old_volume);
field::ErrorList ValidatePersistentVolumeStatusUpdate(const core::v1::PersistentVolume& volume,
                                                      const core::v1::PersistentVolume& old_volume);

// The spec that a VolumeAttachment carries: of a CSI volume that has no object of its own.
field::ErrorList ValidateInlineVolumeSpec(const core::v1::PersistentVolumeSpec& spec,
                                          const field::Path& path);

// What persistent_volume.cpp and persistent_volume_sources.cpp share: which volume it is. `name` is
// that of the volume's object.
void CheckPersistentVolumeSource(const core::v1::PersistentVolumeSpec& spec,
                                 const std::string& name, const field::Path& path,
                                 field::ErrorList* errors);

}  // namespace podium::api
