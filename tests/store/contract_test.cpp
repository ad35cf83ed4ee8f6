// The contract, of every store.
#include "store/contract.h"

#include "base/executor.h"
#include "store/memory_store.h"
#include "store/sqlite_store.h"

namespace podium::store::testing {
namespace {

std::shared_ptr<Store> OpenMemory(const Folder&) {
  auto executor = std::make_unique<ThreadExecutor>();
  auto store = std::make_unique<MemoryStore>(*executor);
  // The executor goes after the store.
  return {store.release(), [executor = executor.release()](Store* made) {
            delete made;
            delete executor;
          }};
}

std::shared_ptr<Store> OpenSqlite(const Folder& folder) {
  auto store = SqliteStore::Open({.path = folder.File()});
  EXPECT_TRUE(store.ok()) << store.error().message();
  return std::shared_ptr<Store>(*std::move(store));
}

INSTANTIATE_TEST_SUITE_P(All, StoreContractTest,
                         ::testing::Values(Implementation{"Memory", OpenMemory},
                                           Implementation{"Sqlite", OpenSqlite}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace podium::store::testing
