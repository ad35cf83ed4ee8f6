#include "node/server/kubelet_api.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "api/time.h"
#include "base/text.h"
#include "node/container_status.h"
#include "node/labels.h"
#include "node/logged_container.h"
#include "node/pod_spec.h"
#include "node/stats/metrics_text.h"
#include "reflect/json.h"

namespace podium::node {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

void Plain(http::Exchange& exchange, int status, std::string_view text,
           http::Headers headers = {}) {
  headers.Set("Content-Type", "text/plain; charset=utf-8");
  (void)exchange.Respond(status, std::move(headers), text);
}
void Json(http::Exchange& exchange, std::string_view json) {
  (void)exchange.Respond(200, {{"Content-Type", "application/json"}}, json);
}
void NotAllowed(http::Exchange& exchange) {
  Plain(exchange, 405, "Method Not Allowed", {{"Allow", "GET"}});
}

std::vector<std::string> SegmentsOf(std::string_view path) {
  std::vector<std::string> segments;
  for (const std::string_view segment : Split(path, '/')) {
    if (!segment.empty()) segments.emplace_back(segment);
  }
  return segments;
}

// As upstream labels requests; what is not served is "other", so that nobody can make up series.
std::string MetricLabels(std::string_view method, std::string_view path) {
  static constexpr std::array<std::string_view, 14> kPaths = {"attach",
                                                              "configz",
                                                              "containerLogs",
                                                              "exec",
                                                              "healthz",
                                                              "logs",
                                                              "metrics",
                                                              "metrics/cadvisor",
                                                              "metrics/probes",
                                                              "metrics/resource",
                                                              "pods",
                                                              "portForward",
                                                              "run",
                                                              "runningpods"};
  static constexpr std::array<std::string_view, 3> kMethods = {"GET", "POST", "HEAD"};
  const auto segments = SegmentsOf(path);
  std::string root = segments.empty() ? "" : segments[0];
  if (root == "metrics" && segments.size() > 1) root += "/" + segments[1];
  const bool known = root == "stats" || std::ranges::find(kPaths, root) != kPaths.end();
  const bool is_long = root == "exec" || root == "attach" || root == "portForward";
  const bool verb = std::ranges::find(kMethods, method) != kMethods.end();
  return MetricsText::LabelsText({{"long_running", is_long ? "true" : "false"},
                                  {"method", verb ? method : "other"},
                                  {"path", known ? root : "other"},
                                  {"server_type", "readwrite"}});
}

std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

// As upstream's decoder of parameters takes a number and a bool.
Result<std::optional<int64_t>> ParseCount(const std::string& text) {
  if (text.empty()) return std::optional<int64_t>();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Error(Code::kInvalidArgument, "no number");
  }
  return std::optional(number);
}
bool ParseFlag(const std::string& text) { return !text.empty() && text != "false" && text != "0"; }

template <class Pods>
std::string PodListJson(const Pods& pods) {
  std::string items;
  for (const auto& pod : pods) {
    auto json = reflect::ToJson(*pod);
    if (json.ok()) items += (items.empty() ? "" : ",") + *json;
  }
  return R"({"kind":"PodList","apiVersion":"v1","metadata":{},"items":)" +
         (items.empty() ? "null" : "[" + items + "]") + "}\n";
}

bool HasContainer(const v1::Pod& pod, std::string_view name) {
  const auto has = [&](ContainerKind kind, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (ContainerNameAt(pod, {kind, i}) == name) return true;
    }
    return false;
  };
  return has(ContainerKind::kRegular, pod.spec.containers.size()) ||
         has(ContainerKind::kInit, pod.spec.initContainers.size()) ||
         has(ContainerKind::kEphemeral, pod.spec.ephemeralContainers.size());
}

}  // namespace

std::string KubeletApi::Call::Parameter(std::string_view key) const {
  const auto found = std::ranges::find(query, key, &http::QueryParameters::value_type::first);
  return found == query.end() ? "" : found->second;
}
std::vector<std::string> KubeletApi::Call::All(std::string_view key) const {
  std::vector<std::string> values;
  for (const auto& [name, value] : query) {
    if (name == key) values.push_back(value);
  }
  return values;
}

