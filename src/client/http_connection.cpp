#include "client/http_connection.h"

#include <utility>

#include "client/decode.h"
#include "client/http_watch.h"
#include "client/paths.h"
#include "client/session.h"
#include "client/watch_poller.h"
#include "reflect/json.h"

namespace podium::client {
namespace {

namespace meta = api::meta::v1;

constexpr std::string_view kAcceptMetadata =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
constexpr std::string_view kAcceptMetadataList =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

std::string_view ContentTypeOf(PatchType type) {
  switch (type) {
    case PatchType::kJson:
      return "application/json-patch+json";
    case PatchType::kMerge:
      return "application/merge-patch+json";
    case PatchType::kStrategicMerge:
      return "application/strategic-merge-patch+json";
    case PatchType::kApply:
      break;
  }
  return "application/apply-patch+yaml";
}

// What says so itself: a PodList is the answer to a list, not to a get.
std::string_view AcceptOf(const Target& target, std::string_view method) {
  if (!target.metadata_only) return "application/json";
  return method == "GET" && target.name.empty() ? kAcceptMetadataList : kAcceptMetadata;
}

Result<std::string> JsonOf(const ObjectView& object) {
  std::string json;
  TRY_VOID(reflect::EncodeJson(*object.type, object.object, &json));
  return json;
}

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<Session> session)
    : session_(std::move(session)), decoder_(std::make_shared<Decoder>()) {}

HttpConnection::~HttpConnection() = default;

Result<std::unique_ptr<HttpConnection>> HttpConnection::Create(ServerAddress address,
                                                               Options options) {
  TRY(auto session, Session::Create(std::move(address), std::move(options.on_warning),
                                    std::move(options.on_answer)));
  return std::make_unique<HttpConnection>(std::move(session));
}

void HttpConnection::Stop() {
  session_->Stop();
  std::shared_ptr<WatchPoller> poller;
  {
    const std::lock_guard lock(mutex_);
    poller = poller_;
  }
  if (poller) poller->WakeAll();
}

Result<std::shared_ptr<WatchPoller>> HttpConnection::Poller() {
  const std::lock_guard lock(mutex_);
  if (!poller_) {
    TRY(poller_, WatchPoller::Create());
  }
  return poller_;
}

Result<std::string> HttpConnection::Send(const Call& call) {
  TRY(const std::string path, PathOf(call.target));
  http::Request request = session_->RequestFor(call.method, path, call.query);
  request.cancellation = session_->cancellation();
  request.headers.Set("Accept", AcceptOf(call.target, call.method));
  if (!call.body.empty()) {
    request.headers.Add("Content-Type", call.content_type);
    request.body = call.body;
  }
  return session_->SendForBody(request);
}

Result<SharedObject> HttpConnection::SendForObject(const Call& call) {
  TRY(const std::string json, Send(call));
  return decoder_->Object(json);
}

Result<SharedObject> HttpConnection::Get(const Target& target, const meta::GetOptions& options) {
  TRY(std::string query, QueryOf(options));
  return SendForObject({"GET", target, std::move(query)});
}

Result<ObjectList> HttpConnection::List(const Target& target, const meta::ListOptions& options) {
  meta::ListOptions listing = options;
  listing.watch = false;
  TRY(std::string query, QueryOf(listing));
  TRY(const std::string json, Send({"GET", target, std::move(query)}));
  return decoder_->List(json);
}

Result<SharedObject> HttpConnection::Create(const Target& target, const ObjectView& object,
                                            const meta::CreateOptions& options) {
  TRY(std::string query, QueryOf(options));
  TRY(std::string body, JsonOf(object));
  return SendForObject({"POST", target, std::move(query), std::move(body)});
}

Result<SharedObject> HttpConnection::Update(const Target& target, const ObjectView& object,
                                            const meta::UpdateOptions& options) {
  TRY(std::string query, QueryOf(options));
  TRY(std::string body, JsonOf(object));
  return SendForObject({"PUT", target, std::move(query), std::move(body)});
}

Result<SharedObject> HttpConnection::Patch(const Target& target, PatchType type,
                                           std::string_view patch,
                                           const meta::PatchOptions& options) {
  TRY(std::string query, QueryOf(options));
  return SendForObject(
      {"PATCH", target, std::move(query), std::string(patch), ContentTypeOf(type)});
}

Result<SharedObject> HttpConnection::Delete(const Target& target,
                                            const meta::DeleteOptions& options) {
  TRY(std::string body, reflect::ToJson(options));
  return SendForObject({"DELETE", target, "", std::move(body)});
}

Result<void> HttpConnection::DeleteCollection(const Target& target,
                                              const meta::DeleteOptions& options,
                                              const meta::ListOptions& which) {
  TRY(std::string query, QueryOf(which));
  TRY(std::string body, reflect::ToJson(options));
  TRY_VOID(Send({"DELETE", target, std::move(query), std::move(body)}));
  return {};
}

Result<std::unique_ptr<ObjectWatch>> HttpConnection::Watch(const Target& target,
                                                           const meta::ListOptions& options,
                                                           Ready ready) {
  TRY(auto poller, Poller());
  meta::ListOptions watching = options;
  watching.watch = true;
  Target collection = target;
  if (!target.name.empty()) {
    collection.name.clear();
    if (!watching.fieldSelector.empty()) watching.fieldSelector += ",";
    watching.fieldSelector += "metadata.name=" + target.name;
  }
  TRY(const std::string path, PathOf(collection));
  TRY(const std::string query, QueryOf(watching));
  http::Request request = session_->RequestFor("GET", path, query);
  request.cancellation = session_->cancellation();
  if (target.metadata_only) request.headers.Set("Accept", kAcceptMetadata);
  TRY(auto response, session_->SendChecked(request));
  return std::unique_ptr<ObjectWatch>(std::make_unique<HttpWatch>(
      std::move(response), session_, decoder_, std::move(poller), std::move(ready)));
}

Result<std::string> HttpConnection::GetRaw(const std::string& path_and_query) {
  const size_t mark = std::min(path_and_query.find('?'), path_and_query.size());
  const std::string query = mark < path_and_query.size() ? path_and_query.substr(mark + 1) : "";
  http::Request request = session_->RequestFor("GET", path_and_query.substr(0, mark), query);
  request.cancellation = session_->cancellation();
  return session_->SendForBody(request);
}

}  // namespace podium::client
