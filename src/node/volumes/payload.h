// What configMap, secret, downwardAPI and projected volumes hold: file names and bytes, worked out
// from the objects. Rules and errors as the kubelet's volume plugins
// (k8s.io/kubernetes/pkg/volume/{configmap,secret,downwardapi,projected}; release 1.36). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "node/node_config.h"
#include "node/objects.h"
#include "node/pod_spec.h"

namespace podium::node {

struct VolumeFile {
  std::string data;
  uint32_t mode = 0644;

  friend bool operator==(const VolumeFile&, const VolumeFile&) = default;
};

// By path relative to the volume ("dir/name").
using Payload = std::map<std::string, VolumeFile, std::less<>>;

// Whether the volume is one of the four.
bool HasPayload(const v1::Volume& volume);

// The files of such a volume. kNotFound for an object or key that is missing and not optional,
// kUnsupported for what needs an API server (service account tokens, trust bundles, certificates).
Result<Payload> MakePayload(const v1::Pod& pod, const v1::Volume& volume,
                            const ObjectSource& objects, const NodeConfig& config);

}  // namespace podium::node
