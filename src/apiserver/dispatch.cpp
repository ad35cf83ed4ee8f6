#include "apiserver/dispatch.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "api/status.h"
#include "api/time.h"
#include "apiserver/authentication/impersonation.h"
#include "apiserver/authorization/forbidden.h"
#include "apiserver/authorization/server_authorizer.h"
#include "apiserver/custom_resources/custom_version.h"
#include "apiserver/discovery/paths.h"
#include "apiserver/encode.h"
#include "apiserver/off_loop_body.h"
#include "apiserver/old_ephemeral_containers.h"
#include "apiserver/read.h"
#include "apiserver/write_answer.h"
#include "base/random_name.h"
#include "http/gzip.h"
#include "http/url.h"
#include "http/websocket.h"
#include "http/websocket_feed.h"

namespace podium::apiserver {
namespace {

// Of a body that is larger, the work is not done on the loop's thread, where others wait.
constexpr size_t kSmallBody = size_t{64} << 10;
// Upstream's --request-timeout.
constexpr std::chrono::nanoseconds kRequestTimeout = std::chrono::minutes(1);

bool IsWatch(std::string_view target) {
  const size_t question = target.find('?');
  const std::string_view path = target.substr(0, question);
  if (path.find("/watch/") != path.npos) return true;
  if (question == target.npos) return false;
  const std::string_view query = target.substr(question);
  return query.find("watch=") != query.npos;
}

// A text for the header Warning (RFC 7234, section 5.5): code 299, in quotes.
std::string WarningValue(std::string_view text) {
  std::string value = "299 - \"";
  for (const char c : text) {
    if (c == '"' || c == '\\') value += '\\';
    value += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  }
  return value + '"';
}

bool IsWrite(std::string_view verb) {
  return verb == "create" || verb == "update" || verb == "patch" || verb == "delete" ||
         verb == "deletecollection";
}

bool HasVerb(const ServedResource& resource, const RequestInfo& info) {
  if (info.subresource.empty()) return resource.HasVerb(info.verb);
  const api::Subresource* subresource = resource.FindSubresource(info.subresource);
  // Of OPTIONS, which proxies pass on like the other methods.
  if (info.verb.empty() && info.subresource == "proxy") return subresource != nullptr;
  return subresource != nullptr &&
         std::ranges::find(subresource->verbs, info.verb) != subresource->verbs.end();
}

bool HasSubresource(const ServedResource& resource, const RequestInfo& info) {
  return info.subresource.empty() || resource.FindSubresource(info.subresource) != nullptr;
}

// Whether the path has a namespace where the resource has one. Who asks for something in a
// namespace is authorized for that namespace: what is in none must not be reached through it.
bool FitsScope(const ServedResource& resource, const RequestInfo& info) {
  if (resource.namespaced) return !info.namespace_.empty() || info.name.empty();
  if (info.namespace_.empty()) return true;
  // A namespace's own path says it as its namespace, too; but it is not in itself.
  return info.group.empty() && info.resource == "namespaces" && info.name == info.namespace_ &&
         info.path.find("/namespaces/" + std::string(info.name) + "/namespaces/") ==
             std::string_view::npos;
}

// Of one object are get, update, patch and delete; collections are listed, watched, emptied, and
// get new objects, which they do by POST to themselves alone.
bool FitsVerb(const ServedResource& resource, const RequestInfo& info) {
  if (!info.subresource.empty()) return true;
  if (info.name.empty()) {
    const bool everywhere = resource.namespaced && info.namespace_.empty();
    if (everywhere) return info.verb == "list" || info.verb == "watch";
    return info.verb != "update" && info.verb != "patch";
  }
  return info.verb != "create";
}

// Of who asks in this process: streams are for connections.
Error NoNodeError(const RequestInfo& info) {
  return api::ServiceUnavailableError("no node of this server answers for " +
                                      std::string(info.resource) + "/" +
                                      std::string(info.subresource));
}

// Built-in kinds of release 1.36 that upstream says it of (APILifecycleDeprecated).
struct Deprecated {
  std::string_view group;
  std::string_view version;
  std::string_view plural;
  std::string_view warning;
};
constexpr Deprecated kDeprecated[] = {
    {"", "v1", "componentstatuses", "v1 ComponentStatus is deprecated in v1.19+"},
    {"", "v1", "endpoints",
     "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"},
};

void WarnOfDeprecation(Call& call, const ServedResource& resource) {
  if (resource.custom != nullptr) {
    if (!resource.custom->shown->deprecation.empty())
      call.Warn(resource.custom->shown->deprecation);
    return;
  }
  for (const Deprecated& each : kDeprecated) {
    if (each.plural == resource.plural && each.group == resource.group &&
        each.version == resource.version) {
      call.Warn(std::string(each.warning));
    }
  }
}

// Of a definition that is being deleted nothing new is created.
Error TerminatingError(const ServedResource& resource, std::string_view verb) {
  api::meta::v1::Status status =
      api::StatusOf(api::MethodNotSupportedError(resource.group_resource(), verb));
  status.message =
      std::string(verb) + " not allowed while custom resource definition is terminating";
  return api::StatusError(std::move(status));
}

// A body that counts as a request in flight for as long as it is sent.
class CountedBody final : public http::PulledBody {
 public:
  CountedBody(std::unique_ptr<http::PulledBody> body, Metrics::InFlight in_flight)
      : body_(std::move(body)), in_flight_(std::move(in_flight)) {}
  void Attach(http::BodyWaker waker) override { body_->Attach(std::move(waker)); }
  Result<http::BodyPiece> Next() override { return body_->Next(); }

