// What a group of writes comes to: comparisons, revisions, versions. The one place that decides it,
// and no effect: the store makes the changes durable and publishes them, or drops the plan.
#pragma once

#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "store/history.h"
#include "store/store.h"

namespace podium::store {

// kInvalidArgument for what no store would take.
Result<void> CheckWrite(const Write& write);

// Writes one after the other, each seeing what the ones before it did, on top of a history that
// does not change while this lives.
class Plan {
 public:
  explicit Plan(const History& history) : history_(history), revision_(history.newest()) {}

  // A write that CheckWrite finds nothing wrong with.
  Written Add(const Write& write);
  // What is to be appended, in the order of revisions.
  const std::vector<EntryPtr>& changes() const { return changes_; }

 private:
  // Null: nothing is there.
  EntryPtr Present(std::string_view key) const;

  const History& history_;
  Revision revision_;
  std::vector<EntryPtr> changes_;
  std::unordered_map<std::string_view, EntryPtr> planned_;  // by the entries' own keys
};

}  // namespace podium::store
