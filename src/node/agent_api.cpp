#include "node/agent_api.h"

#include <algorithm>
#include <charconv>

#include "api/fields.h"
#include "api/labels.h"
#include "node/image_facts.h"

namespace podium::node {
namespace {

std::vector<std::string> Segments(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    if (slash != 0) out.emplace_back(path.substr(0, slash));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return out;
}

struct PodFilter {
  api::labels::Selector labels;
  api::fields::Selector fields;

  bool Matches(const v1::Pod& pod) const {
    return labels.Matches(pod.metadata.labels) &&
           fields.Matches([&](std::string_view field) -> std::string {
             if (field == "metadata.name") return pod.metadata.name;
             if (field == "metadata.namespace") return pod.metadata.namespace_;
             if (field == "spec.nodeName") return pod.spec.nodeName;
             if (field == "spec.restartPolicy") return pod.spec.restartPolicy;
             if (field == "status.phase") return pod.status.phase;
             return {};
           });
  }
};

Result<PodFilter> FilterOf(std::string_view labels, std::string_view fields) {
  PodFilter out;
  TRY(out.labels, api::labels::Selector::Parse(labels));
  TRY(out.fields, api::fields::Selector::Parse(fields));
  return out;
}

}  // namespace

std::string AgentApi::Call::Parameter(std::string_view key) const {
  for (const auto& [each, value] : query) {
    if (each == key) return value;
  }
  return {};
}

uint64_t AgentApi::Call::Version() const {
  return static_cast<uint64_t>(std::max<int64_t>(Number("resourceVersion").value_or(0), 0));
}

bool AgentApi::Call::Flag(std::string_view key) const {
  const std::string value = Parameter(key);
  return value == "true" || value == "1";
}

std::optional<int64_t> AgentApi::Call::Number(std::string_view key) const {
  const std::string text = Parameter(key);
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

http::Treatment AgentApi::TreatmentOf(const http::RequestHead& head) {
  http::Treatment out;
  const std::string_view target = head.target;
  const std::string_view path = target.substr(0, target.find('?'));
  out.long_running =
      path.ends_with("/exec") || path.ends_with("/attach") || path.ends_with("/portforward");
  (void)ImageFactsTreatment(path, &out);
  return out;
}

void AgentApi::Handle(const std::shared_ptr<http::Exchange>& exchange) {
  const http::ServerRequest& request = exchange->request();
  auto query = http::ParseQuery(request.query);
  if (!query.ok()) return RespondError(*exchange, api::BadRequestError(query.error().message()));
  std::vector<std::string> path = Segments(request.path);
  if (path.size() >= 3 && path[0] == "node" && path[1] == "v1") {
    return HandleNode(exchange, path, *query);
  }
  if (path.size() == 1 && (path[0] == "healthz" || path[0] == "livez" || path[0] == "readyz")) {
    (void)exchange->Respond(200, {{"Content-Type", "text/plain"}}, "ok");
    return;
  }
  if (path.size() < 3 || path[0] != "api" || path[1] != "v1") {
    return RespondError(*exchange, api::NoSuchPathError());
  }
  path.erase(path.begin(), path.begin() + 2);
  Call call{.exchange = exchange,
            .method = request.head.method,
            .name_space = {},
            .resource = {},
            .name = {},
            .subresource = {},
            .query = *std::move(query)};
  if (path[0] == "namespaces" && path.size() >= 3) {
    call.name_space = path[1];
    path.erase(path.begin(), path.begin() + 2);
  }
  call.resource = path[0];
  if (path.size() > 1) call.name = path[1];
  if (path.size() > 2) call.subresource = path[2];
  if (path.size() > 3) return RespondError(*exchange, api::NoSuchPathError());
  HandleResource(call);
}

void AgentApi::HandleResource(const Call& call) {
  if (call.resource == "pods") return HandlePods(call);
  if (call.resource == "configmaps" && call.subresource.empty()) return HandleConfigMaps(call);
  if (call.resource == "secrets" && call.subresource.empty()) return HandleSecrets(call);
  if (call.resource == "events" && call.subresource.empty()) return HandleEvents(call);
  RespondError(*call.exchange, api::NoSuchPathError());
}

void AgentApi::HandlePods(const Call& call) {
  const bool get = call.method == "GET";
  if (call.name.empty()) {
    if (get && call.Flag("watch")) return WatchPods(call);
    if (get) return ListPods(call);
    if (call.method == "POST") return CreatePod(call);
    return RespondError(*call.exchange, api::MethodNotAllowedError());
  }
  if (call.subresource == "log" && get) return Log(call);
  if (call.subresource == "exec" && get) return Exec(call);
  if (call.subresource == "attach" && get) return Attach(call);
  if (call.subresource == "portforward" && get) return PortForward(call);
  if (call.subresource == "ephemeralcontainers" && call.method == "PUT") {
    return UpdateEphemeralContainers(call);
  }
  const bool whole = call.subresource.empty() || call.subresource == "ephemeralcontainers" ||
                     call.subresource == "status";
  if (!whole) return RespondError(*call.exchange, api::NoSuchPathError());
  if (get) {
    auto pod = agent_.GetPod(call.name_space, call.name);
    if (!pod) return RespondError(*call.exchange, pod.error());
    return RespondObject(*call.exchange, 200, *pod);
  }
  if (call.method == "PUT" && call.subresource.empty()) return UpdatePod(call);
  if (call.method == "DELETE" && call.subresource.empty()) return DeletePod(call);
  RespondError(*call.exchange, api::MethodNotAllowedError());
}

void AgentApi::ListPods(const Call& call) {
  auto filter = FilterOf(call.Parameter("labelSelector"), call.Parameter("fieldSelector"));
  if (!filter.ok()) return RespondError(*call.exchange, filter.error());
  uint64_t version = 0;
  auto pods = agent_.ListPods(call.name_space, &version);
  std::erase_if(pods, [&](const auto& pod) { return !filter->Matches(*pod); });
  RespondJson(*call.exchange, 200, ListJson("PodList", pods, version));
}

void AgentApi::WatchPods(const Call& call) {
  auto filter = FilterOf(call.Parameter("labelSelector"), call.Parameter("fieldSelector"));
  if (!filter.ok()) return RespondError(*call.exchange, filter.error());
  if (!call.exchange->Begin(200, {{"Content-Type", "application/json"}}).ok()) return;
  auto watcher = std::make_shared<Watcher>(call.exchange);
  const auto send = [watcher, filter = *std::move(filter), name_space = call.name_space](
                        ChangeType type, const v1::Pod& pod) {
    if (!name_space.empty() && pod.metadata.namespace_ != name_space) return;
    if (filter.Matches(pod)) watcher->Send(type, pod);
  };
  uint64_t version = call.Version();
  if (version == 0) {
    for (const auto& pod : agent_.ListPods(call.name_space, &version)) {
      send(ChangeType::kAdded, *pod);
    }
  }
  auto watch =
      agent_.Watch(version, [send](const PodChange& change) { send(change.type, *change.pod); });
  if (!watch.ok()) return watcher->Fail(api::ExpiredError(watch.error().message()));
  KeepWatch(call, watcher, [&agent = agent_, id = *watch] { agent.Unwatch(id); });
}

void AgentApi::KeepWatch(const Call& call, const std::shared_ptr<Watcher>& watcher,
                         const std::function<void()>& unwatch) {
  call.exchange->OnCancel([watcher, unwatch] {
    unwatch();
    watcher->Close();
  });
  const auto seconds = call.Number("timeoutSeconds");
  if (!seconds || *seconds <= 0) return;
  agent_.executor().PostAfter(std::chrono::seconds(*seconds),
                              [weak = std::weak_ptr(watcher), unwatch] {
                                const auto still = weak.lock();
                                if (!still) return;
                                unwatch();
                                still->End();
                              });
}

void AgentApi::CreatePod(const Call& call) {
  const auto trace = call.Flag("trace") ? std::make_shared<Trace>() : nullptr;
  const TraceScope scope(trace.get());
  const TraceSpan whole("create");
  auto pod = [&] {
    const TraceSpan span("decode");
    return ReadBody<v1::Pod>(call);
  }();
  if (!pod) return RespondError(*call.exchange, pod.error());
  auto created = agent_.CreatePod(*std::move(pod), trace);
  if (!created) return RespondError(*call.exchange, created.error());
  RespondObject(*call.exchange, 201, *created);
}

void AgentApi::UpdatePod(const Call& call) {
  auto pod = ReadBody<v1::Pod>(call);
  if (!pod) return RespondError(*call.exchange, pod.error());
  auto updated = agent_.UpdatePod(*std::move(pod));
  if (!updated) return RespondError(*call.exchange, updated.error());
  RespondObject(*call.exchange, 200, *updated);
}

void AgentApi::DeletePod(const Call& call) {
  std::optional<int64_t> grace = call.Number("gracePeriodSeconds");
  std::string uid;
  const std::string& body = call.exchange->request().body;
  if (!body.empty()) {
    auto options = reflect::FromJson<api::meta::v1::DeleteOptions>(body, {.strict = false});
    if (!options.ok()) {
      return RespondError(*call.exchange, api::BadRequestError(options.error().message()));
    }
    if (options->gracePeriodSeconds) grace = options->gracePeriodSeconds;
    if (options->preconditions && options->preconditions->uid) uid = *options->preconditions->uid;
  }
  auto deleted = agent_.DeletePod(call.name_space, call.name, grace, uid);
  if (!deleted) return RespondError(*call.exchange, deleted.error());
  RespondObject(*call.exchange, 200, *deleted);
}

void AgentApi::UpdateEphemeralContainers(const Call& call) {
  auto pod = reflect::FromJson<v1::Pod>(call.exchange->request().body);
  if (!pod.ok()) return RespondError(*call.exchange, api::BadRequestError(pod.error().message()));
  pod->metadata.namespace_ = call.name_space;
  pod->metadata.name = call.name;
  auto updated = agent_.UpdateEphemeralContainers(*pod);
  if (!updated) return RespondError(*call.exchange, updated.error());
  RespondObject(*call.exchange, 200, *updated);
}

}  // namespace podium::node
