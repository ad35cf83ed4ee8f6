// What an agent counts, and the pages that show it.
#include "node/metrics/node_metrics.h"

#include <gmock/gmock.h>

#include "node/fake_services.h"
#include "node/metrics/measured_runtime.h"

namespace podium::node {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Histogram, CountsWhatLiesBelowEachEnd) {
  static constexpr double kEnds[] = {0.1, 1};
  Histogram histogram(kEnds);
  for (const double seconds : {0.05, 0.1, 0.5, 7.0}) histogram.Observe(seconds);
  EXPECT_EQ(histogram.Counts(), (std::vector<uint64_t>{2, 1, 1}));
  EXPECT_DOUBLE_EQ(histogram.sum(), 7.65);
  histogram.ObserveNanos(-5);
  EXPECT_EQ(histogram.Counts()[0], 3U) << "a clock that was put back";
  EXPECT_DOUBLE_EQ(histogram.sum(), 7.65);
}

TEST(Series, OneMetricForEachSetOfLabels) {
  Series<Counter> series;
  series.At("a=\"1\"").Add();
  series.At("a=\"1\"").Add(2);
  series.At("a=\"0\"");
  std::string seen;
  series.ForEach([&](const std::string& labels, const Counter& counter) {
    seen += labels + " " + std::to_string(counter.value()) + "\n";
  });
  EXPECT_EQ(seen, "a=\"0\" 0\na=\"1\" 3\n");
}

