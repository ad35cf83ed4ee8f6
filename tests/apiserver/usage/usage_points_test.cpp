#include "apiserver/usage/usage_points.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/clock.h"

namespace podium::apiserver {
namespace {

constexpr int64_t kNow = int64_t{1'700'000'000} * kNanosPerSecond;
constexpr int64_t kSecond = kNanosPerSecond;

TEST(ParseResourcePageTest, APageOfAKubelet) {
  const auto points = ParseResourcePage(
      "# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time\n"
      "# TYPE container_cpu_usage_seconds_total counter\n"
      "container_cpu_usage_seconds_total{container=\"app\",namespace=\"ns\",pod=\"web\"} 1.5 "
      "1700000000700\n"
      "container_memory_working_set_bytes{container=\"app\",namespace=\"ns\",pod=\"web\"} "
      "8.388608e+06 1700000000700\n"
      "container_start_time_seconds{container=\"app\",namespace=\"ns\",pod=\"web\"} "
      "1.69000000025e+09\n"
      "container_swap_usage_bytes{container=\"app\",namespace=\"ns\",pod=\"web\"} 8 "
      "1700000000700\n"
      "container_memory_working_set_bytes{container=\"new\",namespace=\"ns\",pod=\"half\"} 5 1\n"
      "container_memory_rss{container=\"app\",namespace=\"ns\",pod=\"other\"} 5 1\n"
      "node_cpu_usage_seconds_total 14.25 1700000000500\r\n"
      "node_memory_working_set_bytes 4096\n"
      "pod_cpu_usage_seconds_total{namespace=\"ns\",pod=\"web\"} 3 1700000000600\n"
      "resource_scrape_error 0\n",
      kNow);
  ASSERT_TRUE(points.ok()) << points.error().message();
  ASSERT_TRUE(points->node);
  EXPECT_EQ(points->node->cpu_ns, 14'250'000'000u);
  EXPECT_EQ(points->node->memory, 4096u);
  EXPECT_EQ(points->node->time, kNow) << "the last that has no time of its own";
  ASSERT_EQ(points->pods.size(), 1u) << "of half nothing has used a processor yet";
  const UsagePoint& app = points->pods.at({"ns", "web"}).at("app");
  EXPECT_EQ(app.cpu_ns, 1'500'000'000u);
  EXPECT_EQ(app.memory, 8388608u);
  EXPECT_EQ(app.swap, 8u);
  EXPECT_EQ(app.time, kNow + 700'000'000);
  // As near as a page's number can say it.
  EXPECT_LT(std::abs(app.started_at - (int64_t{1'690'000'000} * kSecond + 250'000'000)), 1000);
}

TEST(ParseResourcePageTest, LabelsMayHaveAnything) {
  const auto points = ParseResourcePage(
      "container_cpu_usage_seconds_total{pod=\"a}b\\\"c\\\\\",x=\"\",namespace=\"n\\ns\","
      "container=\"c{\"} 2 9\n"
      "container_memory_working_set_bytes{container=\"c{\",namespace=\"n\\ns\","
      "pod=\"a}b\\\"c\\\\\"} 3 9\n",
      kNow);
  ASSERT_TRUE(points.ok()) << points.error().message();
  EXPECT_EQ(points->pods.at({"n\ns", "a}b\"c\\"}).at("c{").memory, 3u);
  EXPECT_FALSE(points->node);
}

TEST(ParseResourcePageTest, WhatIsNoPage) {
  for (const char* broken :
       {"a", "a ", "{} 1", "a{", "a{b", "a{b=\"", "a{b=\"\\", "a{b=\"c\"", "a{b=\"c\"}", "a x",
        "a 1 x", "a 1 2 3", "a 1 99999999999999999999", "a 1 -5", "<html>"}) {
    EXPECT_EQ(ParseResourcePage(broken, kNow).error().code(), Code::kInvalidArgument) << broken;
  }
  for (const char* odd : {"", "\n\n", "# a", "a NaN", "a +Inf 5", "a -1 5"}) {
    const auto points = ParseResourcePage(odd, kNow);
    ASSERT_TRUE(points.ok()) << odd;
    EXPECT_TRUE(points->pods.empty() && !points->node) << odd;
  }
}

// Points of one node, after so many seconds.
std::map<std::string, NodePoints, std::less<>> At(int64_t seconds, uint64_t cpu_ms,
                                                  int64_t started = -100) {
  const auto point = [&](uint64_t cpu) {
    return UsagePoint{.started_at = kNow + started * kSecond,
                      .time = kNow + seconds * kSecond,
                      .cpu_ns = cpu * 1'000'000,
                      .memory = 100 + static_cast<uint64_t>(seconds)};
  };
  NodePoints points;
  points.node = point(10 * cpu_ms);
  points.pods[{"ns", "web"}]["app"] = point(cpu_ms);
  return {{"n1", std::move(points)}};
}

const PodName kWeb{"ns", "web"};

TEST(UsageHistoryTest, RatesAreOfTwoReadings) {
  UsageHistory history(15 * kSecond);
  history.Store(At(0, 1000));
  EXPECT_FALSE(history.OfNode("n1"));
  EXPECT_FALSE(history.OfPod("n1", kWeb));
  history.Store(At(15, 4000));
  const auto node = history.OfNode("n1");
  ASSERT_TRUE(node);
  EXPECT_EQ(node->nano_cores, 2'000'000'000u);
  EXPECT_EQ(node->memory, 115u);
  EXPECT_EQ(node->time, kNow + 15 * kSecond);
  EXPECT_EQ(node->window, 15 * kSecond);
  const auto pod = history.OfPod("n1", kWeb);
  ASSERT_TRUE(pod);
  ASSERT_EQ(pod->containers.size(), 1u);
  EXPECT_EQ(pod->containers[0].first, "app");
  EXPECT_EQ(pod->containers[0].second.nano_cores, 200'000'000u);
  EXPECT_EQ(pod->window, 15 * kSecond);
  EXPECT_FALSE(history.OfNode("n2"));
  EXPECT_FALSE(history.OfPod("n1", {"ns", "other"}));
}

TEST(UsageHistoryTest, TheSameReadingAgainKeepsTheRate) {
  UsageHistory history(15 * kSecond);
  history.Store(At(0, 1000));
  history.Store(At(15, 4000));
  history.Store(At(15, 4000));
  EXPECT_EQ(history.OfNode("n1")->nano_cores, 2'000'000'000u);
  EXPECT_EQ(history.OfPod("n1", kWeb)->containers[0].second.nano_cores, 200'000'000u);
  // A clock that was turned back.
  history.Store(At(-15, 100));
  EXPECT_FALSE(history.OfNode("n1"));
  EXPECT_FALSE(history.OfPod("n1", kWeb));
}

TEST(UsageHistoryTest, AContainerThatWasStartedAgainBeginsAnew) {
  UsageHistory history(15 * kSecond);
  history.Store(At(0, 5000));
  history.Store(At(15, 40, 13));
  EXPECT_FALSE(history.OfPod("n1", kWeb)) << "two seconds old";
  history.Store(At(30, 120, 13));
  EXPECT_EQ(history.OfPod("n1", kWeb)->containers[0].second.window, 15 * kSecond);
  // One that is young, but not too young, is counted from its start.
  UsageHistory fresh(15 * kSecond);
  fresh.Store(At(15, 1200, 3));
  const auto pod = fresh.OfPod("n1", kWeb);
  ASSERT_TRUE(pod);
  EXPECT_EQ(pod->window, 12 * kSecond);
  EXPECT_EQ(pod->containers[0].second.nano_cores, 100'000'000u);
}

TEST(UsageHistoryTest, EveryContainerOfAPodWasSeenTwice) {
  UsageHistory history(15 * kSecond);
  history.Store(At(0, 1000));
  auto more = At(15, 4000);
  more.at("n1").pods.at(kWeb)["side"] = {
      .started_at = kNow + 14 * kSecond, .time = kNow + 15 * kSecond, .cpu_ns = 1, .memory = 1};
  history.Store(std::move(more));
  EXPECT_FALSE(history.OfPod("n1", kWeb));
}

// Whoever has taken over one node says nothing of the pods of others.
TEST(UsageHistoryTest, ANodeIsNotBelievedAboutOthers) {
  UsageHistory history(15 * kSecond);
  for (const int64_t seconds : {0, 15}) {
    auto both = At(seconds, 1000 + 100 * static_cast<uint64_t>(seconds));
    auto liar = At(seconds, 1000 + 10000 * static_cast<uint64_t>(seconds));
    both.emplace("n0", std::move(liar.at("n1")));
    history.Store(std::move(both));
  }
  EXPECT_EQ(history.OfPod("n1", kWeb)->containers[0].second.nano_cores, 100'000'000u);
  // One that does not answer any more is forgotten.
  history.Store({});
  EXPECT_FALSE(history.OfNode("n1"));
}

}  // namespace
}  // namespace podium::apiserver
