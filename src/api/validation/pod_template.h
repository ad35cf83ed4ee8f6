// Rules for a pod spec inside another object, as workloads and PodTemplates need them.
// Source: upstream's pkg/apis/core/validation, release 1.36. The objects have their defaults.
#pragma once

#include "api/field_errors.h"
#include "api/validation/pod_options.h"

namespace podium::api {

// Metadata and spec of a template at `path`: labels and annotations, the whole PodSpec, and no
// ephemeral containers. Errors stand in upstream's order. Whether labels match a selector and which
// restart policies a workload allows is for the workload's own rules.
field::ErrorList ValidatePodTemplateSpec(const core::v1::PodTemplateSpec& pod_template,
                                         const field::Path& path,
                                         const PodValidationOptions& options);

// The PodSpec alone. `pod_meta` is null where there is no pod yet; generic ephemeral volumes need
// the pod's name to check the names of the claims made for them.
field::ErrorList ValidatePodSpec(const core::v1::PodSpec& spec,
                                 const meta::v1::ObjectMeta* pod_meta, const field::Path& path,
                                 const PodValidationOptions& options);

}  // namespace podium::api
