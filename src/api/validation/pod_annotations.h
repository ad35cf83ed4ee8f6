// Annotations that mean something to pods: mirror pods, deletion cost, and the forms that
// tolerations, seccomp and AppArmor had before they were fields. Internal to the folder.
// Source: upstream's pkg/apis/core/validation, release 1.36.
#pragma once

#include "api/field_errors.h"
#include "api/types/core_v1.h"
#include "api/validation/pod_options.h"

namespace podium::api {

// Marks the API's copy of a pod that a node has from its own files.
inline constexpr std::string_view kMirrorPodAnnotation = "kubernetes.io/config.mirror";

// `path` is that of the annotations.
field::ErrorList ValidatePodSpecificAnnotations(const reflect::Map<std::string>& annotations,
                                                const core::v1::PodSpec& spec,
                                                const field::Path& path,
                                                const PodValidationOptions& options);

field::ErrorList ValidatePodSpecificAnnotationUpdates(const core::v1::Pod& new_pod,
                                                      const core::v1::Pod& old_pod,
                                                      const field::Path& path,
                                                      const PodValidationOptions& options);

// The fields that replaced an annotation say the same where both are set. `path` is that of the
// spec.
field::ErrorList ValidateProfilesMatchAnnotations(const reflect::Map<std::string>& annotations,
                                                  const core::v1::PodSpec& spec,
                                                  const field::Path& path);

// Whether the annotation is absent or a number that a deletion cost can be.
bool IsValidDeletionCost(const reflect::Map<std::string>& annotations);

}  // namespace podium::api