TEST(NodeMetricsPage, HistogramsAddUpToTheirCount) {
  NodeMetrics metrics;
  metrics.pod_worker.At("operation_type=\"sync\"").Observe(0.02);
  metrics.pod_worker.At("operation_type=\"sync\"").Observe(30);
  const std::string page = NodeMetricsPage(metrics, {});
  EXPECT_THAT(page, HasSubstr("# TYPE kubelet_pod_worker_duration_seconds histogram\n"
                              "kubelet_pod_worker_duration_seconds_bucket{operation_type=\"sync\","
                              "le=\"0.005\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("{operation_type=\"sync\",le=\"0.025\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("{operation_type=\"sync\",le=\"10\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("{operation_type=\"sync\",le=\"+Inf\"} 2\n"
                              "kubelet_pod_worker_duration_seconds_sum{operation_type=\"sync\"} "
                              "30.02\n"
                              "kubelet_pod_worker_duration_seconds_count{operation_type=\"sync\"} "
                              "2\n"));
}

TEST(NodeMetricsPage, WhatIsTrueNow) {
  const std::string page = NodeMetricsPage(
      {},
      {.node_name = "node7",
       .running_pods = 2,
       .running_containers = {{"exited", 1}, {"running", 3}},
       .active_pods = {{false, 4}, {true, 1}},
       .ephemeral_containers = 5,
       .claims = {
           {.name_space = "ns",
            .claim = "data",
            .use = {.capacity = 90, .available = 50, .used = 30, .inodes = 9, .inodes_free = 5}}}});
  EXPECT_THAT(page, HasSubstr("\nkubelet_node_name{node=\"node7\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nkubelet_running_pods 2\n"));
  EXPECT_THAT(page, HasSubstr("\nkubelet_running_containers{container_state=\"exited\"} 1\n"
                              "kubelet_running_containers{container_state=\"running\"} 3\n"));
  EXPECT_THAT(page, HasSubstr("\nkubelet_active_pods{static=\"\"} 4\n"
                              "kubelet_active_pods{static=\"true\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nkubelet_managed_ephemeral_containers 5\n"));
  for (const char* line : {"available_bytes# 50", "capacity_bytes# 90", "inodes# 9",
                           "inodes_free# 5", "inodes_used# 4", "used_bytes# 30"}) {
    std::string told = std::string("\nkubelet_volume_stats_") + line + "\n";
    told.replace(told.find('#'), 1, R"({namespace="ns",persistentvolumeclaim="data"})");
    EXPECT_THAT(page, HasSubstr(told));
  }
  EXPECT_THAT(page, HasSubstr("\nkubelet_graceful_shutdown_start_time_seconds 0\n"));
  EXPECT_THAT(page, HasSubstr("\nkubelet_graceful_shutdown_end_time_seconds 0\n"));
  EXPECT_THAT(page, HasSubstr("\nkubelet_pod_status_sync_duration_seconds_bucket{le=\"0.01\"} 0\n"
                              "kubelet_pod_status_sync_duration_seconds_bucket{le=\"0.05\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("\nkubernetes_build_info{git_version=\"v1.36.0+podium\",major=\"1\","
                              "minor=\"36\",platform=\"linux/"));
  EXPECT_THAT(page, HasSubstr("\nprocess_open_fds "));
  EXPECT_THAT(page, Not(HasSubstr("pleg"))) << "nobody lists containers again and again";
  EXPECT_THAT(page, Not(HasSubstr("first_network_pod"))) << "there was none yet";
}

// Of every family all lines stand together: a parser refuses others.
TEST(NodeMetricsPage, FamiliesComeOnceAndInOrder) {
  NodeMetrics metrics;
  metrics.Of(Operation::kStatus).calls.Add();
  const std::string page = NodeMetricsPage(
      metrics, {.node_name = "a", .claims = {{.name_space = "ns", .claim = "c", .use = {}}}});
  std::string last;
  size_t at = 0;
  int families = 0;
  while ((at = page.find("# HELP ", at)) != std::string::npos) {
    at += 7;
    const std::string name = page.substr(at, page.find(' ', at) - at);
    EXPECT_LT(last, name);
    last = name;
    ++families;
  }
  EXPECT_GE(families, 18);
}

TEST(MeasuredRuntime, CountsCallsAndFailures) {
  FakeNode node;
  NodeMetrics metrics;
  MeasuredRuntime measured(node.runtime, metrics);
  EXPECT_TRUE(measured.ListContainers({}).ok());
  EXPECT_FALSE(measured.ContainerStatus("none", false).ok());
  EXPECT_FALSE(measured.StartContainer("none").ok());
  EXPECT_EQ(metrics.Of(Operation::kListContainers).calls.value(), 1);
  EXPECT_EQ(metrics.Of(Operation::kListContainers).errors.value(), 0);
  EXPECT_EQ(metrics.Of(Operation::kContainerStatus).errors.value(), 1);
  const std::string page = NodeMetricsPage(metrics, {});
  EXPECT_THAT(page, HasSubstr("\nkubelet_runtime_operations_errors_total{operation_type=\"start_"
                              "container\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nkubelet_runtime_operations_total{operation_type=\"list_"
                              "containers\"} 1\n"));
  EXPECT_THAT(page,
              HasSubstr("\nkubelet_runtime_operations_duration_seconds_count{operation_type=\"list_"
                        "containers\"} 1\n"));
  EXPECT_THAT(page, Not(HasSubstr("operation_type=\"exec\""))) << "nobody has called it";
}

TEST(MeasuredImages, AnImageThatIsNotThereIsNoFailure) {
  FakeNode node;
  NodeMetrics metrics;
  MeasuredImages images(node.images, metrics);
  EXPECT_FALSE(images.Find("nowhere").ok());
  EXPECT_EQ(metrics.Of(Operation::kImageStatus).calls.value(), 1);
  EXPECT_EQ(metrics.Of(Operation::kImageStatus).errors.value(), 0);
}

TEST(ProbeMetricsPage, OfWhoIsStillProbed) {
  ProbeMetrics metrics;
  const auto kept = metrics.Make(
      {.name_space = "ns", .pod = "web", .uid = "u1", .container = "a", .type = "Liveness"});
  auto gone = metrics.Make(
      {.name_space = "ns", .pod = "old", .uid = "u0", .container = "a", .type = "Liveness"});
  kept->successful.Add(3);
  kept->failed.Add();
  kept->duration.Observe(0.3);
  gone->unknown.Add();
  EXPECT_THAT(ProbeMetricsPage(metrics), HasSubstr("result=\"unknown\"} 1\n"));
  gone.reset();
  const std::string page = ProbeMetricsPage(metrics);
  EXPECT_THAT(page, HasSubstr("# TYPE prober_probe_total counter\n"
                              "prober_probe_total{container=\"a\",namespace=\"ns\",pod=\"web\","
                              "pod_uid=\"u1\",probe_type=\"Liveness\",result=\"failed\"} 1\n"
                              "prober_probe_total{container=\"a\",namespace=\"ns\",pod=\"web\","
                              "pod_uid=\"u1\",probe_type=\"Liveness\",result=\"successful\"} 3\n"));
  EXPECT_THAT(page, HasSubstr("prober_probe_duration_seconds_bucket{container=\"a\",namespace="
                              "\"ns\",pod=\"web\",probe_type=\"Liveness\",le=\"0.5\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nprocess_start_time_seconds "));
  EXPECT_THAT(page, Not(HasSubstr("pod=\"old\"")));
}

}  // namespace
}  // namespace podium::node
