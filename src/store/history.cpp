#include "store/history.h"

#include <algorithm>
#include <cassert>

namespace podium::store {
History::~History() {
  std::vector<EntryPtr> dropped;
  for (const Slot& slot : keys_) {
    Unchain(*slot.newest, &dropped);
    dropped.clear();
  }
}

// Lets go of what an entry leads to, one by one: if each held the next to the end, the last
// reference would take as deep a recursion as the key has changes.
void History::Unchain(const Entry& entry, std::vector<EntryPtr>* dropped) {
  EntryPtr older = std::exchange(entry.older_, nullptr);
  while (older) {
    EntryPtr next = std::exchange(older->older_, nullptr);
    dropped->push_back(std::move(older));
    older = std::move(next);
  }
}

void History::Begin(Revision compacted) {
  assert(keys_.empty() && newest_ == 0);
  compacted_ = newest_ = compacted;
  log_begin_ = compacted + 1;
}

void History::Load(const EntryPtr& entry, std::vector<EntryPtr>* dropped) {
  assert(entry->mod_revision() <= compacted_ && newest_ == compacted_);
  Put(entry);
  CollectChange(entry, dropped);
}

void History::Append(EntryPtr entry) {
  assert(entry->mod_revision() == newest_ + 1);
  newest_ = entry->mod_revision();
  log_.push_back(entry);
  Put(std::move(entry));
}

void History::Put(EntryPtr entry) {
  const auto size = static_cast<int64_t>(entry->memory());
  if (entry->deleted()) {
    old_bytes_ += size;
  } else {
    ++present_;
  }
  const auto slot = keys_.lower_bound(entry->key());
  if (slot == keys_.end() || slot->newest->key() != entry->key()) {
    keys_.insert(slot, Slot{std::move(entry)});
    return;
  }
  if (!slot->newest->deleted()) {
    old_bytes_ += static_cast<int64_t>(slot->newest->memory());
    --present_;
  }
  entry->older_ = std::move(slot->newest);
  slot->newest = std::move(entry);
}

EntryPtr History::Newest(std::string_view key) const {
  const auto slot = keys_.find(key);
  return slot == keys_.end() ? EntryPtr() : slot->newest;
}

const EntryPtr& History::VisibleAt(const EntryPtr& newest, Revision at) {
  const EntryPtr* entry = &newest;
  while (*entry && (*entry)->mod_revision() > at) entry = &(*entry)->older_;
  return *entry;
}

EntryPtr History::Find(std::string_view key, Revision at) const {
  const auto slot = keys_.find(key);
  if (slot == keys_.end()) return nullptr;
  const EntryPtr& entry = VisibleAt(slot->newest, at);
  return entry && !entry->deleted() ? entry : nullptr;
}

std::string History::Scan(std::string_view prefix, std::string_view from, Revision at,
                          size_t max_keys,
                          const std::function<bool(const EntryPtr&)>& visit) const {
  for (auto slot = keys_.lower_bound(std::max(prefix, from)); slot != keys_.end(); ++slot) {
    const std::string_view key = slot->newest->key();
    if (!key.starts_with(prefix)) break;
    if (max_keys-- == 0) return std::string(key);
    const EntryPtr& entry = VisibleAt(slot->newest, at);
    if (entry && !entry->deleted() && !visit(entry)) return std::string(key);
  }
  return {};
}

EntryPtr History::Before(const EntryPtr& change) {
  const EntryPtr& older = change->older_;
  return older && !older->deleted() ? older : nullptr;
}

void History::SetCompacted(Revision revision) {
  assert(revision > compacted_ && revision <= newest_);
  compacted_ = revision;
}

size_t History::Collect(size_t max_changes, Revision limit, std::vector<EntryPtr>* dropped) {
  limit = std::min(limit, compacted_);
  size_t done = 0;
  for (; done < max_changes && log_begin_ <= limit; ++done, ++log_begin_) {
    const EntryPtr change = std::move(log_.front());
    log_.pop_front();
    CollectChange(change, dropped);
  }
  return done;
}

void History::CollectChange(const EntryPtr& change, std::vector<EntryPtr>* dropped) {
  const size_t before = dropped->size();
  Unchain(*change, dropped);
  if (change->deleted()) {
    const auto slot = keys_.find(change->key());
    if (slot->newest == change) {
      dropped->push_back(change);
      keys_.erase(slot);
    }
  }
  for (size_t i = before; i < dropped->size(); ++i) {
    old_bytes_ -= static_cast<int64_t>((*dropped)[i]->memory());
  }
}

}  // namespace podium::store
