// What files take of a disk: walked through, once. Whoever calls sees to it that that is not done
// too often.
#pragma once

#include <map>
#include <string>

#include "linux/path.h"
#include "node/pod_spec.h"
#include "runtime/runtime.h"

namespace podium::node {

// Nothing for a folder that cannot be read, or is a link.
kernel::TreeUsage FolderUse(const std::string& path);

// By the container's name. Of each the newest run's: the others' layers go as soon as it has ended.
std::map<std::string, kernel::TreeUsage> WritableLayers(const v1::Pod& pod,
                                                        runtime::Runtime& runtime);

}  // namespace podium::node
