#include "store/sqlite_store.h"

#include <utility>
#include <vector>

#include "store/core.h"
#include "store/store_file.h"
#include "store/writer.h"

namespace podium::store {

Result<std::unique_ptr<SqliteStore>> SqliteStore::Open(Options options) {
  auto core = std::make_shared<Core>();
  std::vector<Revision> left;
  TRY(std::unique_ptr<StoreFile> file,
      StoreFile::Open({.path = options.path, .vfs = options.vfs}, &core->history(), &left));
  auto writer = std::make_unique<Writer>(std::move(options), std::move(core), std::move(file),
                                         std::move(left));
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(writer)));
}

SqliteStore::SqliteStore(std::unique_ptr<Writer> writer)
    : core_(writer->core()), writer_(std::move(writer)) {}

SqliteStore::~SqliteStore() {
  writer_.reset();
  core_->Close();
}

void SqliteStore::Apply(Write write, WriteDone done) {
  writer_->Apply(std::move(write), std::move(done));
}

Result<RangeResult> SqliteStore::Range(const RangeOptions& options) {
  return core_->Range(options);
}

Result<std::unique_ptr<Watch>> SqliteStore::StartWatch(WatchOptions options) {
  return core_->StartWatch(std::move(options));
}

void SqliteStore::Compact(Revision revision, CompactDone done) {
  writer_->Compact(revision, std::move(done));
}

Health SqliteStore::health() const {
  Health health;
  writer_->Describe(&health);
  return health;
}

}  // namespace podium::store
