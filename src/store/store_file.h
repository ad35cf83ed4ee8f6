// StoreFile: the changes of a store on disk, in one file of SQLite. What it holds:
//
//   changes   a row for each change that is not collected: what the newest state has, and what
//             history has of older ones. Its number is the revision, so that new rows go to the end
//             of the tree; there is no index by key, since nobody looks for a key on disk.
//   state     'compacted': the revision compacted last, and a checksum of that
//
// The log of SQLite (FILE-wal) is synced with every transaction. What a failed sync leaves behind:
// the kernel may have dropped what it could not write, show it all the same, and report success
// the next time. So nothing that was not synced by then is believed: the transaction is undone in
// SQLite's memory, and before the next one the whole log is read and written over itself, which
// makes a true sync of it (RewriteLog). That covers, beside the transaction, what SQLite writes
// behind a commit's last sector after its sync, without which later commits could not be read. A
// process that starts on a log of which it cannot know does the same first. Pages of the file
// itself are only believed after their sync; until then the log has them.
//
// One process at a time: FILE.lock is locked while it is open, and SQLite's own lock is exclusive,
// which also spares the shared memory beside the file. Both files can be read by their owner only:
// they hold the secrets of the API.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "store/database.h"
#include "store/entry.h"
#include "store/history.h"

namespace podium::store {

class StoreFile {
 public:
  struct Options {
    std::string path;  // its folder is there; the file and those beside it are made
    std::string vfs;   // of SQLite; empty: the system's files
  };
  // Opens or makes the file, checks the whole of it, and loads `history`, which is empty. `left`:
  // revisions whose rows nobody needs any more; they are for Remove. kDataLoss: the file is
  // damaged, nothing was changed, and the message says what it is and what can be done.
  // kUnavailable: another process has it open. kUnsupported: made by a newer podium.
  static Result<std::unique_ptr<StoreFile>> Open(Options options, History* history,
                                                 std::vector<Revision>* left);

  // One transaction: adds the changes, removes the rows. Durable when it succeeds; after an error
  // nothing of it is there, as long as this process lives: see above.
  Result<void> Commit(std::span<const EntryPtr> changes, std::span<const Revision> removed);
  // Likewise.
  Result<void> SetCompacted(Revision revision);
  // Whether it can be written again, after an error: writes the log over itself, and makes a small
  // transaction durable. Also that no change is
  // there that is newer than `newest`: kInternal, when a failed transaction was not undone.
  Result<void> Probe(Revision newest);

  // Pages in the log; when it is large they are to be copied into the file.
  int log_pages() const { return database_->log_pages(); }
  Result<void> Checkpoint() { return database_->Checkpoint(); }
  // Gives some free pages at the end of the file back to the disk, if a good part of it is free.
  // Returns whether there is more to give back.
  Result<bool> Shrink();

 private:
  explicit StoreFile(Options options) : options_(std::move(options)) {}
  Result<void> LockFile();
  Result<void> OpenDatabase();

  const Options options_;
  UniqueFd lock_;
  std::unique_ptr<Database> database_;
  std::optional<Statement> insert_;
  std::optional<Statement> remove_;
  std::optional<Statement> set_compacted_;
};

// The tables, for files that are no open store as well (backup.cpp).
namespace file_format {

// Ok for a store, and for an empty database. kInvalidArgument: it is another's; kUnsupported: a
// newer podium's; kDataLoss: it is no database.
Result<void> CheckKind(Database& database);
Result<void> MakeTables(Database& database);
// kDataLoss: it does not have the sum that it was written with.
Result<Revision> ReadCompacted(Database& database);
Result<Statement> PrepareSetCompacted(Database& database);
Result<void> SetCompacted(Statement& statement, Revision revision);
Result<Statement> PrepareInsert(Database& database);
Result<void> Insert(Statement& insert, const Entry& entry);
// revision, key, created, version, sum, value; in the order of revisions from a parameter on.
inline constexpr const char* kSelect =
    "SELECT revision, key, created, version, sum, value FROM changes WHERE revision >= ?1 "
    "ORDER BY revision";
// The row that a select stands at. kDataLoss: it does not have the sum that it was written with.
Result<EntryPtr> ReadRow(const Statement& select);

}  // namespace file_format

}  // namespace podium::store
