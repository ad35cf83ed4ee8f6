// How long pods take until they run, by upstream's definition.
#include "node/metrics/start_times.h"

#include <gtest/gtest.h>

#include "node/pods.h"

namespace podium::node {
namespace {

constexpr int64_t kStart = 1'800'000'000;

int64_t At(double seconds) {
  return (kStart * kNanosPerSecond) + static_cast<int64_t>(seconds * 1e9);
}

v1::Pod Created(const std::string& spec = "containers: [{name: a}]") {
  v1::Pod pod = PodOf(spec);
  pod.metadata.uid = "u";
  pod.metadata.creationTimestamp = api::Time::FromUnix(kStart);
  pod.status = {};
  return pod;
}

v1::Pod Started(v1::Pod pod, double running_at) {
  pod.status.phase = "Running";
  pod.status.startTime = api::Time::FromUnix(kStart + 1);
  auto& status = pod.status.containerStatuses.emplace_back();
  status.name = "a";
  status.state.running.ensure().startedAt =
      api::Time::FromUnix(kStart + static_cast<int64_t>(running_at));
  return pod;
}

uint64_t Count(const Histogram& histogram) {
  uint64_t sum = 0;
  for (const uint64_t each : histogram.Counts()) sum += each;
  return sum;
}

TEST(StartTimes, FromCreationUntilTheServerShowsIt) {
  StartTimes times;
  const v1::Pod pod = Created();
  times.Observe(pod, At(1));
  times.Observe(Started(pod, 3), At(4.5));
  times.Observe(Started(pod, 3), At(9));
  EXPECT_EQ(Count(times.total), 1U) << "once";
  EXPECT_DOUBLE_EQ(times.total.sum(), 4.5);
  EXPECT_DOUBLE_EQ(times.sli.sum(), 4.5);
  EXPECT_DOUBLE_EQ(times.first_with_network().value_or(0), 4.5);
}

TEST(StartTimes, PullsAndInitContainersDoNotCount) {
  StartTimes times;
  v1::Pod pod = Created();
  times.Observe(pod, At(1));
  // Two that overlap, and one after them.
  times.PullBegins("u", At(1));
  times.PullBegins("u", At(2));
  times.PullEnds("u", At(3));
  times.PullEnds("u", At(4));
  times.PullBegins("u", At(5));
  times.PullEnds("u", At(6));
  auto& init = pod.status.initContainerStatuses.emplace_back();
  init.state.terminated.ensure().startedAt = api::Time::FromUnix(kStart + 6);
  init.state.terminated->finishedAt = api::Time::FromUnix(kStart + 8);
  times.Observe(Started(pod, 9), At(10));
  EXPECT_DOUBLE_EQ(times.total.sum(), 10);
  EXPECT_DOUBLE_EQ(times.sli.sum(), 10 - 3 - 1 - 2);
}

TEST(StartTimes, OfPodsThatThisProcessSawBeforeTheyBegan) {
  StartTimes times;
  times.Observe(Started(Created(), 3), At(4));
  times.Observe(Started(Created(), 3), At(5));
  EXPECT_EQ(Count(times.total), 0U);
}

TEST(StartTimes, NotOfPodsThatHadToWaitForRoom) {
  StartTimes times;
  v1::Pod pod = Created();
  auto& condition = pod.status.conditions.emplace_back();
  condition.type = "PodScheduled";
  condition.status = "False";
  times.Observe(pod, At(1));
  times.Observe(Created(), At(2));
  times.Observe(Started(Created(), 3), At(4));
  EXPECT_EQ(Count(times.total), 0U);
}

TEST(StartTimes, PodsThatKeepSomethingHaveNoServiceLevel) {
  StartTimes times;
  const v1::Pod pod =
      Created("containers: [{name: a}], volumes: [{name: v, hostPath: {path: /x}}]");
  times.Observe(pod, At(1));
  times.Observe(Started(pod, 3), At(4));
  EXPECT_EQ(Count(times.total), 1U);
  EXPECT_EQ(Count(times.sli), 0U);
  const v1::Pod projected =
      Created("containers: [{name: a}], volumes: [{name: v, projected: {sources: []}}]");
  times.Forget("u");
  times.Observe(projected, At(1));
  times.Observe(Started(projected, 3), At(4));
  EXPECT_EQ(Count(times.sli), 1U);
}

}  // namespace
}  // namespace podium::node
