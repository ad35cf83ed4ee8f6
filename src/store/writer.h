// Writer: the thread of a SqliteStore that makes changes: groups of writes, compaction, what comes
// back from it, copying the log. sqlite_store.h says in which order and what happens on errors.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "store/announcer.h"
#include "store/core.h"
#include "store/sqlite_store.h"
#include "store/store_file.h"

namespace podium::store {

class Writer {
 public:
  // `left`: revisions whose rows are to be removed.
  Writer(SqliteStore::Options options, std::shared_ptr<Core> core, std::unique_ptr<StoreFile> file,
         std::vector<Revision> left);
  // Finishes the group it is at, and has been called back for everything else.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Any thread.
  void Apply(Write write, Store::WriteDone done);
  void Compact(Revision revision, Store::CompactDone done);
  void Describe(Health* health) const;
  const std::shared_ptr<Core>& core() { return core_; }

 private:
  using Time = CompactionPolicy::Time;
  struct WriteRequest {
    Write write;
    Store::WriteDone done;
  };
  struct CompactRequest {
    Revision revision;
    Store::CompactDone done;
  };

  void Run();
  // Waits for something to do; moves what was asked for into the two lists. False: it ends.
  bool Wait();
  void WriteGroup();
  void AnswerGroup(std::vector<Result<Written>> answers, Revision published);
  void AnswerCompactions();
  Result<void> CompactTo(Revision revision);
  // One step of what nobody waits for.
  void DoBackground();
  void CollectSome();
  void RemoveSome();
  void CopyLog();
  void ShrinkSome();
  void Probe();
  // The error that writes get from now on, until it is over.
  Error Fail(const Error& error);
  std::optional<Error> CurrentError() const;
  // When there is something to do though nobody asks; none: never. Past: now.
  std::optional<Time> NextTime() const;

  const SqliteStore::Options options_;
  const std::shared_ptr<Core> core_;

  mutable std::mutex mutex_;
  std::condition_variable asked_;
  // Under mutex_.
  std::deque<WriteRequest> writes_;
  std::deque<CompactRequest> compactions_;
  size_t waiting_bytes_ = 0;
  bool ending_ = false;
  Health::State state_ = Health::kServing;
  std::optional<Error> error_;

  // The thread's own.
  std::unique_ptr<StoreFile> file_;
  CompactionPolicy policy_;
  std::vector<WriteRequest> group_;
  std::vector<CompactRequest> asked_compactions_;
  std::deque<Revision> rows_;  // to be removed from the file
  bool again_ = false;         // there may be more to compact or to collect now
  Time collect_again_;         // a reader was in the way of collecting
  Time probe_at_;              // while read-only
  int copy_at_pages_;          // of the log
  bool shrinking_ = false;     // rows were removed: pages may have become free
  bool shrank_ = false;        // and some were given back, in the log

  Announcer announcer_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace podium::store
