#include "store/compaction_policy.h"

#include <algorithm>

namespace podium::store {

void CompactionPolicy::Note(Time now, Revision newest) {
  if (!periods_.empty() && periods_.back().newest == newest) return;
  if (periods_.empty() || periods_.back().end <= now) {
    periods_.push_back({now + limits_.age / 16, newest});
  } else {
    periods_.back().newest = newest;
  }
}

std::optional<Revision> CompactionPolicy::Due(Time now, Revision compacted, Revision newest,
                                              int64_t old_bytes) {
  Revision due = compacted;
  while (!periods_.empty() && periods_.front().end + limits_.age <= now) {
    due = std::max(due, periods_.front().newest);
    periods_.pop_front();
  }
  const int64_t changes = newest - compacted;
  if (old_bytes > limits_.bytes || changes > limits_.changes) {
    due = std::max(due, compacted + (changes + 3) / 4);
  }
  return due > compacted ? std::optional(due) : std::nullopt;
}

std::optional<CompactionPolicy::Time> CompactionPolicy::Next() const {
  if (periods_.empty()) return std::nullopt;
  return periods_.front().end + limits_.age;
}

}  // namespace podium::store
