// UsageReader: asks the nodes every fifteen seconds what they and their pods use, as long as
// somebody wants to know it. Nothing is asked, and nothing kept, before the first question and two
// minutes after the last one.
//
// The first who asks waits for two readings, a good second apart: a rate needs two. That is where
// this differs from metrics-server, which always asks.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/usage/usage_points.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/result.h"

namespace podium::apiserver {

class UsageReader {
 public:
  struct Parts {
    Executor* executor = nullptr;
    const Clock* clock = nullptr;
    // The names of the nodes there are. Does not wait.
    std::function<std::vector<std::string>()> nodes{};
    // A node's /metrics/resource. Waits, for some seconds at the most; called by several threads,
    // for different nodes.
    std::function<Result<std::string>(const std::string& node)> fetch{};
  };
  explicit UsageReader(Parts parts);

  // Runs `then` in the executor once there is something to tell; never after Stop.
  void WhenRead(std::function<void()> then);
  // No more readings begin, and whoever waits is forgotten.
  void Stop();

  std::optional<Usage> OfNode(std::string_view node) const;
  std::optional<PodUsage> OfPod(std::string_view node, const PodName& pod) const;

 private:
  // One reading of all nodes.
  struct Round {
    std::mutex mutex;
    // Under mutex.
    std::vector<std::string> left;  // to be asked
    size_t tasks = 0;               // that still ask
    std::map<std::string, NodePoints, std::less<>> answers;
  };

  void Begin();
  void Work(const std::shared_ptr<Round>& round);
  void End(Round& round);

  const Parts parts_;
  mutable std::mutex mutex_;
  // All below: under mutex_.
  UsageHistory history_;
  std::vector<std::function<void()>> waiting_;
  int64_t asked_at_ = 0;
  int rounds_ = 0;  // since the first question
  bool running_ = false;
  bool stopped_ = false;
  Executor::TimerId timer_ = 0;
};

}  // namespace podium::apiserver
