#include "cri/stream_urls.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/random_name.h"

namespace podium::cri {
namespace {

namespace v1 = wire::cri;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes kLife{1};
constexpr size_t kMaxGiven = 1000;

void Plain(http::Exchange& exchange, int status, const std::string& text) {
  (void)exchange.Respond(status, {{"Content-Type", "text/plain; charset=utf-8"}}, text + "\n");
}

// "http://127.0.0.1:1234", with brackets around an IPv6 address.
std::string BaseOf(const std::string& host, uint16_t port) {
  const bool brackets = host.contains(':');
  return "http://" + (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

template <class Request>
node::RemoteStreams StreamsOf(const Request& request) {
  return {.stdin_ = request.stdin_,
          .stdout_ = request.stdout_,
          .stderr_ = request.stderr_,
          .tty = request.tty};
}

}  // namespace

Result<std::unique_ptr<StreamUrls>> StreamUrls::Create(runtime::Runtime& runtime,
                                                       Executor& executor) {
  TRY(auto service, node::StreamService::Create(executor));
  return std::unique_ptr<StreamUrls>(new StreamUrls(runtime, std::move(service)));
}

StreamUrls::~StreamUrls() { Stop(); }

Result<void> StreamUrls::Serve(http::Listener listener, const std::string& host) {
  const std::string base = BaseOf(host, listener.port());
  http::ServerOptions options;
  options.treatment = [](const http::RequestHead&) { return http::Treatment{.on_loop = true}; };
  TRY(server_, http::Server::Start(
                   std::move(listener), std::move(options),
                   [this](const std::shared_ptr<http::Exchange>& exchange) { Handle(*exchange); }));
  const std::lock_guard lock(mutex_);
  base_ = base;
  return {};
}

void StreamUrls::Stop() {
  if (server_) server_->Stop(std::chrono::milliseconds(0));
  service_->Stop();
}

Result<std::string> StreamUrls::For(v1::ExecRequest request) {
  return Give("exec", std::move(request));
}
Result<std::string> StreamUrls::For(v1::AttachRequest request) {
  return Give("attach", std::move(request));
}
Result<std::string> StreamUrls::For(v1::PortForwardRequest request) {
  return Give("portforward", std::move(request));
}

Result<std::string> StreamUrls::Give(const std::string& kind, Request request) {
  const Clock::time_point now = Clock::now();
  const std::lock_guard lock(mutex_);
  if (base_.empty()) return Error(Code::kUnavailable, "the streaming server is not running");
  while (!given_.empty() && given_.front().until <= now) given_.pop_front();
  if (given_.size() >= kMaxGiven) {
    return Error(Code::kResourceExhausted, "maximum number of in-flight requests exceeded");
  }
  Given& given =
      given_.emplace_back(Given{"/" + kind + "/" + NewUid(), std::move(request), now + kLife});
  return base_ + given.path;
}

std::unique_ptr<StreamUrls::Request> StreamUrls::Take(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(given_, path, &Given::path);
  if (found == given_.end()) return nullptr;
  auto request =
      found->until > Clock::now() ? std::make_unique<Request>(std::move(found->request)) : nullptr;
  given_.erase(found);
  return request;
}

void StreamUrls::Handle(http::Exchange& exchange) {
  const http::ServerRequest& asked = exchange.request();
  if (asked.head.method != "GET" && asked.head.method != "POST") {
    return Plain(exchange, 405, "405: Method Not Allowed");
  }
  // Whoever comes without an upgrade has not used it up.
  if (!node::StreamService::IsUpgrade(asked.head)) {
    return Plain(exchange, 400, "unable to upgrade: missing upgrade headers in request");
  }
  const auto request = Take(asked.path);
  if (!request) return Plain(exchange, 404, "404 page not found");
  std::visit([&](auto& each) { Begin(exchange, std::move(each)); }, *request);
}

void StreamUrls::Begin(http::Exchange& exchange, v1::ExecRequest request) {
  const node::RemoteStreams streams = StreamsOf(request);
  service_->Serve(
      exchange,
      node::RemoteCommand{.streams = streams,
                          .start = [&runtime = runtime_,
                                    asked = std::move(request)] { return runtime.Exec(asked, {}); },
                          .action = "executing command in container"});
}

void StreamUrls::Begin(http::Exchange& exchange, v1::AttachRequest request) {
  const node::RemoteStreams streams = StreamsOf(request);
  service_->Serve(
      exchange,
      node::RemoteCommand{.streams = streams,
                          .start = [&runtime = runtime_,
                                    asked = std::move(request)] { return runtime.Attach(asked); },
                          .action = "attaching to container",
                          .tells_code = false});
}

void StreamUrls::Begin(http::Exchange& exchange, const v1::PortForwardRequest& request) {
  node::PortForward forward;
  forward.connect = [&runtime = runtime_, id = request.pod_sandbox_id](uint16_t port) {
    return runtime.PortForward(id, port);
  };
  forward.pod = request.pod_sandbox_id;
  for (const int32_t port : request.port) forward.ports.push_back(static_cast<uint16_t>(port));
  if (forward.ports.empty() && node::StreamService::HasPortsInQuery(exchange.request().head)) {
    return Plain(exchange, 400, "a WebSocket's ports are those of the PortForward call: none");
  }
  service_->Serve(exchange, std::move(forward));
}

}  // namespace podium::cri
