// Writes the files of a volume so that who reads sees all of the old or all of the new ones, at any
// moment and after a crash: the way the kubelet has (k8s.io/kubernetes/pkg/volume/util,
// AtomicWriter; release 1.36), because programs watch for its renames.
//
//   VOLUME/..2026_11_21_20_45_00.1936478529/dir/name    the files
//   VOLUME/..data -> ..2026_11_21_20_45_00.1936478529   replaced by a rename
//   VOLUME/dir -> ..data/dir                            made once
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "node/volumes/payload.h"

namespace podium::node {

// `folder`: the volume's, which nobody else writes to. With a group, files belong to it and it may
// read them. A file with an owner belongs to that user. True when something changed; the files are
// left alone when they are as they should be. What a crash left is cleaned up. kInvalidArgument for
// a path that leaves the folder or that is the writer's own ("..x"); nothing is changed then.
//
// One call at a time for a volume.
Result<bool> WriteAtomically(int folder, const Payload& payload, std::optional<int64_t> group,
                             const Clock& clock);

}  // namespace podium::node
