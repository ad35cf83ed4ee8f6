// Core: what a store of this process is without its disk: history and watchers under one lock. The
// stores of this room (memory_store.h, sqlite_store.h) differ in what they do with a change before
// they publish it.
//
// The lock is held for some microseconds at a time: whoever goes over many keys or changes lets go
// of it in between, and what it still needs of the past is pinned. (One plain lock: readers are
// many, but each takes it for less than a microsecond, and glibc's reader-writer lock lets readers
// starve writers.)
//
// Threads: Range, StartWatch and what watches do: any. The rest: the one thread at a time that
// makes changes, unless it says otherwise.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <vector>

#include "base/result.h"
#include "store/history.h"
#include "store/store.h"
#include "store/watchers.h"

namespace podium::store {

class Core : public std::enable_shared_from_this<Core> {
 public:
  // Store's. Any thread.
  Result<RangeResult> Range(const RangeOptions& options);
  Result<std::unique_ptr<Watch>> StartWatch(WatchOptions options);
  // Fills all but state and error.
  void Describe(Health* health) const;

  // To look into, and to load before anybody else knows of the core. Without the lock, which its
  // changing thread needs none of for that.
  History& history() { return history_; }

  // Makes changes visible to readers. Watchers are not woken yet.
  void Publish(std::span<const EntryPtr> changes);
  // Wakes those that changes up to this revision, which are published, concern. Any thread, several
  // at once.
  void Announce(Revision up_to);

  // Whether a revision can be compacted: kExpired, kInvalidArgument.
  Result<void> CheckCompact(Revision revision) const;
  // After CheckCompact, and after what makes it durable.
  void SetCompacted(Revision revision);
  // Collects up to so many changes, see History: what fell away is let go by the caller. Leaves
  // what a Range still reads: then it returns fewer, though history().collected() is false.
  size_t Collect(size_t max_changes, std::vector<EntryPtr>* dropped);

  // The store goes: watches end. Any thread.
  void Close();

 private:
  friend class CoreWatch;
  // A revision that must stay readable while this lives.
  class Pin;

  Result<Revision> CheckReadable(Revision at) const;
  Result<void> TakeSome(Watcher& watcher, size_t max_events, Revision* at, WatchBatch* batch);
  void Remove(Watcher& watcher);

  mutable std::mutex mutex_;
  // Under mutex_ from here on, but for history_, as said there.
  History history_;
  WatcherRegistry watchers_;
  std::multiset<Revision> pins_;
  Revision announced_ = 0;
  bool closed_ = false;
};

}  // namespace podium::store
