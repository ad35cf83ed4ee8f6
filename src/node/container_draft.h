// What the runtime is told of one container: its files are made, its variables and mounts gathered,
// and all of it is translated (translate.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "node/host_names.h"
#include "node/observed_pod.h"
#include "node/pod_services.h"
#include "node/pod_spec.h"
#include "runtime/runtime.h"

namespace podium::node {

struct DraftInput {
  const v1::Pod& pod;
  const v1::Container& container;
  ContainerRef ref;
  const ObservedPod& observed;
  int32_t restart_count;
  const NodeImage& image;
  const std::vector<std::string>& addresses;  // the pod's
  const HostNames& names;
  const VolumeImages& volume_images;
  const std::optional<wire::cri::UserNamespace>& users;
};

struct ContainerDraft {
  wire::cri::ContainerConfig config;
  std::vector<runtime::MountSource> mount_sources;  // of config.mounts, by index
};

// Errors, all of which make CreateContainerConfigError, are in upstream's words. The pod's sandbox
// runs and its volumes are set up. One caller at a time for a pod.
Result<ContainerDraft> DraftContainer(PodServices& services, const DraftInput& input);

// What is mounted at the terminationMessagePath of one run of a container.
std::string TerminationFile(const NodeConfig& config, const v1::Pod& pod,
                            std::string_view container, int32_t restart_count);

}  // namespace podium::node
