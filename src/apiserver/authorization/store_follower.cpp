#include "apiserver/authorization/store_follower.h"

#include <utility>

namespace podium::apiserver {
namespace {

// Changes that are taken from the store at a time.
constexpr size_t kAtATime = 1024;

}  // namespace

StoreFollower::StoreFollower(store::Store& store, std::vector<std::string> prefixes,
                             Handler& handler)
    : store_(store), prefixes_(std::move(prefixes)), handler_(handler) {}

StoreFollower::~StoreFollower() = default;

Result<std::shared_lock<std::shared_mutex>> StoreFollower::Read() {
  // Nobody begins to read while one waits to write, so that writers are not starved.
  std::lock_guard lock(catching_up_);
  auto caught_up = CatchUp();
  if (!caught_up.ok() && caught_up.error().code() == Code::kExpired) {
    // Nobody asked for so long that history was given up.
    watches_.clear();
    caught_up = CatchUp();
  }
  if (!caught_up.ok()) return std::move(caught_up).error();
  return std::shared_lock(made_);
}

Result<void> StoreFollower::CatchUp() {
  if (watches_.empty()) return ReadAnew();
  for (size_t prefix = 0; prefix < prefixes_.size(); ++prefix) TRY_VOID(TakeAll(prefix));
  return {};
}

Result<void> StoreFollower::TakeAll(size_t prefix) {
  while (true) {
    TRY(const store::WatchBatch batch, watches_[prefix]->Take(kAtATime));
    if (!batch.events.empty()) {
      std::lock_guard lock(made_);
      for (const store::Event& event : batch.events) {
        if (event.entry->deleted()) {
          handler_.Remove(prefix, event.entry->key());
        } else {
          handler_.Put(prefix, *event.entry);
        }
      }
    }
    if (!batch.more) return {};
  }
}

Result<void> StoreFollower::ReadAnew() {
  std::vector<std::unique_ptr<store::Watch>> watches;
  std::vector<store::RangeResult> ranges;
  for (const std::string& prefix : prefixes_) {
    const store::KeyRange keys = store::KeyRange::Prefix(prefix);
    TRY(store::RangeResult range, store_.Range({.keys = keys}));
    TRY(auto watch, store_.StartWatch({.keys = keys, .after = range.revision}));
    ranges.push_back(std::move(range));
    watches.push_back(std::move(watch));
  }
  std::lock_guard lock(made_);
  handler_.Reset();
  for (size_t prefix = 0; prefix < prefixes_.size(); ++prefix) {
    for (const store::EntryPtr& entry : ranges[prefix].entries) handler_.Put(prefix, *entry);
  }
  watches_ = std::move(watches);
  return {};
}

}  // namespace podium::apiserver
