#include "store/store_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <limits>

#include "store/new_store_file.h"

namespace podium::store {
namespace {

namespace fs = std::filesystem;

// Free pages that are worth giving back, and how many at a time: 16 MiB, and 1 MiB.
constexpr int64_t kFreePages = 4096;
constexpr const char* kShrink = "PRAGMA incremental_vacuum(256)";

Error Damaged(const std::string& path, const std::string& what) {
  return Error(
      Code::kDataLoss,
      fmt::format("{} is damaged: {}. Nothing was changed in it. Restore a backup, or save "
                  "what can still be read, into a new file (see docs/store.md)",
                  path, what));
}

// Whether a change can follow what its key has.
bool Follows(const Entry& change, const EntryPtr& before) {
  if (change.deleted()) return before && change.create_revision() == 0 && change.version() == 0;
  if (!before) return change.create_revision() == change.mod_revision() && change.version() == 1;
  return change.create_revision() == before->create_revision() &&
         change.version() == before->version() + 1;
}

// Whether it can be what is left of a compacted past.
bool IsPossible(const Entry& change) {
  if (change.deleted()) return change.create_revision() == 0 && change.version() == 0;
  return change.create_revision() > 0 && change.create_revision() <= change.mod_revision() &&
         change.version() > 0;
}

Result<void> LoadRow(EntryPtr row, Revision last, History* history, std::vector<EntryPtr>* left) {
  const Revision revision = row->mod_revision();
  if (revision <= history->compacted()) {
    if (revision <= last || !IsPossible(*row)) {
      return Error(Code::kDataLoss, fmt::format("the change of revision {} cannot be", revision));
    }
    history->Load(row, left);
    return {};
  }
  if (revision != history->newest() + 1) {
    return Error(Code::kDataLoss,
                 fmt::format("changes {} to {} are missing", history->newest() + 1, revision - 1));
  }
  const EntryPtr newest = history->Newest(row->key());
  if (!Follows(*row, newest && !newest->deleted() ? newest : nullptr)) {
    return Error(
        Code::kDataLoss,
        fmt::format("the change of revision {} does not follow what its key had", revision));
  }
  history->Append(std::move(row));
  return {};
}

Result<void> LoadChanges(Database& database, History* history, std::vector<Revision>* left) {
  TRY(const Revision compacted, file_format::ReadCompacted(database));
  history->Begin(compacted);
  TRY(Statement select, database.Prepare(file_format::kSelect));
  select.Bind(1, std::numeric_limits<int64_t>::min());
  std::vector<EntryPtr> dropped;
  Revision last = 0;
  while (true) {
    TRY(const bool more, select.Step());
    if (!more) return {};
    TRY(EntryPtr row, file_format::ReadRow(select));
    const Revision revision = row->mod_revision();
    TRY_VOID(LoadRow(std::move(row), last, history, &dropped));
    last = revision;
    for (const EntryPtr& entry : dropped) left->push_back(entry->mod_revision());
    dropped.clear();
  }
}

// SQLite's own look at the file: pages that belong to nobody or to two, free pages, order.
Result<void> CheckPages(Database& database) {
  TRY(const std::string answer, database.QueryText("PRAGMA quick_check(1)"));
  if (answer == "ok") return {};
  return Error(Code::kDataLoss, answer);
}

}  // namespace

Result<std::unique_ptr<StoreFile>> StoreFile::Open(Options options, History* history,
                                                   std::vector<Revision>* left) {
  auto file = std::unique_ptr<StoreFile>(new StoreFile(std::move(options)));
  const std::string& path = file->options_.path;
  if (file->options_.vfs.empty()) TRY_VOID(file->LockFile());
  TRY_VOID(RewriteLog(path, file->options_.vfs));
  auto opened = file->OpenDatabase();
  if (opened.ok()) opened = CheckPages(*file->database_);
  if (opened.ok()) opened = LoadChanges(*file->database_, history, left);
  if (!opened.ok()) {
    if (opened.error().code() != Code::kDataLoss) return std::move(opened).error();
    return Damaged(path, opened.error().message());
  }
  return file;
}

Result<void> StoreFile::LockFile() {
  const std::string name = options_.path + ".lock";
  lock_.reset(open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_) return Error::FromErrno(errno, name);
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Error::FromErrno(errno, name);
    return Error(Code::kUnavailable, fmt::format("{} is in use by another process", options_.path));
  }
  // SQLite would make it in ten syncs, and readable for all.
  if (fs::exists(options_.path)) return {};
  if (fs::exists(options_.path + "-wal")) {
    // SQLite would put the pages of a log into whatever file stands beside it.
    return Error(Code::kDataLoss,
                 fmt::format("{0} is missing, but its log {0}-wal is there: put the file back, or "
                             "the log aside (see docs/store.md)",
                             options_.path));
  }
  return MakeStoreFile(options_.path, {}, 0);
}

