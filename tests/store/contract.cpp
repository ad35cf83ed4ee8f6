#include "store/contract.h"

#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <thread>

namespace podium::store::testing {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

Write Create(std::string key, std::string value) {
  return {.key = std::move(key), .value = std::move(value), .expected = 0};
}

RangeOptions All(std::string prefix = "") {
  RangeOptions options;
  options.keys = KeyRange::Prefix(std::move(prefix));
  return options;
}

TEST_P(StoreContractTest, ANewStoreIsEmptyAndAtRevision0) {
  const auto range = store().Range(All());
  ASSERT_TRUE(range.ok());
  EXPECT_EQ(range->revision, 0);
  EXPECT_THAT(range->entries, IsEmpty());
  const Health health = store().health();
  EXPECT_EQ(health.state, Health::kServing);
  EXPECT_EQ(health.revision, 0);
  EXPECT_EQ(health.keys, 0);
}

TEST_P(StoreContractTest, EveryChangeTakesTheNextRevision) {
  EXPECT_EQ(Put(store(), "/a", "1")->mod_revision(), 1);
  EXPECT_EQ(Put(store(), "/b", "1")->mod_revision(), 2);
  const EntryPtr changed = Put(store(), "/a", "2");
  EXPECT_EQ(changed->mod_revision(), 3);
  EXPECT_EQ(changed->create_revision(), 1);
  EXPECT_EQ(changed->version(), 2);
  const EntryPtr deleted = Delete(store(), "/a");
  EXPECT_TRUE(deleted->deleted());
  EXPECT_EQ(deleted->mod_revision(), 4);
  const EntryPtr again = Put(store(), "/a", "3");
  EXPECT_EQ(again->create_revision(), 5);
  EXPECT_EQ(again->version(), 1);
}

TEST_P(StoreContractTest, CreateOnlyWhenThereIsNone) {
  auto first = store().WriteAndWait(Create("/a", "1"));
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(first->changed);
  EXPECT_EQ(first->revision, 1);
  EXPECT_FALSE(first->previous);
  auto second = store().WriteAndWait(Create("/a", "2"));
  ASSERT_TRUE(second.ok());
  EXPECT_FALSE(second->changed);
  EXPECT_EQ(second->revision, 1) << "no revision is taken";
  EXPECT_FALSE(second->entry);
  ASSERT_TRUE(second->previous);
  EXPECT_EQ(second->previous->value(), "1");
  EXPECT_EQ(store().Get("/a").value()->value(), "1");
}

TEST_P(StoreContractTest, UpdateOnlyTheRevisionThatWasSeen) {
  Put(store(), "/a", "1");
  Put(store(), "/a", "2");
  auto stale = store().WriteAndWait({.key = "/a", .value = "3", .expected = 1});
  ASSERT_TRUE(stale.ok());
  EXPECT_FALSE(stale->changed);
  EXPECT_EQ(stale->previous->mod_revision(), 2);
  auto current = store().WriteAndWait({.key = "/a", .value = "3", .expected = 2});
  ASSERT_TRUE(current.ok());
  EXPECT_TRUE(current->changed);
  EXPECT_EQ(current->entry->value(), "3");
  EXPECT_EQ(current->previous->value(), "2");
  auto none = store().WriteAndWait({.key = "/b", .value = "1", .expected = 3});
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->changed);
  EXPECT_FALSE(none->previous);
}

TEST_P(StoreContractTest, DeleteOnlyTheRevisionThatWasSeenAndGiveTheLastState) {
  Put(store(), "/a", "1");
  auto stale = store().WriteAndWait({.key = "/a", .value = {}, .expected = 7});
  ASSERT_TRUE(stale.ok());
  EXPECT_FALSE(stale->changed);
  auto deleted = store().WriteAndWait({.key = "/a", .value = {}, .expected = 1});
  ASSERT_TRUE(deleted.ok());
  EXPECT_TRUE(deleted->changed);
  EXPECT_EQ(deleted->revision, 2);
  EXPECT_EQ(deleted->previous->value(), "1");
  EXPECT_FALSE(store().Get("/a").value());
  auto nothing = store().WriteAndWait({.key = "/a", .value = {}, .expected = {}});
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(nothing->changed);
  EXPECT_EQ(nothing->revision, 2) << "no revision is taken";
}

