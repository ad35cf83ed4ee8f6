#include "fuzz/api_session.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <utility>

#include "apiserver/authentication/impersonation.h"
#include "apiserver/encode.h"
#include "apiserver/read.h"
#include "apiserver/write_answer.h"
#include "fuzz/require.h"
#include "http/server_exchange.h"

namespace podium::fuzz {

using namespace apiserver;  // NOLINT: this is a piece of it, put together

namespace {

// The store's: whoever writes makes the change itself, so that nobody ever waits.
class InlineExecutor final : public Executor {
 public:
  void Post(Task task) override { task(); }
  TimerId PostAfter(std::chrono::nanoseconds, Task) override { std::abort(); }
  void Cancel(TimerId) override {}
};

Executor& StoreExecutor() {
  static auto* const executor = new InlineExecutor;
  return *executor;
}

// Nothing in it changes, and making one takes longer than most inputs.
LiveCatalog& SharedCatalog() {
  static auto* const catalog = new LiveCatalog;
  return *catalog;
}

AdmissionPlugins PluginsWithoutWebhooks(const AdmissionDependencies& dependencies) {
  AdmissionPlugins plugins = AllPlugins(dependencies);
  std::erase_if(plugins, [](const auto& plugin) { return plugin->name().ends_with("Webhook"); });
  return plugins;
}

const User& Administrator() {
  static const auto* const user =
      new User{.name = "admin", .groups = {"system:masters", "system:authenticated"}};
  return *user;
}

bool Traced() {
  static const bool traced = std::getenv("PODIUM_FUZZ_TRACE") !=
                             nullptr;  // NOLINT(concurrency-mt-unsafe): nothing sets it
  return traced;
}

// Lives as long as the call.
struct Held {
  http::ServerRequest request;
};

std::string WholeBody(Answer& answer) {
  if (answer.pulled == nullptr) return std::move(answer.body);
  std::string body;
  while (true) {
    auto piece = answer.pulled->Next();
    // A list breaks off where an object cannot be read: never one that this session has stored.
    Require(piece.ok());
    body.append(piece->bytes);
    if (piece->then == http::BodyPiece::Then::kEnd) return body;
  }
}

}  // namespace

SessionRequest SessionRequest::Parse(std::string_view text) {
  SessionRequest request;
  const size_t end = text.find("\n\n");
  std::string_view head = text.substr(0, end);
  if (end != text.npos) request.body = text.substr(end + 2);
  const auto take_line = [&head] {
    const size_t at = head.find('\n');
    const std::string_view line = head.substr(0, at);
    head.remove_prefix(at == head.npos ? head.size() : at + 1);
    return line;
  };
  const std::string_view first = take_line();
  const size_t space = first.find(' ');
  if (space == first.npos) return request;
  request.method = first.substr(0, space);
  request.target = first.substr(space + 1);
  while (!head.empty()) {
    const std::string_view line = take_line();
    const size_t colon = line.find(':');
    if (colon == line.npos) continue;
    const size_t value = std::min(line.find_first_not_of(' ', colon + 1), line.size());
    request.headers.Add(std::string(line.substr(0, colon)), std::string(line.substr(value)));
  }
  return request;
}

ApiSession::ApiSession()
    : store_(StoreExecutor()),
      admission_(PluginsWithoutWebhooks({.objects = objects_,
                                         .authorizer = authorizer_,
                                         .clock = clock_,
                                         .random = [this] { return ++random_; }})),
      services_(*ServiceAllocator::Create(
          objects_, {},
          {.random = [this](uint64_t bound) { return ++random_ % bound; },
           .new_uid = [this] { return "uid-" + std::to_string(++random_); }})),
      questions_({.authorizer = &authorizer_,
                  .rules = &authorizer_,
                  .admission = &admission_,
                  .clock = &clock_}),
      writer_({.store = &store_,
               .objects = &objects_,
               .admission = &admission_,
               .clock = &clock_,
               .executor = &executor_,
               .catalog = &SharedCatalog(),
               .services = services_.get(),
               .escalation = &authorizer_.escalation()}) {
  Require(Ask("POST", "/api/v1/namespaces", R"({"metadata":{"name":"a"}})").status == 201);
  Require(Ask("POST", "/api/v1/namespaces/a/serviceaccounts", R"({"metadata":{"name":"default"}})")
              .status == 201);
}

void QueueExecutor::Run() {
  while (!tasks_.empty()) {
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    task();
  }
}

ApiSession::~ApiSession() { writer_.WaitForWrites(); }

Dispatcher::Parts ApiSession::DispatcherParts() {
  return {.store = &store_,
          .authorizer = &authorizer_,
          .questions = &questions_,
          .catalog = &SharedCatalog(),
          .writer = &writer_,
          .clock = &clock_,
          .executor = &executor_};
}

SessionReply ApiSession::Ask(const std::string& method, const std::string& target,
                             std::string body) {
  SessionRequest request{.method = method, .target = target, .body = std::move(body)};
  request.headers.Add("Content-Type", "application/json");
  auto reply = Send(request);
  Require(reply.has_value());
  return *std::move(reply);
}

std::optional<SessionReply> ApiSession::Send(const SessionRequest& request) {
  auto held = std::make_shared<Held>();
  held->request.head.method = request.method;
  held->request.head.target = request.target;
  held->request.head.headers = request.headers;
  held->request.body = request.body;
  if (!http::SplitTarget(true, &held->request).ok()) return std::nullopt;
  auto call = std::make_shared<Call>();
  call->method = held->request.head.method;
  call->path = held->request.path;
  call->headers = &held->request.head.headers;
  call->body = held->request.body;
  call->received = clock_.Now();
  call->keeps_alive = held;
  call->user = std::make_shared<const User>(Administrator());
  if (!held->request.query.empty()) {
    auto query = http::ParseQuery(held->request.query);
    if (!query.ok()) return std::nullopt;
    call->query = *std::move(query);
  }
  auto info = ReadRequestInfo(call->method, call->path, call->query);
  if (!info.ok()) return std::nullopt;
  call->info = *std::move(info);
  if (call->info.verb == "watch") return std::nullopt;
  Answer answer = AnswerTo(call);
  Require(answer.status >= 200 && answer.status < 600);
  SessionReply reply{.status = answer.status};
  reply.body = WholeBody(answer);
  if (Traced()) {
    std::fprintf(stderr, "%s %s\n%d %s\n", request.method.c_str(), request.target.c_str(),
                 reply.status, reply.body.c_str());
  }
  return reply;
}

Result<void> ApiSession::Authorize(const Dispatcher& dispatcher, Call& call) {
  TRY(auto wanted, WantedUser(*call.headers));
  if (wanted) {
    const AuthorizationQuestion question = QuestionOf(*call.user, call.info, call.query);
    TRY(Impersonated impersonated, Impersonate(*wanted, question, authorizer_));
    call.user = std::make_shared<const User>(std::move(impersonated.user));
  }
  return dispatcher.Authorize(call);
}

Answer ApiSession::AnswerTo(const CallPtr& call) {
  const Dispatcher dispatcher(DispatcherParts());
  const auto allowed = Authorize(dispatcher, *call);
  if (!allowed.ok()) return AnswerWithError(*call, allowed.error());
  if (!call->info.is_resource) return AnswerWithError(*call, api::NoSuchPathError());
  const CatalogPtr catalog = SharedCatalog().Now();
  const auto found = Dispatcher::Find(*call, *catalog);
  if (!found.ok()) return AnswerWithError(*call, found.error());
  const ServedResource& resource = **found;
  const std::string_view verb = call->info.verb;
  if (verb == "get" || verb == "list") return AnswerRead(call, resource, catalog);
  // Without keys there are no tokens.
  if (call->info.subresource == "token" || resource.group == "authentication.k8s.io") {
    return AnswerWithError(*call, api::MethodNotAllowedError());
  }
  auto promise = std::make_shared<std::promise<Result<WriteOutcome>>>();
  auto future = promise->get_future();
  dispatcher.Write(call, resource, [promise](Result<WriteOutcome> outcome) {
    promise->set_value(std::move(outcome));
  });
  executor_.Run();
  Require(future.wait_for(std::chrono::seconds(0)) == std::future_status::ready);
  const Result<WriteOutcome> outcome = future.get();
  return outcome.ok() ? AnswerWithOutcome(*call, resource, *outcome)
                      : AnswerWithError(*call, outcome.error());
}

Answer ApiSession::AnswerRead(const CallPtr& call, const ServedResource& resource,
                              const CatalogPtr& catalog) {
  const RequestInfo& info = call->info;
  if (!resource.is_stored()) return AnswerWithError(*call, api::MethodNotAllowedError());
  if (info.subresource == "scale") {
    const auto entry = ReadEntry(store_, resource, info.namespace_, info.name);
    if (!entry.ok()) return AnswerWithError(*call, entry.error());
    return AnswerWithScale(*call, resource, **entry, 200);
  }
  if (info.verb == "get") return AnswerGet(call, store_, resource);
  return AnswerList(call, store_, resource, catalog);
}

}  // namespace podium::fuzz
