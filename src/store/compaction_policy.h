// When a store compacts by itself. Pure: it is told the time, and what there is.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "store/entry.h"

namespace podium::store {

struct HistoryLimits {
  // A change can be watched from, and the state before it read, for at least this long, unless
  // there is more of them than the two below; a sixteenth more at the most. Time while the store
  // is closed does not count.
  std::chrono::nanoseconds age = std::chrono::minutes(5);
  // Of memory (and disk) for states that are there for history only. Beyond it the oldest go, a
  // quarter at a time.
  int64_t bytes = int64_t{64} << 20;
  // Likewise of changes, each of which takes 8 bytes of memory beside its entry.
  int64_t changes = 1'000'000;
};

class CompactionPolicy {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit CompactionPolicy(const HistoryLimits& limits) : limits_(limits) {}

  // Changes up to the revision were there at that time. Times and revisions do not go back.
  void Note(Time now, Revision newest);
  // The revision to compact at now, which is greater than the one compacted last.
  std::optional<Revision> Due(Time now, Revision compacted, Revision newest, int64_t old_bytes);
  // When to ask Due again if nothing changes; none: never.
  std::optional<Time> Next() const;

 private:
  // Changes up to the revision were made before `end`: a sixteenth of the age together.
  struct Period {
    Time end;
    Revision newest;
  };

  const HistoryLimits limits_;
  std::deque<Period> periods_;
};

}  // namespace podium::store
