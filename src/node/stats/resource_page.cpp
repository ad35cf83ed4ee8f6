#include "node/stats/resource_page.h"

#include <functional>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "node/stats/metrics_text.h"

namespace podium::node {
namespace {

using kernel::CgroupStats;

double Seconds(uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / static_cast<double>(kNanosPerSecond);
}

// The labels of all pods and containers, in the order of the sample.
struct PodLabels {
  std::string pod;
  std::vector<std::string> containers;
};
std::vector<PodLabels> LabelsOf(const NodeSample& sample) {
  std::vector<PodLabels> all;
  all.reserve(sample.pods.size());
  for (const runtime::PodUsage& pod : sample.pods) {
    const auto& [name, space] = std::tie(pod.metadata.name, pod.metadata.namespace_);
    PodLabels& labels = all.emplace_back();
    labels.pod = MetricsText::LabelsText({{"namespace", space}, {"pod", name}});
    for (const auto& container : pod.containers) {
      labels.containers.push_back(MetricsText::LabelsText(
          {{"container", container.name}, {"namespace", space}, {"pod", name}}));
    }
  }
  return all;
}

class Page {
 public:
  explicit Page(const NodeSample& sample) : sample_(sample), labels_(LabelsOf(sample)) {}

  using Read = std::function<std::optional<double>(const CgroupStats&)>;

  void Containers(std::string_view name, std::string_view help, MetricType type, const Read& read) {
    text_.Family(name, help, type);
    for (size_t i = 0; i < sample_.pods.size(); ++i) {
      const auto& containers = sample_.pods[i].containers;
      for (size_t j = 0; j < containers.size(); ++j) {
        const auto value = read(containers[j].used);
        if (value) text_.Value(labels_[i].containers[j], *value, containers[j].read_at);
      }
    }
  }
  void Pods(std::string_view name, std::string_view help, MetricType type, const Read& read) {
    text_.Family(name, help, type);
    for (size_t i = 0; i < sample_.pods.size(); ++i) {
      const auto value = read(sample_.pods[i].used);
      if (value) text_.Value(labels_[i].pod, *value, sample_.pods[i].read_at);
    }
  }
  void StartTimes() {
    text_.Family("container_start_time_seconds",
                 "[STABLE] Start time of the container since unix epoch in seconds",
                 MetricType::kGauge);
    for (size_t i = 0; i < sample_.pods.size(); ++i) {
      const auto& containers = sample_.pods[i].containers;
      for (size_t j = 0; j < containers.size(); ++j) {
        if (containers[j].started_at <= 0) continue;
        text_.Value(labels_[i].containers[j],
                    Seconds(static_cast<uint64_t>(containers[j].started_at)));
      }
    }
  }
  void Node(std::string_view name, std::string_view help, MetricType type, double value) {
    text_.Family(name, help, type);
    text_.Value("", value, sample_.machine.read_at);
  }
  void NoError(std::string_view name, std::string_view help) {
    text_.Single(name, help, MetricType::kGauge, 0);
  }
  std::string Take() && { return std::move(text_).Take(); }

 private:
  const NodeSample& sample_;
  const std::vector<PodLabels> labels_;
  MetricsText text_;
};

std::optional<double> Cpu(const CgroupStats& used) {
  if (!used.cpu) return std::nullopt;
  return Seconds(used.cpu->usage_ns);
}
std::optional<double> WorkingSet(const CgroupStats& used) {
  if (!used.memory) return std::nullopt;
  return static_cast<double>(used.memory->working_set);
}
std::optional<double> Swap(const CgroupStats& used) {
  if (!used.memory || !used.memory->swap_usage) return std::nullopt;
  return static_cast<double>(*used.memory->swap_usage);
}
std::optional<double> SwapLimit(const CgroupStats& used) {
  if (!used.memory || !used.memory->swap_limit) return std::nullopt;
  return static_cast<double>(*used.memory->swap_limit);
}

}  // namespace

std::string ResourcePage(const NodeSample& sample) {
  Page page(sample);
  page.Containers("container_cpu_usage_seconds_total",
                  "[STABLE] Cumulative cpu time consumed by the container in core-seconds",
                  MetricType::kCounter, Cpu);
  page.Containers("container_memory_working_set_bytes",
                  "[STABLE] Current working set of the container in bytes", MetricType::kGauge,
                  WorkingSet);
  page.StartTimes();
  page.Containers("container_swap_limit_bytes",
                  "[ALPHA] Current amount of the container swap limit in bytes. Reported only on "
                  "non-windows systems",
                  MetricType::kGauge, SwapLimit);
  page.Containers("container_swap_usage_bytes",
                  "[ALPHA] Current amount of the container swap usage in bytes. Reported only on "
                  "non-windows systems",
                  MetricType::kGauge, Swap);
  const MachineUse& machine = sample.machine;
  page.Node("node_cpu_usage_seconds_total",
            "[STABLE] Cumulative cpu time consumed by the node in core-seconds",
            MetricType::kCounter, Seconds(machine.cpu_ns));
  page.Node("node_memory_working_set_bytes", "[STABLE] Current working set of the node in bytes",
            MetricType::kGauge, static_cast<double>(machine.memory_working_set));
  page.Node("node_swap_usage_bytes",
            "[ALPHA] Current swap usage of the node in bytes. Reported only on non-windows systems",
            MetricType::kGauge, static_cast<double>(machine.swap_usage));
  page.Pods("pod_cpu_usage_seconds_total",
            "[STABLE] Cumulative cpu time consumed by the pod in core-seconds",
            MetricType::kCounter, Cpu);
  page.Pods("pod_memory_working_set_bytes", "[STABLE] Current working set of the pod in bytes",
            MetricType::kGauge, WorkingSet);
  page.Pods("pod_swap_usage_bytes",
            "[ALPHA] Current amount of the pod swap usage in bytes. Reported only on non-windows "
            "systems",
            MetricType::kGauge, Swap);
  // Nothing that could fail as a whole: what ends meanwhile is left out.
  page.NoError("resource_scrape_error",
               "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise");
  return std::move(page).Take();
}

}  // namespace podium::node
