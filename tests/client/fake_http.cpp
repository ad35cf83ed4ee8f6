#include "client/fake_http.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <optional>

#include "api/scheme.h"
#include "api/status.h"
#include "base/text.h"
#include "http/url.h"
#include "reflect/json.h"

namespace podium::client {
namespace {

namespace meta = api::meta::v1;

struct Place {
  Target target;
  std::string query;
};

// "/apis/apps/v1/namespaces/ns/deployments/web/status?x": namespaces themselves stand there too.
std::optional<Place> PlaceOf(const std::string& request_target) {
  const size_t mark = std::min(request_target.find('?'), request_target.size());
  Place place;
  if (mark < request_target.size()) place.query = request_target.substr(mark + 1);
  std::vector<std::string> parts;
  for (const std::string_view part :
       Split(std::string_view(request_target).substr(1, mark - 1), '/')) {
    auto decoded = http::PercentDecode(part);
    if (!decoded.ok()) return std::nullopt;
    parts.push_back(*std::move(decoded));
  }
  size_t at = 1;
  if (parts[0] == "apis" && parts.size() > 3) place.target.group = parts[at++];
  if (parts.size() < at + 2) return std::nullopt;
  place.target.version = parts[at++];
  if (parts[at] == "namespaces" && parts.size() > at + 2) {
    place.target.namespace_ = parts[at + 1];
    at += 2;
  }
  place.target.resource = parts[at++];
  if (at < parts.size()) place.target.name = parts[at++];
  if (at < parts.size()) place.target.subresource = parts[at++];
  return place;
}

// Parameters as an options struct, by its descriptor.
template <class Options>
Result<Options> OptionsOf(std::string_view query) {
  Options options;
  const reflect::Type& type = reflect::TypeOf<Options>();
  TRY(const http::QueryParameters parameters, http::ParseQuery(query));
  for (const auto& [name, value] : parameters) {
    const reflect::Field* field = type.Find(name);
    if (!field) continue;
    std::string json;
    if (field->shape == reflect::Shape::kList || field->kind == reflect::Kind::kString) {
      reflect::AppendJsonString(value, &json);
    } else {
      json = value;
    }
    if (field->shape == reflect::Shape::kList) json = "[" + json + "]";
    TRY_VOID(reflect::DecodeJsonInto("{\"" + name + "\":" + json + "}", type, &options));
  }
  return options;
}

Result<std::string> JsonOf(const SharedObject& object) {
  std::string json;
  TRY_VOID(reflect::EncodeJson(object.type(), object.get(), &json));
  return json;
}

std::string StatusJson(const Error& error) { return *reflect::ToJson(api::StatusOf(error)); }

PatchType PatchTypeOf(std::string_view content_type) {
  if (content_type == "application/json-patch+json") return PatchType::kJson;
  if (content_type == "application/merge-patch+json") return PatchType::kMerge;
  if (content_type == "application/apply-patch+yaml") return PatchType::kApply;
  EXPECT_EQ(content_type, "application/strategic-merge-patch+json");
  return PatchType::kStrategicMerge;
}

Result<reflect::AnyObject> BodyOf(const http::ServerRequest& request, const Target& target) {
  const api::Resource* resource = api::FindResource(target.group, target.version, target.resource);
  if (!resource) return api::NoSuchPathError();
  reflect::AnyObject object(*resource->type);
  TRY_VOID(reflect::DecodeJsonInto(request.body, *resource->type, object.get()));
  return object;
}

}  // namespace

FakeHttp::FakeHttp(FakeServer& server) : server_(server) {
  auto listener = http::Listener::Tcp("127.0.0.1", 0);
  EXPECT_TRUE(listener.ok());
  port_ = listener->port();
  http_ = *http::Server::Start(
      *std::move(listener),
      {.treatment = [](const http::RequestHead&) { return http::Treatment{.long_running = true}; }},
      [this](const ExchangePtr& exchange) { Handle(exchange); });
}

FakeHttp::~FakeHttp() { http_.reset(); }

std::string FakeHttp::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

std::vector<std::string> FakeHttp::TakeRequests() {
  const std::lock_guard lock(mutex_);
  return std::exchange(requests_, {});
}

void FakeHttp::AnswerNext(std::vector<Answer> answers) {
  const std::lock_guard lock(mutex_);
  answers_ = std::move(answers);
}

http::Headers FakeHttp::headers() const {
  const std::lock_guard lock(mutex_);
  return headers_;
}

void FakeHttp::Handle(const ExchangePtr& exchange) {
  const http::RequestHead& head = exchange->request().head;
  std::optional<Answer> answer;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(head.method + " " + head.target);
    headers_ = head.headers;
    if (!answers_.empty()) {
      answer = answers_.front();
      answers_.erase(answers_.begin());
    }
  }
  if (answer) {
    (void)exchange->Respond(answer->status, answer->headers, answer->body);
    return;
  }
  Serve(exchange);
}

void FakeHttp::Serve(const ExchangePtr& exchange) {
  const http::ServerRequest& request = exchange->request();
  const auto fail = [&](const Error& error) {
    (void)exchange->Respond(api::StatusOf(error).code, {{"Content-Type", "application/json"}},
                            StatusJson(error));
  };
  if (!request.head.target.starts_with("/api")) {
    const auto raw = server_.GetRaw(request.head.target);
    if (!raw.ok()) return fail(raw.error());
    (void)exchange->Respond(200, {{"Content-Type", "application/json"}}, *raw);
    return;
  }
  const auto place = PlaceOf(request.head.target);
  if (!place) return fail(api::NoSuchPathError());
  if (("&" + place->query).find("&watch=true") != std::string::npos) {
    return ServeWatch(exchange, place->target, place->query);
  }
  const auto answered = Answered(request, place->target, place->query);
  if (!answered.ok()) return fail(answered.error());
  (void)exchange->Respond(request.head.method == "POST" ? 201 : 200,
                          {{"Content-Type", "application/json"}}, *answered);
}

