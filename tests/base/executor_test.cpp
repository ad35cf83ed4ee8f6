#include "base/executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <set>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace podium {
namespace {

using namespace std::chrono_literals;

constexpr auto kSoon = 10s;

TEST(ExecutorTest, TasksRunElsewhere) {
  ThreadExecutor executor;
  std::promise<std::thread::id> done;
  executor.Post([&] { done.set_value(std::this_thread::get_id()); });
  auto where = done.get_future();
  ASSERT_EQ(where.wait_for(kSoon), std::future_status::ready);
  EXPECT_NE(where.get(), std::this_thread::get_id());
}

TEST(ExecutorTest, ATaskThatWaitsHoldsUpNobody) {
  ThreadExecutor executor;
  std::promise<void> first;
  std::promise<void> second;
  // Each waits for the one posted after it.
  executor.Post([&] {
    second.get_future().wait();
    first.set_value();
  });
  executor.Post([&] { second.set_value(); });
  EXPECT_EQ(first.get_future().wait_for(kSoon), std::future_status::ready);
}

TEST(ExecutorTest, NoMoreThreadsThanAllowed) {
  ThreadExecutor executor(2);
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::atomic<int> done = 0;
  std::promise<void> all;
  for (int i = 0; i < 50; ++i) {
    executor.Post([&] {
      const int now = ++running;
      int seen = most;
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      std::this_thread::sleep_for(1ms);
      --running;
      if (++done == 50) all.set_value();
    });
  }
  ASSERT_EQ(all.get_future().wait_for(kSoon), std::future_status::ready);
  EXPECT_LE(most, 2);
}

TEST(ExecutorTest, TimersRunInTheOrderOfTheirTimes) {
  ThreadExecutor executor(1);
  std::mutex mutex;
  std::vector<int> order;
  std::promise<void> last;
  auto note = [&](int which) {
    std::lock_guard lock(mutex);
    order.push_back(which);
    if (order.size() == 3) last.set_value();
  };
  executor.PostAfter(60ms, [&] { note(3); });
  executor.PostAfter(20ms, [&] { note(1); });
  executor.PostAfter(40ms, [&] { note(2); });
  ASSERT_EQ(last.get_future().wait_for(kSoon), std::future_status::ready);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(ExecutorTest, ATimerThatIsCancelledDoesNotRun) {
  ThreadExecutor executor;
  std::atomic<bool> ran = false;
  std::promise<void> later;
  const auto timer = executor.PostAfter(20ms, [&] { ran = true; });
  executor.PostAfter(60ms, [&] { later.set_value(); });
  executor.Cancel(timer);
  executor.Cancel(timer);
  executor.Cancel(12345);
  ASSERT_EQ(later.get_future().wait_for(kSoon), std::future_status::ready);
  EXPECT_FALSE(ran);
}

TEST(ExecutorTest, TheEndWaitsForWhatRunsAndDropsTheRest) {
  std::atomic<bool> finished = false;
  std::atomic<bool> timer_ran = false;
  auto held = std::make_shared<int>(1);
  {
    ThreadExecutor executor;
    std::promise<void> begun;
    executor.Post([&] {
      begun.set_value();
      std::this_thread::sleep_for(30ms);
      finished = true;
    });
    executor.PostAfter(1h, [&timer_ran, held] { timer_ran = true; });
    begun.get_future().wait();
  }
  EXPECT_TRUE(finished);
  EXPECT_FALSE(timer_ran);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(ExecutorTest, TasksMayPostTasks) {
  ThreadExecutor executor(1);
  std::promise<int> done;
  std::function<void(int)> step = [&](int n) {
    if (n == 100) return done.set_value(n);
    executor.Post([&step, n] { step(n + 1); });
  };
  step(0);
  auto result = done.get_future();
  ASSERT_EQ(result.wait_for(kSoon), std::future_status::ready);
}

TEST(ClockTest, TheSystemClockTellsTheTimeOfDay) {
  const auto before = std::chrono::system_clock::now().time_since_epoch();
  const int64_t now = SystemClock().Now();
  const auto after = std::chrono::system_clock::now().time_since_epoch();
  EXPECT_LE(std::chrono::nanoseconds(before).count(), now);
  EXPECT_GE(std::chrono::nanoseconds(after).count(), now);
}

// What a library keeps for each thread, and takes a while to give back.
struct KeptForAThread {
  ~KeptForAThread() {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    if (given_back) ++*given_back;
  }
  std::atomic<int>* given_back = nullptr;
};

TEST(ExecutorTest, ItsThreadsHaveEndedWithIt) {
  std::atomic<int> given_back = 0;
  constexpr int kThreads = 4;
  // All of them are there at the same time.
  std::latch all(kThreads + 1);
  {
    ThreadExecutor executor;
    for (int i = 0; i < kThreads; ++i) {
      executor.Post([&] {
        static thread_local KeptForAThread kept;
        kept.given_back = &given_back;
        all.arrive_and_wait();
      });
    }
    all.arrive_and_wait();
  }
  EXPECT_EQ(given_back, kThreads);
}

}  // namespace
}  // namespace podium
