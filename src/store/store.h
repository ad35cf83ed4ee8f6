// Store: keys and values with the semantics of etcd v3, which is what the Kubernetes API's own
// rules about resourceVersion are made of. An implementation may be a map in memory
// (memory_store.h), a file (sqlite_store.h), or a client of an etcd cluster; tests/store/contract.h
// is what each has to pass. The store knows no kinds: keys are bytes, in byte order; values are
// bytes (entry.h says how an API object becomes one).
//
// Revisions. Every change of any key gets the next number: one change, one revision, never the same
// twice, never a smaller one later, not after a crash nor after a restored backup. A change that is
// not made (a lost comparison, a deletion of nothing) takes none. A new store is at revision 0.
// (etcd begins at 1, and lets several changes of one transaction share a revision; here a
// transaction has one change, so that a revision names an event.)
//
// Durability. A write's callback is called after the change would survive kill -9 and a power
// failure, and nobody, reader or watcher, sees a change before that. When it is called, readers on
// all threads see the change. An Error says that the change was not made, as far as anybody who
// uses this store sees; but when the server dies before it takes writes again, it may turn out to
// have been made, as with any peer that stopped answering: compare and try again. Only
// kInvalidArgument is never made.
//
// History. Old states stay readable, and changes watchable, back to the revision that was compacted
// last; asking for what lies before it is kExpired (410 Gone of the API: list again). Compaction is
// asked for (Compact), and implementations have a policy of their own beside it. State and history
// survive a restart alike: a watcher goes on where it was, if that is not compacted.
//
// Threads. Everything may be called from any thread at any time. Callbacks (WriteDone, CompactDone,
// Watch's ready) come on a thread of the store, never from inside the call they belong to, those of
// writes in the order of their revisions; they must be short, must not wait for anything, and must
// not call what blocks (WriteAndWait). Range may take as long as its peer takes; the stores of this
// process never wait for a disk in it. Destroying a store waits for its callbacks; writes that were
// not begun get kCancelled. Watches may outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/entry.h"

namespace podium::store {

// Beyond these a write is kInvalidArgument. (etcd's own limit of a request is 1.5 MiB unless it is
// told otherwise, that of an API server's body 3 MiB.)
inline constexpr size_t kMaxKeyBytes = 4096;
inline constexpr size_t kMaxValueBytes = size_t{16} << 20;

// A change of one key.
struct Write {
  std::string key;                        // 1 to kMaxKeyBytes bytes
  std::optional<std::string> value = {};  // none: delete the key
  std::optional<Revision> expected =
      {};  // make the change only if the key's mod_revision is this one,
           // 0: if there is no such key; none: whatever there is
};

// What became of it.
struct Written {
  // False: the comparison was lost, or there was nothing to delete; nothing was changed.
  bool changed = false;
  // Changed: the change's own. Otherwise the newest revision when the comparison was made.
  Revision revision = 0;
  // Changed: what the key has now; entry->deleted() after a deletion. Otherwise null.
  EntryPtr entry;
  // What the key had when the comparison was made, null for nothing: the last state of a deleted
  // key, or what to compare with next.
  EntryPtr previous;
};

// Some keys: those that begin with `text`, or the one that is it.
struct KeyRange {
  std::string text;
  bool single = false;

