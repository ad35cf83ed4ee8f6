#include "node/metrics/node_metrics.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "api/release.h"
#include "linux/path.h"
#include "node/stats/machine_use.h"
#include "node/stats/metrics_text.h"
#include "reflect/number_text.h"

namespace podium::node {
namespace {

constexpr std::array<std::string_view, static_cast<size_t>(Operation::kCount)> kOperations = {
    "attach",
    "container_stats",
    "container_status",
    "create_container",
    "exec",
    "exec_sync",
    "image_status",
    "list_container_stats",
    "list_containers",
    "list_podsandbox",
    "list_podsandbox_stats",
    "podsandbox_stats",
    "podsandbox_status",
    "port_forward",
    "pull_image",
    "remove_container",
    "remove_podsandbox",
    "reopen_container_log",
    "run_podsandbox",
    "start_container",
    "status",
    "stop_container",
    "stop_podsandbox",
    "update_container",
    "update_podsandbox_resources",
};

// The histogram's lines, with `labels` before "le".
void AppendHistogram(const std::string& labels, const Histogram& histogram, MetricsText* text) {
  const std::vector<uint64_t> counts = histogram.Counts();
  uint64_t below = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    below += counts[i];
    std::string end = "+Inf";
    if (i < histogram.ends().size()) {
      end.clear();
      reflect::AppendFloatGeneral(histogram.ends()[i], &end);
    }
    std::string with_end = labels;
    MetricsText::AppendLabel("le", end, &with_end);
    text->Part("_bucket", with_end, static_cast<double>(below));
  }
  text->Part("_sum", labels, histogram.sum());
  text->Part("_count", labels, static_cast<double>(below));
}

class Page {
 public:
  void One(std::string_view name, std::string_view help, MetricType type, double value) {
    text_.Single(name, help, type, value);
  }
  void One(std::string_view name, std::string_view help, const Counter& counter) {
    text_.Single(name, help, MetricType::kCounter, static_cast<double>(counter.value()));
  }
  void One(std::string_view name, std::string_view help, const Gauge& gauge) {
    text_.Single(name, help, MetricType::kGauge, static_cast<double>(gauge.value()));
  }
  void One(std::string_view name, std::string_view help, const Histogram& histogram) {
    text_.Family(name, help, MetricType::kHistogram);
    AppendHistogram("", histogram, &text_);
  }
  void All(std::string_view name, std::string_view help, const Series<Counter>& series,
           MetricType type = MetricType::kCounter) {
    text_.Family(name, help, type);
    series.ForEach([&](const std::string& labels, const Counter& counter) {
      text_.Value(labels, static_cast<double>(counter.value()));
    });
  }
  void All(std::string_view name, std::string_view help, const Series<Histogram>& series) {
    text_.Family(name, help, MetricType::kHistogram);
    series.ForEach([&](const std::string& labels, const Histogram& histogram) {
      AppendHistogram(labels, histogram, &text_);
    });
  }
  MetricsText& text() { return text_; }
  std::string Take() && { return std::move(text_).Take(); }

