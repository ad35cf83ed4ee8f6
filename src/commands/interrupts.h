// Ctrl-C as something that a command listens for, instead of its end.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "base/unique_fd.h"

namespace podium::commands {

inline constexpr int kInterrupted = 130;  // exit status: 128 + SIGINT, as shells have it

// SIGINT, SIGTERM and SIGHUP (a terminal that goes), counted.
class Interrupts {
 public:
  // Blocks the signals in this thread and those that it starts; those that come are kept for Start.
  Interrupts();
  ~Interrupts() { Stop(); }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  // Runs `act` with how many there were, on a thread of its own.
  void Start(std::function<void(int count)> act);
  void Stop();
  int count() const { return count_; }

 private:
  UniqueFd signals_;
  UniqueFd end_;
  std::thread thread_;
  std::atomic<int> count_ = 0;
};

}  // namespace podium::commands
