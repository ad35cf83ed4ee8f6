// Many watchers and readers against a model, while writers write, history is compacted, and
// watchers come and go: whatever the order of things, each watcher sees what the log of changes
// says, from its place on, and every state that is read is that of its revision.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "base/executor.h"
#include "store/contract.h"
#include "store/memory_store.h"
#include "store/sqlite_store.h"
#include "support/long_form.h"

namespace podium::store::testing {
namespace {

using std::chrono::seconds;

// All changes there were, by revision, as their writers were told of them.
class Log {
 public:
  struct Change {
    std::string key;
    std::optional<std::string> value;
  };

  void Add(Revision revision, Change change) {
    std::lock_guard lock(mutex_);
    EXPECT_TRUE(changes_.emplace(revision, std::move(change)).second)
        << "revision " << revision << " twice";
  }
  // When all writers are done: what was read, by revision, against it.
  const std::map<Revision, Change>& changes() const { return changes_; }

 private:
  std::mutex mutex_;
  std::map<Revision, Change> changes_;
};

std::string RandomKey(std::mt19937& random) {
  return fmt::format("/{}/{}", static_cast<char>('a' + random() % 3), random() % 12);
}

KeyRange RandomRange(std::mt19937& random) {
  switch (random() % 4) {
    case 0:
      return KeyRange::Prefix("");
    case 1:
      return KeyRange::Prefix(fmt::format("/{}/", static_cast<char>('a' + random() % 3)));
    case 2:
      return KeyRange::Prefix("/a/1");  // and /a/10, /a/11
    default:
      return KeyRange::Single(RandomKey(random));
  }
}

// What one watcher was shown: where it began, the events, and how far it is complete.
struct Seen {
  KeyRange keys;
  Revision after = 0;
  Revision complete = 0;
  std::vector<Event> events = {};
};

struct ReadState {
  KeyRange keys;
  RangeResult result = {};
  std::string from = {};
  size_t limit = 0;
};

class World {
 public:
  explicit World(Store& store) : store_(store) {}

  void Write(unsigned seed, int count) {
    std::mt19937 random(seed);
    for (int i = 0; i < count; ++i) {
      store::Write write{.key = RandomKey(random)};
      if (random() % 4 != 0) write.value = fmt::format("{}-{}", seed, i);
      if (random() % 2 == 0) {
        const EntryPtr seen = store_.Get(write.key).value();
        write.expected = seen ? seen->mod_revision() : 0;
      }
      const auto written = store_.WriteAndWait(write);
      ASSERT_TRUE(written.ok()) << written.error().message();
      if (written->changed) log_.Add(written->revision, {write.key, write.value});
    }
  }

  void Compact(unsigned seed) {
    std::mt19937 random(seed);
    while (!stop_) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
      const Health health = store_.health();
      const Revision window = static_cast<Revision>(random() % 80);
      const Revision to = health.revision - window;
      if (to > health.compacted) EXPECT_TRUE(store_.CompactAndWait(to).ok());
    }
  }