 private:
  MetricsText text_;
};

std::string Label(std::string_view name, std::string_view value) {
  return MetricsText::LabelsText({{name, value}});
}

void AppendPods(const NodeMetrics& metrics, const NodeCounts& counts, Page* page) {
  page->text().Family("kubelet_active_pods",
                      "Pods that count when another one is admitted; static: not the API server's.",
                      MetricType::kGauge);
  for (const auto& [is_static, count] : counts.active_pods) {
    page->text().Value(Label("static", is_static ? "true" : ""), static_cast<double>(count));
  }
  page->All("kubelet_cgroup_manager_duration_seconds",
            "How long changes of pods' cgroups took, by what was done.", metrics.cgroup_manager);
  page->All("kubelet_evictions", "Pods that were evicted, by what the node was short of.",
            metrics.evictions);
  if (const auto first = metrics.start_times.first_with_network()) {
    page->One("kubelet_first_network_pod_start_sli_duration_seconds",
              "kubelet_pod_start_sli_duration_seconds of the first pod with its own network.",
              MetricType::kGauge, *first);
  }
  page->One("kubelet_graceful_shutdown_end_time_seconds",
            "When the last graceful shutdown ended, since 1970; 0: it has not.",
            metrics.shutdown_end);
  page->One("kubelet_graceful_shutdown_start_time_seconds",
            "When the last graceful shutdown began, since 1970; 0: there was none.",
            metrics.shutdown_start);
}

void AppendRequests(const NodeMetrics& metrics, Page* page) {
  page->All("kubelet_http_inflight_requests", "Requests that are served now.",
            metrics.http_in_flight, MetricType::kGauge);
  page->All("kubelet_http_requests_duration_seconds", "How long requests took.",
            metrics.http_duration);
  page->All("kubelet_http_requests_total", "Requests that came to the kubelet's port.",
            metrics.http_requests);
}

void AppendStarts(const NodeMetrics& metrics, const NodeCounts& counts, Page* page) {
  page->One("kubelet_managed_ephemeral_containers", "Ephemeral containers of the node's pods.",
            MetricType::kGauge, static_cast<double>(counts.ephemeral_containers));
  page->text().Family("kubelet_node_name", "Whose node this is; always 1.", MetricType::kGauge);
  page->text().Value(Label("node", counts.node_name), 1);
  page->One("kubelet_pod_start_duration_seconds",
            "From when a pod was first seen here until it was told to run.", metrics.pod_start);
  page->One("kubelet_pod_start_sli_duration_seconds",
            "From a pod's creation until the API server shows that all of its containers have "
            "started, without pulls of images and init containers.",
            metrics.start_times.sli);
  page->One("kubelet_pod_start_total_duration_seconds",
            "From a pod's creation until the API server shows that all of its containers have "
            "started.",
            metrics.start_times.total);
  page->One("kubelet_pod_status_sync_duration_seconds",
            "From the first change of a pod's status that the API server does not know until it "
            "does, whatever changes meanwhile.",
            metrics.pod_status_sync);
  page->All("kubelet_pod_worker_duration_seconds",
            "How long one round of a pod took, by why there was one.", metrics.pod_worker);
  page->One("kubelet_pod_worker_start_duration_seconds",
            "From when a pod was first seen here until its first round.", metrics.pod_worker_start);
  page->All("kubelet_preemptions", "Pods that ended for critical ones, by what those lacked.",
            metrics.preemptions);
  page->All("kubelet_run_podsandbox_duration_seconds",
            "How long sandboxes took to be made, by runtime handler.", metrics.run_sandbox);
  page->All("kubelet_run_podsandbox_errors_total",
            "Sandboxes that could not be made, by runtime handler.", metrics.run_sandbox_errors);
  page->text().Family("kubelet_running_containers", "Containers, by their state.",
                      MetricType::kGauge);
  for (const auto& [state, count] : counts.running_containers) {
    page->text().Value(Label("container_state", state), static_cast<double>(count));
  }
  page->One("kubelet_running_pods", "Pods whose sandbox runs.", MetricType::kGauge,
            static_cast<double>(counts.running_pods));
}

void AppendOperations(const NodeMetrics& metrics, Page* page) {
  const auto each = [&](const auto& append) {
    for (size_t i = 0; i < metrics.operations.size(); ++i) {
      if (metrics.operations[i].calls.value() == 0) continue;
      append(Label("operation_type", kOperations[i]), metrics.operations[i]);
    }
  };
  page->text().Family("kubelet_runtime_operations_duration_seconds",
                      "How long calls of the runtime took.", MetricType::kHistogram);
  each([&](const std::string& labels, const OperationCounts& counts) {
    AppendHistogram(labels, counts.duration, &page->text());
  });
  page->text().Family("kubelet_runtime_operations_errors_total",
                      "Calls of the runtime that failed.", MetricType::kCounter);
  each([&](const std::string& labels, const OperationCounts& counts) {
    if (counts.errors.value() == 0) return;
    page->text().Value(labels, static_cast<double>(counts.errors.value()));
  });
  page->text().Family("kubelet_runtime_operations_total", "Calls of the runtime.",
                      MetricType::kCounter);
  each([&](const std::string& labels, const OperationCounts& counts) {
    page->text().Value(labels, static_cast<double>(counts.calls.value()));
  });
}

void AppendStarted(const NodeMetrics& metrics, Page* page) {
  page->All("kubelet_started_containers_errors_total",
            "Containers that could not be started, by kind and reason.",
            metrics.started_containers_errors);
  page->All("kubelet_started_containers_total", "Containers that were to be started, by kind.",
            metrics.started_containers);
  page->One("kubelet_started_pods_errors_total", "Sandboxes that could not be made.",
            metrics.started_pods_errors);
  page->One("kubelet_started_pods_total", "Sandboxes that were to be made.", metrics.started_pods);
}

// Upstream has a family only where there is a claim.
void AppendClaims(const std::vector<ClaimUse>& claims, Page* page) {
  if (claims.empty()) return;
  const auto family = [&](std::string_view name, std::string_view help, const auto& value_of) {
    page->text().Family(name, help, MetricType::kGauge);
    for (const ClaimUse& claim : claims) {
      page->text().Value(MetricsText::LabelsText({{"namespace", claim.name_space},
                                                  {"persistentvolumeclaim", claim.claim}}),
                         static_cast<double>(value_of(claim.use)));
    }
  };
  family("kubelet_volume_stats_available_bytes", "Room that a claim's volume has left.",
         [](const FileSystemUse& use) { return use.available; });
  family("kubelet_volume_stats_capacity_bytes", "Size of a claim's volume.",
         [](const FileSystemUse& use) { return use.capacity; });
  family("kubelet_volume_stats_inodes", "How many inodes a claim's volume can have.",
         [](const FileSystemUse& use) { return use.inodes; });
  family("kubelet_volume_stats_inodes_free", "How many more inodes a claim's volume can have.",
         [](const FileSystemUse& use) { return use.inodes_free; });
  family("kubelet_volume_stats_inodes_used", "Inodes that a claim's volume has.", InodesUsed);
  family("kubelet_volume_stats_used_bytes", "What is used of a claim's volume.",
         [](const FileSystemUse& use) { return use.used; });
}

void AppendBuild(Page* page) {
  utsname machine{};
  uname(&machine);
  const std::string_view architecture = machine.machine;
  const std::string platform = "linux/" + std::string(architecture == "x86_64"    ? "amd64"
                                                      : architecture == "aarch64" ? "arm64"
                                                                                  : architecture);
  // "v1.36.0"
  const std::string_view release = api::kRelease.substr(1);
  const size_t dot = release.find('.');
  const std::string_view minor = release.substr(dot + 1);
  page->text().Family("kubernetes_build_info", "The release of the API that this is; always 1.",
                      MetricType::kGauge);
  page->text().Value(MetricsText::LabelsText({{"git_version", api::kGitVersion},
                                              {"major", release.substr(0, dot)},
                                              {"minor", minor.substr(0, minor.find('.'))},
                                              {"platform", platform}}),
                     1);
}

void AppendStartTime(const ProcessUse& use, Page* page) {
  page->One("process_start_time_seconds", "When the process began, since 1970.", MetricType::kGauge,
            static_cast<double>(use.started_at) / static_cast<double>(kNanosPerSecond));
}

void AppendProcess(Page* page) {
  const ProcessUse use = ReadOwnUse();
  page->One("process_cpu_seconds_total", "Time of processors that the process has used.",
            MetricType::kCounter,
            static_cast<double>(use.cpu_ns) / static_cast<double>(kNanosPerSecond));
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  page->One("process_max_fds", "Descriptors that the process may have.", MetricType::kGauge,
            static_cast<double>(limit.rlim_cur));
  const auto folder = kernel::OpenPath("/proc/self/fd", O_RDONLY | O_DIRECTORY);
  if (folder.ok()) {
    const auto open = kernel::ListFolder(folder->get());
    // Without the folder's own.
    if (open.ok() && !open->empty()) {
      page->One("process_open_fds", "Descriptors that the process has.", MetricType::kGauge,
                static_cast<double>(open->size() - 1));
    }
  }
  page->One("process_resident_memory_bytes", "Memory of the process that is in use.",
            MetricType::kGauge, static_cast<double>(use.resident_bytes));
  AppendStartTime(use, page);
  page->One("process_virtual_memory_bytes", "Address space of the process.", MetricType::kGauge,
            static_cast<double>(use.virtual_bytes));
}

}  // namespace

