// What is done with the PodSpecs of all kinds that hold one: pods, and the templates of those that
// make them. Internal to the folder.
#pragma once

#include <string>
#include <vector>

#include "api/field_errors.h"
#include "api/types/core_v1.h"

namespace podium::apiserver {

// Takes out what upstream keeps behind feature gates that are off in release 1.36, unless the old
// spec, which may be null, has it already (podutil.DropDisabledPodFields).
void DropDisabledFields(const api::core::v1::PodSpec* old, api::core::v1::PodSpec* spec);

// What this server takes no part of: claims of devices, as no group resource.k8s.io is served.
// `path` is that of the spec.
api::field::ErrorList CheckServedFields(const api::core::v1::PodSpec& spec,
                                        const api::core::v1::PodSpec* old,
                                        const api::field::Path& path);

// For the header Warning (upstream's pkg/api/pod/warnings.go). `path` is that of what has metadata
// and spec: the pod, whose path is the root, or a template.
std::vector<std::string> WarningsForPodTemplate(const api::meta::v1::ObjectMeta& metadata,
                                                const api::core::v1::PodSpec& spec,
                                                const api::field::Path& path, bool is_template);

}  // namespace podium::apiserver