TEST_P(StoreContractTest, KeysAndValuesAreBytesOfBoundedSize) {
  const std::string key("/a\0b\xff", 5);
  const std::string value("\0\n\xff{", 4);
  Put(store(), key, value);
  EXPECT_EQ(store().Get(key).value()->value(), value);
  Put(store(), "/empty", "");
  EXPECT_EQ(store().Get("/empty").value()->value(), "");
  EXPECT_FALSE(store().Get("/empty").value()->deleted());
  const std::string longest(kMaxKeyBytes, 'k');
  Put(store(), longest, "1");
  EXPECT_TRUE(store().Get(longest).value());
  for (Write write : {Create("", "1"), Create(longest + "k", "1"),
                      Create("/large", std::string(kMaxValueBytes + 1, 'x'))}) {
    auto refused = store().WriteAndWait(std::move(write));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
  }
  EXPECT_EQ(store().health().revision, 3);
}

TEST_P(StoreContractTest, RangeByPrefixInByteOrder) {
  for (const char* key : {"/b/1", "/a/2", "/a/10", "/a/1", "/a", "/ab"}) Put(store(), key, "x");
  EXPECT_THAT(Show(store().Range(All("/a/")).value().entries),
              ElementsAre("/a/1=x@4", "/a/10=x@3", "/a/2=x@2"));
  RangeOptions single;
  single.keys = KeyRange::Single("/a");
  EXPECT_THAT(Show(store().Range(single).value().entries), ElementsAre("/a=x@5"));
  EXPECT_EQ(store().Range(All()).value().entries.size(), 6U);
  EXPECT_THAT(store().Range(All("/c")).value().entries, IsEmpty());
}

TEST_P(StoreContractTest, RangeReadsOldStates) {
  Put(store(), "/a", "1");
  Put(store(), "/b", "1");
  Put(store(), "/a", "2");
  Delete(store(), "/b");
  Put(store(), "/b", "2");
  const auto at = [&](Revision revision) {
    RangeOptions options = All();
    options.at = revision;
    return Show(store().Range(options).value().entries);
  };
  EXPECT_THAT(at(1), ElementsAre("/a=1@1"));
  EXPECT_THAT(at(2), ElementsAre("/a=1@1", "/b=1@2"));
  EXPECT_THAT(at(3), ElementsAre("/a=2@3", "/b=1@2"));
  EXPECT_THAT(at(4), ElementsAre("/a=2@3"));
  EXPECT_THAT(at(5), ElementsAre("/a=2@3", "/b=2@5"));
  EXPECT_EQ(store().Get("/b", 3).value()->value(), "1");
  EXPECT_FALSE(store().Get("/b", 4).value());
  RangeOptions future = All();
  future.at = 6;
  EXPECT_EQ(store().Range(future).error().code(), Code::kInvalidArgument);
}

TEST_P(StoreContractTest, AContinuationReadsTheRevisionItWasBegunAt) {
  for (const char* key : {"/a/1", "/a/2", "/a/3", "/a/4", "/a/5"}) Put(store(), key, "old");
  Put(store(), "/b", "other");
  RangeOptions options = All("/a/");
  options.limit = 2;
  options.count = true;
  auto page = store().Range(options);
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(Show(page->entries), ElementsAre("/a/1=old@1", "/a/2=old@2"));
  EXPECT_EQ(page->remaining, 3);
  EXPECT_EQ(page->next, "/a/3");
  // Whatever is written between the pages.
  Delete(store(), "/a/3");
  Put(store(), "/a/4", "new");
  Put(store(), "/a/22", "new");
  Put(store(), "/a/6", "new");
  options.at = page->revision;
  options.from = page->next;
  page = store().Range(options);
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(Show(page->entries), ElementsAre("/a/3=old@3", "/a/4=old@4"));
  EXPECT_EQ(page->remaining, 1);
  options.from = page->next;
  page = store().Range(options);
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(Show(page->entries), ElementsAre("/a/5=old@5"));
  EXPECT_EQ(page->remaining, 0);
  EXPECT_EQ(page->next, "");
  EXPECT_EQ(page->revision, 6);
}

TEST_P(StoreContractTest, APageThatEndsWithTheLastKeyHasNoNext) {
  Put(store(), "/a", "1");
  Put(store(), "/b", "1");
  RangeOptions options = All();
  options.limit = 2;
  EXPECT_EQ(store().Range(options).value().next, "");
  options.limit = 1;
  EXPECT_EQ(store().Range(options).value().next, "/b");
  EXPECT_EQ(store().Range(options).value().remaining, 0) << "not counted unless asked for";
}

