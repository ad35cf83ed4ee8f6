// What configMap, secret, downwardAPI and projected volumes hold: file names and bytes, worked out
// from the objects. Rules and errors as the kubelet's volume plugins
// (k8s.io/kubernetes/pkg/volume/{configmap,secret,downwardapi,projected}; release 1.36). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "node/node_config.h"
#include "node/objects.h"
#include "node/pod_spec.h"

namespace podium::node {

struct VolumeFile {
  std::string data;
  uint32_t mode = 0644;
  std::optional<int64_t> owner = {};  // a uid; none: root

  friend bool operator==(const VolumeFile&, const VolumeFile&) = default;
};

// By path relative to the volume ("dir/name").
using Payload = std::map<std::string, VolumeFile, std::less<>>;

// Whether the volume is one of the four.
bool HasPayload(const v1::Volume& volume);

struct VolumeContent {
  Payload files;
  // When a token among them is to be replaced; nanoseconds since 1970.
  std::optional<int64_t> refresh_at = {};
};

// What such a volume holds. kNotFound for an object or key that is missing and not optional,
// kUnsupported for what is not offered here (trust bundles, certificates; without an API server
// service accounts' tokens).
Result<VolumeContent> MakeContent(const v1::Pod& pod, const v1::Volume& volume,
                                  const ObjectSource& objects, const NodeConfig& config);

}  // namespace podium::node
