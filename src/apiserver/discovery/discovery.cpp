#include "apiserver/discovery/discovery.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <utility>
#include <vector>

#include "api/openapi/document.h"
#include "api/status.h"
#include "apiserver/custom_resources/custom_version.h"
#include "apiserver/discovery/documents.h"
#include "apiserver/encode.h"
#include "apiserver/json_indent.h"
#include "base/text.h"
#include "reflect/json.h"
#include "reflect/protobuf.h"
#include "reflect/yaml.h"

namespace podium::apiserver {
namespace {

constexpr std::string_view kV2Json = "v2";
constexpr std::string_view kV2Protobuf = "v2.pb";
constexpr std::chrono::minutes kKeep{5};

// From cmake/version.cmake, for programs that others run.
#if !defined(PODIUM_GIT_COMMIT)
#define PODIUM_GIT_COMMIT ""
#define PODIUM_GIT_TREE_STATE ""
#define PODIUM_BUILD_DATE "1970-01-01T00:00:00Z"
#endif

constexpr std::string_view kVersionInfo =
    R"({"major":"1","minor":"36","emulationMajor":"1","emulationMinor":"36","minCompatibilityMajor":"1","minCompatibilityMinor":"35","gitVersion":"v1.36.0+podium","gitCommit":")" PODIUM_GIT_COMMIT
    R"(","gitTreeState":")" PODIUM_GIT_TREE_STATE R"(","buildDate":")" PODIUM_BUILD_DATE
    R"(","goVersion":"","compiler":"clang","platform":"linux/)"
#if defined(__aarch64__)
    R"(arm64"})";
#else
    R"(amd64"})";
#endif

std::vector<api::openapi::CustomKind> CustomKinds(const Catalog& catalog) {
  std::vector<api::openapi::CustomKind> kinds;
  for (const ServedResource& resource : catalog.resources()) {
    if (resource.custom == nullptr) continue;
    const CustomSchema& shown = *resource.custom->shown;
    kinds.push_back({.group = resource.group,
                     .version = resource.version,
                     .kind = resource.kind,
                     .list_kind = resource.list_kind,
                     .plural = resource.plural,
                     .namespaced = resource.namespaced,
                     .has_status = shown.has_status,
                     .has_scale = shown.scale.has_value(),
                     .schema = shown.schema.is_null() ? nullptr : &shown.schema});
  }
  return kinds;
}

std::string MakeDocument(const Catalog& catalog, std::string_view name) {
  const std::vector<api::openapi::CustomKind> kinds = CustomKinds(catalog);
  const api::openapi::Options options{
      .custom_kinds = kinds, .serves = [&catalog](const api::Resource& resource) {
        const ServedResource* served =
            catalog.Find(resource.group, resource.version, resource.plural);
        return served != nullptr && served->builtin == &resource;
      }};
  if (name == kV2Json) return V2Document(api::openapi::Encoding::kJson, options);
  if (name == kV2Protobuf) return V2Document(api::openapi::Encoding::kProtobuf, options);
  if (name.empty()) return V3Index(options);
  return V3Document(name, options);
}

std::string Quoted(std::string_view hash) { return "\"" + std::string(hash) + "\""; }

// 304 for a client that has this one.
Answer Tagged(const Call& call, std::string_view hash, std::string_view content_type,
              std::string_view body) {
  Answer answer;
  answer.headers.Add("ETag", Quoted(hash));
  answer.headers.Add("Vary", "Accept");
  if (call.Header("If-None-Match") == Quoted(hash)) {
    answer.status = 304;
    return answer;
  }
  answer.headers.Add("Content-Type", content_type);
  answer.body = body;
  return answer;
}

Answer RawJson(std::string_view json) {
  Answer answer;
  answer.headers.Add("Content-Type", "application/json");
  answer.body = Indented(json);
  return answer;
}

// Which of these media types Accept takes first; none: "".
std::string_view FirstAccepted(std::string_view accept, std::span<const std::string_view> types) {
  if (accept.empty()) return types.front();
  for (std::string_view clause : Split(accept, ',')) {
    clause = http::TrimBlanks(clause.substr(0, clause.find(';')));
    if (clause == "*/*" || clause == "application/*") return types.front();
    const auto found = std::ranges::find(types, clause);
    if (found != types.end()) return *found;
  }
  return {};
}

