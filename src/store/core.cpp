#include "store/core.h"

#include <fmt/format.h>

#include <algorithm>

namespace podium::store {
namespace {

// Keys or changes that are gone over under one hold of the lock: some 20 µs.
constexpr size_t kAtATime = 512;

Error Compacted(Revision asked, Revision compacted) {
  return Error(
      Code::kExpired,
      fmt::format("revision {} is compacted: the oldest that is kept is {}", asked, compacted));
}

Error InTheFuture(Revision asked, Revision newest) {
  return Error(Code::kInvalidArgument,
               fmt::format("revision {} is in the future: the newest is {}", asked, newest));
}

}  // namespace

// Under the lock, where it is made and where it ends.
class Core::Pin {
 public:
  Pin(Core& core, Revision revision) : core_(core), pin_(core.pins_.insert(revision)) {}
  ~Pin() { core_.pins_.erase(pin_); }
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;

 private:
  Core& core_;
  const std::multiset<Revision>::iterator pin_;
};

class CoreWatch : public Watch {
 public:
  CoreWatch(std::shared_ptr<Core> core, std::shared_ptr<Watcher> watcher)
      : core_(std::move(core)), watcher_(std::move(watcher)) {}
  ~CoreWatch() override {
    core_->Remove(*watcher_);
    std::lock_guard lock(watcher_->calling);
    watcher_->gone = true;
  }
  CoreWatch(const CoreWatch&) = delete;
  CoreWatch& operator=(const CoreWatch&) = delete;

  Result<WatchBatch> Take(size_t max_events) override {
    if (error_) return *error_;
    WatchBatch batch;
    batch.more = true;
    Revision at = -1;
    // What was taken before an error was found is handed out before it.
    while (batch.more && batch.events.size() < max_events) {
      auto taken = core_->TakeSome(*watcher_, max_events, &at, &batch);
      if (taken.ok()) continue;
      error_ = std::move(taken).error();
      if (batch.events.empty()) return *error_;
      break;
    }
    return batch;
  }

