// How a pod is called and what stands in its /etc/hosts (upstream's pkg/kubelet/kubelet_pods.go,
// release 1.36). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "node/node_config.h"
#include "node/pod_spec.h"

namespace podium::node {

// A host name has at most 63 characters in DNS, and 64 in Linux.
inline constexpr size_t kMaxHostname = 63;
inline constexpr size_t kMaxKernelHostname = 64;

struct HostNames {
  std::string hostname;  // spec.hostnameOverride, spec.hostname or the pod's name, cut to 63
  std::string domain;    // SUBDOMAIN.NAMESPACE.svc.CLUSTER-DOMAIN; empty without a subdomain
  // What the kernel calls the pod: the host name, or with setHostnameAsFQDN host name and domain.
  std::string kernel_name;
};

// kInvalidArgument in upstream's words: nothing is left of a name, or the full one is too long.
Result<HostNames> MakeHostNames(const v1::Pod& pod, const NodeConfig& config);

// The pod's /etc/hosts. `host_file` is the node's, which pods on its network get; `addresses` those
// of the pod.
std::string MakeHostsFile(const v1::Pod& pod, const HostNames& names,
                          const std::vector<std::string>& addresses, std::string_view host_file);

}  // namespace podium::node
