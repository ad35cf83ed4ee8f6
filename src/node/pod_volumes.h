// What the pod's worker needs of volumes: volumes/volume_manager.h, and a fake in tests.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "node/environment.h"
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

// Volumes live as long as the pod object. Any thread may call; one call at a time for a pod.
class PodVolumes {
 public:
  virtual ~PodVolumes() = default;

  // Makes the pod's volumes ready, and their content what its objects say now: to be called before
  // containers are made, and again whenever objects may have changed. Volumes that are ready stay
  // as they are. What is wrong with any blocks the pod, and is told for each: `MountVolume.SetUp
  // failed for volume "v" : configmap "c" not found`; the others are set up nevertheless.
  virtual std::vector<Error> SetUp(const v1::Pod& pod) = 0;
  // When to call it again though nothing has changed, because content grows old (tokens);
  // nanoseconds since 1970. None: never, or before the first SetUp in this process.
  virtual std::optional<int64_t> RefreshAt(std::string_view /*uid*/) const { return std::nullopt; }

  // For a container that is about to be created, in the order of its volumeMounts. The pod's
  // volumes are set up. What is missing of a subPath is made.
  virtual Result<std::vector<ContainerMount>> MountsOf(const v1::Pod& pod,
                                                       const v1::Container& container,
                                                       const Environment& environment,
                                                       const VolumeImages& images) = 0;

  // The text of a file in a volume (env.valueFrom.fileKeyRef), at most 1 MiB.
  virtual Result<std::string> ReadFile(const v1::Pod& pod, std::string_view volume,
                                       std::string_view path) = 0;

  // Unmounts all volumes of a pod of which nothing runs any more. Whatever they held is put aside
  // at once and not removed (RemovedVolumes in node_config.h): that can take long, and is for
  // whoever has the time. No error where there are none; one while what was put aside before is
  // not removed yet.
  virtual Result<void> TearDown(std::string_view uid) = 0;
};

}  // namespace podium::node
