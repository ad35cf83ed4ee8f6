#include "node/eviction/eviction_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "node/event_recorder.h"
#include "node/pods.h"
#include "node/virtual_time.h"

namespace podium::node {
namespace {

using api::Quantity;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

constexpr int64_t kMi = 1 << 20;

class EvictionManagerTest : public ::testing::Test {
 protected:
  void SetUp() override { Make({}); }
  void Make(EvictionSettings settings) {
    if (settings.thresholds.empty()) settings.thresholds = DefaultEvictionHard();
    manager_ = std::make_shared<EvictionManager>(
        EvictionManager::Services{
            .clock = time_,
            .executor = time_,
            .events = events_,
            .observe =
                [this] {
                  ++observed_;
                  return seen_;
                },
            .measure =
                [this](std::string_view signal, const RankedPods&) {
                  measured_ = signal;
                  return uses_;
                },
            .pods = [this] { return pods_; },
            .is_removing = [this] { return removing_; },
            .reclaim_disk =
                [this] {
                  ++reclaims_;
                  if (after_reclaim_) seen_ = *after_reclaim_;
                },
            .evict =
                [this](const std::string& uid, const PodFailure& why, int64_t grace) {
                  evicted_.push_back(uid + " " + std::to_string(grace));
                  why_ = why;
                },
            .on_conditions =
                [this](const std::vector<std::string>& now) { conditions_.push_back(now); }},
        settings);
  }
  void Add(const std::string& name, int32_t priority, PodUse use) {
    v1::Pod pod = PodOf("containers: [{name: a}]");
    pod.metadata.name = name;
    pod.metadata.uid = name;
    pod.spec.priority = priority;
    pods_.push_back(std::make_shared<const v1::Pod>(std::move(pod)));
    uses_[name] = std::move(use);
  }
  void End(const std::string& name) {
    std::erase_if(pods_, [&](const auto& pod) { return pod->metadata.name == name; });
  }
  void See(const std::string& signal, const char* available, const char* capacity) {
    seen_[signal] = {.available = Quantity::Must(available), .capacity = Quantity::Must(capacity)};
  }
  void Look() {
    manager_->Look();
    time_.Settle();
  }
  std::vector<std::string> Events() const {
    std::vector<std::string> out;
    for (const v1::Event& event : events_.List("")) {
      out.push_back(event.involvedObject.kind + " " + event.reason + ": " + event.message);
    }
    return out;
  }

