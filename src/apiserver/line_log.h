// A log of lines that many write to and none waits for: a queue with bounds, and one thread that
// brings it into the file. A disk that is slow or full costs lines, which are counted and told, and
// no request any time. (upstream's --audit-log-mode=batch; its default, blocking, lets each request
// wait for the disk, which here would hold up every connection of a loop.)
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "apiserver/rotating_file.h"
#include "base/clock.h"
#include "base/result.h"

namespace podium::apiserver {

struct LineLogOptions {
  RotatingFileOptions file{};
  // What waits for the disk: upstream's buffer of 10,000 events, and a bound on their bytes. A line
  // that is larger than all of it is dropped, too.
  size_t max_lines = 10'000;
  size_t max_bytes = size_t{64} << 20;
  // Told, at most once a minute, in sentences: that lines were lost, and why. In the log's thread.
  std::function<void(std::string sentence)> report{};
};

// Threads: any.
class LineLog {
 public:
  // As RotatingFile::Open. The clock outlives the log.
  static Result<std::unique_ptr<LineLog>> Open(LineLogOptions options, const Clock& clock);
  // Writes what is in the queue.
  ~LineLog();
  LineLog(const LineLog&) = delete;
  LineLog& operator=(const LineLog&) = delete;

  // `line` without its end. Never waits for the disk. False: there is no room for it.
  bool Write(std::string line);
  // Until what was given before is written, or lost.
  void Flush();

  struct Counts {
    uint64_t written = 0;
    uint64_t dropped = 0;  // no room
    uint64_t failed = 0;   // the file did not take them
  };
  Counts counts() const;

 private:
  LineLog(LineLogOptions options, RotatingFile file, const Clock& clock);
  void Run();
  void WriteBatch(std::deque<std::string> lines);
  void Report();

  const LineLogOptions options_;
  const Clock& clock_;
  // Of the thread.
  RotatingFile file_;
  int64_t reported_ = 0;  // when
  Counts told_;
  std::string last_error_;

  mutable std::mutex mutex_;
  // Below: under mutex_.
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  size_t bytes_ = 0;  // of lines_
  Counts counts_;
  bool busy_ = false;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace podium::apiserver
