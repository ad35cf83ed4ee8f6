// Logs of containers in the CRI's format, a line each:
//   2016-10-06T00:17:09.669794202Z stdout F text         F: the line ends here, P: it goes on
// Reading follows the kubelet's (pkg/kubelet/kuberuntime/logs, release 1.36): tailLines counts
// lines of the files, limitBytes what is given out. Other than there, what rotation has put aside
// is read as well, so that nothing that is kept is hidden.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace podium::node {

struct LogLine {
  std::string_view timestamp;  // as it stands there
  int64_t time = 0;            // nanoseconds since 1970
  bool is_stderr = false;
  bool partial = false;
  std::string_view text;  // without the line break
};

// Nothing for what is no such line. `line` has no line break.
std::optional<LogLine> ParseLogLine(std::string_view line);

struct LogOptions {
  bool follow = false;
  bool timestamps = false;
  std::optional<int64_t> since = {};  // nanoseconds since 1970
  std::optional<int64_t> tail_lines = {};
  std::optional<int64_t> limit_bytes = {};
  bool out = true;  // stdout
  bool err = true;  // stderr
};

// Takes a piece of the log; false ends the reading.
using LogSink = std::function<bool(std::string_view text)>;

// What a reader that follows must know of the container.
struct LogSource {
  std::string path;
  // Whether more may come. Asked when the end is reached.
  std::function<bool()> open;
  // Whether whoever reads is gone.
  std::function<bool()> cancelled;
};

// Gives the log to the sink: to its end or, following, until the container has ended, the sink does
// not want more or is cancelled. What was put aside (rotated) before comes first; when that happens
// on the way, the file is read to its end, then the new one. kNotFound when there is no log.
Result<void> ReadContainerLog(const LogSource& source, const LogOptions& options,
                              const LogSink& sink);

// The last lines and bytes of what a container printed, for messages; "" when there is none.
std::string TailOfLog(const std::string& path, int64_t max_lines, size_t max_bytes);

}  // namespace podium::node
