#include <fmt/format.h>

#include "store/checksum.h"
#include "store/store_file.h"

namespace podium::store::file_format {
namespace {

// "podm" in ASCII, where SQLite's files say whose they are; and the version of the tables.
constexpr int64_t kApplication = 0x706f646d;
constexpr int64_t kVersion = 1;

constexpr const char* kChanges =
    "CREATE TABLE changes(revision INTEGER PRIMARY KEY, key BLOB NOT NULL,"
    " created INTEGER NOT NULL, version INTEGER NOT NULL, sum INTEGER NOT NULL, value BLOB)";
constexpr const char* kState =
    "CREATE TABLE state(name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID";

enum Column { kRevision, kKey, kCreated, kTimes, kSum, kValue };

int64_t SumOf(Revision revision, std::string_view key, const Entry::Numbers& numbers, bool deleted,
              std::string_view value) {
  return Checksum()
      .Add(static_cast<uint64_t>(revision))
      .Add(key)
      .Add(static_cast<uint64_t>(numbers.create))
      .Add(static_cast<uint64_t>(numbers.version))
      .Add(deleted ? 1 : 0)
      .Add(value)
      .value();
}

}  // namespace

Result<void> CheckKind(Database& database) {
  TRY(const int64_t application, database.QueryNumber("PRAGMA application_id"));
  TRY(const int64_t version, database.QueryNumber("PRAGMA user_version"));
  TRY(const int64_t tables, database.QueryNumber("SELECT count(*) FROM sqlite_schema"));
  if (application == 0 && version == 0 && tables == 0) return {};
  if (application != kApplication) {
    return Error(Code::kInvalidArgument,
                 fmt::format("{} is a database, but no store of podium's", database.path()));
  }
  if (version > kVersion) {
    return Error(Code::kUnsupported,
                 fmt::format("{} was made by a newer podium (format {}; this one knows {})",
                             database.path(), version, kVersion));
  }
  // A schema that lost a table to the disk must not look like an empty store.
  TRY(const std::string schema,
      database.QueryText("SELECT group_concat(type || ' ' || name || ' ' || tbl_name || ' ' || sql,"
                         " ';') FROM (SELECT * FROM sqlite_schema ORDER BY name)"));
  const std::string expected =
      fmt::format("table changes changes {};table state state {}", kChanges, kState);
  if (version == kVersion && schema == expected) return {};
  return Error(Code::kDataLoss, "its schema is not what was written: " + schema);
}

Result<void> MakeTables(Database& database) {
  return database.Transaction([&]() -> Result<void> {
    TRY_VOID(database.Execute(kChanges));
    TRY_VOID(database.Execute(kState));
    TRY_VOID(database.Execute(
        "INSERT INTO state VALUES ('compacted', 0), ('compacted_sum', 0), ('probe', 0)"));
    TRY(Statement set, PrepareSetCompacted(database));
    TRY_VOID(SetCompacted(set, 0));
    return database.Execute(
        fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplication, kVersion)
            .c_str());
  });
}

Result<Statement> PrepareSetCompacted(Database& database) {
  return database.Prepare(
      "UPDATE state SET number = CASE name WHEN 'compacted' THEN ?1 ELSE ?2 END"
      " WHERE name IN ('compacted', 'compacted_sum')");
}

Result<void> SetCompacted(Statement& statement, Revision revision) {
  statement.Bind(1, revision);
  statement.Bind(2, Checksum().Add(static_cast<uint64_t>(revision)).value());
  return statement.Run();
}

Result<Revision> ReadCompacted(Database& database) {
  TRY(const Revision compacted,
      database.QueryNumber("SELECT number FROM state WHERE name = 'compacted'"));
  TRY(const int64_t sum,
      database.QueryNumber("SELECT number FROM state WHERE name = 'compacted_sum'"));
  if (compacted < 0 || sum != Checksum().Add(static_cast<uint64_t>(compacted)).value()) {
    return Error(Code::kDataLoss, "the revision compacted last is not what was written");
  }
  return compacted;
}

Result<Statement> PrepareInsert(Database& database) {
  return database.Prepare(
      "INSERT INTO changes(revision, key, created, version, sum, value)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
}

Result<void> Insert(Statement& insert, const Entry& entry) {
  insert.Bind(kRevision + 1, entry.mod_revision());
  insert.BindBytes(kKey + 1, entry.key());
  insert.Bind(kCreated + 1, entry.create_revision());
  insert.Bind(kTimes + 1, entry.version());
  insert.Bind(kSum + 1, SumOf(entry.mod_revision(), entry.key(), entry.numbers(), entry.deleted(),
                              entry.value()));
  if (entry.deleted()) {
    insert.BindNull(kValue + 1);
  } else {
    insert.BindBytes(kValue + 1, entry.value());
  }
  return insert.Run();
}

Result<EntryPtr> ReadRow(const Statement& select) {
  const Entry::Numbers numbers{.create = select.Number(kCreated),
                               .mod = select.Number(kRevision),
                               .version = select.Number(kTimes)};
  const bool deleted = select.IsNull(kValue);
  const std::string_view key = select.Bytes(kKey);
  const std::string_view value = select.Bytes(kValue);
  if (select.Number(kSum) != SumOf(numbers.mod, key, numbers, deleted, value)) {
    return Error(Code::kDataLoss,
                 fmt::format("the change of revision {} is not what was written", numbers.mod));
  }
  return Entry::Make(key, deleted ? std::nullopt : std::optional(value), numbers);
}

}  // namespace podium::store::file_format