  runtime::FakeRuntime runtime_;
  VirtualTime time_{runtime_};
  EventRecorder events_{time_, "node7"};
  Observations seen_;
  RankedPods pods_;
  PodUses uses_;
  std::optional<Observations> after_reclaim_;
  bool removing_ = false;
  int observed_ = 0;
  int reclaims_ = 0;
  std::string measured_;
  std::vector<std::string> evicted_;
  PodFailure why_;
  std::vector<std::vector<std::string>> conditions_;
  std::shared_ptr<EvictionManager> manager_;
};

TEST_F(EvictionManagerTest, WithRoomNothingHappens) {
  See("memory.available", "1Gi", "4Gi");
  Add("a", 0, {.memory = 900 * kMi});
  Look();
  EXPECT_EQ(observed_, 1);
  EXPECT_THAT(conditions_, IsEmpty());
  EXPECT_THAT(evicted_, IsEmpty());
  EXPECT_THAT(Events(), IsEmpty());
}

TEST_F(EvictionManagerTest, OnePodAfterTheOtherUntilThereIsRoom) {
  See("memory.available", "96Mi", "4Gi");
  Add("small", 0, {.memory = 10 * kMi});
  Add("large", 0, {.memory = 100 * kMi, .containers = {{.name = "a", .memory = 100 * kMi}}});
  Look();
  EXPECT_THAT(conditions_, ElementsAre(ElementsAre("MemoryPressure")));
  EXPECT_THAT(evicted_, ElementsAre("large 1"));
  EXPECT_EQ(why_.reason, "Evicted");
  EXPECT_TRUE(why_.disrupts);
  EXPECT_EQ(why_.signal, "memory.available");
  const auto annotations = events_.List("ns").back().metadata.annotations;
  EXPECT_EQ(annotations.at("starved_resource"), "memory");
  EXPECT_EQ(annotations.at("offending_containers"), "a");
  EXPECT_EQ(annotations.at("offending_containers_usage"), "100Mi");
  const std::string message =
      "The node was low on resource: memory. Threshold quantity: 100Mi, available: 96Mi. "
      "Container a was using 100Mi, request is 0, has larger consumption of memory. ";
  EXPECT_EQ(why_.message, message);
  EXPECT_THAT(Events(), ElementsAre("Node EvictionThresholdMet: Attempting to reclaim memory",
                                    "Pod Evicted: " + message));
  EXPECT_EQ(reclaims_, 0);
  // It has not ended: nobody else goes for it.
  time_.RunFor(20s);
  EXPECT_THAT(evicted_, ElementsAre("large 1"));
  End("large");
  removing_ = true;
  time_.RunFor(5s);
  EXPECT_THAT(evicted_, ElementsAre("large 1"));
  removing_ = false;
  time_.RunFor(1s);
  EXPECT_THAT(evicted_, ElementsAre("large 1", "small 1"));
  End("small");
  See("memory.available", "1Gi", "4Gi");
  time_.RunFor(2s);
  // No look is due any more: only the usual ones see that the condition ends.
  const int observed = observed_;
  time_.RunFor(6min);
  EXPECT_EQ(observed_, observed);
  Look();
  EXPECT_THAT(conditions_, ElementsAre(ElementsAre("MemoryPressure"), IsEmpty()));
}

// Pressure may be over with the pod's end, and come back any time later.
TEST_F(EvictionManagerTest, APodThatIsLongGoneIsNotWaitedFor) {
  Add("first", 0, {.memory = 100 * kMi});
  Add("second", 0, {.memory = 10 * kMi});
  See("memory.available", "96Mi", "4Gi");
  Look();
  EXPECT_THAT(evicted_, ElementsAre("first 1"));
  End("first");
  See("memory.available", "1Gi", "4Gi");
  time_.RunFor(20s);
  See("memory.available", "96Mi", "4Gi");
  Look();
  EXPECT_THAT(evicted_, ElementsAre("first 1", "second 1"));
}

TEST_F(EvictionManagerTest, APodThatDoesNotEndIsNotWaitedForForever) {
  See("memory.available", "96Mi", "4Gi");
  Add("stuck", 0, {.memory = 100 * kMi});
  Add("other", 0, {.memory = 10 * kMi});
  Look();
  uses_["stuck"].memory = 0;
  time_.RunFor(29s);
  EXPECT_THAT(evicted_, ElementsAre("stuck 1"));
  time_.RunFor(2s);
  EXPECT_THAT(evicted_, ElementsAre("stuck 1", "other 1"));
}

TEST_F(EvictionManagerTest, CriticalPodsStay) {
  See("memory.available", "96Mi", "4Gi");
  Add("system", 2'000'000'000, {.memory = 900 * kMi});
  v1::Pod fixed = *pods_.front();
  fixed.metadata.name = fixed.metadata.uid = "static";
  fixed.spec.priority = 0;
  fixed.metadata.annotations["kubernetes.io/config.source"] = "file";
  pods_.push_back(std::make_shared<const v1::Pod>(fixed));
  Look();
  EXPECT_THAT(evicted_, IsEmpty());
  Add("usual", 1000, {.memory = 1});
  Look();
  EXPECT_THAT(evicted_, ElementsAre("usual 1"));
}

TEST_F(EvictionManagerTest, DisksAreCleanedFirst) {
  See("nodefs.available", "1Gi", "20Gi");
  Add("a", 0, {.disk = 5 * kMi});
  after_reclaim_ =
      Observations{{"nodefs.available",
                    {.available = Quantity::Must("3Gi"), .capacity = Quantity::Must("20Gi")}}};
  Look();
  EXPECT_EQ(reclaims_, 1);
  EXPECT_THAT(evicted_, IsEmpty());
  EXPECT_THAT(conditions_, ElementsAre(ElementsAre("DiskPressure")));
  EXPECT_THAT(Events(),
              ElementsAre("Node EvictionThresholdMet: Attempting to reclaim ephemeral-storage"));
  See("nodefs.available", "1Gi", "20Gi");
  after_reclaim_.reset();
  Look();
  EXPECT_EQ(reclaims_, 2);
  EXPECT_EQ(measured_, "nodefs.available");
  EXPECT_THAT(evicted_, ElementsAre("a 1"));
}

TEST_F(EvictionManagerTest, SoftThresholdsGivePodsTime) {
  Make({.thresholds = {{.signal = "pid.available",
                        .quantity = Quantity::Must("100"),
                        .grace_period = 20 * kNanosPerSecond}},
        .max_pod_grace_seconds = 10});
  See("pid.available", "50", "1000");
  Add("a", 0, {.processes = 5});
  Look();
  EXPECT_THAT(conditions_, ElementsAre(ElementsAre("PIDPressure")));
  EXPECT_THAT(evicted_, IsEmpty());
  time_.RunFor(20s);
  Look();
  EXPECT_THAT(evicted_, ElementsAre("a 10"));
}

TEST_F(EvictionManagerTest, WhatIsStoppedDoesNothing) {
  See("memory.available", "96Mi", "4Gi");
  Add("a", 0, {.memory = 100 * kMi});
  manager_->Look();
  manager_->Stop();
  time_.RunFor(1s);
  EXPECT_EQ(observed_, 0);
}

}  // namespace
}  // namespace podium::node
