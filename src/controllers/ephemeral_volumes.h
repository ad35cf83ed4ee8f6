// Claims of generic ephemeral volumes: each is made from the template in its pod, belongs to the
// pod and goes with it (upstream's pkg/controller/volume/ephemeral).
#pragma once

#include <memory>
#include <string>

#include "api/types/core_v1.h"
#include "controllers/controller.h"

namespace podium::controllers {

// The claim that is made for the volume.
std::string EphemeralClaimName(const api::core::v1::Pod& pod, const api::core::v1::Volume& volume);
// Whether it was, and is not somebody else's of that name.
bool ClaimIsForPod(const api::core::v1::Pod& pod,
                   const api::core::v1::PersistentVolumeClaim& claim);

// What cannot be made is tried again, and told by an Event about the pod.
std::unique_ptr<Controller> MakeEphemeralVolumes(const ControllerContext& context);

}  // namespace podium::controllers