void KubeletApi::Handle(const std::shared_ptr<http::Exchange>& exchange) {
  const http::ServerRequest& request = exchange->request();
  NodeMetrics& metrics = pages_.metrics();
  const std::string labels = MetricLabels(request.head.method, request.path);
  metrics.http_requests.At(labels).Add();
  if (StreamService::IsUpgrade(request.head)) return Answer(exchange);
  const auto begin = std::chrono::steady_clock::now();
  Counter& in_flight = metrics.http_in_flight.At(labels);
  in_flight.Add();
  Answer(exchange);
  in_flight.Add(-1);
  metrics.http_duration.At(labels).ObserveNanos(
      std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count());
}

void KubeletApi::Answer(const std::shared_ptr<http::Exchange>& exchange) {
  const http::ServerRequest& request = exchange->request();
  if (const auto refusal = auth_.Check(request)) {
    return Plain(*exchange, refusal->status, refusal->text);
  }
  auto query = http::ParseQuery(request.query);
  if (!query.ok()) return Plain(*exchange, 400, query.error().message());
  Route({.exchange = *exchange, .path = SegmentsOf(request.path), .query = *std::move(query)});
}

void KubeletApi::Route(const Call& call) {
  const std::string what = call.path.empty() ? "" : call.path.front();
  const std::string& method = call.exchange.request().head.method;
  const size_t size = call.path.size();
  const bool get = method == "GET";
  if (what == "healthz") return Healthz(call);
  if (what == "metrics") return get ? Metrics(call) : NotAllowed(call.exchange);
  if (what == "stats" && size == 2 && call.path[1] == "summary") {
    if (!get) return NotAllowed(call.exchange);
    return Json(call.exchange, pages_.Summary(ParseFlag(call.Parameter("only_cpu_and_memory"))));
  }
  if (what == "configz" && size == 1) {
    return get ? Json(call.exchange, pages_.configuration()) : NotAllowed(call.exchange);
  }
  if (what == "logs") return Plain(call.exchange, 405, "logs endpoint is disabled.\n");
  for (const auto& [name, segments, list] : {std::tuple{"pods", 1U, &KubeletApi::ListPods},
                                             {"runningpods", 1U, &KubeletApi::ListRunningPods},
                                             {"containerLogs", 4U, &KubeletApi::Logs}}) {
    if (what != name || size != segments) continue;
    return get ? (this->*list)(call) : NotAllowed(call.exchange);
  }
  struct Streamed {
    const char* name;
    bool container;
    bool may_get;
    void (KubeletApi::*serve)(const Call& call, const Place& place);
  };
  for (const Streamed& streamed : {Streamed{"exec", true, true, &KubeletApi::Exec},
                                   {"attach", true, true, &KubeletApi::Attach},
                                   {"portForward", false, true, &KubeletApi::Forward},
                                   {"run", true, false, &KubeletApi::Run}}) {
    const size_t least = streamed.container ? 4 : 3;
    if (what != streamed.name || (size != least && size != least + 1)) continue;
    if (method != "POST" && !(get && streamed.may_get)) {
      return Plain(call.exchange, 405, "405: Method Not Allowed",
                   {{"Allow", streamed.may_get ? "GET, POST" : "POST"}});
    }
    return (this->*streamed.serve)(call, {.name_space = call.path[1],
                                          .pod = call.path[2],
                                          .uid = size > least ? call.path[3] : "",
                                          .container = streamed.container ? call.path.back() : ""});
  }
  Plain(call.exchange, 404, "404: Page Not Found");
}

void KubeletApi::Healthz(const Call& call) {
  const std::string only = call.path.size() > 1 ? call.path[1] : "";
  const std::vector<std::string> excluded = call.All("exclude");
  std::string lines;
  bool well = true;
  bool found = only.empty();
  for (const std::string_view check : {"ping", "log", "syncloop"}) {
    if (!only.empty() && only != check) continue;
    found = true;
    const bool is_excluded = std::ranges::find(excluded, check) != excluded.end();
    const auto checked = check == "syncloop" ? host_.CheckSyncLoop() : Result<void>();
    if (!only.empty() && !checked.ok()) {
      return Plain(call.exchange, 500,
                   "internal server error: " + checked.error().message() + "\n");
    }
    well = well && (is_excluded || checked.ok());
    lines += is_excluded    ? "[+]" + std::string(check) + " excluded: ok\n"
             : checked.ok() ? "[+]" + std::string(check) + " ok\n"
                            : "[-]" + std::string(check) + " failed: reason withheld\n";
  }
  if (!found || call.path.size() > 2) return Plain(call.exchange, 404, "404: Page Not Found");
  const http::Headers headers{{"X-Content-Type-Options", "nosniff"}};
  if (!well) return Plain(call.exchange, 500, lines + "healthz check failed\n", headers);
  const bool verbose =
      std::ranges::find(call.query, "verbose", &http::QueryParameters::value_type::first) !=
      call.query.end();
  if (!only.empty() || !verbose) return Plain(call.exchange, 200, "ok", headers);
  Plain(call.exchange, 200, lines + "healthz check passed\n", headers);
}

