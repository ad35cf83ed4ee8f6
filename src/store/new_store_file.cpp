#include "store/new_store_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>

#include "base/unique_fd.h"
#include "store/store_file.h"

namespace podium::store {
namespace {

namespace fs = std::filesystem;

Result<void> SyncPath(const std::string& path, int flags) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | flags));
  if (!fd || fsync(fd.get()) != 0) return Error::FromErrno(errno, "syncing " + path);
  return {};
}

// A file that appears under its name when all of it is on disk, and otherwise not at all.
class NewFile {
 public:
  static Result<NewFile> Begin(const std::string& path) {
    // A log that is left from another file would be taken for this one's.
    for (const std::string& name : {path, path + "-wal"}) {
      struct stat there{};
      if (lstat(name.c_str(), &there) == 0) {
        return Error(Code::kAlreadyExists, name + " is there already");
      }
    }
    NewFile file(path);
    const UniqueFd made(open(file.partial_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!made) return Error::FromErrno(errno, file.partial_);
    return file;
  }
  NewFile(NewFile&&) = default;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile() {
    if (partial_.empty()) return;
    unlink(partial_.c_str());
    for (const char* suffix : {"-journal", "-wal", "-shm"}) unlink((partial_ + suffix).c_str());
  }

  const std::string& partial() const { return partial_; }

  Result<void> Finish() {
    TRY_VOID(SyncPath(partial_, 0));
    // link and not rename: what has got the name meanwhile stays.
    if (link(partial_.c_str(), path_.c_str()) != 0) return Error::FromErrno(errno, path_);
    const std::string folder = fs::path(path_).parent_path().string();
    return SyncPath(folder.empty() ? "." : folder, O_DIRECTORY);
  }

 private:
  explicit NewFile(const std::string& path)
      : path_(path), partial_(fmt::format("{}.partial-{}", path, getpid())) {}

  std::string path_;
  std::string partial_;
};

}  // namespace

Result<void> MakeStoreFile(const std::string& path, std::vector<EntryPtr> entries,
                           Revision compacted) {
  // Rows go to the end of the tree.
  std::sort(entries.begin(), entries.end(), [](const EntryPtr& a, const EntryPtr& b) {
    return a->mod_revision() < b->mod_revision();
  });
  TRY(NewFile file, NewFile::Begin(path));
  {
    TRY(const std::unique_ptr<Database> database, Database::Open({.path = file.partial()}));
    // Nobody sees the file before it is done, and it is synced then. The mode is kept in the file:
    // the store finds a file that has its log already.
    TRY_VOID(
        database->Execute("PRAGMA locking_mode = EXCLUSIVE; PRAGMA auto_vacuum = INCREMENTAL;"
                          "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF"));
    TRY_VOID(file_format::MakeTables(*database));
    TRY(Statement insert, file_format::PrepareInsert(*database));
    TRY(Statement set_compacted, file_format::PrepareSetCompacted(*database));
    TRY_VOID(database->Transaction([&]() -> Result<void> {
      for (const EntryPtr& entry : entries) TRY_VOID(file_format::Insert(insert, *entry));
      return file_format::SetCompacted(set_compacted, compacted);
    }));
    TRY_VOID(database->Execute("PRAGMA journal_mode = WAL"));
  }
  return file.Finish();
}

}  // namespace podium::store
