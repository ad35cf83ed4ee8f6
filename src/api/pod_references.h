// The Secrets and ConfigMaps that a pod names (upstream's pkg/api/pod, VisitPodSecretNames and
// VisitPodConfigmapNames).
#pragma once

#include <functional>
#include <string_view>

#include "api/types/core_v1.h"

namespace podium::api {

// Once for each place; names may be empty where the pod was not checked.
void VisitPodSecrets(const core::v1::PodSpec& spec,
                     const std::function<void(std::string_view name)>& visit);
void VisitPodConfigMaps(const core::v1::PodSpec& spec,
                        const std::function<void(std::string_view name)>& visit);

bool ReferencesSecrets(const core::v1::PodSpec& spec);
bool ReferencesConfigMaps(const core::v1::PodSpec& spec);

}  // namespace podium::api
