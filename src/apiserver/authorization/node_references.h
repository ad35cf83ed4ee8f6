// What a pod and a volume refer to, for its node to read (upstream's graph.go of the node
// authorizer, and pkg/api/v1/persistentvolume). Internal to the folder.
//
// Pure; any thread. Names may come several times.
#pragma once

#include <string>
#include <vector>

#include "api/types/core_v1.h"

namespace podium::apiserver {

struct PodReferences {
  std::vector<std::string> secrets;
  std::vector<std::string> config_maps;
  // Of claims that stand in the pod, and of those that are made for it.
  std::vector<std::string> claims;
  std::vector<std::string> resource_claims;
  std::string service_account;
};
PodReferences ReferencesOf(const api::core::v1::Pod& pod);

struct SecretName {
  std::string namespace_;
  std::string name;
};
// Those that a node reads to mount it. Empty without a claim.
std::vector<SecretName> NodeSecretsOf(const api::core::v1::PersistentVolume& volume);

}  // namespace podium::apiserver
