// What a sandbox's configuration says, checked, and the files that it gives its containers. Private
// to this room.
#pragma once

#include <string>

#include "base/result.h"
#include "network/network.h"
#include "wire/types/cri.h"

namespace podium::runtime {

// kInvalidArgument names the field. Sysctls are those of the pod's own namespaces only, one path
// each, and values are one line (CVE-2022-0811).
Result<void> CheckSandboxConfig(const wire::cri::PodSandboxConfig& config);

struct SandboxFiles {
  std::string hostname;
  std::string hosts;
  std::string resolv_conf;
};
Result<SandboxFiles> MakeSandboxFiles(const wire::cri::PodSandboxConfig& config);

// In run_pod_sandbox.cpp.
network::PodNetworkRequest NetworkRequestOf(const wire::cri::PodSandboxConfig& config,
                                            const std::string& id, int netns);

}  // namespace podium::runtime
