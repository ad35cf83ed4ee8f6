// A process with a store and fifty writers is killed by SIGKILL at random moments, again and again.
// What it acknowledged is there; revisions never go back; a watcher that goes on where it was sees
// every event once and in order. Fifty times; five hundred with PODIUM_TEST_LONG=1.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <map>
#include <new>
#include <random>
#include <thread>

#include "store/contract.h"
#include "store/sqlite_store.h"
#include "support/long_form.h"

namespace podium::store::testing {
namespace {

constexpr int kWriters = 50;
constexpr int kKeysOfWriter = 4;

// What the killed process has told the world, in memory that outlives it.
struct Told {
  struct Key {
    // Of the last change that was acknowledged: the writer's own count of it, the revision, and
    // whether it was a deletion.
    std::atomic<int64_t> count;
    std::atomic<int64_t> revision;
    std::atomic<bool> deleted;
    // Of the last one that was asked for.
    std::atomic<int64_t> asked;
    std::atomic<bool> asked_deleted;
  };
  std::atomic<bool> open;
  std::atomic<int64_t> newest;     // greatest revision that anybody was told
  std::atomic<int64_t> watched;    // the watcher has handled every event up to it
  std::atomic<int64_t> complaint;  // what the watcher has found wrong: a revision
  std::array<std::array<Key, kKeysOfWriter>, kWriters> keys;
};

void RaiseTo(std::atomic<int64_t>& to, int64_t value) {
  int64_t there = to;
  while (there < value && !to.compare_exchange_weak(there, value)) {
  }
}

std::string KeyOf(int writer, int key) { return fmt::format("/w{}/k{}", writer, key); }

std::unique_ptr<SqliteStore> OpenStore(const std::string& path) {
  SqliteStore::Options options{.path = path};
  options.log_pages = 64;
  auto store = SqliteStore::Open(options);
  if (!store.ok()) {
    std::fputs((store.error().message() + "\n").c_str(), stderr);
    return nullptr;
  }
  return *std::move(store);
}

// One writer: each key's count goes up with every write; now and then it is deleted, which counts
// too.
void WriteForEver(Store& store, Told& told, int writer, unsigned seed) {
  std::mt19937 random(seed);
  while (true) {
    const int key = static_cast<int>(random() % kKeysOfWriter);
    Told::Key& known = told.keys[static_cast<size_t>(writer)][static_cast<size_t>(key)];
    const EntryPtr seen = store.Get(KeyOf(writer, key)).value();
    Write write{.key = KeyOf(writer, key), .expected = seen ? seen->mod_revision() : 0};
    const int64_t count = known.count + 1;
    if (!seen || random() % 4 != 0) {
      write.value = fmt::format("{} {}", count, std::string(random() % 2000, 'v'));
    }
    known.asked_deleted = !write.value;
    known.asked = count;
    const auto written = store.WriteAndWait(std::move(write));
    if (!written.ok() || !written->changed) _exit(3);
    known.deleted = written->entry->deleted();
    known.revision = written->revision;
    known.count = count;
    RaiseTo(told.newest, written->revision);
  }
}

// Handles events from where it was. Everything is watched, so that revisions have no gap.
void WatchForEver(Store& store, Told& told) {
  auto watch = store.StartWatch({.keys = KeyRange::Prefix(""), .after = told.watched});
  if (!watch.ok()) _exit(4);
  while (true) {
    auto batch = (*watch)->Take(50);
    if (!batch.ok()) _exit(5);
    for (const Event& event : batch->events) {
      const int64_t revision = event.entry->mod_revision();
      if (revision != told.watched + 1) {
        told.complaint = revision;
        _exit(6);
      }
      told.watched = revision;
    }
    if (!batch->more) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// Gives up history behind the watcher's back, but not before its place.
void CompactForEver(Store& store, Told& told) {
  while (true) {
    std::this_thread::sleep_for(std::chrono::milliseconds(7));
    const Revision to = told.watched - 20;
    if (to <= store.health().compacted) continue;
    if (!store.CompactAndWait(to).ok()) _exit(7);
  }
}

[[noreturn]] void RunStore(const std::string& path, Told& told, unsigned seed) {
  // Not destroyed: the process is killed.
  Store* store = OpenStore(path).release();
  if (store == nullptr) _exit(2);
  for (int i = 0; i < kWriters; ++i) {
    std::thread([=, &told] {
      WriteForEver(*store, told, i, seed + static_cast<unsigned>(i));
    }).detach();
  }
  std::thread([=, &told] { CompactForEver(*store, told); }).detach();
  told.open = true;
  WatchForEver(*store, told);
  _exit(8);
}

class CrashTest : public ::testing::Test {
 protected:
  CrashTest()
      : told_(*new(mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                        -1, 0)) Told{}) {}
  ~CrashTest() override { munmap(&told_, sizeof(Told)); }

  // Starts it, kills it that long after it is open, and checks that it was that which ended it.
  void RunAndKill(unsigned seed, std::chrono::microseconds after) {
    told_.open = false;
    const pid_t pid = fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) RunStore(folder_.File(), told_, seed);
    int status = 0;
    for (int i = 0; i < 20'000 && !told_.open; ++i) {
      ASSERT_EQ(waitpid(pid, &status, WNOHANG), 0) << "it ended with " << status;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(after);
    kill(pid, SIGKILL);
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFSIGNALED(status))
        << "it ended with " << WEXITSTATUS(status) << ", complaint " << told_.complaint;
  }

  // Looks at what is there, and brings what is known up to it: a write that nobody was told of may
  // have been made.
  void Check() {
    auto store = OpenStore(folder_.File());
    ASSERT_TRUE(store);
    const Health health = store->health();
    ASSERT_GE(health.revision, told_.newest) << "revisions went back";
    ASSERT_GE(health.revision, told_.watched) << "an event was shown that is not there any more";
    ASSERT_LE(health.compacted, told_.watched);
    for (int writer = 0; writer < kWriters; ++writer) {
      for (int key = 0; key < kKeysOfWriter; ++key) CheckKey(*store, writer, key);
    }
    RaiseTo(told_.newest, health.revision);
  }

  void CheckKey(Store& store, int writer, int key) {
    SCOPED_TRACE(KeyOf(writer, key));
    Told::Key& known = told_.keys[static_cast<size_t>(writer)][static_cast<size_t>(key)];
    const EntryPtr entry = store.Get(KeyOf(writer, key)).value();
    // What was on its way, if it was made; killed between the two, `known` has some of it.
    const bool on_its_way = known.asked == known.count + 1;
    if (!entry) {
      ASSERT_TRUE(known.count == 0 || known.deleted || (on_its_way && known.asked_deleted));
      if (on_its_way && known.asked_deleted) known.count = known.asked.load();
      known.deleted = true;
      return;
    }
    const int64_t count = std::stoll(std::string(entry->value()));
    if (count != known.count) {
      ASSERT_TRUE(on_its_way && !known.asked_deleted) << count << " and not " << known.count;
      ASSERT_EQ(count, known.asked);
    } else {
      ASSERT_GE(entry->mod_revision(), known.revision);
    }
    known.count = count;
    known.revision = entry->mod_revision();
    known.deleted = false;
  }

  const Folder folder_;
  Told& told_;
};

TEST_F(CrashTest, AcknowledgedWritesSurviveKill9) {
  std::mt19937 random(1);
  int64_t rounds = podium::testing::IsLongForm() ? 500 : 50;
  for (; rounds > 0; --rounds) {
    RunAndKill(static_cast<unsigned>(random()), std::chrono::microseconds(random() % 30'000));
    if (HasFatalFailure()) return;
    Check();
    if (HasFailure()) return;
  }
  EXPECT_GT(told_.newest, 1000);
  EXPECT_GT(told_.watched, 1000);
}

}  // namespace
}  // namespace podium::store::testing
