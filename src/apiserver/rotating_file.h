// A log file that is put aside when it is large, under upstream's names (its logs are written by
// gopkg.in/natefinch/lumberjack.v2): audit.log becomes audit-2026-01-02T15-04-05.000.log, by the
// time it was put aside, in UTC, and a new audit.log is begun.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::apiserver {

struct RotatingFileOptions {
  // "-" and "/dev/stdout" are standard output, "/dev/stderr" the other one. These are never put
  // aside, nor is what is no regular file: a device, a pipe.
  std::string path{};
  uint64_t max_bytes = uint64_t{100} << 20;
  // How many, and for how many days, files that were put aside stay; 0 for all, for ever.
  unsigned max_backups = 0;
  unsigned max_days = 0;
};

// Threads: one at a time.
class RotatingFile {
 public:
  // Makes the file (0600) and the folders (0755) that are not there; goes on behind what a file
  // holds. Takes old files away as the options say. The clock outlives it.
  static Result<RotatingFile> Open(RotatingFileOptions options, const Clock& clock);

  // Appends all of it to one file or, after an error, nothing. More than a file may hold is a file
  // by itself.
  Result<void> Append(std::string_view lines);

 private:
  RotatingFile(RotatingFileOptions options, const Clock& clock);
  Result<void> OpenFile();
  Result<void> PutAside();
  void RemoveOld() const;

  RotatingFileOptions options_;
  const Clock* clock_;
  int stream_ = -1;  // a standard stream of the process
  UniqueFd fd_;      // empty for such a one, and after a file could not be opened
  bool is_regular_ = false;
  uint64_t size_ = 0;
};

}  // namespace podium::apiserver
