// Rotation of containers' logs, as the kubelet's container log manager does it (release 1.36):
//
//   0.log                          being written
//   0.log.20261121-210012          the one before
//   0.log.20261121-203412.gz       older ones, compressed
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "node/node_config.h"

namespace podium::node {

// The end of the names of those that are compressed.
inline constexpr std::string_view kCompressedLog = ".gz";

// The paths of what was put aside of this log, oldest first. A compression that goes on, or was
// broken off, does not show.
std::vector<std::string> ListPutAside(const std::string& path);

// Rotates the log when it is larger than config.log_max_bytes: what was put aside before is
// compressed, the oldest files go so that config.log_max_files stay, the log itself among them.
// `reopen` makes the writer open the name anew; when it fails the log keeps its name. True when it
// was rotated. A log that is not there is fine.
Result<bool> RotateLog(const std::string& path, const NodeConfig& config, int64_t now,
                       const std::function<Result<void>()>& reopen);

}  // namespace podium::node
