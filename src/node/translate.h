// A pod in the words of the Container Runtime Interface: the configuration of its sandbox and of
// its containers (upstream's pkg/kubelet/kuberuntime, release 1.36). Pure: whatever must be read,
// resolved or made before comes in.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "node/environment.h"
#include "node/host_names.h"
#include "node/node_config.h"
#include "node/security_context.h"
#include "wire/types/cri.h"

namespace podium::node {

struct SandboxInput {
  const v1::Pod& pod;
  const NodeConfig& config;
  uint32_t attempt = 0;
  wire::cri::DNSConfig dns;
  std::optional<wire::cri::UserNamespace> user_namespace;
};

// kInvalidArgument when the pod cannot have a host name.
Result<wire::cri::PodSandboxConfig> TranslateSandbox(const SandboxInput& input);

struct ContainerInput {
  const v1::Pod& pod;
  const v1::Container& container;
  ContainerKind kind = ContainerKind::kRegular;
  const NodeConfig& config;
  int32_t restart_count = 0;
  std::string image;  // as the runtime finds it: its id
  ImageUser image_user;
  const Environment& environment;
  std::vector<wire::cri::Mount> mounts;  // of its volumes; they come first
  std::string hosts_file;                // on the host; empty: none
  std::string termination_file;          // on the host; empty: none
  std::string target_id;                 // the container whose processes an ephemeral one sees
  std::optional<wire::cri::UserNamespace> user_namespace;  // of the sandbox
};

// kInvalidArgument when the container may not run as what it would run as, kUnsupported when it
// asks for what is not offered here (unsupported.h).
Result<wire::cri::ContainerConfig> TranslateContainer(const ContainerInput& input);

// A port's protocol by the API's name; TCP for what is neither of the others.
wire::cri::Protocol ProtocolOf(std::string_view name);
// What the runtime is told to publish, of all containers of the pod.
std::vector<wire::cri::PortMapping> PortMappings(const v1::PodSpec& spec);

}  // namespace podium::node
