// The volumes that pods of this node have by claims, and which pods have which. Kept with the pod:
//
//   DATA/pods/UID/volumes/podium~claim/NAME.json    the PersistentVolume that the volume NAME is
//
// so that containers are started again without an API server, and by an agent that is new. Nothing
// is mounted: a container gets the file or folder itself, and no way leads from what is ours, which
// is removed with the pod, to what is the volume's, which stays.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "node/node_config.h"
#include "node/objects.h"
#include "node/volumes/claimed_volume.h"

namespace podium::node {

// What SetUp has found for the pod of this uid; `volume`: its name in the pod. kNotFound.
Result<v1::PersistentVolume> ReadClaimedVolume(const NodeConfig& config, std::string_view uid,
                                               const std::string& volume);

// Threads: any; one call at a time for a pod.
class ClaimedVolumes {
 public:
  // Both outlive it.
  ClaimedVolumes(const NodeConfig& config, const ObjectSource& objects)
      : config_(config), objects_(objects) {}

  // Finds the volume, checks it, and gives what is in a local one to the pod's fsGroup unless
  // another pod of this node has it already. What is set up stays as it is. Errors are whole
  // messages of events.
  Result<void> SetUp(const v1::Pod& pod, const v1::Volume& volume);
  // What SetUp has found.
  Result<v1::PersistentVolume> Get(const v1::Pod& pod, const v1::Volume& volume) const {
    return ReadClaimedVolume(config_, pod.metadata.uid, volume.name);
  }

 private:
  // One pod at a time has a volume set up.
  class Turn;

  Result<void> Prepare(const v1::Pod& pod, const v1::Volume& volume,
                       const v1::PersistentVolume& found) const;
  // Whether a pod other than this one has it.
  bool IsUsedElsewhere(const std::string& name, std::string_view uid) const;

  const NodeConfig& config_;
  const ObjectSource& objects_;
  std::mutex mutex_;
  std::condition_variable freed_;
  // Under mutex_; of PersistentVolumes.
  std::set<std::string> taken_;
};

}  // namespace podium::node