Answer NotAcceptable() {
  Answer answer{.status = 406};
  answer.headers.Add("Content-Type", "text/plain; charset=utf-8");
  return answer;
}

// Whether Accept asks for the aggregated form before any other that could be had, and in what.
std::optional<Media> AggregatedMedia(std::string_view accept) {
  for (const std::string_view clause : Split(accept, ',')) {
    std::string kind;
    std::string group;
    std::string version;
    const std::vector<std::string_view> parts = Split(clause, ';');
    for (std::string_view part : std::span(parts).subspan(1)) {
      part = http::TrimBlanks(part);
      if (part.starts_with("as=")) kind = part.substr(3);
      if (part.starts_with("g=")) group = part.substr(2);
      if (part.starts_with("v=")) version = part.substr(2);
    }
    const std::string_view type = http::TrimBlanks(parts.front());
    for (const Media media : {Media::kJson, Media::kYaml, Media::kProtobuf}) {
      if (type != MediaTypeOf(media) && type != "*/*") continue;
      if (kind.empty() && group.empty() && version.empty()) return std::nullopt;
      if (kind == "APIGroupDiscoveryList" && group == "apidiscovery.k8s.io" && version == "v2") {
        return media;
      }
    }
  }
  return std::nullopt;
}

Result<Answer> Aggregated(const Call& call, const Catalog& catalog, bool core, Media media) {
  const auto list = AggregatedList(catalog, core);
  const reflect::Type& type = reflect::TypeOf<api::apidiscovery::v2::APIGroupDiscoveryList>();
  TRY(std::string json, reflect::ToJson(list));
  const std::string hash = api::openapi::DocumentHash(json);
  std::string body;
  if (media == Media::kProtobuf) {
    TRY_VOID(reflect::EncodeEnveloped(type, &list, &body));
  } else if (media == Media::kYaml) {
    TRY_VOID(reflect::JsonToYaml(json, &body));
  } else {
    body = std::move(json) + "\n";
  }
  Answer answer = Tagged(
      call, hash,
      std::string(MediaTypeOf(media)) + ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
      body);
  answer.headers.Add("Cache-Control", "public");
  return answer;
}

}  // namespace

// Documents by the number of their catalog and their name; "" is the index of v3.
struct Discovery::Cache : std::enable_shared_from_this<Cache> {
  Cache(const Clock& with, Executor& on) : clock(with), executor(on) {}

  struct Entry {
    DocumentPtr document;
    int64_t used = 0;
  };
  const Clock& clock;
  Executor& executor;
  std::mutex mutex;
  // All below: under the mutex.
  uint64_t catalog = 0;
  std::map<std::string, Entry, std::less<>> entries;
  Executor::TimerId timer = 0;

  void ArmLocked() {
    if (timer != 0 || entries.empty()) return;
    timer = executor.PostAfter(std::chrono::minutes(1), [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->Sweep();
    });
  }
  void Sweep() {
    const std::lock_guard lock(mutex);
    timer = 0;
    const int64_t oldest = clock.Now() - std::chrono::nanoseconds(kKeep).count();
    std::erase_if(entries, [&](const auto& entry) { return entry.second.used < oldest; });
    ArmLocked();
  }
};

Discovery::Discovery(std::string address, const Clock& clock, Executor& executor)
    : address_(std::move(address)), cache_(std::make_shared<Cache>(clock, executor)) {}

// The timer is left alone: it finds nothing, and the executor may have ended before.
Discovery::~Discovery() = default;

size_t Discovery::cached_bytes() const {
  const std::lock_guard lock(cache_->mutex);
  size_t bytes = 0;
  for (const auto& [name, entry] : cache_->entries) bytes += entry.document->body.size();
  return bytes;
}

Discovery::DocumentPtr Discovery::Find(const Catalog& catalog, const std::string& name) const {
  {
    const std::lock_guard lock(cache_->mutex);
    const auto known = cache_->entries.find(name);
    if (cache_->catalog == catalog.number() && known != cache_->entries.end()) {
      known->second.used = cache_->clock.Now();
      return known->second.document;
    }
  }
  auto document = std::make_shared<Document>();
  document->body = MakeDocument(catalog, name);
  if (document->body.empty()) return nullptr;
  document->hash = api::openapi::DocumentHash(document->body);
  const std::lock_guard lock(cache_->mutex);
  // One that was made of an older catalog meanwhile is not kept.
  if (catalog.number() > cache_->catalog) {
    cache_->entries.clear();
    cache_->catalog = catalog.number();
  }
  if (catalog.number() == cache_->catalog) {
    cache_->entries[name] = {.document = document, .used = cache_->clock.Now()};
    cache_->ArmLocked();
  }
  return document;
}

