// The volumes of the pods on this node, and what of them a container sees.
//
//   DATA/pods/UID/volumes/kubernetes.io~empty-dir/NAME      a folder, or a tmpfs or hugetlbfs on it
//   DATA/pods/UID/volumes/kubernetes.io~configmap/NAME      a folder
//   DATA/pods/UID/volumes/kubernetes.io~secret/NAME         a tmpfs; downward-api, projected too
//   hostPath, image                                         nothing of ours
//
// Volumes live as long as the pod object: containers, sandboxes, shims and agents may come and go
// meanwhile. So the mounts are in the machine's mount namespace, as the kubelet's are, and the
// folder says whose they are: TearDown needs nothing else, also after kill -9 or an upgrade.
//
// A container gets descriptors. A subPath is resolved inside the volume by the kernel, and nobody
// uses its name afterwards.
//
// Any thread may call; one call at a time for a pod. Errors are in upstream's words
// (k8s.io/kubernetes/pkg/volume, pkg/kubelet; release 1.36).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "node/environment.h"
#include "node/node_config.h"
#include "node/objects.h"
#include "node/pod_spec.h"
#include "wire/types/cri.h"

namespace podium::node {

// One mount of a container. `source` is what is mounted; an image volume has none.
struct ContainerMount {
  wire::cri::Mount mount;
  UniqueFd source;
};

// The images of image volumes, as the runtime finds them, by the volume's name.
using VolumeImages = std::map<std::string, wire::cri::ImageSpec, std::less<>>;

class VolumeManager {
 public:
  // The three outlive it.
  VolumeManager(const NodeConfig& config, const ObjectSource& objects, const Clock& clock)
      : config_(config), objects_(objects), clock_(clock) {}

  // Makes the pod's volumes ready, and their content what its objects say now: to be called before
  // containers are made, and again whenever objects may have changed. Volumes that are ready stay
  // as they are. The error blocks the pod: `MountVolume.SetUp failed for volume "v" : configmap "c"
  // not found`; it names the first volume that failed, the others are set up nevertheless.
  Result<void> SetUp(const v1::Pod& pod);

  // For a container that is about to be created, in the order of its volumeMounts. The pod's
  // volumes are set up. What is missing of a subPath is made.
  Result<std::vector<ContainerMount>> MountsOf(const v1::Pod& pod, const v1::Container& container,
                                               const Environment& environment,
                                               const VolumeImages& images);

  // The text of a file in a volume (env.valueFrom.fileKeyRef), at most 1 MiB.
  Result<std::string> ReadFile(const v1::Pod& pod, std::string_view volume, std::string_view path);

  // Unmounts and removes all volumes of a pod of which nothing runs any more. No error where there
  // are none.
  Result<void> TearDown(std::string_view uid);

 private:
  Result<void> SetUpVolume(const v1::Pod& pod, const v1::Volume& volume);
  Result<void> SetUpEmptyDir(const v1::Pod& pod, const v1::Volume& volume);
  // Whether a mount was made now.
  Result<bool> MountMedium(const v1::Pod& pod, const v1::Volume& volume);
  Result<void> SetUpPayload(const v1::Pod& pod, const v1::Volume& volume);
  // A folder, its mode whatever the umask is.
  Result<UniqueFd> MakeVolumeFolder(const v1::Pod& pod, const v1::Volume& volume, uint32_t mode);
  std::string VolumePath(const v1::Pod& pod, const v1::Volume& volume) const;
  // The file or folder that the volume is.
  Result<UniqueFd> OpenVolume(const v1::Pod& pod, const v1::Volume& volume) const;
  Result<ContainerMount> MountOf(const v1::Pod& pod, const v1::Container& container,
                                 const v1::VolumeMount& mount, const Environment& environment,
                                 const VolumeImages& images) const;

  const NodeConfig& config_;
  const ObjectSource& objects_;
  const Clock& clock_;
};

}  // namespace podium::node
