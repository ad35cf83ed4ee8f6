#include "node/agent_api.h"

#include <charconv>
#include <mutex>
#include <thread>

#include "api/defaults.h"
#include "api/fields.h"
#include "api/labels.h"
#include "api/status.h"
#include "api/validation/validation.h"
#include "node/image_facts.h"
#include "reflect/json.h"

namespace podium::node {
namespace {

const http::Headers kJson{{"Content-Type", "application/json"}};

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

Status MethodNotAllowed() {
  Status status =
      BadRequestStatus("the server does not allow this method on the requested resource");
  status.code = 405;
  status.reason = "MethodNotAllowed";
  return status;
}

Status NoSuchPath() {
  Status status = NotFoundStatus("", "");
  status.details.reset();
  status.message = "the server could not find the requested resource";
  return status;
}

// {"kind":"PodList",...,"items":[...]}
template <class List>
std::string ListJson(std::string_view kind, const List& items, uint64_t version) {
  std::string out = "{\"kind\":\"" + std::string(kind) +
                    "\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"" +
                    std::to_string(version) + "\"},\"items\":[";
  bool first = true;
  for (const auto& item : items) {
    auto json = reflect::ToJson(*item);
    if (!json.ok()) continue;
    if (!first) out += ',';
    first = false;
    out += *json;
  }
  return out + "]}";
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

std::string_view NameOf(ChangeType type) {
  switch (type) {
    case ChangeType::kAdded:
      return "ADDED";
    case ChangeType::kModified:
      return "MODIFIED";
    case ChangeType::kDeleted:
      break;
  }
  return "DELETED";
}

// One watcher: lines go out as far as the client takes them; one that falls behind is cut off and
// begins anew, as with an API server.
class Watcher {
 public:
  Watcher(std::shared_ptr<http::Exchange> exchange, PodFilter filter, std::string name_space)
      : exchange_(std::move(exchange)),
        filter_(std::move(filter)),
        name_space_(std::move(name_space)) {}

  void Send(ChangeType type, const v1::Pod& pod) {
    if (!name_space_.empty() && pod.metadata.namespace_ != name_space_) return;
    if (!filter_.Matches(pod)) return;
    auto json = reflect::ToJson(pod);
    if (!json.ok()) return;
    Write("{\"type\":\"" + std::string(NameOf(type)) + "\",\"object\":" + *json + "}\n");
  }
  void Write(const std::string& line) {
    std::lock_guard lock(mutex_);
    if (!exchange_) return;
    auto written = exchange_->TryWrite(line);
    if (written.ok() && *written) return;
    // Not here, where the agent's lock is held: breaking the connection off calls back.
    std::thread([dropped = std::move(exchange_)] {}).detach();
    exchange_.reset();
  }
  void Close() {
    std::lock_guard lock(mutex_);
    exchange_.reset();
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<http::Exchange> exchange_;
  const PodFilter filter_;
  const std::string name_space_;
};

}  // namespace

void RespondJson(http::Exchange& exchange, int status, std::string_view json) {
  (void)exchange.Respond(status, kJson, json);
}

void RespondStatus(http::Exchange& exchange, const Status& status) {
  auto json = reflect::ToJson(status);
  RespondJson(exchange, status.code, json.ok() ? *json : "{}");
}

template <class T>
void RespondObject(http::Exchange& exchange, int status, const T& object) {
  auto json = reflect::ToJson(object);
  if (!json.ok()) return RespondStatus(exchange, StatusOf(json.error()));
  RespondJson(exchange, status, *json);
}

std::string AgentApi::Call::Parameter(std::string_view key) const {
  for (const auto& [each, value] : query) {
    if (each == key) return value;
  }
  return {};
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
  out.long_running = path.ends_with("/log") || path.ends_with("/exec") ||
                     path.ends_with("/attach") || path.ends_with("/portforward");
  (void)ImageFactsTreatment(path, &out);
  return out;
}

void AgentApi::Handle(const std::shared_ptr<http::Exchange>& exchange) {
  const http::ServerRequest& request = exchange->request();
  auto query = http::ParseQuery(request.query);
  if (!query.ok()) return RespondStatus(*exchange, BadRequestStatus(query.error().message()));
  std::vector<std::string> path = Segments(request.path);
  if (path.size() >= 3 && path[0] == "node" && path[1] == "v1") {
    return HandleNode(exchange, path, *query);
  }
  if (path.size() == 1 && (path[0] == "healthz" || path[0] == "livez" || path[0] == "readyz")) {
    (void)exchange->Respond(200, {{"Content-Type", "text/plain"}}, "ok");
    return;
  }
  if (path.size() < 3 || path[0] != "api" || path[1] != "v1") {
    return RespondStatus(*exchange, NoSuchPath());
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
  if (path.size() > 3) return RespondStatus(*exchange, NoSuchPath());
  HandleResource(call);
}

void AgentApi::HandleResource(const Call& call) {
  if (call.resource == "pods") return HandlePods(call);
  if (call.resource == "configmaps" && call.subresource.empty()) return HandleConfigMaps(call);
  if (call.resource == "secrets" && call.subresource.empty()) return HandleSecrets(call);
  if (call.resource == "events" && call.name.empty()) return ListEvents(call);
  RespondStatus(*call.exchange, NoSuchPath());
}

void AgentApi::HandlePods(const Call& call) {
  const bool get = call.method == "GET";
  if (call.name.empty()) {
    if (get && call.Flag("watch")) return WatchPods(call);
    if (get) return ListPods(call);
    if (call.method == "POST") return CreatePod(call);
    return RespondStatus(*call.exchange, MethodNotAllowed());
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
  if (!whole) return RespondStatus(*call.exchange, NoSuchPath());
  if (get) {
    auto pod = agent_.GetPod(call.name_space, call.name);
    if (!pod) return RespondStatus(*call.exchange, pod.error());
    return RespondObject(*call.exchange, 200, *pod);
  }
  if (call.method == "DELETE" && call.subresource.empty()) return DeletePod(call);
  RespondStatus(*call.exchange, MethodNotAllowed());
}

void AgentApi::ListPods(const Call& call) {
  auto filter = FilterOf(call.Parameter("labelSelector"), call.Parameter("fieldSelector"));
  if (!filter.ok()) return RespondStatus(*call.exchange, StatusOf(filter.error()));
  uint64_t version = 0;
  auto pods = agent_.ListPods(call.name_space, &version);
  std::erase_if(pods, [&](const auto& pod) { return !filter->Matches(*pod); });
  RespondJson(*call.exchange, 200, ListJson("PodList", pods, version));
}

void AgentApi::WatchPods(const Call& call) {
  auto filter = FilterOf(call.Parameter("labelSelector"), call.Parameter("fieldSelector"));
  if (!filter.ok()) return RespondStatus(*call.exchange, StatusOf(filter.error()));
  if (!call.exchange->Begin(200, kJson).ok()) return;
  auto watcher = std::make_shared<Watcher>(call.exchange, *std::move(filter), call.name_space);
  uint64_t version = 0;
  const auto wanted = call.Number("resourceVersion");
  if (wanted && *wanted > 0) {
    version = static_cast<uint64_t>(*wanted);
  } else {
    for (const auto& pod : agent_.ListPods(call.name_space, &version)) {
      watcher->Send(ChangeType::kAdded, *pod);
    }
  }
  auto watch = agent_.Watch(
      version, [watcher](const PodChange& change) { watcher->Send(change.type, *change.pod); });
  if (!watch.ok()) {
    auto json = reflect::ToJson(ExpiredStatus(watch.error().message()));
    watcher->Write("{\"type\":\"ERROR\",\"object\":" + (json.ok() ? *json : "{}") + "}\n");
    (void)call.exchange->End();
    return watcher->Close();
  }
  call.exchange->OnCancel([this, watcher, id = *watch] {
    agent_.Unwatch(id);
    watcher->Close();
  });
}

void AgentApi::CreatePod(const Call& call) {
  if (call.name_space.empty()) return RespondStatus(*call.exchange, MethodNotAllowed());
  auto pod = reflect::FromJson<v1::Pod>(call.exchange->request().body);
  if (!pod.ok()) return RespondStatus(*call.exchange, BadRequestStatus(pod.error().message()));
  if (pod->metadata.namespace_.empty()) pod->metadata.namespace_ = call.name_space;
  if (pod->metadata.namespace_ != call.name_space) {
    return RespondStatus(*call.exchange,
                         BadRequestStatus("the namespace of the provided object does not match the "
                                          "namespace sent on the request"));
  }
  auto created = agent_.CreatePod(*std::move(pod));
  if (!created) return RespondStatus(*call.exchange, created.error());
  RespondObject(*call.exchange, 201, *created);
}

void AgentApi::DeletePod(const Call& call) {
  std::optional<int64_t> grace = call.Number("gracePeriodSeconds");
  std::string uid;
  const std::string& body = call.exchange->request().body;
  if (!body.empty()) {
    auto options = reflect::FromJson<api::meta::v1::DeleteOptions>(body, {.strict = false});
    if (!options.ok()) {
      return RespondStatus(*call.exchange, BadRequestStatus(options.error().message()));
    }
    if (options->gracePeriodSeconds) grace = options->gracePeriodSeconds;
    if (options->preconditions && options->preconditions->uid) uid = *options->preconditions->uid;
  }
  auto deleted = agent_.DeletePod(call.name_space, call.name, grace, uid);
  if (!deleted) return RespondStatus(*call.exchange, deleted.error());
  RespondObject(*call.exchange, 200, *deleted);
}

void AgentApi::UpdateEphemeralContainers(const Call& call) {
  auto pod = reflect::FromJson<v1::Pod>(call.exchange->request().body);
  if (!pod.ok()) return RespondStatus(*call.exchange, BadRequestStatus(pod.error().message()));
  pod->metadata.namespace_ = call.name_space;
  pod->metadata.name = call.name;
  auto updated = agent_.UpdateEphemeralContainers(*pod);
  if (!updated) return RespondStatus(*call.exchange, updated.error());
  RespondObject(*call.exchange, 200, *updated);
}

namespace {

// Create and update are one here: what a play brings takes the place of what it brought before.
template <class T>
ApiResult<T> ReadObject(const http::Exchange& exchange, const std::string& name_space,
                        std::string_view kind) {
  auto object = reflect::FromJson<T>(exchange.request().body);
  if (!object.ok()) return std::unexpected(BadRequestStatus(object.error().message()));
  if (object->metadata.namespace_.empty()) object->metadata.namespace_ = name_space;
  object->kind = kind;
  object->apiVersion = "v1";
  api::SetDefaults(*object, {});
  const auto errors = api::ValidateCreate(*object);
  if (!errors.empty()) {
    return std::unexpected(api::InvalidStatus("", kind, object->metadata.name, errors));
  }
  return *std::move(object);
}

Status SuccessStatus() {
  Status status;
  status.kind = "Status";
  status.apiVersion = "v1";
  status.status = "Success";
  status.code = 200;
  return status;
}

// What ConfigMaps and Secrets have in common: `list`, `get` and `remove` are the store's for T.
template <class T>
void HandleStored(Agent& agent, const auto& call, const char* kind, const char* plural, auto list,
                  auto get, auto remove) {
  ObjectStore& objects = agent.objects();
  http::Exchange& exchange = *call.exchange;
  if (call.method == "POST" || call.method == "PUT") {
    auto object = ReadObject<T>(exchange, call.name_space, kind);
    if (!object) return RespondStatus(exchange, object.error());
    if (auto put = objects.Put(*object); !put.ok()) {
      return RespondStatus(exchange, StatusOf(put.error()));
    }
    agent.ObjectsChanged(call.name_space);
    return RespondObject(exchange, call.method == "POST" ? 201 : 200, *object);
  }
  if (call.method == "GET" && call.name.empty()) {
    const auto found = (objects.*list)(call.name_space);
    return RespondJson(exchange, 200, ListJson((std::string(kind) + "List").c_str(), found, 1));
  }
  if (call.method == "GET") {
    auto object = (objects.*get)(call.name_space, call.name);
    if (!object.ok()) return RespondStatus(exchange, NotFoundStatus(plural, call.name));
    return RespondObject(exchange, 200, **object);
  }
  if (call.method != "DELETE") return RespondStatus(exchange, MethodNotAllowed());
  if (!(objects.*remove)(call.name_space, call.name).ok()) {
    return RespondStatus(exchange, NotFoundStatus(plural, call.name));
  }
  agent.ObjectsChanged(call.name_space);
  RespondStatus(exchange, SuccessStatus());
}

}  // namespace

void AgentApi::HandleConfigMaps(const Call& call) {
  HandleStored<v1::ConfigMap>(agent_, call, "ConfigMap", "configmaps", &ObjectStore::ListConfigMaps,
                              &ObjectStore::GetConfigMap, &ObjectStore::RemoveConfigMap);
}

void AgentApi::HandleSecrets(const Call& call) {
  HandleStored<v1::Secret>(agent_, call, "Secret", "secrets", &ObjectStore::ListSecrets,
                           &ObjectStore::GetSecret, &ObjectStore::RemoveSecret);
}

void AgentApi::ListEvents(const Call& call) {
  if (call.method != "GET") return RespondStatus(*call.exchange, MethodNotAllowed());
  auto selector = api::fields::Selector::Parse(call.Parameter("fieldSelector"));
  if (!selector.ok()) return RespondStatus(*call.exchange, StatusOf(selector.error()));
  const auto events = agent_.events().List(call.name_space);
  std::vector<const v1::Event*> shown;
  for (const v1::Event& event : events) {
    const bool matches = selector->Matches([&](std::string_view field) -> std::string {
      if (field == "involvedObject.name") return event.involvedObject.name;
      if (field == "involvedObject.namespace") return event.involvedObject.namespace_;
      if (field == "involvedObject.uid") return event.involvedObject.uid;
      if (field == "involvedObject.kind") return event.involvedObject.kind;
      if (field == "reason") return event.reason;
      if (field == "type") return event.type;
      return {};
    });
    if (matches) shown.push_back(&event);
  }
  RespondJson(*call.exchange, 200, ListJson("EventList", shown, 1));
}

}  // namespace podium::node