Result<std::string> FakeHttp::Answered(const http::ServerRequest& request, const Target& target,
                                       std::string_view query) {
  const std::string& method = request.head.method;
  Result<SharedObject> object = api::MethodNotAllowedError();
  if (method == "GET" && target.name.empty()) {
    TRY(const auto options, OptionsOf<meta::ListOptions>(query));
    TRY(const ObjectList list, server_.List(target, options));
    const api::Resource* resource =
        api::FindResource(target.group, target.version, target.resource);
    TRY(const std::string metadata, reflect::ToJson(list.metadata));
    std::string json = "{\"kind\":\"" + std::string(resource->kind) + "List\",\"apiVersion\":\"" +
                       resource->type->ApiVersion() + "\",\"metadata\":" + metadata +
                       ",\"items\":[";
    for (size_t i = 0; i < list.items.size(); ++i) {
      // Items do not say what they are.
      reflect::AnyObject item(list.items[i].type());
      reflect::CopyObject(item.type(), list.items[i].get(), item.get());
      *static_cast<std::string*>(item.type().Find("kind")->at(item.get())) = "";
      *static_cast<std::string*>(item.type().Find("apiVersion")->at(item.get())) = "";
      if (i > 0) json += ",";
      TRY_VOID(reflect::EncodeJson(item.type(), item.get(), &json));
    }
    return json + "]}";
  }
  if (method == "GET") {
    object = server_.Get(target, {});
  } else if (method == "POST") {
    TRY(const auto options, OptionsOf<meta::CreateOptions>(query));
    TRY(const reflect::AnyObject body, BodyOf(request, target));
    object = server_.Create(target, {body.type(), body.get()}, options);
  } else if (method == "PUT") {
    TRY(const auto options, OptionsOf<meta::UpdateOptions>(query));
    TRY(const reflect::AnyObject body, BodyOf(request, target));
    object = server_.Update(target, {body.type(), body.get()}, options);
  } else if (method == "PATCH") {
    TRY(const auto options, OptionsOf<meta::PatchOptions>(query));
    object = server_.Patch(target, PatchTypeOf(request.head.headers.Get("Content-Type")),
                           request.body, options);
  } else if (method == "DELETE") {
    TRY(const auto options, reflect::FromJson<meta::DeleteOptions>(request.body));
    if (!target.name.empty()) {
      object = server_.Delete(target, options);
    } else {
      TRY(const auto which, OptionsOf<meta::ListOptions>(query));
      TRY_VOID(server_.DeleteCollection(target, options, which));
      object = SharedObject(std::make_shared<const meta::Status>(api::SuccessStatus()));
    }
  }
  if (!object.ok()) return std::move(object).error();
  return JsonOf(*object);
}

void FakeHttp::ServeWatch(const ExchangePtr& exchange, const Target& target,
                          std::string_view query) {
  struct Signal {
    std::mutex mutex;
    std::condition_variable changed;
    bool ready = true;
  };
  const auto signal = std::make_shared<Signal>();
  const auto wake = [signal] {
    const std::lock_guard lock(signal->mutex);
    signal->ready = true;
    signal->changed.notify_all();
  };
  const auto options = OptionsOf<meta::ListOptions>(query);
  ASSERT_TRUE(options.ok()) << options.error().message();
  auto watch = server_.Watch(target, *options, wake);
  if (!watch.ok()) {
    (void)exchange->Respond(api::StatusOf(watch.error()).code,
                            {{"Content-Type", "application/json"}}, StatusJson(watch.error()));
    return;
  }
  exchange->OnCancel(wake);
  (void)exchange->Begin(200, {{"Content-Type", "application/json"}});
  static constexpr const char* kTypes[] = {"ADDED", "MODIFIED", "DELETED"};
  while (!exchange->cancelled()) {
    {
      std::unique_lock lock(signal->mutex);
      signal->changed.wait(lock, [&] { return signal->ready; });
      signal->ready = false;
    }
    const auto batch = (*watch)->Take(3);
    if (!batch.ok()) {
      (void)exchange->Write("{\"type\":\"ERROR\",\"object\":" + StatusJson(batch.error()) + "}\n");
      break;
    }
    for (const ObjectEvent& event : batch->events) {
      std::string line =
          R"({"type":"BOOKMARK","object":{"kind":"ConfigMap","apiVersion":"v1",)"
          R"("metadata":{"resourceVersion":")" +
          event.resource_version + "\"" +
          (event.initial_events_end ? R"(,"annotations":{"k8s.io/initial-events-end":"true"})"
                                    : "") +
          "}}}\n";
      if (event.object) {
        line = std::string("{\"type\":\"") + kTypes[static_cast<int>(event.type)] +
               "\",\"object\":" + *JsonOf(event.object) + "}\n";
      }
      if (!exchange->Write(line).ok()) return;
    }
    if (batch->ended) break;
    if (batch->more) wake();
  }
  (void)exchange->End();
}

}  // namespace podium::client
