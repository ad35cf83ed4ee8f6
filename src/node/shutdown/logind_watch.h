// LogindWatch: keeps the machine from going down before the node is ready for it, and says when it
// is about to (upstream's pkg/kubelet/nodeshutdown, release 1.36, Start and its inhibitor).
//
//   connect; raise how long logind waits, where that is less than the node needs, by a file of its
//   configuration; take a lock; each time that the machine is about to go down, say so, and keep
//   the lock until Release; when it does not after all, say so, and take a lock again.
//
// Where any of it fails it is tried again a second later, as long as the watch lives. Threads: any;
// callbacks come from its own.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"
#include "http/stream.h"
#include "node/shutdown/logind.h"

namespace podium::node {

// Where logind reads files that say more than its own (logind.conf(5)).
inline constexpr const char* kLogindFolder = "/etc/systemd/logind.conf.d";

class LogindWatch {
 public:
  struct Options {
    std::chrono::seconds needed{};  // of delay
    std::string override_file{};    // that raises it; written where that is needed
    std::function<Result<std::unique_ptr<Logind>>()> connect = ConnectLogind;
    std::function<void(bool shutting_down)> on_shutdown{};
    std::function<void(const Error& error)> on_error{};
    std::chrono::milliseconds retry{1000};
  };

  explicit LogindWatch(Options options) : options_(std::move(options)) {}
  // Once.
  Result<void> Start();
  // The lock goes with it.
  ~LogindWatch();

  // The machine may go down.
  void Release();

 private:
  void Run();
  // Returns when the connection is gone, or the watch.
  Result<void> Watch();
  Result<void> RaiseDelay(Logind& logind) const;
  Result<void> Lock(Logind& logind);
  bool Pause(std::chrono::milliseconds time) const;

  const Options options_;
  std::unique_ptr<http::Cancellation> stop_;
  std::mutex mutex_;
  UniqueFd lock_;  // under mutex_
  std::thread thread_;
};

}  // namespace podium::node