Result<void> StoreFile::OpenDatabase() {
  TRY(database_, Database::Open({.path = options_.path, .vfs = options_.vfs, .create = true}));
  Database& database = *database_;
  // Before the first look at the file: without shared memory beside it.
  TRY_VOID(database.Execute("PRAGMA locking_mode = EXCLUSIVE"));
  TRY_VOID(file_format::CheckKind(database));
  TRY(const int64_t tables, database.QueryNumber("SELECT count(*) FROM sqlite_schema"));
  if (tables == 0) TRY_VOID(database.Execute("PRAGMA auto_vacuum = INCREMENTAL"));
  // The cache is small: what is read is in History. secure_delete: freed rows are overwritten where
  // that costs nothing more to write.
  TRY_VOID(database.Execute(
      "PRAGMA cell_size_check = ON; PRAGMA cache_size = -1024; PRAGMA secure_delete = FAST;"
      "PRAGMA temp_store = MEMORY"));
  TRY(const std::string mode, database.QueryText("PRAGMA journal_mode = WAL"));
  if (mode != "wal") {
    return Error(Code::kUnsupported,
                 fmt::format("{}: no write-ahead log: {}", options_.path, mode));
  }
  // The log is truncated to so much when it is begun anew.
  TRY_VOID(database.Execute("PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216"));
  if (tables == 0) TRY_VOID(file_format::MakeTables(database));
  TRY(insert_, file_format::PrepareInsert(database));
  TRY(remove_, database.Prepare("DELETE FROM changes WHERE revision = ?1"));
  TRY(set_compacted_, file_format::PrepareSetCompacted(database));
  return {};
}

Result<void> StoreFile::Commit(std::span<const EntryPtr> changes,
                               std::span<const Revision> removed) {
  return database_->Transaction([&]() -> Result<void> {
    for (const EntryPtr& change : changes) TRY_VOID(file_format::Insert(*insert_, *change));
    for (const Revision revision : removed) {
      remove_->Bind(1, revision);
      TRY_VOID(remove_->Run());
    }
    return {};
  });
}

Result<void> StoreFile::SetCompacted(Revision revision) {
  return file_format::SetCompacted(*set_compacted_, revision);
}

Result<void> StoreFile::Probe(Revision newest) {
  TRY_VOID(RewriteLog(options_.path, options_.vfs));
  TRY(const int64_t newer, database_->QueryNumber(fmt::format(
                               "SELECT count(*) FROM changes WHERE revision > {}", newest)));
  if (newer != 0) {
    return Error(Code::kInternal,
                 fmt::format("{} has changes of a write that failed", options_.path));
  }
  return database_->Execute("UPDATE state SET number = number + 1 WHERE name = 'probe'");
}

Result<bool> StoreFile::Shrink() {
  TRY(const int64_t free, database_->QueryNumber("PRAGMA freelist_count"));
  if (free < kFreePages) return false;
  TRY(const int64_t pages, database_->QueryNumber("PRAGMA page_count"));
  if (free < pages / 4) return false;
  TRY_VOID(database_->Execute(kShrink));
  return true;
}

}  // namespace podium::store
