// File systems in memory that volumes are made of: tmpfs for emptyDirs of medium Memory, Secrets
// and whatever else must not reach a disk, hugetlbfs for medium HugePages.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "node/node_config.h"
#include "node/pod_spec.h"

namespace podium::node {

// Mounts one on the folder at `path`, unless there is one: true when it was made now. tmpfs is kept
// out of the swap where the kernel can (noswap, Linux 6.4).
Result<bool> MountTmpfs(const std::string& path, uint64_t bytes);
Result<bool> MountHugePages(const std::string& path, const std::string& page_size);

// How much a volume in memory may hold: the least of its limit, of what the pod's containers may
// use together if each has a limit, and of what the node has. Bytes.
uint64_t MemoryVolumeSize(const v1::Pod& pod, const v1::EmptyDirVolumeSource& source,
                          const NodeConfig& config);

// The page size ("2Mi") of medium HugePages or HugePages-2Mi, for which the pod must ask for huge
// pages of that size.
Result<std::string> HugePageSize(const v1::Pod& pod, const std::string& medium);

}  // namespace podium::node
