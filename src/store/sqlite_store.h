// The store of one machine: History in memory, StoreFile on disk. This is what `podium server` has
// when it is not given an etcd cluster.
//
// Reads and watches are served from memory and never wait for the disk; memory holds the newest
// state and the history that is not compacted, each value once. Writes are made by one thread: it
// takes all that wait, decides them one after the other (plan.h), makes them durable in one
// transaction with one sync, publishes them, and leaves it to a second thread to call back and to
// wake watchers. What happens in between:
//
//   decided        nobody sees it; a crash or an error: it never was
//   committed      on disk; a crash: it is there after the restart, nobody was told
//   published      readers see it, watchers can take it
//   announced      callbacks are called, then watchers woken
//
// When a transaction fails, every write of its group fails with the same error, also those that
// lost a comparison with another one of the group, and revisions go on from the last one that was
// published. The store is then read-only: writes get the error at once, and every
// `retry_interval` a small transaction tries whether the disk takes writes again. An error that
// says that the file is damaged, or that a failed transaction could not be undone, is not tried
// again: kFailed, until a person has looked and the server is started again.
//
// Compaction: Compact's, and by HistoryLimits. It takes effect at once; memory and rows come back
// in steps of a few hundred changes, rows together with the next writes' transaction or, when
// there are none, in transactions of their own. Copying the log into the file comes between
// transactions, when the log has some megabytes. Pauses are those of one step.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "store/compaction_policy.h"
#include "store/store.h"

namespace podium::store {

class Core;
class Writer;

class SqliteStore : public Store {
 public:
  struct Options {
    std::string path;      // of the file; its folder exists
    std::string vfs = {};  // of SQLite, for tests; empty: the system's files
    HistoryLimits history = {};
    // Pages of 4 KiB in the log when it is copied into the file.
    int log_pages = 2048;
    std::chrono::nanoseconds retry_interval = std::chrono::seconds(1);
    size_t max_waiting_bytes = size_t{64} << 20;  // of writes that wait; beyond: kUnavailable
  };

  // Opens or makes it, checks it, and loads it; takes as long as reading the file does. Errors:
  // kDataLoss: it is damaged; nothing was changed, and the message says what to do. kUnavailable:
  // another process has it, or the disk fails. kUnsupported: made by a newer podium.
  static Result<std::unique_ptr<SqliteStore>> Open(Options options);
  ~SqliteStore() override;
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;

  void Apply(Write write, WriteDone done) override;
  Result<RangeResult> Range(const RangeOptions& options) override;
  Result<std::unique_ptr<Watch>> StartWatch(WatchOptions options) override;
  void Compact(Revision revision, CompactDone done) override;
  Health health() const override;

 private:
  explicit SqliteStore(std::unique_ptr<Writer> writer);

  const std::shared_ptr<Core> core_;  // watches have it too
  std::unique_ptr<Writer> writer_;
};

}  // namespace podium::store
