// What of a set of manifests one machine can run without a cluster: Pods, the Pods that workloads
// are templates of, and the ConfigMaps and Secrets they read. Pure.
#pragma once

#include <string>
#include <vector>

#include "api/types/core_v1.h"
#include "base/result.h"
#include "cli/manifests.h"

namespace podium::commands {

namespace v1 = api::core::v1;

struct PlayObjects {
  std::vector<v1::Pod> pods;
  std::vector<v1::ConfigMap> config_maps;
  std::vector<v1::Secret> secrets;
  // What is not done, a line each: `deployment "web": runs one pod of its template; passed over:
  // replicas, strategy`.
  std::vector<std::string> notes;
};

// In the order of the manifests. Every object has a namespace ("default" where it names none); a
// workload's pod has the workload's name, and Secrets have no stringData any more. Objects are not
// defaulted. kInvalidArgument when two pods have the same name.
Result<PlayObjects> CollectPlayObjects(const std::vector<cli::ManifestObject>& manifests);

}  // namespace podium::commands