void KubeletApi::Metrics(const Call& call) {
  std::string path;
  for (const std::string& segment : call.path) path += "/" + segment;
  const auto page = pages_.Metrics(path);
  if (!page) return Plain(call.exchange, 404, "404: Page Not Found");
  (void)call.exchange.Respond(200, {{"Content-Type", std::string(kMetricsContentType)}}, *page);
}

void KubeletApi::ListPods(const Call& call) { Json(call.exchange, PodListJson(host_.Pods())); }

void KubeletApi::ListRunningPods(const Call& call) {
  wire::cri::ContainerFilter filter;
  filter.state.ensure().state = wire::cri::ContainerState::kContainerRunning;
  const auto containers = host_.runtime().ListContainers(filter);
  if (!containers.ok()) return Plain(call.exchange, 500, containers.error().message());
  std::map<std::string, std::shared_ptr<v1::Pod>> pods;  // by uid
  for (const wire::cri::Container& container : *containers) {
    const auto label = [&](std::string_view name) {
      const auto found = container.labels.find(std::string(name));
      return found == container.labels.end() ? std::string() : found->second;
    };
    auto& pod = pods[label(kPodUidLabel)];
    if (!pod) {
      pod = std::make_shared<v1::Pod>();
      pod->metadata.name = label(kPodNameLabel);
      pod->metadata.namespace_ = label(kPodNamespaceLabel);
      pod->metadata.uid = label(kPodUidLabel);
    }
    auto& running = pod->spec.containers.emplace_back();
    running.name = label(kContainerNameLabel);
    running.image = container.image_id;
  }
  std::vector<std::shared_ptr<v1::Pod>> list;
  list.reserve(pods.size());
  for (auto& [uid, pod] : pods) list.push_back(std::move(pod));
  Json(call.exchange, PodListJson(list));
}

std::optional<KubeletAuth::Refusal> KubeletApi::ReadLogOptions(const Call& call,
                                                               LogOptions* options) const {
  const auto undecodable = [] {
    return KubeletAuth::Refusal{400, R"({"message": "Unable to decode query."})"};
  };
  const auto invalid = [] {
    return KubeletAuth::Refusal{422, R"({"message": "Invalid request."})"};
  };
  options->follow = ParseFlag(call.Parameter("follow"));
  options->timestamps = ParseFlag(call.Parameter("timestamps"));
  // What clients of old say instead of tailLines.
  const std::string tail = call.Parameter("tail");
  const auto lines = ParseCount(tail == "all"  ? ""
                                : tail.empty() ? call.Parameter("tailLines")
                                               : tail);
  const auto bytes = ParseCount(call.Parameter("limitBytes"));
  const auto seconds = ParseCount(call.Parameter("sinceSeconds"));
  if (!lines.ok() || !bytes.ok() || !seconds.ok()) return undecodable();
  options->tail_lines = *lines;
  options->limit_bytes = *bytes;
  if (*seconds) options->since = clock_.Now() - (**seconds * kSecond);
  if (const std::string time = call.Parameter("sinceTime"); !time.empty()) {
    const auto parsed = api::Time::Parse(time);
    if (!parsed.ok()) return undecodable();
    if (*seconds) return invalid();
    options->since = parsed->unix_seconds() * kSecond;
  }
  const std::string stream = call.Parameter("stream");
  if (!stream.empty() && stream != "All" && stream != "Stdout" && stream != "Stderr") {
    return invalid();
  }
  options->out = stream != "Stderr";
  options->err = stream != "Stdout";
  const bool one_stream = !options->out || !options->err;
  const auto below = [](const std::optional<int64_t>& number, int64_t least) {
    return number && *number < least;
  };
  if (below(*lines, 0) || below(*bytes, 1) || below(*seconds, 1) || (*lines && one_stream)) {
    return invalid();
  }
  return std::nullopt;
}