 private:
  const std::shared_ptr<Core> core_;
  const std::shared_ptr<Watcher> watcher_;
  std::optional<Error> error_;
};

// The revision that `at` means.
Result<Revision> Core::CheckReadable(Revision at) const {
  if (at == 0) return history_.newest();
  if (at < history_.compacted()) return Compacted(at, history_.compacted());
  if (at > history_.newest()) return InTheFuture(at, history_.newest());
  return at;
}

Result<RangeResult> Core::Range(const RangeOptions& options) {
  std::unique_lock lock(mutex_);
  TRY(const Revision at, CheckReadable(options.at));
  RangeResult result;
  result.revision = at;
  const std::string& prefix = options.keys.text;
  if (options.keys.single) {
    EntryPtr entry = options.from <= prefix ? history_.Find(prefix, at) : nullptr;
    if (entry) result.entries.push_back(std::move(entry));
    return result;
  }
  const Pin pin(*this, at);
  const size_t limit = options.limit == 0 ? SIZE_MAX : options.limit;
  std::string from = options.from;
  while (true) {
    bool full = false;
    from = history_.Scan(prefix, from, at, kAtATime, [&](const EntryPtr& entry) {
      if (result.next.empty() && result.entries.size() < limit) {
        result.entries.push_back(entry);
        return true;
      }
      if (result.next.empty()) result.next = entry->key();
      ++result.remaining;
      full = !options.count;
      return !full;
    });
    if (full || from.empty()) break;
    lock.unlock();
    lock.lock();
  }
  if (!options.count) result.remaining = 0;
  return result;
}

Result<std::unique_ptr<Watch>> Core::StartWatch(WatchOptions options) {
  auto watcher = std::make_shared<Watcher>();
  watcher->keys = std::move(options.keys);
  watcher->ready = std::move(options.ready);
  watcher->seen = options.after;
  std::lock_guard lock(mutex_);
  if (options.after < history_.compacted()) {
    return Compacted(options.after, history_.compacted());
  }
  watchers_.Add(watcher);
  return std::unique_ptr<Watch>(std::make_unique<CoreWatch>(shared_from_this(), watcher));
}

void Core::Remove(Watcher& watcher) {
  std::lock_guard lock(mutex_);
  watchers_.Remove(watcher);
}

// One hold of the lock's worth. `at`: where the watcher has come to in this Take; -1 at its start.
Result<void> Core::TakeSome(Watcher& watcher, size_t max_events, Revision* at, WatchBatch* batch) {
  std::lock_guard lock(mutex_);
  if (closed_) return Error(Code::kCancelled, "the store is closed");
  if (*at < 0) *at = watcher.idle ? std::max(watcher.seen, announced_) : watcher.seen;
  watcher.idle = false;
  const Revision newest = history_.newest();
  if (*at < history_.compacted()) return Compacted(*at, history_.compacted());
  const Revision stop = std::min(newest, *at + static_cast<Revision>(kAtATime));
  while (*at < stop && batch->events.size() < max_events) {
    const EntryPtr& change = history_.ChangeAt(++*at);
    if (watcher.keys.Contains(change->key())) {
      batch->events.push_back({change, History::Before(change)});
    }
  }
  watcher.seen = *at;
  batch->revision = *at;
  batch->more = *at < newest;
  watcher.idle = !batch->more;
  return {};
}

void Core::Describe(Health* health) const {
  std::lock_guard lock(mutex_);
  health->revision = history_.newest();
  health->compacted = history_.compacted();
  health->keys = history_.keys();
  health->history_bytes = history_.old_bytes();
}

void Core::Publish(std::span<const EntryPtr> changes) {
  std::lock_guard lock(mutex_);
  for (const EntryPtr& change : changes) history_.Append(change);
}

void Core::Announce(Revision up_to) {
  std::vector<std::shared_ptr<Watcher>> woken;
  {
    std::lock_guard lock(mutex_);
    // What is compacted was announced before.
    announced_ = std::max(announced_, history_.compacted());
    if (watchers_.size() == 0) announced_ = std::max(announced_, up_to);
    while (announced_ < up_to) {
      const Revision revision = ++announced_;
      watchers_.ForEachOf(history_.ChangeAt(revision)->key(),
                          [&](const std::shared_ptr<Watcher>& watcher) {
                            // One that has taken it by itself, before it was announced.
                            if (!watcher->idle || watcher->seen >= revision) return;
                            watcher->idle = false;
                            watcher->seen = revision - 1;
                            woken.push_back(watcher);
                          });
    }
  }
  for (const std::shared_ptr<Watcher>& watcher : woken) watcher->Wake();
}

Result<void> Core::CheckCompact(Revision revision) const {
  std::lock_guard lock(mutex_);
  if (revision <= history_.compacted()) return Compacted(revision, history_.compacted());
  if (revision > history_.newest()) return InTheFuture(revision, history_.newest());
  return {};
}

void Core::SetCompacted(Revision revision) {
  // An idle watcher's place is where announcements have come to: not behind what is given up.
  Announce(revision);
  std::lock_guard lock(mutex_);
  history_.SetCompacted(revision);
}

size_t Core::Collect(size_t max_changes, std::vector<EntryPtr>* dropped) {
  std::lock_guard lock(mutex_);
  const Revision limit = pins_.empty() ? history_.compacted() : *pins_.begin();
  return history_.Collect(max_changes, limit, dropped);
}

void Core::Close() {
  std::vector<std::shared_ptr<Watcher>> woken;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    watchers_.ForEach([&](const std::shared_ptr<Watcher>& watcher) {
      if (watcher->idle) woken.push_back(watcher);
    });
  }
  for (const std::shared_ptr<Watcher>& watcher : woken) watcher->Wake();
}

}  // namespace podium::store
