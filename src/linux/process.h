// Processes by descriptor, and how this process starts others.
//
// This process has threads, so between fork and exec nothing of ours may run in a child; a child is
// made by posix_spawn, which shares memory until the exec, from a program that is a sealed file in
// memory: what runs is what was compiled in, whatever happens to files on disk (CVE-2019-5736).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::kernel {

// One process, whatever happens to its number (Linux 5.3). Movable; not for two threads at once
// except that any may Signal.
class PidFd {
 public:
  PidFd() = default;
  explicit PidFd(UniqueFd fd) : fd_(std::move(fd)) {}

  // kNotFound (ESRCH) when there is no such process. Whoever has only a number must make sure by
  // other means that it still means the same process.
  static Result<PidFd> Open(pid_t pid);

  // No error when the process is gone.
  Result<void> Signal(int signal) const;
  // True when it has ended; waits for at most `timeout` (negative: without end).
  bool WaitForEnd(std::chrono::milliseconds timeout) const;
  // Of a child of this process that has ended: its exit code, or 128 plus its signal, and it is
  // reaped. None while it runs. ECHILD when it is no child, or reaped already.
  Result<std::optional<int>> Reap() const;

  // Ready to read when the process has ended.
  int fd() const { return fd_.get(); }
  explicit operator bool() const { return static_cast<bool>(fd_); }

 private:
  UniqueFd fd_;
};

// A file in memory that nobody can change any more.
Result<UniqueFd> SealedMemory(const std::string& name, std::string_view bytes);

struct SpawnRequest {
  int program = -1;  // descriptor of an ELF program
  std::vector<std::string> arguments;
  std::vector<std::string> environment = {};
  // What the child finds as 3, 4, ...; 0, 1 and 2 are /dev/null, unless `output` is set (1 and 2).
  std::vector<int> descriptors = {};
  int output = -1;
};

// In a session of its own, with no signal blocked or ignored, and no descriptors but those named:
// all that this process has open from 3 on is made close-on-exec. Not reaped: see PidFd::Reap.
struct Spawned {
  pid_t pid = 0;
  PidFd process;
};
Result<Spawned> Spawn(const SpawnRequest& request);

}  // namespace podium::kernel
