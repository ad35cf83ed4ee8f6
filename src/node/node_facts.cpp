// What there is on the node, in the runtime's words: /node/v1.
#include <algorithm>

#include "api/time.h"
#include "node/agent_api.h"
#include "node/image_facts.h"
#include "node/labels.h"
#include "node/pod_trace.h"
#include "node/shutdown/shutdown_groups.h"
#include "reflect/json.h"

namespace podium::node {
namespace {

template <class T>
bool Append(const T& object, std::string* list) {
  auto json = reflect::ToJson(object);
  if (!json.ok()) return false;
  if (list->size() > 1) *list += ',';
  *list += *json;
  return true;
}

std::string ImageJson(const image::ImageInfo& info) {
  std::string out = "{\"id\":";
  reflect::AppendJsonString(info.id.String(), &out);
  const auto list = [&](const char* key, const std::vector<std::string>& values) {
    out += std::string(",\"") + key + "\":[";
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out += ',';
      reflect::AppendJsonString(values[i], &out);
    }
    out += ']';
  };
  list("repoTags", info.names);
  list("repoDigests", info.repo_digests);
  if (!info.document.created.empty()) {
    out += ",\"created\":";
    reflect::AppendJsonString(info.document.created, &out);
  }
  out += ",\"size\":" + std::to_string(info.size);
  out += ",\"unpackedSize\":" + std::to_string(info.unpacked_size);
  out += std::string(",\"pinned\":") + (info.pinned ? "true" : "false");
  out += ",\"inUse\":" + std::to_string(info.pins);
  return out + "}";
}

std::string ImagesJson(const std::vector<image::ImageInfo>& images) {
  std::string json = "[";
  for (const image::ImageInfo& info : images) {
    if (json.size() > 1) json += ',';
    json += ImageJson(info);
  }
  return "{\"items\":" + json + "]}";
}

std::string RemovedJson(const image::Removed& removed) {
  std::string out = "{\"untagged\":[";
  for (size_t i = 0; i < removed.names.size(); ++i) {
    if (i > 0) out += ',';
    reflect::AppendJsonString(removed.names[i], &out);
  }
  out += "],\"deleted\":[";
  for (size_t i = 0; i < removed.images.size(); ++i) {
    if (i > 0) out += ',';
    reflect::AppendJsonString(removed.images[i].String(), &out);
  }
  return out + "],\"bytes\":" + std::to_string(removed.bytes) + "}";
}

// Whose containers the image is of, for people who want to remove it.
Error NameHolders(runtime::Runtime& runtime, const Result<image::ImageInfo>& image, Error error) {
  const auto containers = runtime.ListContainers({});
  if (!image.ok() || !containers.ok()) return error;
  std::vector<std::string> holders;
  for (const auto& container : *containers) {
    if (container.image_id != image->id.String()) continue;
    const auto label = [&](std::string_view key) {
      const auto found = container.labels.find(key);
      return found == container.labels.end() ? std::string() : found->second;
    };
    holders.push_back("\"" + label(kContainerNameLabel) + "\" of pod " + label(kPodNamespaceLabel) +
                      '/' + label(kPodNameLabel));
  }
  if (holders.empty()) return error;
  std::ranges::sort(holders);
  std::string message =
      "image " + image->id.String() + " is in use by container " + holders.front();
  if (holders.size() > 1) message += " and " + std::to_string(holders.size() - 1) + " more";
  return Error(Code::kConflict, std::move(message));
}

std::string Parameter(const http::QueryParameters& query, std::string_view key) {
  for (const auto& [name, value] : query) {
    if (name == key) return value;
  }
  return {};
}

Result<ShutdownGraces> GracesOf(const std::string& all, const std::string& critical) {
  TRY(const api::Duration whole, api::Duration::Parse(all.empty() ? critical : all));
  TRY(const api::Duration part, api::Duration::Parse(critical.empty() ? "0s" : critical));
  return node::GracesOf(whole, part);
}

}  // namespace

void AgentApi::HandleNode(const ExchangePtr& exchange, const std::vector<std::string>& path,
                          const http::QueryParameters& query) {
  const std::string& what = path[2];
  if (what == "images") return HandleImages(exchange, path, query);
  if (what == "shutdown" && path.size() == 3 && shutdown_) return HandleShutdown(exchange, query);
  const bool get = exchange->request().head.method == "GET" && path.size() == 3;
  if (get && what == "version") {
    std::string json = "{\"version\":";
    reflect::AppendJsonString(version_, &json);
    json += ",\"node\":";
    reflect::AppendJsonString(agent_.config().name, &json);
    return RespondJson(*exchange, 200, json + "}");
  }
  if (get && what == "containers") return ListContainers(exchange);
  if (get && what == "sandboxes") return ListSandboxes(exchange);
  if (get && what == "stats") return ListStats(exchange);
  if (exchange->request().head.method == "GET" && path.size() == 4 && what == "traces") {
    return GetTrace(exchange, path[3]);
  }
  RespondError(*exchange, api::NotFoundError({"", "facts"}, what));
}

