#include "store/backup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "store/new_store_file.h"
#include "store/store_file.h"

namespace podium::store {
namespace {

namespace fs = std::filesystem;

// A copy of a store's file and of its log, beside the file that is to be made: SQLite changes what
// it opens, if only by bringing the log's pages home, and the source is only to be read.
class SourceCopy {
 public:
  static Result<SourceCopy> Make(const std::string& from, const std::string& to) {
    // Held until the copy is made: nobody opens the store meanwhile.
    const UniqueFd lock(open((from + ".lock").c_str(), O_RDWR | O_CLOEXEC));
    if (lock && flock(lock.get(), LOCK_SH | LOCK_NB) != 0) {
      return Error(Code::kUnavailable, from + " is in use by another process");
    }
    SourceCopy copy(fmt::format("{}.copy-{}", to, getpid()));
    for (const char* suffix : {"", "-wal"}) {
      std::error_code error;
      if (*suffix != '\0' && !fs::exists(from + suffix)) continue;
      fs::copy_file(from + suffix, copy.path_ + suffix, error);
      if (error) return Error::FromErrno(error.value(), "copying " + from + suffix);
    }
    return copy;
  }
  SourceCopy(SourceCopy&&) = default;
  SourceCopy& operator=(SourceCopy&&) = delete;
  ~SourceCopy() {
    if (path_.empty()) return;
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) unlink((path_ + suffix).c_str());
  }

  const std::string& path() const { return path_; }

 private:
  explicit SourceCopy(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

// The newest row of each key.
using State = std::map<std::string, EntryPtr, std::less<>>;

struct Source {
  State state;
  Revision newest = 0;
  int64_t lost = 0;
};

void Take(EntryPtr row, Source* source) {
  source->newest = std::max(source->newest, row->mod_revision());
  EntryPtr& newest = source->state[std::string(row->key())];
  newest = std::move(row);
}

Result<void> ReadAll(Database& database, Source* source) {
  TRY(const std::string pages, database.QueryText("PRAGMA quick_check(1)"));
  if (pages != "ok") return Error(Code::kDataLoss, fmt::format("{}: {}", database.path(), pages));
  TRY(Statement select, database.Prepare(file_format::kSelect));
  select.Bind(1, INT64_MIN);
  while (true) {
    TRY(const bool more, select.Step());
    if (!more) return {};
    TRY(EntryPtr row, file_format::ReadRow(select));
    Take(std::move(row), source);
  }
}

// Row by row from `from` on, to the first that the tree does not give out. Returns where to go on.
Revision ReadSome(Database& database, Revision from, Source* source, bool* end) {
  auto select = database.Prepare(file_format::kSelect);
  if (!select.ok()) {
    *end = true;
    return from;
  }
  select->Bind(1, from);
  while (true) {
    auto more = select->Step();
    if (!more.ok()) return from;
    if (!*more) {
      *end = true;
      return from;
    }
    from = select->Number(0) + 1;
    if (auto row = file_format::ReadRow(*select); row.ok()) {
      Take(*std::move(row), source);
    } else {
      ++source->lost;
    }
  }
}

bool CanReadFrom(Database& database, Revision from) {
  auto select = database.Prepare(file_format::kSelect);
  if (!select.ok()) return false;
  select->Bind(1, from);
  return select->Step().ok();
}

// The first revision after `bad` from which on the tree gives out rows again. Steps that double
// find one, halves of the last step the first: a damaged page may stand for one row or for a
// thousand million revisions.
Revision SkipDamage(Database& database, Revision bad) {
  Revision step = 1;
  while (!CanReadFrom(database, bad + step)) {
    if (step > INT64_MAX / 4 || bad + step > INT64_MAX / 4) return INT64_MAX;
    step *= 2;
  }
  Revision good = bad + step;
  bad += step / 2;
  while (good - bad > 1) {
    const Revision middle = bad + (good - bad) / 2;
    (CanReadFrom(database, middle) ? good : bad) = middle;
  }
  return good;
}

void ReadWhatIsLeft(Database& database, Source* source) {
  bool end = false;
  for (Revision at = 0; !end && at != INT64_MAX;) {
    at = ReadSome(database, at, source, &end);
    if (end) break;
    ++source->lost;
    at = SkipDamage(database, at);
  }
}

// The rest of Restore, with what was read.
Result<Copied> WriteRestored(const RestoreOptions& options, Source source, Revision compacted) {
  Copied copied{.revision = std::max(source.newest, compacted), .lost = source.lost};
  std::vector<EntryPtr> entries;
  for (auto& [key, entry] : source.state) {
    if (!entry->deleted()) entries.push_back(std::move(entry));
  }
  copied.keys = static_cast<int64_t>(entries.size());
  TRY_VOID(MakeStoreFile(options.to, std::move(entries), copied.revision + options.skip));
  return copied;
}

}  // namespace

Result<Copied> Backup(Store& store, const std::string& path) {
  RangeOptions all;
  TRY(RangeResult range, store.Range(all));
  const Copied copied{.revision = range.revision,
                      .keys = static_cast<int64_t>(range.entries.size())};
  TRY_VOID(MakeStoreFile(path, std::move(range.entries), range.revision));
  return copied;
}

Result<Copied> Restore(const RestoreOptions& options) {
  if (options.skip < 0) return Error(Code::kInvalidArgument, "revisions cannot go back");
  TRY(const SourceCopy copy, SourceCopy::Make(options.from, options.to));
  TRY(const std::unique_ptr<Database> database, Database::Open({.path = copy.path()}));
  TRY_VOID(database->Execute("PRAGMA locking_mode = EXCLUSIVE; PRAGMA cell_size_check = ON"));
  Source source;
  Revision compacted = 0;
  if (options.save_what_is_left) {
    ReadWhatIsLeft(*database, &source);
    if (auto known = file_format::ReadCompacted(*database); known.ok()) compacted = *known;
  } else {
    TRY_VOID(file_format::CheckKind(*database));
    TRY(compacted, file_format::ReadCompacted(*database));
    TRY_VOID(ReadAll(*database, &source));
  }
  return WriteRestored(options, std::move(source), compacted);
}

}  // namespace podium::store
