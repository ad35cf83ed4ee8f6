#include "node/eviction/memory_alarm.h"

#include <chrono>
#include <utility>

namespace podium::node {
namespace {

constexpr std::chrono::milliseconds kRest{100};

}  // namespace

void MemoryAlarm::Expect(const std::map<std::string, int64_t>& left) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || resting_) return;
  ++number_;
  std::erase_if(marks_, [](const auto& mark) { return !mark.second->watch.lasting; });
  for (const auto& [signal, bytes] : left) {
    if (bytes > 0 && !marks_.contains(signal)) Arm(signal, bytes);
  }
}

// Where the kernel tells nothing there is the look every ten seconds.
void MemoryAlarm::Arm(const std::string& signal, int64_t left) {
  const auto cgroup = services_.cgroups.find(signal);
  if (cgroup == services_.cgroups.end()) return;
  auto watch = services_.watch(cgroup->second, static_cast<uint64_t>(left));
  if (!watch.ok()) return;
  auto mark = std::make_shared<Mark>();
  mark->watch = *std::move(watch);
  mark->wait = std::make_unique<http::PolledFd>(
      *services_.poller, mark->watch.watch.fd.get(),
      [weak = weak_from_this(), signal, number = number_](bool /*timed_out*/) {
        if (const auto self = weak.lock()) self->Fire(signal, number);
      });
  mark->wait->Arm(mark->watch.watch.events);
  marks_.insert_or_assign(signal, std::move(mark));
}

void MemoryAlarm::Fire(const std::string& signal, uint64_t number) {
  {
    const std::lock_guard lock(mutex_);
    const auto mark = marks_.find(signal);
    if (stopped_ || resting_ || mark == marks_.end()) return;
    // One that was set anew meanwhile.
    if (!mark->second->watch.lasting && number != number_) return;
    // What lasts is made anew as well, when the rest is over: so it is quiet until then.
    marks_.erase(mark);
    resting_ = true;
  }
  services_.executor.PostAfter(kRest, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    {
      const std::lock_guard lock(self->mutex_);
      if (self->stopped_) return;
      self->resting_ = false;
    }
    // What was left is of then: who looks again sets marks as they are now.
    self->services_.alarm();
  });
  services_.alarm();
}

void MemoryAlarm::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  marks_.clear();
}

}  // namespace podium::node