  static KeyRange Prefix(std::string prefix) { return {std::move(prefix), false}; }
  static KeyRange Single(std::string key) { return {std::move(key), true}; }
  bool Contains(std::string_view key) const { return single ? key == text : key.starts_with(text); }
};

struct RangeOptions {
  KeyRange keys;
  // The state at this revision; 0: the newest. Greater than the newest: kInvalidArgument.
  Revision at = 0;
  // Only keys from this one on, in byte order: the `next` of the answer before, together with `at`
  // of its revision, goes on where that ended, in the same state, whatever was written since.
  std::string from = {};
  size_t limit = 0;  // at most so many entries; 0: all
  bool count = false;
};

struct RangeResult {
  std::vector<EntryPtr> entries;  // in the order of their keys, none deleted
  Revision revision = 0;          // of the state that was read
  std::string next;               // the first key that the limit left out; empty: none did
  int64_t remaining = 0;          // how many it left out, when `count` was asked for
};

struct Event {
  EntryPtr entry;     // entry->deleted(): the key was deleted
  EntryPtr previous;  // what it had before; null: it is new
};

struct WatchOptions {
  KeyRange keys;
  // Events with greater revisions; at least the revision compacted last, otherwise kExpired. A
  // state read by Range and a watch after its revision have no gap between them. May be in the
  // future: then what comes before it is left out.
  Revision after = 0;
  // Called once when there is something to Take, after a Take that left nothing. May be empty.
  // Not called any more once the Watch is destroyed; must not destroy it.
  std::function<void()> ready = {};
};

struct WatchBatch {
  std::vector<Event> events;  // in the order of their revisions
  // A bookmark: up to this revision no event of these keys is missing from what was taken so far.
  // At least the revision before; with no events it is how far the store has come. (Of etcd: what
  // it has last told by a progress notification.)
  Revision revision = 0;
  // There may be more to take now; ready will not be called for it.
  bool more = false;
};

// A watcher's place in the history. Every change of its keys is handed out once and in order, from
// its first revision on. It is pulled, so that a watcher that is slow, or stuck, holds up nobody
// and holds no memory of its own: it reads behind, from history that is there for all, and one that
// is so slow that its place is compacted ends with kExpired. (A client of etcd, which pushes, holds
// a bounded number of events and reads behind by a second watch when there are more.)
//
// One thread at a time; destroying it waits for `ready`, if that is running.
class Watch {
 public:
  virtual ~Watch() = default;
  // What there is, at most so many events (at least 1), possibly nothing; does not wait. After an
  // error every further call gives the same: kExpired: its place was compacted; kCancelled: the
  // store is gone.
  virtual Result<WatchBatch> Take(size_t max_events) = 0;
};

struct Health {
  enum State {
    kServing,   // reads and writes
    kReadOnly,  // reads; it tries by itself to get out of that
    kFailed,    // reads; it takes a person
  };
  State state = kServing;
  // Of kReadOnly and kFailed: why, in words for whoever runs the server. It is also what writes
  // get.
  std::optional<Error> error;
  Revision revision = 0;      // the newest
  Revision compacted = 0;     // the oldest that can be read
  int64_t keys = 0;           // that are there now
  int64_t history_bytes = 0;  // of states that are there for history only
};

class Store {
 public:
  using WriteDone = std::function<void(Result<Written>)>;
  using CompactDone = std::function<void(Result<void>)>;

  virtual ~Store() = default;

  // Comparison and change are one step. Errors: kInvalidArgument (key or value too large, or no
  // key), kResourceExhausted (disk full), kUnavailable (read-only for another reason, or more waits
  // than the store will hold), kDataLoss (the file is damaged), kCancelled.
  virtual void Apply(Write write, WriteDone done) = 0;
  // The same, waiting for it.
  Result<Written> WriteAndWait(Write write);

  // Errors: kExpired, kInvalidArgument; of remote stores kUnavailable.
  virtual Result<RangeResult> Range(const RangeOptions& options) = 0;
  // One key; null when it is not there.
  Result<EntryPtr> Get(std::string_view key, Revision at = 0);

  // Errors: kExpired; of remote stores kUnavailable.
  virtual Result<std::unique_ptr<Watch>> StartWatch(WatchOptions options) = 0;

  // Gives up history: then states before `revision` and events up to it are not there any more. The
  // state at `revision` is. The memory and space on disk come back in the background, bit by bit.
  // Errors: kExpired when it is compacted already, kInvalidArgument when it is in the future, and
  // those of a write.
  virtual void Compact(Revision revision, CompactDone done) = 0;
  Result<void> CompactAndWait(Revision revision);

  virtual Health health() const = 0;
};

}  // namespace podium::store