void KubeletApi::Logs(const Call& call) {
  const std::string& name_space = call.path[1];
  const std::string& name = call.path[2];
  const std::string& container = call.path[3];
  LogOptions options;
  if (const auto refusal = ReadLogOptions(call, &options)) {
    return Plain(call.exchange, refusal->status, refusal->text);
  }
  const auto pod = host_.FindPod(name_space, name);
  if (!pod) return Plain(call.exchange, 404, "pod " + Quoted(name) + " does not exist");
  if (!HasContainer(*pod, container)) {
    return Plain(call.exchange, 404,
                 "container " + Quoted(container) + " not found in pod " + Quoted(name));
  }
  const auto id = LoggedContainer(*pod, container, ParseFlag(call.Parameter("previous")));
  if (!id.ok()) return Plain(call.exchange, 400, id.error().message());
  const auto status = host_.runtime().ContainerStatus(id->substr(kContainerIdPrefix.size()), false);
  if (!status.ok() || !status->status) {
    return Plain(call.exchange, 400, "unable to retrieve container logs for " + *id);
  }
  (void)call.exchange.RespondFrom(200, {{"Content-Type", "text/plain"}},
                                  logs_.Open({.name_space = name_space,
                                              .pod = name,
                                              .uid = pod->metadata.uid,
                                              .container = container,
                                              .container_id = *id},
                                             status->status->log_path, options));
}

Result<std::string> KubeletApi::RunningContainer(const v1::Pod& pod, const Place& place) const {
  const v1::ContainerStatus* status = FindStatus(pod.status, place.container);
  const bool same = place.uid.empty() || place.uid == pod.metadata.uid;
  if (!same || status == nullptr || !status->state.running) {
    return Error(Code::kNotFound, "container not found (" + Quoted(place.container) + ")");
  }
  return status->containerID.substr(kContainerIdPrefix.size());
}

Result<std::string> KubeletApi::Sandbox(const v1::Pod& pod) {
  wire::cri::PodSandboxFilter filter;
  filter.label_selector.emplace(std::string(kPodUidLabel), pod.metadata.uid);
  filter.state.ensure().state = wire::cri::PodSandboxState::kSandboxReady;
  TRY(const auto sandboxes, host_.runtime().ListPodSandbox(filter));
  if (sandboxes.empty()) {
    return Error(
        Code::kNotFound,
        "pod not found (" + Quoted(pod.metadata.name + "_" + pod.metadata.namespace_) + ")");
  }
  return sandboxes.front().id;
}

namespace {

// Of the kubelet's own parameters (remotecommand.NewOptions).
template <class Call>
std::optional<RemoteStreams> StreamsOf(const Call& call) {
  RemoteStreams streams{.stdin_ = call.Parameter("input") == "1",
                        .stdout_ = call.Parameter("output") == "1",
                        .stderr_ = call.Parameter("error") == "1",
                        .tty = call.Parameter("tty") == "1"};
  if (streams.tty) streams.stderr_ = false;
  if (streams.stdin_ || streams.stdout_ || streams.stderr_) return streams;
  Plain(call.exchange, 400, "you must specify at least 1 of stdin, stdout, stderr");
  return std::nullopt;
}

// Of a container that runs: what is left to say of a request for streams to it.
template <class Request>
Request RequestFor(const std::string& id, const RemoteStreams& streams) {
  Request request;
  request.container_id = id;
  request.stdin_ = streams.stdin_;
  request.stdout_ = streams.stdout_;
  request.stderr_ = streams.stderr_;
  request.tty = streams.tty;
  return request;
}

bool IsUpgrade(http::Exchange& exchange) {
  if (StreamService::IsUpgrade(exchange.request().head)) return true;
  Plain(exchange, 500, "Upgrade request required\n");
  return false;
}

}  // namespace

