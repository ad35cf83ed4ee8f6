// Logs of containers in the CRI's format, a line each:
//   2016-10-06T00:17:09.669794202Z stdout F text         F: the line ends here, P: it goes on
// Reading follows the kubelet's (pkg/kubelet/kuberuntime/logs, release 1.36): tailLines counts
// lines of the files, limitBytes what is given out. Other than there, what rotation has put aside
// is read as well, so that nothing that is kept is hidden.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "node/log_files.h"

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

// Reads a log piece by piece, and waits for nothing: what was put aside (rotated) comes first. When
// that happens while it is followed, the file is read to its end, then the new one.
//
// Threads: one at a time.
class LogReader {
 public:
  enum class Then : uint8_t { kMore, kWait, kEnd };

  // `open`, of a log that is followed: whether more may come. Asked when the end may be reached.
  LogReader(std::string path, const LogOptions& options, std::function<bool()> open = {})
      : path_(std::move(path)),
        options_(options),
        open_(std::move(open)),
        left_(options.limit_bytes) {}

  // Finds where to begin, before anything else; with tailLines it may read all there is. kNotFound
  // when there is no log.
  Result<void> Begin();
  // Appends what comes next, of some 16 KiB of a file. kWait: nothing for now; to be asked again
  // when the log's folder has changed, or `open` may say something else.
  Result<Then> Next(std::string* out);

 private:
  // Of what was put aside, as much as is asked for.
  Result<void> OpenOlder();
  // The file that is written now. What is not followed is read to the end that it has now: a
  // container may write faster than anybody reads.
  bool OpenWritten();
  // Following, when what was written has been put aside: what comes after it, as far as it is kept.
  // The one that is written is among them as soon as it has a line: then nobody writes the others.
  void OpenNewer();
  void BeginRound();
  void Take(std::string_view bytes, std::string* out);
  void Give(std::string_view line, std::string* out);

  const std::string path_;
  const LogOptions options_;
  const std::function<bool()> open_;
  std::optional<int64_t> left_;
  std::deque<LogFile> files_;  // still to be read, oldest first
  bool has_written_ = false;   // the last of them is the one that is written, or was
  std::string before_;         // the path of one that was put aside before it
  std::string rest_;           // of a line whose end is not there yet
  bool in_line_ = false;
  // From one look at what there is until all of it is read.
  bool in_round_ = false;
  bool more_may_come_ = false;
  bool found_newer_ = false;
  bool over_ = false;
};

// Takes a piece of the log; false ends the reading.
using LogSink = std::function<bool(std::string_view text)>;

// Gives the log to the sink, to the end that it has now. kNotFound when there is no log.
Result<void> ReadContainerLog(const std::string& path, const LogOptions& options,
                              const LogSink& sink);

// The last lines and bytes of what a container printed, for messages; "" when there is none.
std::string TailOfLog(const std::string& path, int64_t max_lines, size_t max_bytes);

}  // namespace podium::node
