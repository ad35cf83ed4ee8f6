// Rules for whole pods: new ones, and each way to change one (upstream's
// pkg/apis/core/validation and pkg/registry/core/pod, release 1.36). All objects have their
// defaults. An empty list means that the change is allowed. Options come from
// PodValidationOptionsFor, with resource_is_pod set.
#pragma once

#include "api/field_errors.h"
#include "api/validation/pod_options.h"

namespace podium::api {

namespace core::v1 {
struct Binding;
struct Pod;
struct PodSpec;
}  // namespace core::v1

// Writes what matchLabelKeys and mismatchLabelKeys of affinity terms and spread constraints mean
// for this pod's labels into their selectors. Done to a new pod before it is validated, once.
void MergeMatchLabelKeys(core::v1::Pod* pod);

field::ErrorList ValidatePodCreate(const core::v1::Pod& pod, const PodValidationOptions& options);

// The main resource: images, deadlines, tolerations and gates may change, most else may not.
field::ErrorList ValidatePodUpdate(const core::v1::Pod& new_pod, const core::v1::Pod& old_pod,
                                   const PodValidationOptions& options);

// Of the subresources. The pods differ only in what the subresource may change; the registry has
// taken everything else from the old pod.
field::ErrorList ValidatePodStatusUpdate(const core::v1::Pod& new_pod, const core::v1::Pod& old_pod,
                                         const PodValidationOptions& options);
field::ErrorList ValidatePodEphemeralContainersUpdate(const core::v1::Pod& new_pod,
                                                      const core::v1::Pod& old_pod,
                                                      const PodValidationOptions& options);
field::ErrorList ValidatePodResize(const core::v1::Pod& new_pod, const core::v1::Pod& old_pod,
                                   const PodValidationOptions& options);

// What assigns a pod to a node.
field::ErrorList ValidatePodBinding(const core::v1::Binding& binding);

// The spec as changes are told by: upstream's internal form has one service account, of which the
// deprecated field is an alias, and always a security context.
core::v1::PodSpec ComparablePodSpec(const core::v1::PodSpec& spec);

// Metadata and spec, as all but status updates check them.
field::ErrorList ValidatePodMetadataAndSpec(const core::v1::Pod& pod,
                                            const PodValidationOptions& options);

}  // namespace podium::api
