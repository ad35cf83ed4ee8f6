// The volumes of the pods on this node, and what of them a container sees.
//
//   DATA/pods/UID/volumes/kubernetes.io~empty-dir/NAME      a folder, or a tmpfs or hugetlbfs on it
//   DATA/pods/UID/volumes/kubernetes.io~configmap/NAME      a folder
//   DATA/pods/UID/volumes/kubernetes.io~secret/NAME         a tmpfs; downward-api, projected too
//   DATA/pods/UID/volumes/podium~claim/NAME.json            what a claim is bound to
//   hostPath, image                                         nothing of ours
//   DATA/pods/UID/volumes.removed/...                       of volumes that are no more
//
// Volumes live as long as the pod object: containers, sandboxes, shims and agents may come and go
// meanwhile. So the mounts are in the machine's mount namespace, as the kubelet's are, and the
// folder says whose they are: TearDown needs nothing else, also after kill -9 or an upgrade.
//
// A container gets descriptors. A subPath is resolved inside the volume by the kernel, and nobody
// uses its name afterwards.
//
// Errors are in upstream's words
// (k8s.io/kubernetes/pkg/volume, pkg/kubelet; release 1.36).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
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
#include "node/pod_volumes.h"
#include "node/volumes/claimed_volumes.h"
#include "wire/types/cri.h"

namespace podium::node {

class VolumeManager : public PodVolumes {
 public:
  // The three outlive it.
  VolumeManager(const NodeConfig& config, const ObjectSource& objects, const Clock& clock)
      : config_(config), objects_(objects), clock_(clock), claims_(config, objects) {}

  std::vector<Error> SetUp(const v1::Pod& pod) override;
  std::optional<int64_t> RefreshAt(std::string_view uid) const override;
  Result<std::vector<ContainerMount>> MountsOf(const v1::Pod& pod, const v1::Container& container,
                                               const Environment& environment,
                                               const VolumeImages& images) override;
  Result<std::string> ReadFile(const v1::Pod& pod, std::string_view volume,
                               std::string_view path) override;
  Result<void> TearDown(std::string_view uid) override;

 private:
  // `refresh_at`: made earlier, where the volume wants that.
  Result<void> SetUpVolume(const v1::Pod& pod, const v1::Volume& volume,
                           std::optional<int64_t>* refresh_at);
  Result<void> SetUpEmptyDir(const v1::Pod& pod, const v1::Volume& volume);
  // Whether a mount was made now.
  Result<bool> MountMedium(const v1::Pod& pod, const v1::Volume& volume);
  Result<void> SetUpPayload(const v1::Pod& pod, const v1::Volume& volume,
                            std::optional<int64_t>* refresh_at);
  // A folder, its mode whatever the umask is.
  Result<UniqueFd> MakeVolumeFolder(const v1::Pod& pod, const v1::Volume& volume, uint32_t mode);
  std::string VolumePath(const v1::Pod& pod, const v1::Volume& volume) const;
  // The file or folder that the volume is, and where it is.
  struct OpenedVolume {
    UniqueFd fd;
    std::string path;
  };
  Result<OpenedVolume> OpenVolume(const v1::Pod& pod, const v1::Volume& volume) const;
  Result<ContainerMount> MountOf(const v1::Pod& pod, const v1::Container& container,
                                 const v1::VolumeMount& mount, const Environment& environment,
                                 const VolumeImages& images) const;

  const NodeConfig& config_;
  const ObjectSource& objects_;
  const Clock& clock_;
  ClaimedVolumes claims_;
  mutable std::mutex mutex_;
  // Under mutex_; by the pod's uid.
  std::map<std::string, int64_t, std::less<>> refresh_at_;
};

}  // namespace podium::node