TEST_P(StoreContractTest, AWatchHasEachEventOnceInOrderWithWhatWasBefore) {
  Put(store(), "/a/1", "old");
  WaitingWatch watch(store(), KeyRange::Prefix("/a/"), 1);
  Put(store(), "/a/1", "new");
  Put(store(), "/b/1", "other");
  Put(store(), "/a/2", "1");
  Delete(store(), "/a/1");
  EXPECT_THAT(Show(watch.Take(3)),
              ElementsAre("~/a/1=new@2 was old", "+/a/2=1@4", "-/a/1@5 was new"));
  Put(store(), "/a/1", "again");
  EXPECT_THAT(Show(watch.Take(1)), ElementsAre("+/a/1=again@6"));
  EXPECT_THAT(watch.TakeNow().value().events, IsEmpty());
}

TEST_P(StoreContractTest, AWatchOfOneKeySeesThatOne) {
  WaitingWatch watch(store(), KeyRange::Single("/a"), 0);
  Put(store(), "/ab", "1");
  Put(store(), "/a", "1");
  EXPECT_THAT(Show(watch.Take(1)), ElementsAre("+/a=1@2"));
}

TEST_P(StoreContractTest, AWatchFromThePastAndFromTheFuture) {
  for (int i = 0; i < 5; ++i) Put(store(), "/a", std::to_string(i));
  WaitingWatch past(store(), KeyRange::Prefix(""), 3);
  EXPECT_THAT(Show(past.Take(2)), ElementsAre("~/a=3@4 was 2", "~/a=4@5 was 3"));
  WaitingWatch future(store(), KeyRange::Prefix(""), 7);
  EXPECT_THAT(future.TakeNow().value().events, IsEmpty());
  for (int i = 5; i < 9; ++i) Put(store(), "/a", std::to_string(i));
  EXPECT_THAT(Show(future.Take(2)), ElementsAre("~/a=7@8 was 6", "~/a=8@9 was 7"));
}

TEST_P(StoreContractTest, BookmarksSayHowFarNothingIsMissing) {
  WaitingWatch watch(store(), KeyRange::Prefix("/a/"), 0);
  EXPECT_EQ(watch.TakeNow().value().revision, 0);
  Put(store(), "/b/1", "1");
  Put(store(), "/b/2", "1");
  auto batch = watch.TakeNow();
  EXPECT_THAT(batch->events, IsEmpty());
  EXPECT_EQ(batch->revision, 2);
  EXPECT_EQ(watch.times_ready(), 0) << "nobody is woken for what he does not watch";
  Put(store(), "/a/1", "1");
  Put(store(), "/a/2", "1");
  Put(store(), "/b/1", "2");
  batch = watch.TakeNow(1);
  EXPECT_EQ(batch->events.size(), 1U);
  EXPECT_EQ(batch->revision, 3) << "what is not taken is not covered";
  EXPECT_TRUE(batch->more);
  batch = watch.TakeNow();
  EXPECT_EQ(batch->events.size(), 1U);
  EXPECT_EQ(batch->revision, 5);
  EXPECT_FALSE(batch->more);
}

TEST_P(StoreContractTest, ReadyIsCalledOnceForAWatcherThatDoesNotTake) {
  WaitingWatch watch(store(), KeyRange::Prefix(""), 0);
  EXPECT_THAT(watch.TakeNow().value().events, IsEmpty());
  for (int i = 0; i < 10; ++i) Put(store(), "/a", std::to_string(i));
  EXPECT_EQ(watch.Take(10).size(), 10U);
  EXPECT_EQ(watch.times_ready(), 1);
}

TEST_P(StoreContractTest, ASlowWatcherHoldsUpNobodyAndMissesNothing) {
  WaitingWatch slow(store(), KeyRange::Prefix(""), 0);
  PutMany(store(), "/a", 3000, [](int i) { return std::to_string(i + 1); });
  const std::vector<Event> events = slow.Take(3000);
  ASSERT_EQ(events.size(), 3000U);
  for (size_t i = 0; i < events.size(); ++i) {
    ASSERT_EQ(events[i].entry->mod_revision(), static_cast<Revision>(i + 1));
    ASSERT_EQ(events[i].entry->value(), std::to_string(i + 1));
  }
}

