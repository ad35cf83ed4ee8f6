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
// Of files in one volume that stand in each other's way.
void WarnOfOverlappingPaths(const reflect::List<api::core::v1::Volume>& volumes,
                            std::vector<std::string>* warnings);
// Of a claim's spec, as claims and what makes them have it.
void WarnOfClaimSpec(const api::core::v1::PersistentVolumeClaimSpec& spec,
                     const api::field::Path& path, std::vector<std::string>* warnings);
// Of labels of nodes that a term of a selector asks for by their old names. `checks_values`: values
// that no label can have are said, too.
void WarnOfNodeTerm(const api::core::v1::NodeSelectorTerm& term, const api::field::Path& path,
                    bool checks_values, std::vector<std::string>* warnings);

}  // namespace podium::apiserver
