#include "apiserver/metrics.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <system_error>
#include <unordered_map>
#include <vector>

#include "apiserver/request_info.h"

namespace podium::apiserver {
namespace {

// Upstream's, in seconds.
constexpr std::array<double, 23> kBuckets = {0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8,
                                             1,     1.25,  1.5,  2,   3,   4,   5,   6,
                                             8,     10,    15,   20,  30,  45,  60};

struct VerbName {
  std::string_view verb;
  std::string_view name;
};
constexpr VerbName kVerbs[] = {{"get", "GET"},        {"list", "LIST"},
                               {"watch", "WATCH"},    {"create", "POST"},
                               {"update", "PUT"},     {"patch", "PATCH"},
                               {"delete", "DELETE"},  {"deletecollection", "DELETECOLLECTION"},
                               {"proxy", "CONNECT"},  {"post", "POST"},
                               {"put", "PUT"},        {"head", "HEAD"},
                               {"options", "OPTIONS"}};

std::string_view VerbOf(const Call& call) {
  const RequestInfo& info = call.info;
  if (info.verb == "patch" &&
      call.Header("Content-Type").starts_with("application/apply-patch+yaml")) {
    return "APPLY";
  }
  for (const std::string_view connect : {"proxy", "exec", "attach", "portforward"}) {
    if (info.is_resource && info.subresource == connect) return "CONNECT";
  }
  if (info.resource == "pods" && info.subresource == "log" && info.verb == "get") return "CONNECT";
  const auto* found = std::ranges::find(kVerbs, info.verb, &VerbName::verb);
  return found != std::end(kVerbs) ? found->name : "OTHER";
}

std::string_view ScopeOf(const RequestInfo& info) {
  if (!info.is_resource) return "";
  if (!info.name.empty() || info.verb == "create") return "resource";
  return info.namespace_.empty() ? "cluster" : "namespace";
}

void AppendLabel(std::string_view name, std::string_view value, std::string* out) {
  if (!out->empty()) out->push_back(',');
  out->append(name).append("=\"").append(value).push_back('"');
}

// The labels as they are printed, which the series is found by.
void AppendLabels(const RequestLabels& labels, bool dry_run, std::string* out) {
  AppendLabel("component", "apiserver", out);
  if (dry_run) AppendLabel("dry_run", labels.dry_run, out);
  AppendLabel("group", labels.group, out);
  AppendLabel("resource", labels.resource, out);
  AppendLabel("scope", labels.scope, out);
  AppendLabel("subresource", labels.subresource, out);
  AppendLabel("verb", labels.verb, out);
  AppendLabel("version", labels.version, out);
}

void AppendHead(std::string_view name, std::string_view help, std::string_view type,
                std::string* out) {
  fmt::format_to(std::back_inserter(*out), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

void AppendValue(std::string_view name, std::string_view labels, double value, std::string* out) {
  if (labels.empty()) {
    fmt::format_to(std::back_inserter(*out), "{} {}\n", name, value);
  } else {
    fmt::format_to(std::back_inserter(*out), "{}{{{}}} {}\n", name, labels, value);
  }
}

void AppendSingle(std::string_view name, std::string_view help, std::string_view type, double value,
                  std::string* out) {
  AppendHead(name, help, type, out);
  AppendValue(name, "", value, out);
}

size_t OpenDescriptors() {
  std::error_code error;
  size_t count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
       at.increment(error)) {
    ++count;
  }
  return count;
}

// Seconds since 1970; 0 when the kernel does not say.
double StartTime() {
  std::ifstream stat("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  // Behind the name, which may have blanks: the 20th field from there.
  size_t at = text.rfind(')');
  for (int field = 0; field < 20 && at != std::string::npos; ++field) at = text.find(' ', at + 1);
  std::ifstream system("/proc/stat");
  double boot = 0;
  for (std::string word; boot == 0 && system >> word;) {
    if (word == "btime") system >> boot;
  }
  if (at == std::string::npos) return 0;
  const double ticks = std::strtod(text.c_str() + at, nullptr);
  return boot + ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

void AppendProcess(std::string* out) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  AppendSingle("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
               "counter", seconds(usage.ru_utime) + seconds(usage.ru_stime), out);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  AppendSingle("process_max_fds", "Maximum number of open file descriptors.", "gauge",
               static_cast<double>(limit.rlim_cur), out);
  AppendSingle("process_open_fds", "Number of open file descriptors.", "gauge",
               static_cast<double>(OpenDescriptors()), out);
  std::ifstream memory("/proc/self/statm");
  double pages = 0;
  double resident = 0;
  memory >> pages >> resident;
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  AppendSingle("process_resident_memory_bytes", "Resident memory size in bytes.", "gauge",
               resident * page, out);
  static const double kStart = StartTime();
  AppendSingle("process_start_time_seconds", "Start time of the process since the unix epoch.",
               "gauge", kStart, out);
  AppendSingle("process_virtual_memory_bytes", "Virtual memory size in bytes.", "gauge",
               pages * page, out);
}

constexpr std::array<std::string_view, 3> kStreams = {"attach", "exec", "portforward"};
constexpr std::array<std::string_view, 2> kStreamWays = {"translated_at_apiserver",
                                                         "proxied_to_kubelet"};

void AppendStreams(const std::array<std::array<std::atomic<uint64_t>, 2>, 3>& streams,
                   std::string* out) {
  constexpr std::string_view kName = "apiserver_websocket_streaming_requests_total";
  AppendHead(kName,
             "Requests for exec, attach and portforward, by whether the kubelet takes WebSockets "
             "as they come.",
             "counter", out);
  for (size_t i = 0; i < kStreams.size(); ++i) {
    for (size_t way = 0; way < kStreamWays.size(); ++way) {
      const uint64_t count = streams[i][way].load();
      if (count == 0) continue;
      std::string labels;
      AppendLabel("proxy_type", kStreamWays[way], &labels);
      AppendLabel("subresource", kStreams[i], &labels);
      AppendValue(kName, labels, static_cast<double>(count), out);
    }
  }
}

void AppendAudit(const Audit::Counts& counts, std::string* out) {
  AppendSingle("apiserver_audit_event_total", "Audit events that were made for the log.", "counter",
               static_cast<double>(counts.events), out);
  constexpr std::string_view kErrors = "apiserver_audit_error_total";
  AppendHead(kErrors, "Audit events that are not in the log, by what lost them.", "counter", out);
  // Upstream's names of its queue and of the file behind it.
  AppendValue(kErrors, "plugin=\"buffered\"", static_cast<double>(counts.log.dropped), out);
  AppendValue(kErrors, "plugin=\"log\"", static_cast<double>(counts.log.failed), out);
  constexpr std::string_view kLevels = "apiserver_audit_level_total";
  AppendHead(kLevels, "Requests by the level that the audit policy gives them.", "counter", out);
  for (size_t i = 0; i < std::size(counts.by_level); ++i) {
    std::string labels;
    AppendLabel("level", NameOf(static_cast<AuditLevel>(i)), &labels);
    AppendValue(kLevels, labels, static_cast<double>(counts.by_level[i]), out);
  }
  // Of upstream's mode blocking-strict: here no request waits for the log, and none fails by it.
  AppendSingle("apiserver_audit_requests_rejected_total",
               "Requests that were refused since the audit log did not take them.", "counter", 0,
               out);
}

void AppendObjects(const Catalog& catalog, store::Store& store, std::string* out) {
  constexpr std::string_view kName = "apiserver_storage_objects";
  AppendHead(kName, "Objects that are stored, by resource.", "gauge", out);
  std::vector<std::string_view> seen;
  for (const ServedResource& resource : catalog.resources()) {
    if (!resource.is_stored() || std::ranges::find(seen, resource.prefix) != seen.end()) continue;
    seen.push_back(resource.prefix);
    store::RangeOptions options;
    options.keys = store::KeyRange::Prefix(resource.prefix);
    options.limit = 1;
    options.count = true;
    const auto range = store.Range(options);
    if (!range.ok()) continue;
    std::string labels;
    AppendLabel("resource", resource.group_resource().String(), &labels);
    AppendValue(kName, labels,
                static_cast<double>(range->remaining) + static_cast<double>(range->entries.size()),
                out);
  }
}

}  // namespace

struct Metrics::Series {
  std::map<int, uint64_t> by_status;
  std::array<uint64_t, kBuckets.size() + 1> buckets{};
  double seconds = 0;
  std::atomic<int64_t> running = 0;
  bool long_running = false;
};

struct Metrics::Tables {
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's word
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  std::mutex mutex;
  // By their labels; under the mutex. A series stays where it is.
  std::unordered_map<std::string, Series, Hash, std::equal_to<>> requests;
  std::unordered_map<std::string, Series, Hash, std::equal_to<>> long_running;
  std::atomic<int64_t> reading = 0;
  std::atomic<int64_t> changing = 0;

  template <class Map>
  static Series& FindLocked(Map& map, const std::string& labels) {
    const auto known = map.find(std::string_view(labels));
    return known != map.end() ? known->second : map[labels];
  }
};

RequestLabels LabelsOf(const Call& call, const ServedResource* resource) {
  RequestLabels labels;
  labels.verb = VerbOf(call);
  if (!QueryValue(call.query, "dryRun").empty()) labels.dry_run = "All";
  if (resource == nullptr) return labels;
  labels.group = resource->group;
  labels.version = resource->version;
  labels.resource = resource->plural;
  labels.scope = ScopeOf(call.info);
  if (resource->builtin != nullptr) {
    const api::Subresource* known = resource->builtin->FindSubresource(call.info.subresource);
    if (known != nullptr) labels.subresource = known->name;
  } else if (call.info.subresource == "status" || call.info.subresource == "scale") {
    labels.subresource = call.info.subresource;
  }
  return labels;
}

Metrics::Metrics() : tables_(std::make_unique<Tables>()) {}
Metrics::~Metrics() = default;

void Metrics::Count(const RequestLabels& labels, int status, int64_t nanoseconds) {
  std::string text;
  text.reserve(160);
  AppendLabels(labels, true, &text);
  const double seconds = static_cast<double>(nanoseconds) * 1e-9;
  const auto bucket =
      static_cast<size_t>(std::ranges::lower_bound(kBuckets, seconds) - kBuckets.begin());
  const std::lock_guard lock(tables_->mutex);
  Series& series = Tables::FindLocked(tables_->requests, text);
  ++series.by_status[status];
  series.long_running = labels.verb == "WATCH" || labels.verb == "CONNECT";
  ++series.buckets[bucket];
  series.seconds += seconds;
}

void Metrics::CountStream(std::string_view subresource, bool proxied_to_kubelet) {
  const auto* found = std::ranges::find(kStreams, subresource);
  if (found == kStreams.end()) return;
  streams_[static_cast<size_t>(found - kStreams.begin())][proxied_to_kubelet ? 1 : 0].fetch_add(1);
}

Metrics::InFlight Metrics::Begin(const RequestLabels& labels) {
  if (labels.verb == "WATCH" || labels.verb == "CONNECT") {
    std::string text;
    AppendLabels(labels, false, &text);
    const std::lock_guard lock(tables_->mutex);
    return InFlight(&Tables::FindLocked(tables_->long_running, text).running);
  }
  const bool reads = labels.verb == "GET" || labels.verb == "LIST" || labels.verb == "HEAD";
  return InFlight(reads ? &tables_->reading : &tables_->changing);
}

std::string Metrics::Text(const Catalog& catalog, store::Store& store, const Audit* audit) const {
  std::string out;
  std::string durations;
  AppendHead("apiserver_request_total", "Requests that were answered, by status code.", "counter",
             &out);
  AppendHead("apiserver_request_duration_seconds", "How long requests took, but for watches.",
             "histogram", &durations);
  const std::lock_guard lock(tables_->mutex);
  const std::map<std::string_view, const Series*> sorted = [&] {
    std::map<std::string_view, const Series*> by_labels;
    for (const auto& [labels, series] : tables_->requests) by_labels[labels] = &series;
    return by_labels;
  }();
  for (const auto& [labels, series] : sorted) {
    for (const auto& [status, count] : series->by_status) {
      AppendValue("apiserver_request_total", fmt::format("code=\"{}\",{}", status, labels),
                  static_cast<double>(count), &out);
    }
    if (!series->long_running) AppendHistogram(labels, *series, &durations);
  }
  out += durations;
  AppendHead("apiserver_current_inflight_requests", "Requests that are served now.", "gauge", &out);
  AppendValue("apiserver_current_inflight_requests", "request_kind=\"mutating\"",
              static_cast<double>(tables_->changing.load()), &out);
  AppendValue("apiserver_current_inflight_requests", "request_kind=\"readOnly\"",
              static_cast<double>(tables_->reading.load()), &out);
  AppendHead("apiserver_longrunning_requests", "Watches and the like that are served now.", "gauge",
             &out);
  for (const auto& [labels, series] : tables_->long_running) {
    AppendValue("apiserver_longrunning_requests", labels,
                static_cast<double>(series.running.load()), &out);
  }
  AppendStreams(streams_, &out);
  AppendAudit(audit != nullptr ? audit->counts() : Audit::Counts(), &out);
  AppendObjects(catalog, store, &out);
  AppendProcess(&out);
  return out;
}

void Metrics::AppendHistogram(std::string_view labels, const Series& series, std::string* out) {
  constexpr std::string_view kName = "apiserver_request_duration_seconds";
  uint64_t count = 0;
  for (size_t i = 0; i < series.buckets.size(); ++i) {
    count += series.buckets[i];
    const std::string limit = i < kBuckets.size() ? fmt::format("{}", kBuckets[i]) : "+Inf";
    fmt::format_to(std::back_inserter(*out), "{}_bucket{{{},le=\"{}\"}} {}\n", kName, labels, limit,
                   count);
  }
  fmt::format_to(std::back_inserter(*out), "{}_sum{{{}}} {}\n", kName, labels, series.seconds);
  fmt::format_to(std::back_inserter(*out), "{}_count{{{}}} {}\n", kName, labels, count);
}

Answer AnswerMetrics(const Metrics& metrics, const Catalog& catalog, store::Store& store,
                     const Audit* audit) {
  Answer answer;
  answer.headers.Add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  answer.body = metrics.Text(catalog, store, audit);
  return answer;
}

}  // namespace podium::apiserver
