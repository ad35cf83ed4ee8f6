// The hash of what an object holds, as kubectl --append-hash and kustomize put it behind names
// (upstream's k8s.io/kubectl/pkg/util/hash).
#pragma once

#include <string>

#include "api/types/core_v1.h"

namespace podium::api {

// Ten characters of what name, type and data come to.
std::string NameHash(const core::v1::ConfigMap& map);
std::string NameHash(const core::v1::Secret& secret);

}  // namespace podium::api
