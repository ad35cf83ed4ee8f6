// The terminal that a command was started from: raw input, its size, and changes of its size.
#pragma once

#include <termios.h>

#include <cstdint>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::kernel {

struct WindowSize {
  uint16_t rows = 0;
  uint16_t columns = 0;

  friend bool operator==(const WindowSize&, const WindowSize&) = default;
};

// Whether the descriptor is a terminal.
bool IsTerminal(int fd);

// kInvalidArgument where the descriptor is no terminal. A terminal that does not know its size has
// 0 rows and columns.
Result<WindowSize> GetWindowSize(int fd);
Result<void> SetWindowSize(int fd, WindowSize size);

// Every key goes to the reader as it is typed, Ctrl-C too, and nothing is echoed (cfmakeraw(3)).
// Restores what was there when it is dropped; a process that may be ended by a signal restores it
// before it goes. Borrows the descriptor.
class RawMode {
 public:
  // kInvalidArgument where the descriptor is no terminal.
  static Result<RawMode> Enter(int fd);

  RawMode(RawMode&& other) noexcept;
  RawMode& operator=(RawMode&& other) noexcept;
  ~RawMode() { Restore(); }

  // Once; again does nothing.
  void Restore();

 private:
  RawMode(int fd, const termios& before) : fd_(fd), before_(before) {}

  int fd_ = -1;  // none after Restore
  termios before_{};
};

// SIGWINCH as a descriptor: poll it for input, Drain, then ask for the size again.
//
// Blocks the signal in the calling thread, so make it before any other thread is started: these
// inherit the block, and a thread without it would take the signal (and ignore it, as is the
// default). The block stays.
class WindowSizeChanges {
 public:
  static Result<WindowSizeChanges> Watch();

  int fd() const { return signals_.get(); }
  // True if there was a change since the last call. Never waits.
  bool Drain();

 private:
  explicit WindowSizeChanges(UniqueFd signals) : signals_(std::move(signals)) {}

  UniqueFd signals_;
};

}  // namespace podium::kernel
