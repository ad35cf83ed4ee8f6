// A store that keeps nothing: for simulations and tests, and for whoever wants the semantics
// without the disk. It has no threads of its own: callbacks run on the executor, one after the
// other, so that a cluster in one thread on virtual time gets them in the same order every time.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "base/executor.h"
#include "store/core.h"
#include "store/store.h"

namespace podium::store {

class MemoryStore : public Store {
 public:
  // The executor outlives the store.
  explicit MemoryStore(Executor& executor);
  ~MemoryStore() override;
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  void Apply(Write write, WriteDone done) override;
  Result<RangeResult> Range(const RangeOptions& options) override;
  Result<std::unique_ptr<Watch>> StartWatch(WatchOptions options) override;
  void Compact(Revision revision, CompactDone done) override;
  Health health() const override;

 private:
  // Shared with the task that is on its way through the executor when the store goes.
  struct State;

  const std::shared_ptr<State> state_;
};

}  // namespace podium::store
