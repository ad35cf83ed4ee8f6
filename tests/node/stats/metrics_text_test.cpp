#include "node/stats/metrics_text.h"

#include <gtest/gtest.h>

#include <string>

#include "node/stats/resource_page.h"

namespace podium::node {
namespace {

TEST(MetricsTextTest, Format) {
  MetricsText text;
  text.Family("a_total", "Counts.", MetricType::kCounter);
  text.Value(MetricsText::LabelsText({{"name", "x\"y\\z\nw"}, {"other", ""}}), 12,
             1'700'000'000'123'456'789);
  text.Value("", 0.1);
  text.Family("b", "Has no value, and is left out.", MetricType::kGauge);
  text.Single("c_bytes", "Large.", MetricType::kGauge, 8388608);
  text.Family("d_seconds", "How long.", MetricType::kHistogram);
  text.Part("_bucket", "le=\"0.5\"", 1);
  text.Part("_sum", "", 0.25);
  EXPECT_EQ(std::move(text).Take(),
            "# HELP a_total Counts.\n"
            "# TYPE a_total counter\n"
            "a_total{name=\"x\\\"y\\\\z\\nw\",other=\"\"} 12 1700000000123\n"
            "a_total 0.1\n"
            "# HELP c_bytes Large.\n"
            "# TYPE c_bytes gauge\n"
            "c_bytes 8.388608e+06\n"
            "# HELP d_seconds How long.\n"
            "# TYPE d_seconds histogram\n"
            "d_seconds_bucket{le=\"0.5\"} 1\n"
            "d_seconds_sum 0.25\n");
}

TEST(ResourcePageTest, AsUpstreamWritesIt) {
  NodeSample sample;
  sample.machine.read_at = 1'700'000'000'500'000'000;
  sample.machine.cpu_ns = 14'250'000'000;
  sample.machine.memory_working_set = 4096;
  runtime::PodUsage& pod = sample.pods.emplace_back();
  pod.metadata.name = "web";
  pod.metadata.namespace_ = "ns";
  pod.read_at = 1'700'000'000'600'000'000;
  pod.used.cpu.emplace().usage_ns = 3'000'000'000;
  pod.used.memory.emplace().working_set = 300;
  runtime::ContainerUsage& app = pod.containers.emplace_back();
  app.name = "app";
  app.started_at = 1'690'000'000'250'000'000;
  app.read_at = 1'700'000'000'700'000'000;
  app.used.cpu.emplace().usage_ns = 1'500'000'000;
  app.used.memory.emplace().working_set = 200;
  app.used.memory->swap_usage = 8;
  app.used.memory->swap_limit = 64;
  // Of a machine without these controllers.
  pod.containers.emplace_back().name = "uncounted";
  EXPECT_EQ(
      ResourcePage(sample),
      "# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the "
      "container in core-seconds\n"
      "# TYPE container_cpu_usage_seconds_total counter\n"
      "container_cpu_usage_seconds_total{container=\"app\",namespace=\"ns\",pod=\"web\"} 1.5 "
      "1700000000700\n"
      "# HELP container_memory_working_set_bytes [STABLE] Current working set of the container in "
      "bytes\n"
      "# TYPE container_memory_working_set_bytes gauge\n"
      "container_memory_working_set_bytes{container=\"app\",namespace=\"ns\",pod=\"web\"} 200 "
      "1700000000700\n"
      "# HELP container_start_time_seconds [STABLE] Start time of the container since unix epoch "
      "in seconds\n"
      "# TYPE container_start_time_seconds gauge\n"
      "container_start_time_seconds{container=\"app\",namespace=\"ns\",pod=\"web\"} "
      "1.6900000002499998e+09\n"  // as Go divides, too

      "# HELP container_swap_limit_bytes [ALPHA] Current amount of the container swap limit in "
      "bytes. Reported only on non-windows systems\n"
      "# TYPE container_swap_limit_bytes gauge\n"
      "container_swap_limit_bytes{container=\"app\",namespace=\"ns\",pod=\"web\"} 64 "
      "1700000000700\n"
      "# HELP container_swap_usage_bytes [ALPHA] Current amount of the container swap usage in "
      "bytes. Reported only on non-windows systems\n"
      "# TYPE container_swap_usage_bytes gauge\n"
      "container_swap_usage_bytes{container=\"app\",namespace=\"ns\",pod=\"web\"} 8 "
      "1700000000700\n"
      "# HELP node_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the node in "
      "core-seconds\n"
      "# TYPE node_cpu_usage_seconds_total counter\n"
      "node_cpu_usage_seconds_total 14.25 1700000000500\n"
      "# HELP node_memory_working_set_bytes [STABLE] Current working set of the node in bytes\n"
      "# TYPE node_memory_working_set_bytes gauge\n"
      "node_memory_working_set_bytes 4096 1700000000500\n"
      "# HELP node_swap_usage_bytes [ALPHA] Current swap usage of the node in bytes. Reported only "
      "on non-windows systems\n"
      "# TYPE node_swap_usage_bytes gauge\n"
      "node_swap_usage_bytes 0 1700000000500\n"
      "# HELP pod_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the pod in "
      "core-seconds\n"
      "# TYPE pod_cpu_usage_seconds_total counter\n"
      "pod_cpu_usage_seconds_total{namespace=\"ns\",pod=\"web\"} 3 1700000000600\n"
      "# HELP pod_memory_working_set_bytes [STABLE] Current working set of the pod in bytes\n"
      "# TYPE pod_memory_working_set_bytes gauge\n"
      "pod_memory_working_set_bytes{namespace=\"ns\",pod=\"web\"} 300 1700000000600\n"
      "# HELP resource_scrape_error [STABLE] 1 if there was an error while getting container "
      "metrics, 0 otherwise\n"
      "# TYPE resource_scrape_error gauge\n"
      "resource_scrape_error 0\n");
}

}  // namespace
}  // namespace podium::node