  // One watch after the other: from the place of the one before, or from a list when that is
  // compacted. Some take everything at once, some are slow.
  void Watch(unsigned seed) {
    std::mt19937 random(seed);
    const KeyRange keys = RandomRange(random);
    Seen seen = FromList(keys);
    while (!stop_) {
      ++watches_;
      auto watch = store_.StartWatch({.keys = keys, .after = seen.complete});
      bool expired = !watch.ok();
      for (size_t i = 0; watch.ok() && !expired && i < random() % 30; ++i) {
        const auto batch = (*watch)->Take(1 + random() % 20);
        expired = !batch.ok();
        if (expired) {
          ASSERT_EQ(batch.error().code(), Code::kExpired);
          break;
        }
        ASSERT_GE(batch->revision, seen.complete);
        seen.complete = batch->revision;
        seen.events.insert(seen.events.end(), batch->events.begin(), batch->events.end());
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 500));
      }
      if (!expired) continue;
      Keep(std::move(seen));
      seen = FromList(keys);
    }
    Keep(std::move(seen));
  }

  // Lists in pages, at one revision.
  void Read(unsigned seed) {
    std::mt19937 random(seed);
    while (!stop_) {
      ReadState state{.keys = RandomRange(random), .limit = 1 + random() % 10};
      RangeOptions options{.keys = state.keys, .limit = state.limit, .count = true};
      for (int page = 0; page < 4; ++page) {
        auto result = store_.Range(options);
        if (!result.ok()) {
          ASSERT_EQ(result.error().code(), Code::kExpired);
          break;
        }
        state.result = *result;
        state.from = options.from;
        {
          std::lock_guard lock(mutex_);
          states_.push_back(state);
        }
        if (result->next.empty()) break;
        options.at = result->revision;
        options.from = result->next;
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 300));
      }
    }
  }

  void Stop() { stop_ = true; }

  void Check() {
    Revision expected = 0;
    for (const auto& [revision, change] : log_.changes()) ASSERT_EQ(revision, ++expected);
    for (const Seen& seen : seen_) CheckSeen(seen);
    std::sort(states_.begin(), states_.end(), [](const ReadState& a, const ReadState& b) {
      return a.result.revision < b.result.revision;
    });
    std::map<std::string, std::string> model;
    auto next = log_.changes().begin();
    for (const ReadState& state : states_) {
      for (; next != log_.changes().end() && next->first <= state.result.revision; ++next) {
        if (next->second.value) {
          model[next->second.key] = *next->second.value;
        } else {
          model.erase(next->second.key);
        }
      }
      CheckState(state, model);
      if (::testing::Test::HasFatalFailure()) return;
    }
    EXPECT_GT(states_.size(), 100U);
    EXPECT_GT(watches_, 50);
  }

 private:
  Seen FromList(const KeyRange& keys) {
    RangeOptions options{.keys = keys};
    const Revision revision = store_.Range(options).value().revision;
    return {.keys = keys, .after = revision, .complete = revision};
  }

  void Keep(Seen seen) {
    std::lock_guard lock(mutex_);
    seen_.push_back(std::move(seen));
  }

  void CheckSeen(const Seen& seen) {
    size_t at = 0;
    std::map<std::string, std::string> model;
    for (const auto& [revision, change] : log_.changes()) {
      if (revision > seen.complete) break;
      const auto before = model.find(change.key);
      const std::optional<std::string> was =
          before == model.end() ? std::nullopt : std::optional(before->second);
      if (change.value) {
        model[change.key] = *change.value;
      } else {
        model.erase(change.key);
      }
      if (revision <= seen.after || !seen.keys.Contains(change.key)) continue;
      ASSERT_LT(at, seen.events.size()) << "revision " << revision << " is missing";
      const Event& event = seen.events[at++];
      ASSERT_EQ(event.entry->mod_revision(), revision);
      ASSERT_EQ(event.entry->key(), change.key);
      ASSERT_EQ(event.entry->deleted(), !change.value);
      ASSERT_EQ(event.entry->value(), change.value.value_or(""));
      ASSERT_EQ(event.previous ? std::optional(std::string(event.previous->value())) : std::nullopt,
                was);
    }
    ASSERT_EQ(at, seen.events.size()) << "events that were not";
  }

  static void CheckState(const ReadState& state, const std::map<std::string, std::string>& model) {
    std::vector<std::pair<std::string, std::string>> expected;
    std::string next;
    int64_t remaining = 0;
    for (const auto& [key, value] : model) {
      if (!state.keys.Contains(key) || key < state.from) continue;
      if (expected.size() < state.limit) {
        expected.emplace_back(key, value);
      } else {
        if (next.empty()) next = key;
        ++remaining;
      }
    }
    std::vector<std::pair<std::string, std::string>> got;
    for (const EntryPtr& entry : state.result.entries)
      got.emplace_back(entry->key(), entry->value());
    ASSERT_EQ(got, expected) << "at " << state.result.revision;
    ASSERT_EQ(state.result.next, next);
    ASSERT_EQ(state.result.remaining, remaining);
  }

  Store& store_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> watches_ = 0;
  Log log_;
  std::mutex mutex_;
  std::vector<Seen> seen_;
  std::vector<ReadState> states_;
};

void RunWorld(Store& store, unsigned seed, int writes) {
  World world(store);
  std::vector<std::thread> others;
  for (unsigned i = 0; i < 12; ++i) others.emplace_back([&, i] { world.Watch(seed + 100 + i); });
  for (unsigned i = 0; i < 2; ++i) others.emplace_back([&, i] { world.Read(seed + 200 + i); });
  others.emplace_back([&] { world.Compact(seed + 300); });
  std::vector<std::thread> writers;
  for (unsigned i = 0; i < 6; ++i) {
    writers.emplace_back([&, i] { world.Write(seed + i, writes); });
  }
  for (std::thread& writer : writers) writer.join();
  world.Stop();
  for (std::thread& other : others) other.join();
  world.Check();
}

TEST(ModelTest, OfMemory) {
  ThreadExecutor executor;
  for (unsigned seed = 0; seed < (podium::testing::IsLongForm() ? 50U : 1U); ++seed) {
    SCOPED_TRACE(seed);
    MemoryStore store(executor);
    RunWorld(store, seed * 1000, 800);
    if (HasFailure()) return;
  }
}

TEST(ModelTest, OfSqlite) {
  for (unsigned seed = 0; seed < (podium::testing::IsLongForm() ? 20U : 1U); ++seed) {
    SCOPED_TRACE(seed);
    const Folder folder;
    auto store = SqliteStore::Open({.path = folder.File(), .log_pages = 32});
    ASSERT_TRUE(store.ok()) << store.error().message();
    RunWorld(**store, 7 + seed * 1000, 150);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace podium::store::testing
