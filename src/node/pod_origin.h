// Where a pod comes from, and how that is written on it: the annotations of upstream's kubelet
// (k8s.io/kubernetes/pkg/kubelet/types; release 1.36), which programs in pods read, too, through
// the downward API.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "node/pod_spec.h"

namespace podium::node {

inline constexpr std::string_view kConfigSourceAnnotation = "kubernetes.io/config.source";
inline constexpr std::string_view kConfigSeenAnnotation = "kubernetes.io/config.seen";
inline constexpr std::string_view kConfigHashAnnotation = "kubernetes.io/config.hash";
inline constexpr std::string_view kConfigMirrorAnnotation = "kubernetes.io/config.mirror";

enum class PodOrigin : uint8_t {
  kSocket,  // given to this agent at its socket: `podium play`
  kFile,    // a manifest in a folder of the node: a static pod
  kApi,     // bound to this node at the API server
};

PodOrigin OriginOf(const v1::Pod& pod);

// Annotations that the node has written, and the API server does not know, stay.
void KeepLocalAnnotations(const v1::Pod& before, v1::Pod* pod);

}  // namespace podium::node
