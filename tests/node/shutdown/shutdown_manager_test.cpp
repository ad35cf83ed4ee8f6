#include "node/shutdown/shutdown_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "node/critical_pods.h"
#include "node/event_recorder.h"
#include "node/pods.h"
#include "node/virtual_time.h"

namespace podium::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

class ShutdownManagerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    manager_ = std::make_shared<ShutdownManager>(
        ShutdownManager::Services{
            .executor = time_,
            .events = events_,
            .pods =
                [this] {
                  log_.emplace_back("list");
                  return pods_;
                },
            .end =
                [this](const std::string& uid, const PodFailure& why, int64_t grace) {
                  log_.push_back("end " + uid + " " + std::to_string(grace));
                  why_ = why;
                },
            .has_ended = [this](const std::string& uid) { return ended_.contains(uid); },
            .on_change = [this](bool now) { log_.emplace_back(now ? "down" : "up"); },
            .on_done = [this] { log_.emplace_back("done"); }},
        ShutdownGraces{{0, 20}, {kSystemCriticalPriority, 10}});
  }
  void Add(const std::string& name, int32_t priority, int64_t grace = 30) {
    v1::Pod pod = PodOf("containers: [{name: a}]");
    pod.metadata.name = name;
    pod.metadata.uid = name;
    pod.spec.priority = priority;
    pod.spec.terminationGracePeriodSeconds = grace;
    pods_.push_back(std::make_shared<const v1::Pod>(std::move(pod)));
  }
  void End(const std::string& name) {
    ended_.insert(name);
    manager_->PodEnded();
    time_.Settle();
  }
  void Begin() {
    manager_->Begin();
    time_.Settle();
  }
  std::vector<std::string> TakeLog() { return std::exchange(log_, {}); }
  std::vector<std::string> Events() const {
    std::vector<std::string> out;
    for (const v1::Event& event : events_.List("")) {
      out.push_back(event.involvedObject.kind + " " + event.type + " " + event.reason + ": " +
                    event.message);
    }
    return out;
  }

  runtime::FakeRuntime runtime_;
  VirtualTime time_{runtime_};
  EventRecorder events_{time_, "node7"};
  RankedPods pods_;
  std::set<std::string> ended_;
  std::vector<std::string> log_;
  PodFailure why_;
  std::shared_ptr<ShutdownManager> manager_;
};

TEST_F(ShutdownManagerTest, CriticalPodsEndWhenTheOthersHave) {
  Add("critical", kSystemCriticalPriority);
  Add("a", 0);
  Add("quick", 7, 3);
  EXPECT_FALSE(manager_->state().shutting_down);
  Begin();
  EXPECT_TRUE(manager_->state().shutting_down);
  EXPECT_THAT(TakeLog(), ElementsAre("down", "list", "end a 20", "end quick 3"));
  EXPECT_EQ(why_.reason, "Terminated");
  EXPECT_EQ(why_.message, "Pod was terminated in response to imminent node shutdown.");
  EXPECT_TRUE(why_.disrupts);
  End("a");
  EXPECT_THAT(TakeLog(), IsEmpty());
  End("quick");
  EXPECT_THAT(TakeLog(), ElementsAre("end critical 10"));
  EXPECT_FALSE(manager_->state().done);
  End("critical");
  EXPECT_THAT(TakeLog(), ElementsAre("done"));
  EXPECT_TRUE(manager_->state().done);
  EXPECT_THAT(Events(), ElementsAre("Node Normal NodeShutdown: Shutdown manager detected shutdown "
                                    "event"));
  time_.RunFor(60s);
  EXPECT_THAT(TakeLog(), IsEmpty());
}

TEST_F(ShutdownManagerTest, WhoDoesNotEndIsWaitedForNoLongerThanItsGroupMayTake) {
  Add("stuck", 0);
  Add("critical", kSystemCriticalPriority);
  Begin();
  TakeLog();
  time_.RunFor(19s);
  EXPECT_THAT(TakeLog(), IsEmpty());
  time_.RunFor(2s);
  EXPECT_THAT(TakeLog(), ElementsAre("end critical 10"));
  // The time of the group before is over, and says nothing of this one.
  time_.RunFor(8s);
  EXPECT_THAT(TakeLog(), IsEmpty());
  time_.RunFor(2s);
  EXPECT_THAT(TakeLog(), ElementsAre("done"));
}

TEST_F(ShutdownManagerTest, WithoutPodsTheMachineMayGoAtOnce) {
  Begin();
  EXPECT_THAT(TakeLog(), ElementsAre("down", "list", "done"));
}

TEST_F(ShutdownManagerTest, TheSameShutdownIsToldTwice) {
  Add("a", 0);
  Begin();
  TakeLog();
  Begin();
  EXPECT_THAT(TakeLog(), IsEmpty());
}

TEST_F(ShutdownManagerTest, CancelledShutdownEndsNoMorePods) {
  Add("a", 0);
  Add("critical", kSystemCriticalPriority);
  Begin();
  TakeLog();
  manager_->Cancel();
  EXPECT_FALSE(manager_->state().shutting_down);
  EXPECT_THAT(TakeLog(), ElementsAre("up"));
  End("a");
  time_.RunFor(60s);
  EXPECT_THAT(TakeLog(), IsEmpty());
  EXPECT_EQ(Events().back(),
            "Node Normal NodeShutdown: Shutdown manager detected shutdown cancellation");
  // And one that comes later begins with those that are there then.
  pods_.erase(pods_.begin());
  Begin();
  EXPECT_THAT(TakeLog(), ElementsAre("down", "list", "end critical 10"));
  time_.RunFor(9s);
  EXPECT_THAT(TakeLog(), IsEmpty());
  time_.RunFor(2s);
  EXPECT_THAT(TakeLog(), ElementsAre("done"));
}

TEST_F(ShutdownManagerTest, OtherPeriodsForOneShutdown) {
  Add("a", 0);
  manager_->Begin({{0, 2}});
  time_.Settle();
  EXPECT_THAT(TakeLog(), ElementsAre("down", "list", "end a 2"));
  time_.RunFor(3s);
  EXPECT_THAT(TakeLog(), ElementsAre("done"));
}

TEST_F(ShutdownManagerTest, StoppedItDoesNothing) {
  Add("a", 0);
  Add("critical", kSystemCriticalPriority);
  Begin();
  TakeLog();
  manager_->Stop();
  End("a");
  time_.RunFor(60s);
  manager_->Begin();
  manager_->Cancel();
  time_.RunFor(60s);
  EXPECT_THAT(TakeLog(), IsEmpty());
}

}  // namespace
}  // namespace podium::node
