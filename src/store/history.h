// History: all keys with what they have and had, and the log of changes, in memory. What readers,
// watchers and the planner of writes look into.
//
// Three views of the same entries:
//
//   keys     an ordered set of each key's newest entry, which leads to the older ones:
//              /a → 7 → 4 → 2        /b → 6 (deleted) → 3
//   log      the entries by revision, from the one after `compacted` to the newest: a watcher's
//            place is a revision, so an index into it:    5: …  6: /b deleted  7: /a
//   garbage  behind the log, entries that Collect has not come to yet
//
// A state at revision R: of each key the newest entry whose revision is at most R, unless that is a
// deletion. An event at revision R: the log's entry, and the entry before it, older_, which is kept
// as long as the event is, since it is what the state at R - 1 has.
//
// Compaction at C, by the example above: SetCompacted(4) makes states before 4 and events up to 4
// unavailable at once; entries stay. Collect then goes over the changes up to 4 and drops what each
// of them has replaced: 2, because 4 replaced it. SetCompacted(7) and Collect drop 4, 3, and 6 with
// its key, as a deletion that is the last change of its key leaves nothing. A deletion that was
// followed by another change goes when that one is collected. Each step of Collect is short and
// touches what one change has replaced, however many keys there are.
//
// Not synchronised. One thread makes changes (Append, SetCompacted, Collect); it may call const
// functions without a lock, all others need the lock that it changes under.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "store/entry.h"
#include "store/store.h"

namespace podium::store {

class History {
 public:
  History() = default;
  History(const History&) = delete;
  History& operator=(const History&) = delete;
  ~History();

  // Of an empty one: what a store begins with that was compacted at a revision. Entries up to it
  // are then loaded in the order of their revisions; those that were not collected before the
  // store ended are moved to `dropped`, as Collect does.
  void Begin(Revision compacted);
  void Load(const EntryPtr& entry, std::vector<EntryPtr>* dropped);

  // The change after newest().
  void Append(EntryPtr entry);

  Revision newest() const { return newest_; }
  Revision compacted() const { return compacted_; }
  // Keys that are there, and the memory of entries that the newest state does not have.
  int64_t keys() const { return present_; }
  int64_t old_bytes() const { return old_bytes_; }
  // Nothing that is compacted is left to collect.
  bool collected() const { return log_begin_ > compacted_; }

  // The newest entry of a key, maybe a deletion; null when there is none.
  EntryPtr Newest(std::string_view key) const;
  // What the key had at a revision that is not compacted; null for nothing.
  EntryPtr Find(std::string_view key, Revision at) const;

  // Goes over the state at a revision that is not compacted, in the order of keys, from the key
  // `from` on, as long as keys begin with `prefix`: calls `visit` with each entry until it says
  // false, and looks at no more than `max_keys` keys. Returns where to go on: the key that was
  // not visited; empty at the end.
  std::string Scan(std::string_view prefix, std::string_view from, Revision at, size_t max_keys,
                   const std::function<bool(const EntryPtr&)>& visit) const;

  // The change at a revision from compacted() + 1 to newest().
  const EntryPtr& ChangeAt(Revision revision) const {
    return log_[static_cast<size_t>(revision - log_begin_)];
  }
  // What the key had before that change; null for nothing.
  static EntryPtr Before(const EntryPtr& change);

  // compacted() < revision <= newest().
  void SetCompacted(Revision revision);
  // Collects up to `max_changes` changes up to `limit` (and up to compacted()): what the changes
  // replaced is moved to `dropped`, to be let go where no lock is held. Returns how many changes it
  // went over: fewer than max_changes when there is nothing more to do.
  size_t Collect(size_t max_changes, Revision limit, std::vector<EntryPtr>* dropped);

 private:
  // A key, by its newest entry. Changing that keeps the order, since its key stays.
  struct Slot {
    mutable EntryPtr newest;
  };
  struct Less {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's word
    static std::string_view Key(const Slot& slot) { return slot.newest->key(); }
    static std::string_view Key(std::string_view key) { return key; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return Key(a) < Key(b);
    }
  };

  static const EntryPtr& VisibleAt(const EntryPtr& newest, Revision at);
  static void Unchain(const Entry& entry, std::vector<EntryPtr>* dropped);
  // Makes it the newest of its key, before what was.
  void Put(EntryPtr entry);
  // What the change has replaced; with a deletion that is the last change of its key, the key.
  void CollectChange(const EntryPtr& change, std::vector<EntryPtr>* dropped);

  std::set<Slot, Less> keys_;
  // Changes from log_begin_ to newest_; those up to compacted_ are to be collected.
  std::deque<EntryPtr> log_;
  Revision log_begin_ = 1;
  Revision newest_ = 0;
  Revision compacted_ = 0;
  int64_t present_ = 0;
  int64_t old_bytes_ = 0;
};

}  // namespace podium::store
