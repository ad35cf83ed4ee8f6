// Turns what a container prints into lines of the CRI log format:
//
//   2026-11-21T21:10:01.123456789Z stdout F the line
//   <time> <stream> <tag> <content>, tag P if the line goes on in the next entry
//
// A line longer than kMaxLogLine bytes is cut into entries of that length, all but the last with
// tag P; what a stream ends with, without a line feed, has tag P; the carriage return of a "\r\n"
// is dropped. That is what containerd does. Times are UTC with nine digits, so that they sort.
//
// Compiled into the shim without a C library and into the tests with one; makes no system call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace podium::runtime::shim {

inline constexpr size_t kMaxLogLine = 16384;
// An unfinished line, with the byte that decides about the last "\r".
inline constexpr size_t kPartialSize = kMaxLogLine + 1;
inline constexpr size_t kLogTimeSize = 30;

// "2026-11-21T21:10:01.123456789Z".
void FormatLogTime(uint64_t realtime_ns, char (&out)[kLogTimeSize]);

// One entry's content, in two pieces: what was kept from before, and what came now.
struct LogEntry {
  std::string_view head, tail;
  bool full;
};

// Cuts one chunk of a stream. `partial` (kPartialSize bytes) and `partial_size` live as long as the
// stream. Entries point into the chunk and `partial`: write them before Keep.
class LogCutter {
 public:
  LogCutter(const char* partial, size_t partial_size, std::string_view chunk)
      : head_(partial, partial_size), rest_(chunk) {}

  // The next entry that is complete. False when there is none: then Keep.
  bool Next(LogEntry* entry);

  // Puts what is left over into `partial` and returns its size.
  size_t Keep(char* partial) const;

 private:
  std::string_view head_, rest_;
};

}  // namespace podium::runtime::shim
