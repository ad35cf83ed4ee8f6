#include "client/work_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "client/virtual_time.h"

namespace podium::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

class WorkQueueTest : public ::testing::Test {
 protected:
  WorkQueue::Options Options(int workers = 1) {
    return {.executor = &time_,
            .clock = &time_,
            .workers = workers,
            .reconcile = [this](const std::string& key) -> Result<Reconciled> {
              seen_.push_back(key);
              times_.push_back(time_.Now() - start_);
              if (during_) during_(key);
              if (failures_ > 0) {
                --failures_;
                return Error(Code::kInternal, "no");
              }
              return std::exchange(answer_, {});
            },
            .on_error = [this](const std::string&, const Error&) { ++errors_; }};
  }
  std::vector<std::string> Seen() { return std::exchange(seen_, {}); }

  VirtualTime time_;
  const int64_t start_ = time_.Now();
  std::vector<std::string> seen_;
  std::vector<int64_t> times_;
  std::function<void(const std::string&)> during_;
  int failures_ = 0;
  int errors_ = 0;
  Reconciled answer_;
};

TEST_F(WorkQueueTest, HandsOutEachKeyOnceAndInOrder) {
  WorkQueue queue(Options());
  for (const char* key : {"b", "a", "b", "c", "a"}) queue.Add(key);
  EXPECT_EQ(queue.size(), 3U);
  time_.Settle();
  // The gate is closed.
  EXPECT_THAT(Seen(), IsEmpty());
  queue.Open();
  time_.Settle();
  EXPECT_THAT(Seen(), ElementsAre("b", "a", "c"));
  EXPECT_TRUE(queue.idle());
  queue.Close();
  queue.Add("d");
  time_.Settle();
  EXPECT_THAT(Seen(), IsEmpty());
  queue.Open();
  time_.Settle();
  EXPECT_THAT(Seen(), ElementsAre("d"));
}

TEST_F(WorkQueueTest, WhatIsAddedWhileItIsHeldComesAgain) {
  WorkQueue queue(Options(4));
  during_ = [&](const std::string&) {
    if (seen_.size() == 1) {
      queue.Add("a");
      queue.Add("a");
      EXPECT_EQ(queue.size(), 0U);
    }
  };
  queue.Open();
  queue.Add("a");
  time_.Settle();
  EXPECT_THAT(Seen(), ElementsAre("a", "a"));
}

TEST_F(WorkQueueTest, FailuresBackOff) {
  WorkQueue queue(Options());
  queue.Open();
  failures_ = 4;
  queue.Add("a");
  time_.RunFor(1s);
  EXPECT_EQ(errors_, 4);
  EXPECT_EQ(seen_.size(), 5U);
  EXPECT_THAT(times_, ElementsAre(0, 5'000'000, 15'000'000, 35'000'000, 75'000'000));
  EXPECT_EQ(queue.NumRequeues("a"), 0);
  // A success has forgotten them.
  times_.clear();
  failures_ = 1;
  queue.Add("a");
  time_.RunFor(1s);
  EXPECT_THAT(times_, ElementsAre(1'000'000'000, 1'005'000'000));
}

TEST_F(WorkQueueTest, AsksForLater) {
  WorkQueue queue(Options());
  queue.Open();
  answer_.requeue_after = 30s;
  queue.Add("a");
  time_.RunFor(29s);
  EXPECT_THAT(Seen(), ElementsAre("a"));
  time_.RunFor(2s);
  EXPECT_THAT(Seen(), ElementsAre("a"));
  // The earlier of two wins, and neither comes twice.
  queue.AddAfter("b", 10s);
  queue.AddAfter("b", 5s);
  queue.AddAfter("b", 20s);
  time_.RunFor(6s);
  EXPECT_THAT(Seen(), ElementsAre("b"));
  time_.RunFor(60s);
  EXPECT_THAT(Seen(), IsEmpty());
  queue.AddAfter("c", 0s);
  time_.Settle();
  EXPECT_THAT(Seen(), ElementsAre("c"));
}

TEST_F(WorkQueueTest, DrainsAndShutsDown) {
  WorkQueue queue(Options());
  queue.Add("a");
  queue.AddAfter("later", 1s);
  queue.Drain();
  queue.Add("b");
  queue.Open();
  time_.RunFor(10s);
  EXPECT_THAT(Seen(), ElementsAre("a"));
  EXPECT_TRUE(queue.idle());
  WorkQueue other(Options());
  other.Open();
  other.Add("x");
  other.AddAfter("y", 1s);
  other.ShutDown();
  time_.RunFor(10s);
  EXPECT_THAT(Seen(), IsEmpty());
  EXPECT_TRUE(time_.idle());
}

TEST(RateLimiter, DoublesToALimit) {
  RateLimiter limiter({.per_second = 0});
  EXPECT_EQ(limiter.When("a", 0), 5ms);
  EXPECT_EQ(limiter.When("a", 0), 10ms);
  EXPECT_EQ(limiter.When("b", 0), 5ms);
  EXPECT_EQ(limiter.NumRequeues("a"), 2);
  for (int i = 0; i < 2000; ++i) (void)limiter.When("a", 0);
  EXPECT_EQ(limiter.When("a", 0), 1000s);
  limiter.Forget("a");
  EXPECT_EQ(limiter.NumRequeues("a"), 0);
  EXPECT_EQ(limiter.When("a", 0), 5ms);
}

TEST(RateLimiter, HasOneBucketForAll) {
  RateLimiter limiter({.base = 1ns});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(limiter.When(std::to_string(i), 0), 1ns);
  EXPECT_EQ(limiter.When("x", 0), 100ms);
  EXPECT_EQ(limiter.When("y", 0), 200ms);
  // Half a second fills five; two are promised.
  EXPECT_EQ(limiter.When("z", kNanosPerSecond / 2), 1ns);
  // A clock that is set back gives nothing.
  for (int i = 0; i < 2; ++i) (void)limiter.When("w" + std::to_string(i), 0);
  EXPECT_EQ(limiter.When("v", 0), 100ms);
}

TEST(WorkQueueThreads, NeverGiveOneKeyToTwo) {
  SystemClock clock;
  ThreadExecutor executor;
  std::mutex mutex;
  std::map<std::string, int> held;
  std::atomic<int> done = 0;
  std::atomic<bool> clash = false;
  WorkQueue queue({.executor = &executor,
                   .clock = &clock,
                   .workers = 4,
                   .reconcile = [&](const std::string& key) -> Result<Reconciled> {
                     {
                       const std::lock_guard lock(mutex);
                       if (++held[key] > 1) clash = true;
                     }
                     std::this_thread::sleep_for(100us);
                     const std::lock_guard lock(mutex);
                     --held[key];
                     ++done;
                     return Reconciled();
                   }});
  queue.Open();
  for (int i = 0; i < 2000; ++i) queue.Add(std::to_string(i % 7));
  for (int i = 0; i < 1000 && !(queue.idle() && queue.size() == 0); ++i) {
    std::this_thread::sleep_for(5ms);
  }
  queue.ShutDown();
  EXPECT_FALSE(clash);
  EXPECT_GE(done, 7);
  const int before = done;
  queue.Add("late");
  std::this_thread::sleep_for(5ms);
  EXPECT_EQ(done, before);
}

}  // namespace
}  // namespace podium::client