std::string_view NameOf(Operation operation) { return kOperations[static_cast<size_t>(operation)]; }

std::string NodeMetricsPage(const NodeMetrics& metrics, const NodeCounts& counts) {
  Page page;
  AppendPods(metrics, counts, &page);
  AppendRequests(metrics, &page);
  AppendStarts(metrics, counts, &page);
  AppendOperations(metrics, &page);
  AppendStarted(metrics, &page);
  AppendClaims(counts.claims, &page);
  AppendBuild(&page);
  AppendProcess(&page);
  page.All("rest_client_requests_total",
           "Requests to the API server, by answer (<error>: none came), server and method.",
           metrics.rest_requests);
  return std::move(page).Take();
}

std::string ProbeMetricsPage(const ProbeMetrics& metrics) {
  const auto all = metrics.All();
  const auto labels_of = [](const ProbeCounts& counts, bool total, std::string_view result) {
    const ProbeCounts::Labels& labels = counts.labels();
    std::string text = MetricsText::LabelsText(
        {{"container", labels.container}, {"namespace", labels.name_space}, {"pod", labels.pod}});
    if (total) MetricsText::AppendLabel("pod_uid", labels.uid, &text);
    MetricsText::AppendLabel("probe_type", labels.type, &text);
    if (total) MetricsText::AppendLabel("result", result, &text);
    return text;
  };
  Page page;
  page.text().Family("prober_probe_duration_seconds", "How long probes took.",
                     MetricType::kHistogram);
  // Of a pod that was made anew under its name the one before may still be here.
  std::string last;
  for (const auto& counts : all) {
    std::string labels = labels_of(*counts, false, "");
    if (labels == last) continue;
    AppendHistogram(labels, counts->duration, &page.text());
    last = std::move(labels);
  }
  page.text().Family("prober_probe_total", "Probes that were run, by their result.",
                     MetricType::kCounter);
  for (const auto& counts : all) {
    for (const auto& [result, count] :
         {std::pair<std::string_view, const Counter&>("failed", counts->failed),
          {"successful", counts->successful},
          {"unknown", counts->unknown}}) {
      if (count.value() == 0) continue;
      page.text().Value(labels_of(*counts, true, result), static_cast<double>(count.value()));
    }
  }
  AppendStartTime(ReadOwnUse(), &page);
  return std::move(page).Take();
}

}  // namespace podium::node
