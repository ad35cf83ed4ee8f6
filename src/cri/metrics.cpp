#include "cri/metrics.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "network/counter_families.h"

namespace podium::cri {
namespace {

namespace v1 = wire::cri;
using kernel::CgroupStats;

constexpr uint64_t kNanosPerSecond = 1'000'000'000;
constexpr auto kCounter = v1::MetricType::kCounter;
constexpr auto kGauge = v1::MetricType::kGauge;

struct Family {
  std::string_view name;
  std::string_view help;
  v1::MetricType type;
  std::optional<uint64_t> (*read)(const CgroupStats& used);
};

template <auto member, uint64_t unit = 1>
std::optional<uint64_t> OfCpu(const CgroupStats& used) {
  if (!used.cpu) return std::nullopt;
  return (*used.cpu).*member / unit;
}
template <auto member>
std::optional<uint64_t> OfMemory(const CgroupStats& used) {
  if (!used.memory) return std::nullopt;
  return (*used.memory).*member;
}
template <auto member>
std::optional<uint64_t> OfIo(const CgroupStats& used) {
  uint64_t sum = 0;
  for (const kernel::IoStats& device : used.io) sum += device.*member;
  return sum;
}
std::optional<uint64_t> Limit(const CgroupStats& used) {
  if (!used.memory) return std::nullopt;
  return used.memory->limit.value_or(0);
}
std::optional<uint64_t> Swap(const CgroupStats& used) {
  return used.memory ? used.memory->swap_usage : std::nullopt;
}
std::optional<uint64_t> Tasks(const CgroupStats& used) {
  if (!used.pids) return std::nullopt;
  return used.pids->current;
}

constexpr Family kFamilies[] = {
    {"container_cpu_usage_seconds_total", "Cumulative cpu time consumed in seconds.", kCounter,
     OfCpu<&kernel::CpuStats::usage_ns, kNanosPerSecond>},
    {"container_cpu_user_seconds_total", "Cumulative user cpu time consumed in seconds.", kCounter,
     OfCpu<&kernel::CpuStats::user_ns, kNanosPerSecond>},
    {"container_cpu_system_seconds_total", "Cumulative system cpu time consumed in seconds.",
     kCounter, OfCpu<&kernel::CpuStats::system_ns, kNanosPerSecond>},
    {"container_cpu_cfs_periods_total", "Number of elapsed enforcement period intervals.", kCounter,
     OfCpu<&kernel::CpuStats::periods>},
    {"container_cpu_cfs_throttled_periods_total", "Number of throttled period intervals.", kCounter,
     OfCpu<&kernel::CpuStats::throttled_periods>},
    {"container_cpu_cfs_throttled_seconds_total",
     "Total time duration the container has been throttled.", kCounter,
     OfCpu<&kernel::CpuStats::throttled_ns, kNanosPerSecond>},
    {"container_memory_usage_bytes",
     "Current memory usage in bytes, including all memory regardless of when it was accessed",
     kGauge, OfMemory<&kernel::MemoryStats::usage>},
    {"container_memory_working_set_bytes", "Current working set in bytes.", kGauge,
     OfMemory<&kernel::MemoryStats::working_set>},
    {"container_memory_rss", "Size of RSS in bytes.", kGauge, OfMemory<&kernel::MemoryStats::rss>},
    {"container_memory_cache", "Number of bytes of page cache memory.", kGauge,
     OfMemory<&kernel::MemoryStats::cache>},
    {"container_memory_swap", "Container swap usage in bytes.", kGauge, Swap},
    {"container_memory_failcnt", "Number of memory usage hits limits", kCounter,
     OfMemory<&kernel::MemoryStats::limit_hits>},
    {"container_oom_events_total", "Count of out of memory events observed for the container",
     kCounter, OfMemory<&kernel::MemoryStats::oom_kills>},
    {"container_spec_memory_limit_bytes", "Memory limit for the container.", kGauge, Limit},
    {"container_threads", "Number of threads running inside the container", kGauge, Tasks},
    {"container_fs_reads_bytes_total", "Cumulative count of bytes read", kCounter,
     OfIo<&kernel::IoStats::read_bytes>},
    {"container_fs_writes_bytes_total", "Cumulative count of bytes written", kCounter,
     OfIo<&kernel::IoStats::written_bytes>},
};

// A kubelet adds what it knows of the pod and its containers by their ids.
const reflect::List<std::string>& LabelKeys() {
  static const reflect::List<std::string> kKeys = {"id"};
  return kKeys;
}
const reflect::List<std::string>& DeviceLabelKeys() {
  static const reflect::List<std::string> kKeys = {"id", "interface"};
  return kKeys;
}

v1::Metric MetricOf(std::string_view name, v1::MetricType type, int64_t time, uint64_t value,
                    reflect::List<std::string> labels) {
  v1::Metric metric;
  metric.name = name;
  metric.timestamp = time;
  metric.metric_type = type;
  metric.label_values = std::move(labels);
  metric.value.emplace().value = value;
  return metric;
}

reflect::List<v1::Metric> OfCgroup(const std::string& cgroup, int64_t time,
                                   const CgroupStats& used) {
  reflect::List<v1::Metric> metrics;
  for (const Family& family : kFamilies) {
    const auto value = family.read(used);
    if (value) metrics.push_back(MetricOf(family.name, family.type, time, *value, {cgroup}));
  }
  return metrics;
}

}  // namespace

std::vector<v1::MetricDescriptor> MetricDescriptors() {
  std::vector<v1::MetricDescriptor> list;
  for (const Family& family : kFamilies) {
    list.push_back({std::string(family.name), std::string(family.help), LabelKeys()});
  }
  for (const network::CounterFamily& family : network::kCounterFamilies) {
    list.push_back({std::string(family.name), std::string(family.help), DeviceLabelKeys()});
  }
  return list;
}

std::vector<v1::PodSandboxMetrics> MetricsOf(const std::vector<runtime::PodUsage>& pods) {
  std::vector<v1::PodSandboxMetrics> list;
  list.reserve(pods.size());
  for (const runtime::PodUsage& pod : pods) {
    v1::PodSandboxMetrics& metrics = list.emplace_back();
    metrics.pod_sandbox_id = pod.sandbox_id;
    metrics.metrics = OfCgroup(pod.cgroup, pod.read_at, pod.used);
    for (const network::CounterFamily& family : network::kCounterFamilies) {
      if (!pod.network) break;
      metrics.metrics.push_back(MetricOf(family.name, kCounter, pod.read_at,
                                         (*pod.network).*family.counter,
                                         {pod.cgroup, pod.interface}));
    }
    for (const runtime::ContainerUsage& container : pod.containers) {
      metrics.container_metrics.push_back(
          {container.id, OfCgroup(container.cgroup, container.read_at, container.used)});
    }
  }
  return list;
}

}  // namespace podium::cri
