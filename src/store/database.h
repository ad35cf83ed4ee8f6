// Database: what this room needs of SQLite, with its errors as ours. The only file beside
// database.cpp that knows SQLite's C interface is the VFS of the tests.
//
// Threads: one at a time for a database and its statements.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace podium::store {

class Database;

// A prepared statement. Ends before its database.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  // Parameters count from 1. Bytes must stay until Reset.
  void Bind(int parameter, int64_t number);
  void BindBytes(int parameter, std::string_view bytes);
  void BindNull(int parameter);

  // True: there is a row, whose columns count from 0. False: it is done.
  Result<bool> Step();
  // For the next use; columns' bytes are valid until here or the next Step.
  void Reset();
  // Step until it is done, and Reset.
  Result<void> Run();

  int64_t Number(int column) const;
  std::string_view Bytes(int column) const;
  bool IsNull(int column) const;

 private:
  friend class Database;
  Statement(Database& database, sqlite3_stmt* statement)
      : database_(&database), statement_(statement) {}

  Database* database_;
  sqlite3_stmt* statement_;
};

class Database {
 public:
  struct Options {
    std::string path;
    std::string vfs = {};  // a registered VFS of SQLite; empty: the system's files
    bool create = false;
    bool read_only = false;
  };
  // kNotFound, kPermissionDenied, kDataLoss …; see ErrorOf. Nothing is read yet.
  static Result<std::unique_ptr<Database>> Open(Options options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const std::string& path() const { return options_.path; }

  // One or several statements without parameters and results.
  Result<void> Execute(const char* sql);
  Result<Statement> Prepare(std::string_view sql);
  // The first column of the first row; no row is kInternal.
  Result<int64_t> QueryNumber(std::string_view sql);
  Result<std::string> QueryText(std::string_view sql);

  // BEGIN IMMEDIATE … COMMIT around `body`, all or nothing: after an error, also of COMMIT, nothing
  // of it is in the database and no transaction is open; kInternal where SQLite fails to see to
  // that.
  template <class Body>
  Result<void> Transaction(Body body) {
    TRY_VOID(Execute("BEGIN IMMEDIATE"));
    Result<void> done = body();
    if (done.ok()) done = Execute("COMMIT");
    if (!done.ok()) TRY_VOID(Rollback());
    return done;
  }

  // Pages in the write-ahead log since it was begun anew.
  int log_pages() const { return log_pages_; }
  // Copies them into the database's file and syncs that; what comes next begins the log anew.
  Result<void> Checkpoint();

  // The last error as ours: disk full or over quota kResourceExhausted; damaged kDataLoss; in use
  // by another kUnavailable; not there kNotFound; not allowed, or mounted read-only,
  // kPermissionDenied; all else of the disk kUnavailable.
  Error LastError() const;

 private:
  explicit Database(Options options) : options_(std::move(options)) {}
  Result<void> Rollback();

  const Options options_;
  sqlite3* handle_ = nullptr;
  int log_pages_ = 0;
};

// Reads the write-ahead log of a database that is not open, writes the same bytes over it and syncs
// it: after a sync that failed in a process that is gone, the kernel may show bytes that are not on
// the disk, and tell nobody any more. What SQLite goes on from is then on the disk, or this fails.
Result<void> RewriteLog(const std::string& database_path, const std::string& vfs);

}  // namespace podium::store
