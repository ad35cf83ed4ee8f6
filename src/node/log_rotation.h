// Rotation of containers' logs, as the kubelet's container log manager does it (release 1.36):
//
//   0.log                               being written
//   0.log.20261121-210012.123456        the one before
//   0.log.20261121-203412.456789.gz     older ones, compressed
//
// Upstream's names have no fraction of a second: a container that prints fast enough would write
// over what was put aside just before.
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

// Puts the log aside when it is larger than config.log_max_bytes; the oldest files go so that
// config.log_max_files stay, the log itself among them. `reopen` makes the writer open the name
// anew; when it fails the log keeps its name. True when it was rotated. Where there is no log,
// whoever rotated it last was killed before the writer knew: it is reopened. Takes no longer than
// that: a writer does not wait for anything. One call at a time for a log.
Result<bool> RotateLog(const std::string& path, const NodeConfig& config, int64_t now,
                       const std::function<Result<void>()>& reopen);

// Compresses what was put aside of it but the newest. Takes its time; RotateLog and RemoveLogFiles
// may be called meanwhile, and what they remove does not come back. One call at a time for a log.
Result<void> CompressPutAside(const std::string& path);

}  // namespace podium::node
