// Volumes that a pod has by a claim: persistentVolumeClaim, and ephemeral ones, whose claim is made
// for the pod and named after it. Here the PersistentVolume behind it may be a hostPath or a local
// one, with a file system; others are refused (upstream's pkg/kubelet/volumemanager/populator,
// pkg/volume/{hostpath,local} and pkg/volume/util/operationexecutor, release 1.36, whose messages
// these are).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "api/types/core_v1.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "node/objects.h"

namespace podium::node {

namespace v1 = api::core::v1;

struct ClaimReference {
  std::string name;
  bool read_only = false;
  bool of_the_pod = false;  // ephemeral: the pod must be its owner
};
// None for volumes of other kinds.
std::optional<ClaimReference> ClaimOf(const v1::Pod& pod, const v1::Volume& volume);

// The PersistentVolume that the volume's claim is bound to, if the pod may have it: `Unable to
// attach or mount volumes: … failed to process volumes=[v]: error processing PVC ns/c: PVC is not
// bound`.
Result<std::shared_ptr<const v1::PersistentVolume>> FindVolumeOfClaim(const v1::Pod& pod,
                                                                      const v1::Volume& volume,
                                                                      const ObjectSource& objects);

// Whether this node may mount it, and can: `MountVolume.NodeAffinity check failed for volume "pv" :
// no matching NodeSelectorTerms`.
Result<void> CheckMountable(const v1::PersistentVolume& volume, const ObjectSource& objects);

// Its file or folder, O_PATH.
Result<UniqueFd> OpenPersistentVolume(const v1::PersistentVolume& volume);
// Where that is on this machine.
const std::string& PathOfPersistentVolume(const v1::PersistentVolume& volume);

// What this room needs of one, to be kept with the pod: its name, its source, how it may be shared.
v1::PersistentVolume Essence(const v1::PersistentVolume& volume);
// Whether only one pod of the cluster may have it.
bool IsForOnePod(const v1::PersistentVolume& volume);

// `what for volume "pv" : …`, as upstream's volume manager says it.
Error VolumeError(Error error, const std::string& what, const std::string& volume);

}  // namespace podium::node
