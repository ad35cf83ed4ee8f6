// Rules for what guides the scheduler: affinity, tolerations, spread, gates. Internal to the
// folder. Source: upstream's pkg/apis/core/validation, release 1.36.
#pragma once

#include "api/field_errors.h"
#include "api/types/core_v1.h"
#include "api/validation/pod_options.h"

namespace podium::api {

field::ErrorList ValidateAffinity(const reflect::Box<core::v1::Affinity>& affinity,
                                  const field::Path& path, const PodValidationOptions& options);

field::ErrorList ValidateTolerations(const reflect::List<core::v1::Toleration>& tolerations,
                                     const field::Path& path, const PodValidationOptions& options);

field::ErrorList ValidateTopologySpreadConstraints(
    const reflect::List<core::v1::TopologySpreadConstraint>& constraints, const field::Path& path,
    const PodValidationOptions& options);

field::ErrorList ValidateSchedulingGates(const reflect::List<core::v1::PodSchedulingGate>& gates,
                                         const field::Path& path);

field::ErrorList ValidateReadinessGates(const reflect::List<core::v1::PodReadinessGate>& gates,
                                        const field::Path& path);

field::ErrorList ValidateSchedulingGroup(const core::v1::PodSchedulingGroup& group,
                                         const field::Path& path);

field::ErrorList ValidateNodeSelector(const core::v1::NodeSelector& selector,
                                      bool allow_invalid_label_values, const field::Path& path);

// The parts that PodValidationOptionsFor asks of the object that is there already.
field::ErrorList ValidatePodAffinityTermSelectors(const core::v1::PodAffinityTerm& term,
                                                  bool allow_invalid_label_values,
                                                  const field::Path& path);
field::ErrorList ValidateMatchLabelKeysAndMismatchLabelKeys(
    const reflect::List<std::string>& match_keys, const reflect::List<std::string>& mismatch_keys,
    const reflect::Box<meta::v1::LabelSelector>& selector, const field::Path& path);
// True when a required term of node affinity has a value that no label can have.
bool HasInvalidLabelValue(const core::v1::NodeSelector& selector);

}  // namespace podium::api
