// Where a request goes that a node, or what runs in a pod, has to answer: upstream's
// ResourceLocation, LogLocation and StreamLocation of k8s.io/kubernetes/pkg/registry/core
// (pod/strategy.go, node/strategy.go, service/storage/storage.go) and its kubelet client
// (pkg/kubelet/client/kubelet_client.go), release 1.36. Decisions over what is stored, and nothing
// else.
//
// Errors are answers, in upstream's words. Threads: any.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "api/types/core_v1.h"
#include "apiserver/objects.h"
#include "base/result.h"

namespace podium::apiserver {

// How the other side is spoken to.
enum class BackendTrust {
  // A kubelet: the server shows its certificate of kube-apiserver-kubelet-client, and wants one
  // that the cluster's authority signed.
  kKubelet,
  kKubeletUnverified,  // the same, whoever answers: insecureSkipTLSVerifyBackend of a log
  // Anybody else: no certificate of the server's, and none is verified, as upstream's proxies do
  // it: nobody signs those of pods.
  kProxy,
};

struct BackendLocation {
  bool https = false;
  std::string host{};  // a name, or an address without brackets
  std::string port{};  // as the client or an object says it
  std::string path{};  // encoded
  std::string query{};
  BackendTrust trust = BackendTrust::kKubelet;
  // Loopback, link-local addresses and the like are refused: what a pod's status or a name says
  // must not lead to the server's own machine, or to a cloud's metadata.
  bool only_global_unicast = false;
  // Of a kubelet: it says that it takes the WebSockets of clients as they are, v5.channel.k8s.io
  // and SPDY in a tunnel among them (status.declaredFeatures, ExtendWebSocketsToKubelet).
  bool speaks_websocket = false;

  // "10.0.0.1:80", "[fd00::1]:80"; without a port the host alone.
  std::string Authority() const;
};

// Of a node, whose kubelet is at the first address of the types that upstream prefers (Hostname,
// InternalDNS, InternalIP, ExternalDNS, ExternalIP) and at the port that its status says, or 10250.
// 404 without a node.
Result<BackendLocation> KubeletLocation(const Objects& objects, std::string_view node);

// pods/log. None for a pod that is not assigned to a node: its log is empty.
Result<std::optional<BackendLocation>> LogLocation(const Objects& objects,
                                                   std::string_view name_space,
                                                   std::string_view name,
                                                   const api::core::v1::PodLogOptions& options);
// 422.
Result<void> CheckLogOptions(std::string_view name, const api::core::v1::PodLogOptions& options);

// pods/exec, attach and portforward.
Result<BackendLocation> ExecLocation(const Objects& objects, std::string_view name_space,
                                     std::string_view name,
                                     const api::core::v1::PodExecOptions& options);
Result<BackendLocation> AttachLocation(const Objects& objects, std::string_view name_space,
                                       std::string_view name,
                                       const api::core::v1::PodAttachOptions& options);
Result<BackendLocation> PortForwardLocation(const Objects& objects, std::string_view name_space,
                                            std::string_view name,
                                            const api::core::v1::PodPortForwardOptions& options);

// The proxies' own: [SCHEME:]NAME[:PORT]. Without a path.
Result<BackendLocation> PodProxyLocation(const Objects& objects, std::string_view name_space,
                                         std::string_view id);
Result<BackendLocation> NodeProxyLocation(const Objects& objects, std::string_view id);
// One of the ready endpoints of the Service's slices, chosen by `random` (of numbers below its
// argument, which is at least 1), as long as it is an address of the pod that it is said to be of.
Result<BackendLocation> ServiceProxyLocation(const Objects& objects, std::string_view name_space,
                                             std::string_view id,
                                             const std::function<uint64_t(uint64_t)>& random);

}  // namespace podium::apiserver
