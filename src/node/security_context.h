// Security contexts: a pod's and a container's made into one, and that into the words of the CRI
// (upstream's pkg/securitycontext and pkg/kubelet/kuberuntime/security_context.go, release 1.36).
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "node/node_config.h"
#include "node/pod_spec.h"
#include "wire/types/cri.h"

namespace podium::node {

// What the container's says, and what it leaves to the pod's.
v1::SecurityContext EffectiveSecurityContext(const v1::Pod& pod, const v1::Container& container);

// USER of an image: "", "1000", "1000:100", "nginx", "nginx:www". A number, or else a name; nothing
// is root.
struct ImageUser {
  std::optional<int64_t> uid;
  std::string name;

  static ImageUser Parse(std::string_view user);
};

// runAsNonRoot against what the container would run as; kInvalidArgument in upstream's words.
Result<void> VerifyRunAsNonRoot(const v1::Pod& pod, const v1::Container& container,
                                const ImageUser& image_user);

// The namespaces are for the caller to set.
wire::cri::LinuxContainerSecurityContext ContainerSecurity(const v1::Pod& pod,
                                                           const v1::Container& container,
                                                           const NodeConfig& config);
wire::cri::LinuxSandboxSecurityContext SandboxSecurity(
    const v1::Pod& pod, const std::optional<wire::cri::UserNamespace>& user_namespace);

// Which namespaces containers of the pod share. Without a user namespace it is the node's.
wire::cri::NamespaceOption NamespacesOf(
    const v1::Pod& pod, const std::optional<wire::cri::UserNamespace>& user_namespace);

// Whether any container is privileged.
bool HasPrivileged(const v1::PodSpec& spec);

}  // namespace podium::node
