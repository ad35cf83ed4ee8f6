// fsGroup on volumes that keep their files from pod to pod (upstream's pkg/volume/volume_linux.go,
// release 1.36).
#pragma once

#include <cstdint>

#include "base/result.h"

namespace podium::node {

enum class GroupChangePolicy : uint8_t {
  kAlways,
  kOnRootMismatch,  // nothing where the volume's own folder is the group's already
};

// `folder` (O_PATH will do) and all below it belong to the group, which may read and write it, and
// enter its folders; new files in them belong to the group as well. Links are changed, never
// followed. What others may do is left as it is. What vanishes meanwhile is passed over.
Result<void> GiveToGroup(int folder, int64_t group, GroupChangePolicy policy);

}  // namespace podium::node