Result<std::optional<Answer>> Discovery::Serve(const CallPtr& call,
                                               const CatalogPtr& catalog) const {
  const std::string_view whole = call->path;
  const std::string_view path = whole.ends_with('/') ? whole.substr(0, whole.size() - 1) : whole;
  const bool is_discovery =
      path == "/api" || path.starts_with("/api/") || path == "/apis" || path.starts_with("/apis/");
  const bool is_v3 = path == "/openapi/v3" || path.starts_with("/openapi/v3/");
  if (!is_discovery && !is_v3 && path != "/openapi/v2" && path != "/version") {
    return std::optional<Answer>();
  }
  if (call->method != "GET" && call->method != "HEAD") return api::MethodNotAllowedError();
  if (path == "/version") return std::optional(RawJson(kVersionInfo));
  auto answer = is_discovery ? ServeDiscovery(*call, *catalog, path)
                : is_v3      ? ServeV3(*call, *catalog, path)
                             : ServeV2(*call, *catalog);
  if (!answer.ok()) return std::move(answer).error();
  return std::optional(*std::move(answer));
}

Result<Answer> Discovery::ServeDiscovery(const Call& call, const Catalog& catalog,
                                         std::string_view path) const {
  const std::vector<std::string_view> parts = Split(path.substr(1), '/');
  const bool core = parts[0] == "api";
  if (parts.size() == 1) {
    if (const auto media = AggregatedMedia(call.Header("Accept"))) {
      return Aggregated(call, catalog, core, *media);
    }
    if (core) return AnswerWithValue(call, {}, CoreVersions(address_));
    return AnswerWithValue(call, {}, GroupList(catalog));
  }
  if (!core && parts.size() == 2) {
    const auto group = GroupOf(catalog, parts[1]);
    if (!group) return api::NoSuchPathError();
    return AnswerWithValue(call, {}, *group);
  }
  if (parts.size() != (core ? 2U : 3U)) return api::NoSuchPathError();
  const auto list =
      ResourceList(catalog, core ? std::string_view() : parts[1], core ? parts[1] : parts[2]);
  if (!list) return api::NoSuchPathError();
  return AnswerWithValue(call, {}, *list);
}

Result<Answer> Discovery::ServeV2(const Call& call, const Catalog& catalog) const {
  constexpr std::array<std::string_view, 3> kTypes = {
      "application/json", api::openapi::kProtobufMediaType, api::openapi::kProtobufContentType};
  const std::string_view type = FirstAccepted(call.Header("Accept"), kTypes);
  if (type.empty()) return NotAcceptable();
  const bool json = type == kTypes[0];
  const DocumentPtr document = Find(catalog, std::string(json ? kV2Json : kV2Protobuf));
  return Tagged(call, document->hash, json ? kTypes[0] : api::openapi::kProtobufContentType,
                document->body);
}

Result<Answer> Discovery::ServeV3(const Call& call, const Catalog& catalog,
                                  std::string_view path) const {
  constexpr std::array<std::string_view, 1> kTypes = {"application/json"};
  if (FirstAccepted(call.Header("Accept"), kTypes).empty()) return NotAcceptable();
  path.remove_prefix(std::string_view("/openapi/v3").size());
  if (path.starts_with('/')) path.remove_prefix(1);
  // A path that is none is not worth a document, and kV2 names are no paths of this one.
  if (!path.empty() && !path.starts_with("api") && path != "version") {
    return api::NoSuchPathError();
  }
  const DocumentPtr document = Find(catalog, std::string(path));
  if (document == nullptr) return api::NoSuchPathError();
  const std::string_view hash = QueryValue(call.query, "hash");
  if (!path.empty() && !hash.empty() && hash != document->hash) {
    Answer moved{.status = 301};
    moved.headers.Add("Location", "/openapi/v3/" + std::string(path) + "?hash=" + document->hash);
    return moved;
  }
  Answer answer = Tagged(call, document->hash, kTypes[0], document->body);
  if (!path.empty() && !hash.empty()) {
    answer.headers.Add("Cache-Control", "public, immutable");
  }
  return answer;
}

}  // namespace podium::apiserver
