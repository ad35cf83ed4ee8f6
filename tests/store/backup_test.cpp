#include "store/backup.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "store/contract.h"
#include "store/sqlite_store.h"

namespace podium::store::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<SqliteStore> Open(const std::string& path) {
  auto store = SqliteStore::Open({.path = path});
  EXPECT_TRUE(store.ok()) << store.error().message();
  return *std::move(store);
}

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

TEST(BackupTest, ARestoredStoreGoesOnWithGreaterRevisions) {
  const Folder folder;
  {
    auto store = Open(folder.File());
    Put(*store, "/a", "1");
    Put(*store, "/b", "1");
    Put(*store, "/a", "2");
    Delete(*store, "/b");
    const auto copied = Backup(*store, folder.File("backup"));
    ASSERT_TRUE(copied.ok()) << copied.error().message();
    EXPECT_EQ(copied->revision, 4);
    EXPECT_EQ(copied->keys, 1);
    // What the backup does not know, clients have seen.
    Put(*store, "/c", "1");
  }
  struct stat info{};
  ASSERT_EQ(stat(folder.File("backup").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U) << "secrets are in it";

  const auto restored =
      Restore({.from = folder.File("backup"), .to = folder.File("new"), .skip = 1000});
  ASSERT_TRUE(restored.ok()) << restored.error().message();
  EXPECT_EQ(restored->revision, 4);
  EXPECT_EQ(restored->keys, 1);
  EXPECT_EQ(restored->lost, 0);
  auto store = Open(folder.File("new"));
  EXPECT_EQ(store->health().revision, 1004);
  EXPECT_THAT(Show(store->Range({}).value().entries), ElementsAre("/a=2@3"));
  EXPECT_EQ(store->Get("/a").value()->version(), 2);
  EXPECT_EQ(store->StartWatch({.keys = {}, .after = 5}).error().code(), Code::kExpired)
      << "of the store that was";
  EXPECT_EQ(Put(*store, "/c", "other")->mod_revision(), 1005);
  auto changed = store->WriteAndWait({.key = "/a", .value = "3", .expected = 3});
  EXPECT_TRUE(changed->changed) << "objects have the revisions that they had";
}

TEST(BackupTest, IsOfOneStateWhileWritesGoOn) {
  const Folder folder;
  auto store = Open(folder.File());
  // Both keys always have the same value, but for the moment between two writes.
  Put(*store, "/a", "0");
  Put(*store, "/b", "0");
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 1; !stop; ++i) {
      Put(*store, "/a", std::to_string(i));
      Put(*store, "/b", std::to_string(i));
    }
  });
  for (int i = 0; i < 5; ++i) {
    const std::string name = folder.File(fmt::format("backup{}", i));
    const auto copied = Backup(*store, name);
    ASSERT_TRUE(copied.ok()) << copied.error().message();
    auto copy = Open(name);
    EXPECT_EQ(copy->health().revision, copied->revision);
    const int a = std::stoi(std::string(copy->Get("/a").value()->value()));
    const int b = std::stoi(std::string(copy->Get("/b").value()->value()));
    EXPECT_TRUE(a == b || a == b + 1) << a << " " << b;
  }
  stop = true;
  writer.join();
}

TEST(BackupTest, NothingIsOverwritten) {
  const Folder folder;
  auto store = Open(folder.File());
  Put(*store, "/a", "1");
  ASSERT_TRUE(Backup(*store, folder.File("backup")).ok());
  EXPECT_EQ(Backup(*store, folder.File("backup")).error().code(), Code::kAlreadyExists);
  std::ofstream(folder.File("there")) << "mine";
  EXPECT_EQ(Restore({.from = folder.File("backup"), .to = folder.File("there")}).error().code(),
            Code::kAlreadyExists);
  EXPECT_EQ(ReadFile(folder.File("there")), "mine");
  EXPECT_EQ(Restore({.from = folder.File("none"), .to = folder.File("new")}).error().code(),
            Code::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(folder.File("none")));
  std::ofstream(folder.File("text")) << std::string(10'000, 'x');
  const auto text = Restore({.from = folder.File("text"), .to = folder.File("new")});
  EXPECT_EQ(text.error().code(), Code::kDataLoss);
  EXPECT_FALSE(std::filesystem::exists(folder.File("new")));
}

// Overwrites a part of the file, as a broken disk does.
void Damage(const std::string& path, size_t at, size_t length) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(at));
  file << std::string(length, '\x5a');
}

TEST(DamagedFileTest, IsNotServedAndWhatIsLeftCanBeSaved) {
  const Folder folder;
  constexpr int kKeys = 400;
  {
    auto store = Open(folder.File());
    PutMany(*store, "/gone", 2,
            [](int i) { return i == 0 ? std::optional<std::string>("1") : std::nullopt; });
    for (int i = 0; i < kKeys; ++i) {
      PutMany(*store, fmt::format("/k{:03}", i), 1, [](int) { return std::string(1000, 'v'); });
    }
  }
  const std::string whole = ReadFile(folder.File());
  // Two pages of the tree in the middle of the file.
  Damage(folder.File(), size_t{4096} * 60, 8192);
  const std::string damaged = ReadFile(folder.File());
  ASSERT_NE(damaged, whole);

  const auto opened = SqliteStore::Open({.path = folder.File()});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), Code::kDataLoss);
  EXPECT_THAT(opened.error().message(), HasSubstr(folder.File() + " is damaged: "));
  EXPECT_THAT(opened.error().message(), HasSubstr("docs/store.md"));
  EXPECT_EQ(ReadFile(folder.File()), damaged) << "nothing was changed in it";

  EXPECT_EQ(Restore({.from = folder.File(), .to = folder.File("new")}).error().code(),
            Code::kDataLoss);
  const auto saved =
      Restore({.from = folder.File(), .to = folder.File("new"), .save_what_is_left = true});
  ASSERT_TRUE(saved.ok()) << saved.error().message();
  EXPECT_GT(saved->lost, 0);
  EXPECT_LT(saved->keys, kKeys);
  EXPECT_GT(saved->keys, kKeys - 20);
  auto store = Open(folder.File("new"));
  EXPECT_GT(store->health().revision, 1'000'000'000);
  EXPECT_EQ(store->health().keys, saved->keys);
  for (const EntryPtr& entry : store->Range({}).value().entries) {
    EXPECT_EQ(entry->value(), std::string(1000, 'v'));
  }
  EXPECT_FALSE(store->Get("/gone").value());
  EXPECT_TRUE(store->Get("/k399").value()) << "what is behind the damage";
}

