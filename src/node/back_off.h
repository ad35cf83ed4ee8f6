// BackOff: how long to wait before trying again, per key (upstream's k8s.io/client-go
// util/flowcontrol): 10 s, doubled with each further try up to 5 minutes; forgotten once the last
// try lies more than twice that far back, which is the ten minutes of running clean.
//
//   finished at   tried at    wait before it
//   0 s           0 s         none: the first restart is at once
//   1 s           11 s        10 s
//   12 s          32 s        20 s
//   ...                       up to 300 s
//
// Not safe for two threads: one belongs to a pod's worker, another, under a lock, to image pulls.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace podium::node {

class BackOff {
 public:
  static constexpr int64_t kInitial = 10'000'000'000;  // nanoseconds, as all times here
  static constexpr int64_t kMax = 300'000'000'000;

  // When the key may be tried again after an event (an exit, a failure) at that time; nothing when
  // it may be right away.
  std::optional<int64_t> WaitUntil(std::string_view key, int64_t event, int64_t now) const;
  // When the key may be tried again after the try before, nothing when it may be right away: for
  // what has no other event than being tried.
  std::optional<int64_t> RetryAt(std::string_view key, int64_t now) const;
  // The wait that the key is at; 0 for one without any.
  int64_t Delay(std::string_view key) const;
  // Notes that it is tried now, after an event at that time.
  void Next(std::string_view key, int64_t event, int64_t now);
  void Forget(std::string_view key);
  // Drops what has not been tried for twice the longest wait.
  void Prune(int64_t now);

 private:
  struct Entry {
    int64_t delay = 0;
    int64_t last = 0;
  };
  static bool Expired(const Entry& entry, int64_t event) { return event - entry.last > 2 * kMax; }

  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace podium::node