void KubeletApi::Exec(const Call& call, const Place& place) {
  const auto streams = StreamsOf(call);
  if (!streams) return;
  const auto pod = host_.FindPod(place.name_space, place.pod);
  if (!pod) return Plain(call.exchange, 404, "pod does not exist");
  const auto id = RunningContainer(*pod, place);
  if (!id.ok()) return Plain(call.exchange, 500, id.error().message());
  if (!IsUpgrade(call.exchange)) return;
  auto request = RequestFor<wire::cri::ExecRequest>(*id, *streams);
  for (std::string& word : call.All("command")) request.cmd.push_back(std::move(word));
  streams_.Serve(call.exchange,
                 RemoteCommand{.streams = *streams,
                               .start = [&runtime = host_.runtime(),
                                         request] { return runtime.Exec(request, {}); },
                               .action = "executing command in container"});
}

void KubeletApi::Attach(const Call& call, const Place& place) {
  const auto streams = StreamsOf(call);
  if (!streams) return;
  const auto pod = host_.FindPod(place.name_space, place.pod);
  if (!pod) return Plain(call.exchange, 404, "pod does not exist");
  const auto id = RunningContainer(*pod, place);
  if (!id.ok()) {
    return Plain(
        call.exchange, 500,
        "container " + place.container + " not found in pod " + place.pod + "_" + place.name_space);
  }
  if (!IsUpgrade(call.exchange)) return;
  const auto request = RequestFor<wire::cri::AttachRequest>(*id, *streams);
  streams_.Serve(call.exchange,
                 RemoteCommand{.streams = *streams,
                               .start = [&runtime = host_.runtime(),
                                         request] { return runtime.Attach(request); },
                               .action = "attaching to container",
                               .tells_code = false});
}

void KubeletApi::Forward(const Call& call, const Place& place) {
  PortForward forward;
  if (StreamService::HasPortsInQuery(call.exchange.request().head)) {
    const auto given = call.All("port");
    if (given.empty()) {
      return Plain(call.exchange, 400, "query parameter \"port\" is required");
    }
    for (const std::string& ports : given) {
      if (ports.empty()) {
        return Plain(call.exchange, 400, "query parameter \"port\" cannot be empty");
      }
      for (const std::string_view text : Split(ports, ',')) {
        const auto number = ParseCount(std::string(text));
        if (!number.ok() || !*number || **number < 0 || **number > UINT16_MAX) {
          return Plain(call.exchange, 400, "unable to parse " + Quoted(ports) + " as a port");
        }
        if (**number == 0) {
          return Plain(call.exchange, 400, "port " + Quoted(ports) + " must be > 0");
        }
        forward.ports.push_back(static_cast<uint16_t>(**number));
      }
    }
    // Two channels each, whose numbers are bytes.
    if (forward.ports.size() > 100) return Plain(call.exchange, 400, "too many ports");
  }
  const auto pod = host_.FindPod(place.name_space, place.pod);
  if (!pod) return Plain(call.exchange, 404, "pod does not exist");
  if (!place.uid.empty() && place.uid != pod->metadata.uid) {
    return Plain(call.exchange, 404, "pod not found");
  }
  const auto sandbox = Sandbox(*pod);
  if (!sandbox.ok()) return Plain(call.exchange, 500, sandbox.error().message());
  if (!IsUpgrade(call.exchange)) return;
  forward.pod = *sandbox;
  forward.connect = [&runtime = host_.runtime(), id = *sandbox](uint16_t port) {
    return runtime.PortForward(id, port);
  };
  streams_.Serve(call.exchange, std::move(forward));
}

void KubeletApi::Run(const Call& call, const Place& place) {
  const auto pod = host_.FindPod(place.name_space, place.pod);
  if (!pod) return Plain(call.exchange, 404, "pod does not exist");
  const auto id = RunningContainer(*pod, place);
  if (!id.ok()) return Plain(call.exchange, 500, id.error().message());
  std::vector<std::string> words;
  const std::string command = call.Parameter("cmd");
  for (const std::string_view word : Split(command, ' ')) words.emplace_back(word);
  const auto ran = host_.runtime().ExecSync(*id, words, std::chrono::seconds(0));
  if (!ran.ok()) return Plain(call.exchange, 500, ran.error().message());
  if (ran->exit_code != 0) {
    return Plain(call.exchange, 500,
                 "command '" + command + "' exited with " + std::to_string(ran->exit_code) + ": " +
                     ran->stderr_.data);
  }
  Json(call.exchange, ran->stdout_.data + ran->stderr_.data);
}

}  // namespace podium::node