TEST_P(StoreContractTest, CompactionGivesUpWhatIsBeforeIt) {
  Put(store(), "/a", "1");
  Put(store(), "/b", "1");
  Delete(store(), "/b");
  Put(store(), "/a", "2");
  Put(store(), "/c", "1");
  WaitingWatch slow(store(), KeyRange::Prefix(""), 1);
  ASSERT_TRUE(store().CompactAndWait(4).ok());
  EXPECT_EQ(store().health().compacted, 4);
  RangeOptions options = All();
  options.at = 3;
  auto old = store().Range(options);
  ASSERT_FALSE(old.ok());
  EXPECT_EQ(old.error().code(), Code::kExpired);
  EXPECT_THAT(old.error().message(), HasSubstr("compacted"));
  options.at = 4;
  EXPECT_THAT(Show(store().Range(options).value().entries), ElementsAre("/a=2@4"));
  EXPECT_EQ(slow.TakeNow().error().code(), Code::kExpired);
  EXPECT_EQ(slow.TakeNow().error().code(), Code::kExpired) << "for good";
  EXPECT_EQ(store().StartWatch({.keys = {}, .after = 3, .ready = {}}).error().code(),
            Code::kExpired);
  WaitingWatch fresh(store(), KeyRange::Prefix(""), 4);
  EXPECT_THAT(Show(fresh.Take(1)), ElementsAre("+/c=1@5"));
  // The first event behind it has what was before.
  Put(store(), "/a", "3");
  EXPECT_THAT(Show(fresh.Take(1)), ElementsAre("~/a=3@6 was 2"));
}

TEST_P(StoreContractTest, CompactionHasAnOrder) {
  Put(store(), "/a", "1");
  Put(store(), "/a", "2");
  EXPECT_EQ(store().CompactAndWait(3).error().code(), Code::kInvalidArgument);
  ASSERT_TRUE(store().CompactAndWait(2).ok());
  EXPECT_EQ(store().CompactAndWait(2).error().code(), Code::kExpired);
  EXPECT_EQ(store().CompactAndWait(1).error().code(), Code::kExpired);
  EXPECT_THAT(Show(store().Range(All()).value().entries), ElementsAre("/a=2@2"));
}

TEST_P(StoreContractTest, AWatcherThatIsUpToDateIsNotHurtByCompaction) {
  WaitingWatch watch(store(), KeyRange::Prefix("/a/"), 0);
  EXPECT_THAT(watch.TakeNow().value().events, IsEmpty());
  PutMany(store(), "/b", 100, [](int i) { return std::to_string(i); });
  ASSERT_TRUE(store().CompactAndWait(100).ok());
  EXPECT_EQ(watch.TakeNow().value().revision, 100);
  Put(store(), "/a/1", "1");
  EXPECT_THAT(Show(watch.Take(1)), ElementsAre("+/a/1=1@101"));
}

TEST_P(StoreContractTest, TheLastChangeMayBeACompactedDeletion) {
  Put(store(), "/a", "1");
  Delete(store(), "/a");
  ASSERT_TRUE(store().CompactAndWait(2).ok());
  EXPECT_EQ(store().health().revision, 2);
  EXPECT_EQ(Put(store(), "/a", "2")->mod_revision(), 3);
}

