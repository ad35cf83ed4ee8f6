// Rules for the volumes of a PodSpec, and for the claims that generic ephemeral volumes carry.
// Source: upstream's pkg/apis/core/validation, release 1.36. The objects have their defaults.
#pragma once

#include <functional>
#include <map>
#include <string_view>

#include "api/field_errors.h"
#include "api/types/core_v1.h"
#include "api/validation/pod_options.h"

namespace podium::api {

// Volumes without an error, by name: what volumeMounts and volumeDevices may refer to. Points into
// the list that was validated.
using VolumesByName = std::map<std::string_view, const core::v1::Volume*, std::less<>>;

// All volumes of the list at `path`, which is spec.volumes of a pod or of a template. `pod_meta` is
// null where there is no pod yet: then names of claims made for ephemeral volumes are not checked.
// `valid`, where given, receives the volumes without an error.
field::ErrorList ValidateVolumes(const reflect::List<core::v1::Volume>& volumes,
                                 const meta::v1::ObjectMeta* pod_meta, const field::Path& path,
                                 const PodValidationOptions& options,
                                 VolumesByName* valid = nullptr);

// A block device may come from a claim, and from nothing else.
bool IsClaimVolume(const core::v1::Volume& volume);

// Always, IfNotPresent or Never: of containers and of image volumes.
field::ErrorList ValidatePullPolicy(std::string_view policy, const field::Path& path);

}  // namespace podium::api