 private:
  const std::unique_ptr<http::PulledBody> body_;
  const Metrics::InFlight in_flight_;
};

// Whether the client wants the body of this answer, a watch or a log, as messages of a WebSocket
// (upstream's pkg/endpoints/handlers/watch.go, and wsstream.Reader for logs).
bool IsFeed(const http::Exchange& exchange, const Call& call, const Answer& answer) {
  if (answer.pulled == nullptr || answer.status != 200) return false;
  const bool is_log = call.info.resource == "pods" && call.info.subresource == "log";
  return (is_log || call.info.verb == "watch") && http::IsWebSocketRequest(exchange.request().head);
}

struct FeedChoice {
  std::string protocol;
  http::FeedOptions options;
};

// None: the client offers protocols, and none that there is.
std::optional<FeedChoice> ChooseFeed(const http::RequestHead& head, const Call& call,
                                     const Answer& answer) {
  auto offered = http::OfferedProtocols(head.headers);
  std::erase_if(offered, [](std::string_view name) { return name.starts_with(kBearerProtocol); });
  using Message = http::FeedOptions::Message;
  if (call.info.verb == "watch") {
    // Whatever the client calls it.
    const std::string protocol(offered.empty() ? "" : offered[0]);
    const bool json = answer.headers.Get("Content-Type").starts_with("application/json");
    return FeedChoice{protocol,
                      {.message = json ? Message::kLine : Message::kLengthPrefixed, .text = json}};
  }
  if (offered.empty()) return FeedChoice{"", {.begins_empty = true}};
  for (const std::string_view name : offered) {
    if (name == "binary.k8s.io") return FeedChoice{std::string(name), {.begins_empty = true}};
    if (name == "base64.binary.k8s.io") {
      return FeedChoice{std::string(name), {.text = true, .base64 = true, .begins_empty = true}};
    }
  }
  return std::nullopt;
}

// Large answers are compressed for who takes that; watches are not, whose events are to go out at
// once.
void Compress(const Call& call, Answer* answer) {
  const bool large = answer->body.size() >= http::kGzipThreshold;
  const bool is_list = answer->pulled != nullptr && call.info.verb == "list";
  if ((!large && !is_list) || answer->headers.Find("Content-Encoding") != nullptr) return;
  answer->headers.Add("Vary", "Accept-Encoding");
  if (call.headers == nullptr || !http::AcceptsGzip(*call.headers)) return;
  answer->headers.Set("Content-Encoding", "gzip");
  if (answer->pulled != nullptr) {
    answer->pulled = http::Gzipped(std::move(answer->pulled));
  } else {
    answer->body = http::Gzip(answer->body);
  }
}

// As upstream's WithRequestDeadline (k8s.io/apiserver/pkg/endpoints/filters).
Result<void> SetDeadline(Call* call) {
  const bool runs_long = call->info.verb == "watch" || NodeWay::Serves(call->info);
  if (runs_long) return {};
  auto most = kRequestTimeout;
  if (const std::string_view text = QueryValue(call->query, "timeout"); !text.empty()) {
    const auto asked = api::Duration::Parse(text);
    if (!asked.ok()) {
      return api::BadRequestError("invalid timeout specified in the request URL - " +
                                  std::string(asked.error().message()));
    }
    const std::chrono::nanoseconds time(asked->nanos());
    if (time > std::chrono::nanoseconds::zero()) most = std::min(most, time);
  }
  call->deadline = std::chrono::steady_clock::now() + most;
  return {};
}

}  // namespace

void Send(http::Exchange& exchange, const Call& call, Answer answer) {
  Compress(call, &answer);
  answer.headers.Set("Audit-Id", call.audit_id);
  if (answer.headers.Find("Cache-Control") == nullptr) {
    answer.headers.Set("Cache-Control", "no-cache, private");
  }
  for (const std::string& warning : call.warnings) {
    answer.headers.Add("Warning", WarningValue(warning));
  }
  // The client is gone when this fails; nobody is left to be told.
  if (answer.pulled != nullptr) {
    (void)exchange.RespondFrom(answer.status, std::move(answer.headers), std::move(answer.pulled),
                               answer.pulled_size);
  } else {
    (void)exchange.Respond(answer.status, std::move(answer.headers), answer.body);
  }
}

http::Treatment Dispatcher::TreatmentOf(const http::RequestHead& head) {
  http::Treatment treatment;
  treatment.on_loop = true;
  treatment.strict_path = true;
  treatment.long_running = head.method == "GET" && IsWatch(head.target);
  NodeWay::Treat(head, &treatment);
  return treatment;
}

void Dispatcher::Reply(http::Exchange& exchange, const Call& call, const ServedResource* resource,
                       Answer answer) const {
  const RequestLabels labels = LabelsOf(call, resource);
  parts_.metrics->Count(labels, answer.status, parts_.clock->Now() - call.received);
  if (answer.pulled != nullptr && call.info.verb == "watch") {
    answer.pulled =
        std::make_unique<CountedBody>(std::move(answer.pulled), parts_.metrics->Begin(labels));
  }
  if (call.audit != nullptr) call.audit->Answer(call, &answer);
  if (parts_.request_log != nullptr) parts_.request_log->Note(call, answer.status);
  if (parts_.poller != nullptr && IsFeed(exchange, call, answer)) {
    return Feed(exchange, call, std::move(answer));
  }
  Send(exchange, call, std::move(answer));
}

void Dispatcher::Feed(http::Exchange& exchange, const Call& call, Answer answer) const {
  const http::RequestHead& head = exchange.request().head;
  const auto choice = ChooseFeed(head, call, answer);
  if (!choice) {
    return Send(exchange, call,
                {.status = 403,
                 .headers = {{"Content-Type", "text/plain; charset=utf-8"}},
                 .body = "websocket: bad protocol\n"});
  }
  auto headers = http::WebSocketAcceptance(head, choice->protocol);
  if (!headers.ok()) {
    return Send(exchange, call,
                AnswerWithError(call, api::BadRequestError(headers.error().message())));
  }
  headers->Add("Audit-Id", call.audit_id);
  // The client is gone when this fails.
  (void)http::FeedWebSocket(parts_.poller, exchange, *std::move(headers), std::move(answer.pulled),
                            choice->options);
}

void Dispatcher::Handle(const ExchangePtr& exchange) const {
  auto call = ReadCall(exchange);
  if (!call.ok()) {
    Call unread;
    unread.headers = &exchange->request().head.headers;
    unread.audit_id = NewUid();
    return Send(*exchange, unread, AnswerWithError(unread, call.error()));
  }
  // A watch counts as long as its body is sent, see Reply.
  if ((*call)->info.verb != "watch") {
    (*call)->in_flight =
        std::make_shared<Metrics::InFlight>(parts_.metrics->Begin(LabelsOf(**call, nullptr)));
  }
  Result<void> allowed = Authenticate(exchange->request(), **call);
  if (allowed.ok()) allowed = Impersonate(**call);
  if (allowed.ok()) allowed = Authorize(**call);
  if (!allowed.ok())
    return Reply(*exchange, **call, nullptr, AnswerWithError(**call, allowed.error()));
  if ((*call)->body.size() <= kSmallBody && !Paths::TakesLong((*call)->path) &&
      !(*call)->path.starts_with(kOwnPaths)) {
    return Serve(exchange, *call);
  }
  // A stopping server waits for it.
  parts_.executor->Post(
      [this, exchange, call = *call, pass = parts_.writer->Enter()] { Serve(exchange, call); });
}

Result<CallPtr> Dispatcher::ReadCall(const ExchangePtr& exchange) const {
  const http::ServerRequest& request = exchange->request();
  auto call = std::make_shared<Call>();
  call->keeps_alive = exchange;
  call->method = request.head.method;
  call->path = request.path;
  call->uri = request.head.target;
  if (request.remote != nullptr) call->remote = request.remote->address;
  call->headers = &request.head.headers;
  call->body = request.body;
  call->received = parts_.clock->Now();
  if (!request.query.empty()) {
    auto query = http::ParseQuery(request.query);
    if (!query.ok()) return api::BadRequestError(query.error().message());
    call->query = *std::move(query);
  }
  const std::string_view audit_id = call->Header("Audit-ID");
  call->audit_id = audit_id.empty() ? NewUid() : std::string(audit_id.substr(0, 64));
  auto info = ReadRequestInfo(call->method, call->path, call->query);
  if (!info.ok()) return api::BadRequestError(info.error().message());
  call->info = *std::move(info);
  TRY_VOID(SetDeadline(call.get()));
  return call;
}

Result<void> Dispatcher::Authenticate(const http::ServerRequest& request, Call& call) const {
  Credentials credentials;
  credentials.authorization = call.Header("Authorization");
  credentials.path = call.path;
  if (call.headers->HasToken("Upgrade", "websocket")) {
    credentials.websocket_protocols = call.Header("Sec-WebSocket-Protocol");
  }
  if (request.remote != nullptr) {
    credentials.certificates = request.remote->certificates;
    credentials.is_root = static_cast<int>(request.remote->endpoint) == parts_.root_endpoint &&
                          request.remote->credentials && request.remote->credentials->uid == 0;
  }
  call.from_root = credentials.is_root;
  const auto who = parts_.authenticator->Authenticate(credentials);
  if (!who.ok() || *who == nullptr) {
    if (parts_.audit != nullptr) parts_.audit->Refuse(call, !credentials.certificates.empty());
    return UnauthorizedAnswer();
  }
  call.user = std::shared_ptr<const User>(*who, &(*who)->user);
  for (const std::string& warning : (*who)->warnings) call.Warn(warning);
  for (const auto& annotation : (*who)->audit_annotations) call.annotations.push_back(annotation);
  if (parts_.audit != nullptr) {
    call.audit = parts_.audit->Begin(call, QuestionOf(*call.user, call.info, call.query));
  }
  return {};
}

Result<void> Dispatcher::Impersonate(Call& call) const {
  TRY(std::optional<User> wanted, WantedUser(*call.headers));
  if (!wanted) return {};
  const AuthorizationQuestion question = QuestionOf(*call.user, call.info, call.query);
  TRY(Impersonated impersonated, apiserver::Impersonate(*wanted, question, *parts_.authorizer));
  call.user = std::make_shared<const User>(std::move(impersonated.user));
  if (call.audit != nullptr) call.audit->SetImpersonated(*call.user, impersonated.constraint);
  return {};
}

Result<void> Dispatcher::Authorize(Call& call) const {
  const AuthorizationQuestion question = QuestionOf(*call.user, call.info, call.query);
  const Authorization authorization = parts_.authorizer->Authorize(question);
  const bool allowed = authorization.decision == Decision::kAllow;
  if (call.audit != nullptr) {
    call.annotations.emplace_back("authorization.k8s.io/decision", allowed ? "allow" : "forbid");
    call.annotations.emplace_back("authorization.k8s.io/reason", authorization.reason);
  }
  if (allowed) return {};
  return ForbiddenQuestionError(question, authorization.reason);
}

void Dispatcher::Serve(const ExchangePtr& exchange, const CallPtr& call) const {
  const CatalogPtr catalog = parts_.catalog->Now();
  if (call->info.is_resource) return ServeResource(exchange, call, catalog);
  auto answer = parts_.paths(call, catalog);
  if (!answer.ok()) return Reply(*exchange, *call, nullptr, AnswerWithError(*call, answer.error()));
  Reply(*exchange, *call, nullptr, *std::move(answer));
}

Result<const ServedResource*> Dispatcher::Find(const Call& call, const Catalog& catalog) {
  const RequestInfo& info = call.info;
  const ServedResource* resource = catalog.Find(info.group, info.version, info.resource);
  if (resource == nullptr || !FitsScope(*resource, info)) return api::NoSuchPathError();
  if (!HasSubresource(*resource, info)) {
    if (resource->custom != nullptr) {
      return api::NotFoundError(resource->group_resource(), info.name);
    }
    return api::NoSuchPathError();
  }
  if (!HasVerb(*resource, info) || !FitsVerb(*resource, info)) return api::MethodNotAllowedError();
  return resource;
}

void Dispatcher::ServeResource(const ExchangePtr& exchange, const CallPtr& call,
                               const CatalogPtr& catalog) const {
  call->catalog = catalog;
  const auto found = Find(*call, *catalog);
  if (!found.ok()) return Reply(*exchange, *call, nullptr, AnswerWithError(*call, found.error()));
  const ServedResource& resource = **found;
  // What a webhook has to convert waits for it, which the loop must not.
  const bool waits = resource.custom != nullptr && resource.custom->may_wait();
  if (waits && !IsWrite(call->info.verb)) {
    parts_.executor->Post(
        [this, exchange, call, catalog, &resource, pass = parts_.writer->Enter()] {
          WarnOfDeprecation(*call, resource);
          ServeRead(exchange, call, catalog, resource);
        });
    return;
  }
  WarnOfDeprecation(*call, resource);
  if (NodeWay::Serves(call->info) && parts_.nodes != nullptr) {
    return ServeOnNode(exchange, call, catalog, resource);
  }
  // It is authorized as a get, and upstream's routes of built-in resources have none for it.
  if (call->method == "HEAD" && resource.custom == nullptr) {
    return Reply(*exchange, *call, &resource, AnswerWithError(*call, api::MethodNotAllowedError()));
  }
  if (!IsWrite(call->info.verb)) return ServeRead(exchange, call, catalog, resource);
  const bool old_form = TakeOldEphemeralContainers(*call);
  Write(call, resource,
        [this, exchange, call, catalog, &resource, old_form](Result<WriteOutcome> outcome) {
          Answer answer = outcome.ok() ? AnswerWithOutcome(*call, resource, *outcome)
                                       : AnswerWithError(*call, outcome.error());
          if (old_form) GiveOldEphemeralContainers(&answer);
          Reply(*exchange, *call, &resource, std::move(answer));
        });
}

void Dispatcher::ServeOnNode(const ExchangePtr& exchange, const CallPtr& call,
                             const CatalogPtr& catalog, const ServedResource& resource) const {
  // The resource lives as long as the catalog.
  parts_.nodes->Serve(
      {.exchange = exchange,
       .call = call,
       .resource = &resource,
       .catalog = catalog,
       .reply = [this, exchange, call, catalog, &resource](
                    Answer answer) { Reply(*exchange, *call, &resource, std::move(answer)); },
       .count =
           [this, call, catalog, &resource](int status) {
             parts_.metrics->Count(LabelsOf(*call, &resource), status,
                                   parts_.clock->Now() - call->received);
             if (call->audit != nullptr) call->audit->Start(*call, status);
             if (parts_.request_log != nullptr) parts_.request_log->Note(*call, status);
           }});
}

void Dispatcher::ServeRead(const ExchangePtr& exchange, const CallPtr& call,
                           const CatalogPtr& catalog, const ServedResource& resource) const {
  const RequestInfo& info = call->info;
  const auto fail = [&](const Error& error) {
    Reply(*exchange, *call, &resource, AnswerWithError(*call, error));
  };
  if (resource.kind == "ComponentStatus" && parts_.components != nullptr) {
    // Others are asked, and may not answer.
    parts_.executor->Post(
        [this, exchange, call, catalog, &resource, pass = parts_.writer->Enter()] {
          Reply(*exchange, *call, &resource,
                call->info.verb == "get" ? parts_.components->AnswerGet(*call, resource)
                                         : parts_.components->AnswerList(*call, resource));
        });
    return;
  }
  if (resource.group == kMetricsGroup && parts_.usage != nullptr) {
    return parts_.usage->reader().WhenRead(
        [this, exchange, call, catalog, &resource, pass = parts_.writer->Enter()] {
          Reply(*exchange, *call, &resource, parts_.usage->AnswerRead(*call, resource));
        });
  }
  if (!resource.is_stored()) return fail(api::MethodNotAllowedError());
  if (NodeWay::Serves(info)) return fail(NoNodeError(info));
  if (info.subresource == "scale") {
    const auto entry = ReadEntry(*parts_.store, resource, info.namespace_, info.name,
                                 QueryValue(call->query, "resourceVersion"));
    if (!entry.ok()) return fail(entry.error());
    return Reply(*exchange, *call, &resource, AnswerWithScale(*call, resource, **entry, 200));
  }
  if (info.verb == "get") {
    Answer answer = AnswerGet(call, *parts_.store, resource);
    if (TakeOldEphemeralContainers(*call)) GiveOldEphemeralContainers(&answer);
    return Reply(*exchange, *call, &resource, std::move(answer));
  }
  Answer answer = info.verb == "list" ? AnswerList(call, *parts_.store, resource, catalog)
                                      : AnswerWatch(call, *parts_.watches, resource, catalog);
  if (answer.pulled != nullptr && resource.custom != nullptr && resource.custom->may_wait()) {
    answer.pulled = OffLoop(std::move(answer.pulled), *parts_.executor);
  }
  Reply(*exchange, *call, &resource, std::move(answer));
}

WriteDone Dispatcher::AfterDefinitions(const ServedResource& resource, WriteDone done) const {
  if (parts_.definitions == nullptr || resource.group != "apiextensions.k8s.io" ||
      resource.builtin == nullptr) {
    return done;
  }
  return
      [this, done = std::move(done), pass = parts_.writer->Enter()](Result<WriteOutcome> outcome) {
        if (!outcome.ok()) return done(std::move(outcome));
        // Not on the store's thread: it writes.
        auto kept = std::make_shared<Result<WriteOutcome>>(std::move(outcome));
        parts_.executor->Post([this, done, pass, kept] {
          // What fails is tried again with the next change; the write itself was made.
          (void)parts_.definitions->CatchUp();
          done(std::move(*kept));
        });
      };
}

void Dispatcher::Write(const CallPtr& call, const ServedResource& resource,
                       const WriteDone& then) const {
  const WriteDone done = AfterDefinitions(resource, then);
  const std::string_view verb = call->info.verb;
  const std::string_view subresource = call->info.subresource;
  if (NodeWay::Serves(call->info)) return done(NoNodeError(call->info));
  if (verb == "create") {
    if (resource.plural == "bindings" || subresource == "binding") {
      return parts_.writer->Bind(call, resource, done);
    }
    if (subresource == "eviction") return parts_.writer->Evict(call, resource, done);
    if (subresource == "token") return done(parts_.questions->IssueToken(*call));
    if (!resource.is_stored()) return done(parts_.questions->Answer(*call, resource));
    if (resource.custom != nullptr && resource.custom->resource->terminating) {
      return done(TerminatingError(resource, verb));
    }
  }
  if (!resource.is_stored()) return done(api::MethodNotAllowedError());
  if (verb == "create") return parts_.writer->Create(call, resource, done);
  if (verb == "update") return parts_.writer->Update(call, resource, done);
  if (verb == "patch") return parts_.writer->Patch(call, resource, done);
  if (verb == "delete") return parts_.writer->Delete(call, resource, done);
  parts_.writer->DeleteCollection(call, resource, done);
}

}  // namespace podium::apiserver
