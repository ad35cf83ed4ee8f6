#include "store/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace podium::store {
namespace {

Code CodeOf(int result, int os_errno) {
  switch (result & 0xff) {
    case SQLITE_FULL:
      return Code::kResourceExhausted;
    case SQLITE_IOERR:
      if (os_errno == ENOSPC || os_errno == EDQUOT) return Code::kResourceExhausted;
      return Code::kUnavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::kDataLoss;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::kUnavailable;
    case SQLITE_CANTOPEN:
      return os_errno == 0 ? Code::kNotFound : Error::FromErrno(os_errno, "").code();
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return Code::kPermissionDenied;
    default:
      return Code::kInternal;
  }
}

Error ErrorOf(int result, int os_errno, std::string_view path, std::string_view message) {
  std::string text = fmt::format("{}: {}", path, message);
  if (os_errno != 0) text += fmt::format(" ({})", Error::FromErrno(os_errno, "").message());
  return Error(CodeOf(result, os_errno), std::move(text), os_errno);
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(database_, other.database_);
  std::swap(statement_, other.statement_);
  return *this;
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::Bind(int parameter, int64_t number) {
  sqlite3_bind_int64(statement_, parameter, number);
}

void Statement::BindBytes(int parameter, std::string_view bytes) {
  // A null pointer would be NULL.
  sqlite3_bind_blob64(statement_, parameter, bytes.empty() ? "" : bytes.data(), bytes.size(),
                      SQLITE_STATIC);
}

void Statement::BindNull(int parameter) { sqlite3_bind_null(statement_, parameter); }

Result<bool> Statement::Step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  Error error = database_->LastError();
  sqlite3_reset(statement_);
  return error;
}

void Statement::Reset() { sqlite3_reset(statement_); }

Result<void> Statement::Run() {
  bool more = true;
  while (more) {
    TRY(more, Step());
  }
  Reset();
  return {};
}

int64_t Statement::Number(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Statement::Bytes(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes),
          static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Result<std::unique_ptr<Database>> Database::Open(Options options) {
  auto database = std::unique_ptr<Database>(new Database(std::move(options)));
  const Options& asked = database->options_;
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= asked.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (asked.create) flags |= SQLITE_OPEN_CREATE;
  const int result = sqlite3_open_v2(asked.path.c_str(), &database->handle_, flags,
                                     asked.vfs.empty() ? nullptr : asked.vfs.c_str());
  if (result != SQLITE_OK) return database->LastError();
  // The file may come from anybody: no SQL in its schema is run, and nothing of ours writes it.
  sqlite3_db_config(database->handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database->handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // In the place of SQLite's own, which would copy the log within a commit. (PRAGMA
  // wal_autocheckpoint, whatever its value, would remove it.)
  sqlite3_wal_hook(
      database->handle_,
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<Database*>(self)->log_pages_ = pages;
        return SQLITE_OK;
      },
      database.get());
  return database;
}

Database::~Database() { sqlite3_close(handle_); }

Result<void> Database::Execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return LastError();
  return {};
}

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return LastError();
  }
  return Statement(*this, statement);
}

Result<int64_t> Database::QueryNumber(std::string_view sql) {
  TRY(Statement query, Prepare(sql));
  TRY(const bool row, query.Step());
  if (!row) return Error(Code::kInternal, fmt::format("{}: nothing for {}", path(), sql));
  return query.Number(0);
}

Result<std::string> Database::QueryText(std::string_view sql) {
  TRY(Statement query, Prepare(sql));
  TRY(const bool row, query.Step());
  if (!row) return Error(Code::kInternal, fmt::format("{}: nothing for {}", path(), sql));
  return std::string(query.Bytes(0));
}

Result<void> Database::Rollback() {
  // Some errors have rolled back by themselves.
  if (sqlite3_get_autocommit(handle_) == 0) {
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  if (sqlite3_get_autocommit(handle_) != 0) return {};
  return Error(Code::kInternal, fmt::format("{}: a failed transaction cannot be undone: {}", path(),
                                            sqlite3_errmsg(handle_)));
}

Result<void> Database::Checkpoint() {
  int pages = 0;
  int copied = 0;
  if (sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied) !=
      SQLITE_OK) {
    return LastError();
  }
  if (pages == copied) log_pages_ = 0;
  return {};
}

Error Database::LastError() const {
  const int result = handle_ == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(handle_);
  const char* message = handle_ == nullptr ? "out of memory" : sqlite3_errmsg(handle_);
  const int primary = result & 0xff;
  const bool of_system = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN;
  return ErrorOf(result, of_system && handle_ != nullptr ? sqlite3_system_errno(handle_) : 0,
                 path(), message);
}

namespace {

// A file of a VFS of SQLite, open.
class VfsFile {
 public:
  VfsFile(sqlite3_vfs* vfs, const char* path, int flags)
      : memory_(static_cast<size_t>(vfs->szOsFile)),
        file_(reinterpret_cast<sqlite3_file*>(memory_.data())) {
    opened_ = vfs->xOpen(vfs, path, file_, flags, nullptr);
  }
  ~VfsFile() {
    if (file_->pMethods != nullptr) file_->pMethods->xClose(file_);
  }
  VfsFile(const VfsFile&) = delete;
  VfsFile& operator=(const VfsFile&) = delete;

  int opened() const { return opened_; }

  int Rewrite() {
    const sqlite3_io_methods& methods = *file_->pMethods;
    sqlite3_int64 size = 0;
    int result = methods.xFileSize(file_, &size);
    // The system's VFS takes less than 128 KiB at a time, and reports a full disk for more.
    std::vector<char> piece(size_t{1} << 16);
    for (sqlite3_int64 at = 0; result == SQLITE_OK && at < size;) {
      const int length =
          static_cast<int>(std::min(size - at, static_cast<sqlite3_int64>(piece.size())));
      result = methods.xRead(file_, piece.data(), length, at);
      if (result == SQLITE_OK) result = methods.xWrite(file_, piece.data(), length, at);
      at += length;
    }
    return result == SQLITE_OK ? methods.xSync(file_, SQLITE_SYNC_NORMAL) : result;
  }

 private:
  std::vector<char> memory_;
  sqlite3_file* file_;
  int opened_ = SQLITE_OK;
};

// The path as xOpen of the system's VFS wants it: with nothing behind it, where SQLite would keep
// parameters of a URI.
std::string LogPath(const std::string& database_path) {
  return database_path + "-wal" + std::string(4, '\0');
}

}  // namespace

Result<void> RewriteLog(const std::string& database_path, const std::string& vfs_name) {
  sqlite3_vfs* vfs = sqlite3_vfs_find(vfs_name.empty() ? nullptr : vfs_name.c_str());
  if (vfs == nullptr) return Error(Code::kInternal, "no VFS " + vfs_name);
  const std::string path = LogPath(database_path);
  int there = 0;
  if (vfs->xAccess(vfs, path.c_str(), SQLITE_ACCESS_EXISTS, &there) != SQLITE_OK || there == 0) {
    return {};
  }
  VfsFile file(vfs, path.c_str(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL);
  const int result = file.opened() != SQLITE_OK ? file.opened() : file.Rewrite();
  if (result == SQLITE_OK) return {};
  return ErrorOf(result, 0, path.c_str(), sqlite3_errstr(result)).WithContext("reading its log");
}

}  // namespace podium::store
