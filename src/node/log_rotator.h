// Keeps the logs of all containers within their limits (log_rotation.h): each is looked at every
// ten seconds, and at once when the runtime says that it has grown too large. A container that
// prints faster than this goes is held back by the runtime (BoundOf), so that a flood of lines
// makes files little larger than the limit, however late a task has its turn.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "node/node_config.h"
#include "runtime/runtime.h"

namespace podium::node {

// Threads: any. Files are rotated and compressed on tasks of the executor, which hold it alive.
class LogRotator : public std::enable_shared_from_this<LogRotator> {
 public:
  struct Services {
    const NodeConfig& config;
    const Clock& clock;
    Executor& executor;
    runtime::Runtime& runtime;
  };
  explicit LogRotator(const Services& services) : services_(services) {}

  // To be called every ten seconds or so. Returns at once.
  void LookAtAll();
  // Of a log that has this many bytes, output waits: some more than the limit, so that it does not
  // where a rotation is in time.
  static uint64_t BoundOf(const NodeConfig& config) {
    constexpr uint64_t kSlack = uint64_t{4} << 20;
    return static_cast<uint64_t>(config.log_max_bytes) + kSlack;
  }
  // A runtime::LogHandler.
  void Grown(const std::string& container_id, uint64_t written);
  // No more of it; waits for tasks that go on.
  void Stop();

 private:
  // Runs the task unless one of that name runs already, or waits.
  void Post(const std::string& name, std::function<void()> task);
  void Rotate(const std::string& container_id, const std::string& path);

  const Services services_;
  std::mutex mutex_;
  std::condition_variable idle_;
  // Under mutex_.
  std::set<std::string> posted_;
  size_t running_ = 0;
  bool stopped_ = false;
};

}  // namespace podium::node