TEST(SqliteStoreTest, OneProcessAtATimeAndNobodyElseReadsIt) {
  const Folder folder;
  auto store = Open(folder.File());
  Put(*store, "/a", "1");
  const auto second = SqliteStore::Open({.path = folder.File()});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  EXPECT_THAT(second.error().message(), HasSubstr("is in use by another process"));
  for (const char* name : {"store.db", "store.db-wal"}) {
    struct stat info{};
    ASSERT_EQ(stat(folder.File(name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600U) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(folder.File("store.db-shm")));
}

TEST(SqliteStoreTest, StateAndHistorySurviveARestart) {
  const Folder folder;
  {
    auto store = Open(folder.File());
    PutMany(*store, "/a", 5, [](int i) { return std::to_string(i); });
    Delete(*store, "/a");
    Put(*store, "/a", "again");
    ASSERT_TRUE(store->CompactAndWait(3).ok());
  }
  auto store = Open(folder.File());
  EXPECT_EQ(store->health().compacted, 3);
  EXPECT_EQ(store->Get("/a", 4).value()->value(), "3");
  EXPECT_EQ(store->Get("/a", 4).value()->version(), 4);
  EXPECT_EQ(store->Get("/a", 4).value()->create_revision(), 1);
  EXPECT_FALSE(store->Get("/a", 6).value());
  EXPECT_EQ(store->Get("/a", 2).error().code(), Code::kExpired);
  WaitingWatch watch(*store, KeyRange::Prefix("/"), 3);
  EXPECT_THAT(Show(watch.Take(4)),
              ElementsAre("~/a=3@4 was 2", "~/a=4@5 was 3", "-/a@6 was 4", "+/a=again@7"));
}

// A log without its file belongs to nothing that is made in its place.
TEST(SqliteStoreTest, ALogThatIsLeftAloneIsNotTakenForAnother) {
  const Folder folder;
  auto store = Open(folder.File());
  Put(*store, "/a", "1");
  // What stays when the process is killed and somebody takes the file away.
  std::filesystem::copy_file(folder.File("store.db-wal"), folder.File("other.db-wal"));
  const auto opened = SqliteStore::Open({.path = folder.File("other.db")});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), Code::kDataLoss);
  EXPECT_THAT(opened.error().message(), HasSubstr("other.db is missing, but its log"));
  EXPECT_EQ(Backup(*store, folder.File("other.db")).error().code(), Code::kAlreadyExists);
  EXPECT_FALSE(std::filesystem::exists(folder.File("other.db")));
}

// Compaction by itself, in memory and on disk.
TEST(SqliteStoreTest, HistoryIsBoundedByBytesChangesAndAge) {
  const Folder folder;
  SqliteStore::Options options{.path = folder.File()};
  options.history = {.age = std::chrono::hours(1), .bytes = 200'000, .changes = 500};
  const auto fill = [](Store& store, int count, size_t size) {
    PutMany(store, "/a", count, [size](int) { return std::string(size, 'x'); });
  };
  const auto eventually = [](const std::function<bool()>& done) {
    for (int i = 0; i < 1000 && !done(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return done();
  };
  {
    auto store = *SqliteStore::Open(options);
    for (int i = 0; i < 4; ++i) {
      fill(*store, 1000, 1000);
      EXPECT_TRUE(eventually([&] { return store->health().history_bytes <= 200'000; }));
      EXPECT_GT(store->health().history_bytes, 100'000) << "a quarter at a time";
    }
    fill(*store, 2000, 10);
    EXPECT_TRUE(eventually([&] {
      const Health health = store->health();
      return health.revision - health.compacted <= 500;
    }));
    EXPECT_EQ(store->health().revision, 6000);
  }
  EXPECT_LT(std::filesystem::file_size(folder.File()), 2'500'000U) << "rows go too";
  options.history = {.age = std::chrono::milliseconds(300), .bytes = 1 << 30, .changes = 1 << 30};
  auto store = *SqliteStore::Open(options);
  EXPECT_GT(store->health().revision - store->health().compacted, 100);
  EXPECT_TRUE(eventually([&] { return store->health().compacted == 6000; }));
  EXPECT_EQ(store->Get("/a").value()->mod_revision(), 6000);
}

// A file that was large and has little in it gives the space back.
TEST(SqliteStoreTest, FreeSpaceGoesBackToTheDisk) {
  const Folder folder;
  auto store = Open(folder.File());
  PutMany(*store, "/a", 40, [](int) { return std::string(1 << 20, 'x'); });
  Delete(*store, "/a");
  const auto size = [&] { return std::filesystem::file_size(folder.File()); };
  ASSERT_TRUE(store->CompactAndWait(41).ok());
  for (int i = 0; i < 1000 && (size() < 1'000'000 || size() > 20'000'000); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_LT(size(), 20'000'000U);
  EXPECT_EQ(Put(*store, "/a", "1")->mod_revision(), 42);
}

}  // namespace
}  // namespace podium::store::testing
