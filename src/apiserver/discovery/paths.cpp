#include "apiserver/discovery/paths.h"

#include <algorithm>
#include <optional>

#include "api/status.h"
#include "apiserver/json_indent.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

bool Reads(const Call& call) { return call.method == "GET" || call.method == "HEAD"; }

}  // namespace

Result<Answer> Paths::Serve(const CallPtr& call, const CatalogPtr& catalog) const {
  TRY(std::optional<Answer> found, parts_.discovery->Serve(call, catalog));
  if (found) return *std::move(found);
  const bool is_list = call->path == "/" || call->path.empty();
  if (Reads(*call)) {
    found = parts_.health->Serve(*call);
    if (found) return *std::move(found);
    if (call->path == "/metrics") {
      return AnswerMetrics(*parts_.metrics, *catalog, *parts_.store, parts_.audit);
    }
    const auto document = std::ranges::find(parts_.documents, call->path, &FixedDocument::path);
    if (document != parts_.documents.end()) {
      Answer answer{.body = document->body};
      answer.headers.Add("Content-Type", document->content_type);
      if (!document->cache_control.empty()) {
        answer.headers.Add("Cache-Control", document->cache_control);
      }
      return answer;
    }
  }
  std::string json = "{\"paths\":[";
  for (const std::string& path : All(*catalog)) {
    if (!json.ends_with('[')) json += ',';
    reflect::AppendJsonString(path, &json);
  }
  Answer answer{.status = is_list ? 200 : 404, .body = Indented(json + "]}")};
  answer.headers.Add("Content-Type", "application/json");
  return answer;
}

std::vector<std::string> Paths::All(const Catalog& catalog) const {
  std::vector<std::string> paths = parts_.health->Paths();
  for (const std::string_view path :
       {"/api", "/apis", "/metrics", "/openapi/v2", "/openapi/v3", "/version"}) {
    paths.emplace_back(path);
  }
  for (const ServedResource& resource : catalog.resources()) {
    const std::string group =
        resource.group.empty() ? std::string("/api") : "/apis/" + resource.group;
    paths.push_back(group);
    paths.push_back(group + "/" + resource.version);
  }
  for (const FixedDocument& document : parts_.documents) paths.push_back(document.path);
  std::ranges::sort(paths);
  const auto repeated = std::ranges::unique(paths);
  paths.erase(repeated.begin(), repeated.end());
  return paths;
}

}  // namespace podium::apiserver
