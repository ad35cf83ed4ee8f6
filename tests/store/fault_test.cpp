// A disk that fails at every step there is, one after the other, below a store that is opened,
// written, compacted, closed and opened again. Whatever fails: what was acknowledged is there, what
// was refused is not, revisions go on, and the store takes writes again by itself.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <thread>

#include "store/contract.h"
#include "store/fault_disk.h"
#include "store/sqlite_store.h"
#include "support/long_form.h"

namespace podium::store::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr const char* kPath = "/store.db";

// Pages in the log: it is copied all the time, or never but at the end.
constexpr int kSmallLog = 8;
constexpr int kLargeLog = 1'000'000;

SqliteStore::Options OptionsOf(const FaultDisk& disk, int log_pages = kSmallLog) {
  SqliteStore::Options options;
  options.path = kPath;
  options.vfs = disk.name();
  options.log_pages = log_pages;
  options.retry_interval = milliseconds(1);
  return options;
}

bool BecomesServing(const Store& store) {
  for (int i = 0; i < 5000; ++i) {
    if (store.health().state == Health::kServing) return true;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return false;
}

// What a client knows of the store: what was acknowledged, and what failed.
class Client {
 public:
  explicit Client(std::mt19937::result_type seed) : random_(seed) {}

  // A few writes at once. False: the store has refused some.
  bool WriteSome(Store& store) {
    struct Asked {
      Write write;
      std::promise<Result<Written>> answer;
    };
    std::vector<std::unique_ptr<Asked>> all;
    for (size_t i = 0; i <= random_() % 3; ++i) {
      Write write{.key = fmt::format("/k{}", random_() % 6)};
      if (random_() % 5 != 0)
        write.value = std::string(random_() % 6000, static_cast<char>('a' + random_() % 26));
      all.push_back(std::make_unique<Asked>(std::move(write)));
      store.Apply(all.back()->write, [asked = all.back().get()](Result<Written> written) {
        asked->answer.set_value(std::move(written));
      });
    }
    bool ok = true;
    for (const auto& asked : all) {
      Result<Written> written = asked->answer.get_future().get();
      if (written.ok()) {
        Acknowledge(asked->write, *written);
      } else {
        refused_.push_back(asked->write);
        EXPECT_THAT(written.error().code(), AnyOf(Code::kUnavailable, Code::kResourceExhausted))
            << written.error().message();
        ok = false;
      }
    }
    return ok;
  }

  Revision newest() const { return newest_; }

  // The store has exactly what was acknowledged.
  void ExpectExactly(Store& store) const {
    const RangeResult all = store.Range({}).value();
    EXPECT_EQ(all.revision, newest_);
    EXPECT_EQ(Contents(all), acknowledged_);
  }

  // The store may also have, after it, what was refused since the last acknowledged write: its
  // process was gone before it could see to that.
  void ExpectAtLeast(Store& store) {
    const RangeResult all = store.Range({}).value();
    ASSERT_GE(all.revision, newest_);
    ASSERT_LE(all.revision, newest_ + static_cast<Revision>(refused_.size()));
    RangeOptions then;
    then.at = newest_;
    // Revision 0 is an empty store, and as an option the newest.
    if (newest_ > 0) EXPECT_EQ(Contents(store.Range(then).value()), acknowledged_);
    acknowledged_ = Contents(all);
    newest_ = all.revision;
    refused_.clear();
  }

  void ForgetRefused() { refused_.clear(); }

 private:
  using State = std::map<std::string, std::pair<Revision, std::string>>;
  static State Contents(const RangeResult& range) {
    State contents;
    for (const EntryPtr& entry : range.entries) {
      contents[std::string(entry->key())] = {entry->mod_revision(), std::string(entry->value())};
    }
    return contents;
  }

  void Acknowledge(const Write& write, const Written& written) {
    if (!written.changed) return;
    EXPECT_EQ(written.revision, newest_ + 1);
    newest_ = written.revision;
    if (write.value) {
      acknowledged_[write.key] = {written.revision, *write.value};
    } else {
      acknowledged_.erase(write.key);
    }
  }

  std::mt19937 random_;
  State acknowledged_;
  Revision newest_ = 0;
  std::vector<Write> refused_;
};

struct Run {
  Fault fault;
  bool for_ever;   // until it is healed
  bool power_off;  // at the end, instead of closing the store
};

// Whether the step failed.
bool FailOnce(const Run& run, int64_t step, int log_pages) {
  FaultDisk disk("fault-disk");
  std::mt19937 random(static_cast<std::mt19937::result_type>(step));
  Client client(7);
  disk.FailAt(step, run.fault, run.for_ever);
  auto opened = SqliteStore::Open(OptionsOf(disk, log_pages));
  if (!opened.ok()) {
    EXPECT_TRUE(disk.has_failed()) << opened.error().message();
    disk.Heal();
    opened = SqliteStore::Open(OptionsOf(disk, log_pages));
  }
  EXPECT_TRUE(opened.ok()) << opened.error().message();
  if (!opened.ok()) return true;
  std::unique_ptr<SqliteStore> store = *std::move(opened);
  for (int i = 0; i < 16; ++i) {
    const bool compacted = i % 6 != 5 || store->CompactAndWait(client.newest() - 2).ok();
    if (client.WriteSome(*store) && compacted) continue;
    EXPECT_TRUE(disk.has_failed());
    client.ExpectExactly(*store);
    // Power goes in the middle of it, or somebody sees to the disk.
    if (run.power_off && random() % 2 == 0) break;
    disk.Heal();
    EXPECT_TRUE(BecomesServing(*store)) << store->health().error->message();
    EXPECT_TRUE(client.WriteSome(*store));
    client.ForgetRefused();
  }
  client.ExpectExactly(*store);
  const bool failed = disk.has_failed();
  if (run.power_off) {
    // Nothing of what the store does from here on gets to the disk.
    disk.FailAt(1, Fault::kError, true);
    store.reset();
    disk.PowerFailure(random);
  } else {
    store.reset();
  }
  disk.Heal();
  auto again = SqliteStore::Open(OptionsOf(disk, log_pages));
  EXPECT_TRUE(again.ok()) << again.error().message();
  if (!again.ok()) return true;
  if (run.power_off) {
    client.ExpectAtLeast(**again);
  } else {
    client.ExpectExactly(**again);
  }
  EXPECT_TRUE(client.WriteSome(**again));
  client.ExpectExactly(**again);
  return failed;
}

class FaultTest : public ::testing::TestWithParam<Run> {};

TEST_P(FaultTest, AtEveryStep) {
  // In the short form every few steps, others for each kind of fault.
  const int64_t stride = podium::testing::IsLongForm() ? 1 : 11;
  int64_t step = 1 + static_cast<int64_t>(GetParam().fault);
  for (; step < 20'000; step += stride) {
    SCOPED_TRACE(::testing::Message() << "step " << step);
    const bool small = FailOnce(GetParam(), step, kSmallLog);
    const bool large = FailOnce(GetParam(), step, kLargeLog);
    if ((!small && !large) || HasFailure()) break;
  }
  RecordProperty("steps", static_cast<int>(step));
  EXPECT_GT(step, GetParam().fault == Fault::kSync ? 20 : 100) << "steps there are";
  EXPECT_LT(step, 20'000);
}

INSTANTIATE_TEST_SUITE_P(
    All, FaultTest,
    ::testing::Values(Run{Fault::kError, false, false}, Run{Fault::kError, true, false},
                      Run{Fault::kShortWrite, false, false}, Run{Fault::kFull, true, false},
                      Run{Fault::kSync, false, false}, Run{Fault::kSync, false, true},
                      Run{Fault::kError, false, true}, Run{Fault::kError, true, true},
                      Run{Fault::kShortWrite, false, true}, Run{Fault::kFull, true, true}),
    [](const auto& info) {
      const Run& run = info.param;
      return fmt::format("{}{}{}",
                         run.fault == Fault::kError        ? "Error"
                         : run.fault == Fault::kShortWrite ? "ShortWrite"
                         : run.fault == Fault::kSync       ? "Sync"
                                                           : "Full",
                         run.for_ever ? "s" : "", run.power_off ? "ThenPowerFailure" : "");
    });

// Power failures alone, at random moments of a store whose disk is sound.
TEST(PowerFailureTest, EveryAcknowledgedWriteIsThere) {
  FaultDisk disk("fault-disk");
  std::mt19937 random(3);
  Client client(11);
  for (podium::testing::Times times(1000); times.Next();) {
    auto store = SqliteStore::Open(OptionsOf(disk));
    ASSERT_TRUE(store.ok()) << store.error().message();
    client.ExpectAtLeast(**store);
    disk.FailAt(1 + static_cast<int64_t>(random() % 150), Fault::kError, true);
    for (int i = 0; i < 20 && client.WriteSome(**store); ++i) {
      if (random() % 10 == 0) (void)(*store)->CompactAndWait(client.newest());
    }
    disk.FailAt(1, Fault::kError, true);
    store->reset();
    disk.PowerFailure(random);
    disk.Heal();
    if (::testing::Test::HasFailure()) return;
  }
}

// The log is copied into the file and begun anew, however long the store runs.
TEST(LogTest, DoesNotGrow) {
  FaultDisk disk("fault-disk");
  auto store = *SqliteStore::Open(OptionsOf(disk));
  size_t largest = 0;
  for (int i = 0; i < 300; ++i) {
    Put(*store, "/a", std::string(3000, 'x'));
    largest = std::max(largest, disk.SizeOf("/store.db-wal"));
  }
  EXPECT_GT(largest, 0U);
  EXPECT_LT(largest, 40U * 4120);
}

TEST(DiskFullTest, IsReadOnlySaysWhyAndComesBackByItself) {
  FaultDisk disk("fault-disk");
  auto store = *SqliteStore::Open(OptionsOf(disk));
  Put(*store, "/a", "1");
  disk.FailAt(1, Fault::kFull, true);
  std::optional<Error> refused;
  for (int i = 0; i < 1000 && !refused; ++i) {
    auto written = store->WriteAndWait({.key = "/b", .value = std::string(3000, 'x')});
    if (!written.ok()) refused = std::move(written).error();
  }
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code(), Code::kResourceExhausted);
  EXPECT_THAT(refused->message(),
              HasSubstr("the store is read-only: /store.db: database or disk is "
                        "full"));
  const Health health = store->health();
  EXPECT_EQ(health.state, Health::kReadOnly);
  EXPECT_EQ(health.error->message(), refused->message());
  EXPECT_EQ(store->Get("/a").value()->value(), "1") << "reads go on";
  const Revision before = health.revision;
  disk.Heal();
  EXPECT_TRUE(BecomesServing(*store));
  EXPECT_FALSE(store->health().error);
  EXPECT_EQ(Put(*store, "/a", "2")->mod_revision(), before + 1);
}

// Each write of a group that fails gets the error, also one that had lost to another of the group.
TEST(DiskFullTest, AGroupFailsAsAWhole) {
  FaultDisk disk("fault-disk");
  auto store = *SqliteStore::Open(OptionsOf(disk));
  disk.FailAt(1, Fault::kError, true);
  std::vector<std::promise<Result<Written>>> answers(20);
  for (auto& answer : answers) {
    store->Apply({.key = "/a", .value = "x", .expected = 0},
                 [&answer](Result<Written> written) { answer.set_value(std::move(written)); });
  }
  for (auto& answer : answers) {
    const Result<Written> written = answer.get_future().get();
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().code(), Code::kUnavailable);
  }
  disk.Heal();
  EXPECT_TRUE(BecomesServing(*store));
  EXPECT_FALSE(store->Get("/a").value());
  EXPECT_EQ(Put(*store, "/a", "1")->mod_revision(), 1);
}