void AgentApi::ListContainers(const ExchangePtr& exchange) {
  auto containers = agent_.runtime().ListContainers({});
  if (!containers.ok()) return RespondError(*exchange, containers.error());
  std::string json = "[";
  for (const auto& container : *containers) {
    auto status = agent_.runtime().ContainerStatus(container.id, true);
    if (status.ok()) Append(*status, &json);
  }
  RespondJson(*exchange, 200, "{\"items\":" + json + "]}");
}

void AgentApi::ListSandboxes(const ExchangePtr& exchange) {
  auto sandboxes = agent_.runtime().ListPodSandbox({});
  if (!sandboxes.ok()) return RespondError(*exchange, sandboxes.error());
  std::string json = "[";
  for (const auto& sandbox : *sandboxes) {
    auto status = agent_.runtime().PodSandboxStatus(sandbox.id, true);
    if (status.ok()) Append(*status, &json);
  }
  RespondJson(*exchange, 200, "{\"items\":" + json + "]}");
}

void AgentApi::ListStats(const ExchangePtr& exchange) {
  auto stats = agent_.runtime().ListPodSandboxStats({});
  if (!stats.ok()) return RespondError(*exchange, stats.error());
  std::string json = "[";
  for (const auto& each : *stats) Append(each, &json);
  RespondJson(*exchange, 200, "{\"items\":" + json + "]}");
}

void AgentApi::GetTrace(const ExchangePtr& exchange, const std::string& uid) {
  const auto trace = agent_.TraceOf(uid);
  if (!trace) return RespondError(*exchange, api::NotFoundError({"", "traces"}, uid));
  RespondJson(*exchange, 200, TraceJson(*trace));
}

void AgentApi::HandleShutdown(const ExchangePtr& exchange, const http::QueryParameters& query) {
  const std::string& method = exchange->request().head.method;
  if (method == "POST") {
    const std::string all = Parameter(query, "gracePeriod");
    const std::string critical = Parameter(query, "gracePeriodCriticalPods");
    const auto graces =
        all.empty() && critical.empty() ? Result(shutdown_->graces()) : GracesOf(all, critical);
    if (!graces.ok())
      return RespondError(*exchange, api::BadRequestError(graces.error().message()));
    if (graces->empty()) {
      return RespondError(*exchange,
                          api::BadRequestError("nobody has said how long pods may take: neither "
                                               "this request nor --shutdown-grace-period of the "
                                               "agent"));
    }
    shutdown_->Begin(*graces);
  } else if (method == "DELETE") {
    shutdown_->Cancel();
  } else if (method != "GET") {
    return RespondError(*exchange, api::MethodNotAllowedError());
  }
  const ShutdownManager::State state = shutdown_->state();
  const auto text = [](bool value) { return value ? "true" : "false"; };
  RespondJson(*exchange, 200,
              std::string("{\"shuttingDown\":") + text(state.shutting_down) +
                  ",\"done\":" + text(state.done) + "}");
}

void AgentApi::HandleImages(const ExchangePtr& exchange, const std::vector<std::string>& path,
                            const http::QueryParameters& query) {
  const std::string& method = exchange->request().head.method;
  const std::string image = Parameter(query, "image");
  const std::string_view what = path.size() == 4 ? std::string_view(path[3]) : "";
  if (method == "POST" && what == "pull") {
    const auto told = PullImage(
        exchange,
        [&](const image::PullObserver& observer, const http::Cancellation* cancellation) {
          auto pulled = images_.PullWithProgress(image, observer, cancellation);
          if (pulled.ok()) agent_.AllowImage(image, pulled->id);
          return pulled;
        },
        Parameter(query, "progress") == "true");
    return told.ok() ? void() : RespondError(*exchange, told.error());
  }
  if (!store_) return RespondError(*exchange, api::NotFoundError({"", "facts"}, "images"));
  if (method == "GET" && path.size() == 3) {
    return RespondJson(*exchange, 200, ImagesJson(store_->List()));
  }
  if (method == "POST" && what == "import") {
    const auto imported = ImportImages(*store_, *exchange, query);
    if (!imported.ok()) return RespondError(*exchange, imported.error());
    for (const image::ImageInfo& each : *imported) {
      for (const std::string& name : each.names) agent_.AllowImage(name, each.id.String());
    }
    return RespondJson(*exchange, 200, ImagesJson(*imported));
  }
  if (method == "GET" && what == "export") {
    const auto exported = ExportImages(*store_, exchange, query);
    return exported.ok() ? void() : RespondError(*exchange, exported.error());
  }
  if (method == "POST" && what == "verify") {
    const auto verified = VerifyImages(*store_, exchange);
    return verified.ok() ? void() : RespondError(*exchange, verified.error());
  }
  Result<image::Removed> removed = Error(Code::kNotFound, "no such fact of images");
  if (method == "DELETE" && path.size() == 3) {
    removed = store_->Remove(image, {.force = Parameter(query, "force") == "true"});
    if (!removed.ok() && removed.error().code() == Code::kConflict) {
      removed = NameHolders(agent_.runtime(), store_->Resolve(image), std::move(removed).error());
    }
  } else if (method == "POST" && what == "prune") {
    removed = store_->Prune({.all = Parameter(query, "all") == "true", .before = {}});
  }
  if (!removed.ok()) return RespondError(*exchange, removed.error());
  RespondJson(*exchange, 200, RemovedJson(*removed));
}

}  // namespace podium::node
