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

#include "base/result.h"
#include "node/node_config.h"

namespace podium::node {

// Rotates the log when it is larger than config.log_max_bytes: what was put aside before is
// compressed, the oldest files go so that config.log_max_files stay, the log itself among them.
// `reopen` makes the writer open the name anew; when it fails the log keeps its name. True when it
// was rotated. A log that is not there is fine.
Result<bool> RotateLog(const std::string& path, const NodeConfig& config, int64_t now,
                       const std::function<Result<void>()>& reopen);

}  // namespace podium::node
