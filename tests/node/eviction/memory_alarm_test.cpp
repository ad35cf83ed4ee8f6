// Marks of memory: who is woken by them, and how often.
#include "node/eviction/memory_alarm.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "base/executor.h"

namespace podium::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

class MemoryAlarmTest : public ::testing::Test {
 protected:
  void SetUp() override {
    poller_ = *http::Poller::Create();
    alarm_ = std::make_shared<MemoryAlarm>(MemoryAlarm::Services{
        .poller = poller_,
        .executor = executor_,
        .alarm = [this] { ++alarms_; },
        .watch = [this](std::string_view cgroup, uint64_t growth) -> Result<kernel::MemoryWatch> {
          if (refuses_) return Error(Code::kUnsupported, "no such kernel");
          made_.push_back(std::string(cgroup) + " " + std::to_string(growth));
          kernel::MemoryWatch watch;
          watch.watch.fd = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
          watch.watch.events = POLLIN;
          watch.lasting = lasting_;
          rung_.emplace_back(fcntl(watch.watch.fd.get(), F_DUPFD_CLOEXEC, 0));
          return watch;
        },
        .cgroups = {{"allocatableMemory.available", "x/kubepods"}, {"memory.available", ""}}});
  }
  void TearDown() override {
    alarm_->Stop();
    poller_->Stop();
  }
  // The kernel tells of the mark that was made as the `at`-th.
  void Ring(size_t at) const {
    const uint64_t one = 1;
    ASSERT_EQ(write(rung_[at].get(), &one, sizeof one), 8);
  }
  bool Alarms(int count) const {
    for (int i = 0; i < 1000 && alarms_ < count; ++i) std::this_thread::sleep_for(10ms);
    return alarms_ == count;
  }

  ThreadExecutor executor_;
  std::shared_ptr<http::Poller> poller_;
  std::atomic<int> alarms_ = 0;
  bool refuses_ = false;
  bool lasting_ = false;
  std::vector<std::string> made_;
  std::vector<UniqueFd> rung_;
  std::shared_ptr<MemoryAlarm> alarm_;
};

TEST_F(MemoryAlarmTest, MarksAreSetAnewAtEachLook) {
  alarm_->Expect(
      {{"memory.available", 10}, {"allocatableMemory.available", 5}, {"nodefs.available", 3}});
  EXPECT_THAT(made_, ElementsAre("x/kubepods 5", " 10")) << "disks have none";
  alarm_->Expect({{"memory.available", 8}, {"allocatableMemory.available", 0}});
  EXPECT_THAT(made_, ElementsAre("x/kubepods 5", " 10", " 8")) << "nothing is left of the other";
  // Those before are void.
  Ring(1);
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(alarms_, 0);
  Ring(2);
  EXPECT_TRUE(Alarms(2)) << "at once, and when it has rested";
}

TEST_F(MemoryAlarmTest, NotMoreOftenThanTenTimesASecond) {
  alarm_->Expect({{"memory.available", 10}});
  Ring(0);
  while (alarms_ == 0) std::this_thread::sleep_for(1ms);
  // The look that follows sets no mark yet.
  alarm_->Expect({{"memory.available", 10}});
  EXPECT_THAT(made_, ElementsAre(" 10"));
  EXPECT_TRUE(Alarms(2));
  alarm_->Expect({{"memory.available", 7}});
  EXPECT_THAT(made_, ElementsAre(" 10", " 7"));
}

TEST_F(MemoryAlarmTest, WhatLastsIsNotMadeAnew) {
  lasting_ = true;
  alarm_->Expect({{"memory.available", 10}});
  alarm_->Expect({{"memory.available", 3}});
  EXPECT_THAT(made_, ElementsAre(" 10"));
  Ring(0);
  EXPECT_TRUE(Alarms(2));
  alarm_->Expect({{"memory.available", 3}});
  EXPECT_EQ(made_.size(), 2U);
}

TEST_F(MemoryAlarmTest, AKernelThatTellsNothing) {
  refuses_ = true;
  alarm_->Expect({{"memory.available", 10}});
  EXPECT_THAT(made_, IsEmpty());
  alarm_->Stop();
  refuses_ = false;
  alarm_->Expect({{"memory.available", 10}});
  EXPECT_THAT(made_, IsEmpty()) << "it has stopped";
}

}  // namespace
}  // namespace podium::node
