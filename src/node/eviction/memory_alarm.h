// Has the eviction manager look as soon as the kernel tells that memory has grown to a threshold,
// not only every ten seconds (upstream's pkg/kubelet/eviction/memory_threshold_notifier.go and
// threshold_notifier_linux.go, release 1.36, with --kernel-memcg-notification).
//
//   memory.available             how much the whole machine may still grow
//   allocatableMemory.available  how much the pods' cgroup may
// Marks are on usage, thresholds on the working set: a mark may come early, where the growth is
// files that can be given up, and late, where such files have come into use; the look every ten
// seconds stays. After an alarm there is none for a tenth of a second, so that whoever
// allocates and frees around a mark does not keep the agent busy; then there is one more, which
// sets the marks anew.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/executor.h"
#include "http/poller.h"
#include "linux/memory_watch.h"
#include "node/eviction/pressure.h"

namespace podium::node {

class MemoryAlarm : public std::enable_shared_from_this<MemoryAlarm> {
 public:
  struct Services {
    std::shared_ptr<http::Poller> poller;
    Executor& executor;
    std::function<void()> alarm;  // from any thread; must not wait
    // kernel::WatchMemoryGrowth.
    std::function<Result<kernel::MemoryWatch>(std::string_view cgroup, uint64_t growth)> watch;
    // By signal: where it is counted (WatchMemoryGrowth's path).
    std::map<std::string, std::string, std::less<>> cgroups;
  };
  explicit MemoryAlarm(Services services) : services_(std::move(services)) {}

  // How much is left until the next threshold of each signal (LeftUntilPressure); those that are
  // not there, or have nothing left, get no mark. To be called at each look.
  void Expect(const std::map<std::string, int64_t>& left);
  // No alarm from now on, but for one that is on its way.
  void Stop();

 private:
  struct Mark {
    kernel::MemoryWatch watch;
    std::unique_ptr<http::PolledFd> wait;
  };
  void Arm(const std::string& signal, int64_t left);
  void Fire(const std::string& signal, uint64_t number);

  const Services services_;
  std::mutex mutex_;
  // Under mutex_.
  std::map<std::string, std::shared_ptr<Mark>> marks_;  // by signal
  uint64_t number_ = 0;  // of the marks that are set; those before are void
  bool resting_ = false;
  bool stopped_ = false;
};

}  // namespace podium::node