// Bytes that the disk changed are found, wherever they are, or are nobody's.
TEST(DamageTest, IsFoundOrHarmless) {
  FaultDisk disk("fault-disk");
  const auto fill = [](Store& store) {
    for (int i = 0; i < 40; ++i)
      Put(store, fmt::format("/k{}", i), std::string(static_cast<size_t>(i) * 300, 'v'));
    Delete(store, "/k7");
    EXPECT_TRUE(store.CompactAndWait(20).ok());
  };
  std::vector<std::string> before;
  {
    auto store = *SqliteStore::Open(OptionsOf(disk));
    fill(*store);
    before = Show(store->Range({}).value().entries);
  }
  const size_t size = disk.SizeOf(kPath);
  ASSERT_GT(size, 100'000U);
  int found = 0;
  int harmless = 0;
  const bool long_form = podium::testing::IsLongForm();
  // The first page has the schema, which a store without rows must not be mistaken for.
  const auto step = [&](size_t at) -> size_t {
    if (at < 4096) return long_form ? 1 : 13;
    return long_form ? 97 : 997;
  };
  for (size_t at = 3; at < size; at += step(at)) {
    disk.Damage(kPath, at);
    auto store = SqliteStore::Open(OptionsOf(disk));
    if (store.ok()) {
      ++harmless;
      ASSERT_EQ(Show((*store)->Range({}).value().entries), before) << "byte " << at;
    } else {
      ++found;
      ASSERT_THAT(store.error().message(), HasSubstr("store.db"));
    }
    store = Error(Code::kInternal, "closed");
    disk.Damage(kPath, at);  // as it was
  }
  EXPECT_GT(found, 100);
  EXPECT_GT(harmless, 0);
}

}  // namespace
}  // namespace podium::store::testing