// Whether it is done within ten seconds.
bool Eventually(const std::function<bool()>& done) {
  for (int i = 0; i < 1000; ++i) {
    if (done()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

TEST_P(StoreContractTest, CompactionGivesMemoryBack) {
  PutMany(store(), "/a", 1000, [](int) { return std::string(1000, 'x'); });
  PutMany(store(), "/gone", 600,
          [](int i) { return i % 2 == 0 ? std::optional<std::string>("1") : std::nullopt; });
  EXPECT_GT(store().health().history_bytes, 999'000);
  ASSERT_TRUE(store().CompactAndWait(1600).ok());
  EXPECT_TRUE(Eventually([&] { return store().health().history_bytes == 0; }))
      << store().health().history_bytes;
  EXPECT_EQ(store().health().keys, 1);
}

TEST_P(StoreContractTest, CallbacksComeInTheOrderOfRevisionsFromAnotherCall) {
  std::mutex mutex;
  std::vector<Revision> revisions;
  std::promise<void> all;
  for (int i = 0; i < 200; ++i) {
    store().Apply({.key = "/" + std::to_string(i % 7), .value = "x", .expected = {}},
                  [&, thread = std::this_thread::get_id()](const Result<Written>& written) {
                    std::lock_guard guard(mutex);
                    EXPECT_NE(std::this_thread::get_id(), thread);
                    revisions.push_back(written.value().revision);
                    if (revisions.size() == 200) all.set_value();
                  });
  }
  all.get_future().wait();
  std::lock_guard lock(mutex);
  for (size_t i = 0; i < revisions.size(); ++i) {
    EXPECT_EQ(revisions[i], static_cast<Revision>(i + 1));
  }
}

TEST_P(StoreContractTest, OneOfManyThatCompareAtOnceWins) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 20;
  Put(store(), "/counter", "0");
  std::atomic<int> won = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        while (true) {
          const EntryPtr seen = store().Get("/counter").value();
          const int count = std::atoi(std::string(seen->value()).c_str());
          auto written = store().WriteAndWait({.key = "/counter",
                                               .value = std::to_string(count + 1),
                                               .expected = seen->mod_revision()});
          ASSERT_TRUE(written.ok());
          if (!written->changed) continue;
          ++won;
          // What was acknowledged is there for whoever reads next.
          ASSERT_GE(store().Get("/counter").value()->mod_revision(), written->revision);
          break;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, kThreads * kRounds);
  EXPECT_EQ(store().Get("/counter").value()->value(), std::to_string(kThreads * kRounds));
  EXPECT_EQ(store().health().revision, 1 + kThreads * kRounds);
}

TEST_P(StoreContractTest, AListAndAWatchFromItHaveNoGap) {
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) Put(store(), "/k/" + std::to_string(i % 20), std::to_string(i));
  });
  for (int round = 0; round < 20; ++round) {
    const auto list = store().Range(All("/k/")).value();
    WaitingWatch watch(store(), KeyRange::Prefix("/k/"), list.revision);
    const std::vector<Event> events = watch.Take(3);
    for (size_t i = 0; i < events.size(); ++i) {
      ASSERT_EQ(events[i].entry->mod_revision(), list.revision + static_cast<Revision>(i) + 1);
    }
  }
  stop = true;
  writer.join();
}

TEST_P(StoreContractTest, WatchesOutliveTheStoreAndEnd) {
  WaitingWatch watch(store(), KeyRange::Prefix(""), 0);
  EXPECT_THAT(watch.TakeNow().value().events, IsEmpty());
  store_.reset();
  EXPECT_EQ(watch.times_ready(), 1);
  EXPECT_EQ(watch.TakeNow().error().code(), Code::kCancelled);
}

TEST_P(StoreContractTest, ADestroyedWatchIsNotCalledAnyMore) {
  for (int round = 0; round < 30; ++round) {
    auto called = std::make_shared<std::atomic<bool>>(false);
    std::atomic<bool> destroyed = false;
    auto watch = store().StartWatch(
        {.keys = KeyRange::Prefix(""), .after = store().health().revision, .ready = [&, called] {
           EXPECT_FALSE(destroyed);
           *called = true;
         }});
    ASSERT_TRUE(watch.value()->Take(1).ok());
    std::promise<void> done;
    store().Apply({.key = "/a", .value = "x", .expected = {}},
                  [&](const Result<Written>&) { done.set_value(); });
    if (round % 2 == 0) done.get_future().wait();
    watch->reset();
    destroyed = true;
    if (round % 2 != 0) done.get_future().wait();
  }
}

TEST_P(StoreContractTest, AnAttachmentIsSharedByAllWhoHoldTheEntry) {
  struct Decoded : Attachment {
    explicit Decoded(int the_number) : number(the_number) {}
    const int number;
  };
  Put(store(), "/a", "1");
  const EntryPtr entry = store().Get("/a").value();
  EXPECT_EQ(entry->attachment(), nullptr);
  const Attachment& first = entry->Attach(std::make_unique<Decoded>(1));
  EXPECT_EQ(&entry->Attach(std::make_unique<Decoded>(2)), &first);
  const EntryPtr other = store().Range(All()).value().entries[0];
  EXPECT_EQ(dynamic_cast<const Decoded*>(other->attachment())->number, 1);
}

}  // namespace
}  // namespace podium::store::testing
