// Volumes and claims that are deleted stay for as long as they are used (upstream's
// pkg/controller/volume/pvprotection and pvcprotection): they have a finalizer, and here it is
// taken away once nobody uses them. Admission gives it to them; older ones get it here.
#pragma once

#include <memory>

#include "api/types/core_v1.h"
#include "controllers/controller.h"

namespace podium::controllers {

// kubernetes.io/pv-protection: until the volume is no longer bound.
std::unique_ptr<Controller> MakeVolumeProtection(const ControllerContext& context);

// kubernetes.io/pvc-protection: until no pod that has a node names the claim. A pod that has none
// is no user: its node will not start it with a claim that goes.
std::unique_ptr<Controller> MakeClaimProtection(const ControllerContext& context);

// Whether the pod, which may be over, keeps the claim.
bool PodUsesClaim(const api::core::v1::Pod& pod, const api::core::v1::PersistentVolumeClaim& claim);

}  // namespace podium::controllers
