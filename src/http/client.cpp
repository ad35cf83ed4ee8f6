#include "http/client.h"

#include <algorithm>
#include <mutex>

#include "http/connection_pool.h"
#include "http/socks.h"

namespace podium::http {
namespace {

constexpr size_t kCopySize = size_t{64} << 10;
// Of a redirect's body.
constexpr size_t kMaxDrained = 4096;
// Interim answers before the real one.
constexpr int kMaxInterim = 10;

bool IsIdempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
         method == "OPTIONS" || method == "TRACE";
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

WaitLimits LimitsOf(const Timeouts& timeouts, const Cancellation* cancellation) {
  WaitLimits limits{.idle = timeouts.idle, .cancellation = cancellation};
  if (timeouts.total.count() > 0) limits.deadline = Clock::now() + timeouts.total;
  return limits;
}

// The same, for the time of connecting.
WaitLimits ConnectLimits(const WaitLimits& limits, const Timeouts& timeouts) {
  WaitLimits connect = limits;
  connect.idle = std::chrono::milliseconds(0);
  if (timeouts.connect.count() > 0) {
    const Clock::time_point end = Clock::now() + timeouts.connect;
    connect.deadline = limits.deadline ? std::min(end, *limits.deadline) : end;
  }
  return connect;
}

Result<void> WriteChunks(const BodySource& source, Stream& stream) {
  std::string buffer(kCopySize, '\0');
  while (true) {
    TRY(const size_t size, source(buffer));
    if (size == 0) return stream.Write(kLastChunk);
    TRY_VOID(stream.Write(EncodeChunk(std::string_view(buffer).substr(0, size))));
  }
}

Result<void> WriteExactly(const BodySource& source, uint64_t left, Stream& stream,
                          bool* source_failed) {
  std::string buffer(kCopySize, '\0');
  while (left > 0) {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(left, buffer.size()));
    TRY(const size_t size, source({buffer.data(), wanted}));
    if (size == 0) {
      *source_failed = true;
      return Error(Code::kInvalidArgument, "the body is shorter than announced");
    }
    TRY_VOID(stream.Write(std::string_view(buffer).substr(0, size)));
    left -= size;
  }
  return {};
}

// One request on its way, through its redirects.
struct Exchange {
  const Request* request;
  Url url;
  std::string method;
  Headers headers;  // the caller's, less what must not go to another origin
  bool with_body;
  Timeouts timeouts;
  WaitLimits limits;
};

Result<std::string> SerializeHead(const Exchange& exchange, const Route& route,
                                  const std::string& user_agent) {
  const Request& request = *exchange.request;
  RequestHead head{.method = exchange.method, .target = exchange.url.Target()};
  if (!exchange.headers.Find("Host")) head.headers.Add("Host", exchange.url.Authority());
  if (!exchange.headers.Find("User-Agent") && !user_agent.empty()) {
    head.headers.Add("User-Agent", user_agent);
  }
  for (const auto& [name, value] : exchange.headers.fields()) head.headers.Add(name, value);
  if (!exchange.url.user_info.empty() && !head.headers.Find("Authorization")) {
    TRY(const std::string credentials, BasicCredentials(exchange.url));
    head.headers.Add("Authorization", credentials);
  }
  if (route.proxy && route.scheme == "http" && !IsSocks(*route.proxy)) {
    head.target = exchange.url.ToString();
    if (!route.proxy->user_info.empty() && !head.headers.Find("Proxy-Authorization")) {
      TRY(const std::string credentials, BasicCredentials(*route.proxy));
      head.headers.Add("Proxy-Authorization", credentials);
    }
  }
  const bool source = exchange.with_body && request.body_source;
  if (source && !request.body_size) {
    head.headers.Add("Transfer-Encoding", "chunked");
  } else {
    const uint64_t size = source ? *request.body_size : request.body.size();
    const bool expected = head.method == "POST" || head.method == "PUT" || head.method == "PATCH";
    if (exchange.with_body && (source || size > 0 || expected)) {
      head.headers.Add("Content-Length", std::to_string(size));
    } else if (expected) {
      head.headers.Add("Content-Length", "0");
    }
  }
  return SerializeRequestHead(head);
}

// `source_failed`: the error is the caller's body_source's, and none of the connection.
Result<void> WriteRequest(const Exchange& exchange, std::string head, Stream& stream,
                          bool* source_failed) {
  const Request& request = *exchange.request;
  if (!exchange.with_body) return stream.Write(head);
  if (request.body_source) {
    TRY_VOID(stream.Write(head));
    const BodySource source = [&](std::span<char> buffer) {
      auto size = request.body_source(buffer);
      *source_failed = !size.ok();
      return size;
    };
    if (!request.body_size) return WriteChunks(source, stream);
    return WriteExactly(source, *request.body_size, stream, source_failed);
  }
  if (request.body.size() > kCopySize) {
    TRY_VOID(stream.Write(head));
    return stream.Write(request.body);
  }
  return stream.Write(head.append(request.body));
}

Result<ResponseHead> ReadFinalHead(MessageReader& reader, const HeadLimits& limits) {
  for (int i = 0; i <= kMaxInterim; ++i) {
    TRY(const std::string bytes, reader.ReadHead(limits));
    TRY(ResponseHead head, ParseResponseHead(bytes, limits));
    if (head.status >= 200 || head.status == 101) return head;
  }
  return Error(Code::kInvalidArgument, "too many interim answers");
}

Result<void> CheckRequest(const Request& request) {
  for (const char* name : {"Content-Length", "Transfer-Encoding"}) {
    if (request.headers.Find(name)) {
      return Error(Code::kInvalidArgument, std::string(name) + " is not the caller's to set");
    }
  }
  if (request.body_source && !request.body.empty()) {
    return Error(Code::kInvalidArgument, "two bodies in one request");
  }
  return {};
}

}  // namespace

struct Client::State {
  Result<Response> SendOnce(const Exchange& exchange, const std::shared_ptr<State>& self);

  explicit State(ClientOptions chosen)
      : options(std::move(chosen)),
        pool(options.max_idle, options.max_idle_per_server, options.keep_idle) {}

  // Made when first needed: the roots of the system take longer to read than a request to a unix
  // socket takes.
  Result<const TlsClient*> Tls() {
    const std::lock_guard lock(tls_mutex);
    if (!tls) {
      TRY(tls, TlsClient::Create(options.tls));
    }
    return &*tls;
  }

  const ClientOptions options;
  ConnectionPool pool;
  std::mutex tls_mutex;
  std::optional<TlsClient> tls;
};

struct Response::State {
  ResponseHead head;
  Url url;
  Framing framing;
  std::unique_ptr<Connection> connection;  // null once it is given away
  std::shared_ptr<Client::State> client;
  // Of `connection` being given away: Abort comes from another thread.
  std::mutex mutex{};

  // Keeps the connection for the next request, if it can serve one.
  void Release() {
    if (!connection || !connection->reader.body_done() || head.status == 101) return;
    const std::lock_guard lock(mutex);
    auto released = std::move(connection);
    if (framing.kind == Framing::Kind::kUntilClose) return;
    if (KeepsAlive(head.minor, head.headers)) client->pool.Put(std::move(released));
  }
};

namespace {

Result<Route> RouteOf(const Exchange& exchange, const ClientOptions& options) {
  const Url& url = exchange.url;
  if (url.scheme != "http" && url.scheme != "https") {
    return Error(Code::kInvalidArgument, "unsupported protocol scheme \"" + url.scheme + "\"");
  }
  Route route{.scheme = url.scheme, .host = url.host, .port = url.EffectivePort()};
  route.unix_socket = exchange.request->unix_socket;
  route.refuse_link_local = options.refuse_link_local;
  if (route.unix_socket.empty()) {
    TRY(route.proxy, ProxyFor(options.proxy, url));
  }
  return route;
}

// What the redirect asks for next. False: it is not to be followed.
Result<bool> Follow(Response& response, Exchange* exchange) {
  const std::string* location = response.headers().Find("Location");
  if (!IsRedirect(response.status()) || !location) return false;
  const bool repeats = response.status() == 307 || response.status() == 308;
  if (repeats && exchange->with_body && exchange->request->body_source) return false;
  TRY(Url next, exchange->url.Resolve(*location));
  if (exchange->url.scheme == "https" && next.scheme != "https") {
    return Error(Code::kPermissionDenied, "a redirect from https to " + next.ToString());
  }
  if (!SameOrigin(exchange->url, next)) {
    for (const char* name : {"Authorization", "Cookie", "Proxy-Authorization", "Host"}) {
      exchange->headers.Remove(name);
    }
  }
  if (!repeats && exchange->method != "HEAD") {
    // RFC 9110, section 15.4: what everyone does for 301 and 302 too.
    if (exchange->method != "GET") exchange->with_body = false;
    exchange->method = "GET";
    if (!exchange->with_body) exchange->headers.Remove("Content-Type");
  }
  exchange->url = std::move(next);
  // Read to its end, the page that nobody sees keeps the connection.
  if (response.content_length().value_or(UINT64_MAX) <= kMaxDrained) {
    (void)response.ReadAll(kMaxDrained);
  }
  return true;
}

}  // namespace

Response::Response(std::unique_ptr<State> state) : state_(std::move(state)) {}
Response::Response(Response&&) noexcept = default;
Response& Response::operator=(Response&&) noexcept = default;

Response::~Response() {
  if (state_) state_->Release();
}

int Response::status() const { return state_->head.status; }
const ResponseHead& Response::head() const { return state_->head; }
const Url& Response::url() const { return state_->url; }

std::optional<uint64_t> Response::content_length() const {
  if (state_->framing.kind == Framing::Kind::kNone) return 0;
  if (state_->framing.kind != Framing::Kind::kLength) return std::nullopt;
  return state_->framing.length;
}

Result<size_t> Response::Read(std::span<char> buffer) {
  if (!state_->connection) return 0;
  auto size = state_->connection->reader.ReadBody(buffer);
  state_->Release();
  return size;
}

Result<std::optional<size_t>> Response::TryRead(std::span<char> buffer) {
  if (!state_->connection) return std::optional<size_t>(0);
  state_->connection->stream->SetLimits({.deadline = Clock::now()});
  auto size = Read(buffer);
  if (size.ok()) return std::optional<size_t>(*size);
  if (size.error().code() == Code::kDeadlineExceeded) return std::optional<size_t>();
  return std::move(size).error();
}

int Response::fd() const { return state_->connection ? state_->connection->stream->fd() : -1; }

Result<void> Response::ReadTo(const BodySink& sink, uint64_t max_size) {
  std::string buffer(kCopySize, '\0');
  uint64_t read = 0;
  while (true) {
    TRY(const size_t size, Read(buffer));
    if (size == 0) return {};
    read += size;
    if (read > max_size) {
      return Error(Code::kResourceExhausted,
                   "the body is larger than " + std::to_string(max_size) + " bytes");
    }
    TRY_VOID(sink(std::string_view(buffer).substr(0, size)));
  }
}

Result<std::string> Response::ReadAll(size_t max_size) {
  std::string body;
  if (const auto length = content_length(); length && *length <= max_size) body.reserve(*length);
  TRY_VOID(ReadTo(
      [&](std::string_view bytes) -> Result<void> {
        body += bytes;
        return {};
      },
      max_size));
  return body;
}

Result<std::unique_ptr<Stream>> Response::TakeStream() {
  if (status() != 101 || !state_->connection) {
    return Error(Code::kInvalidArgument, "the connection was not upgraded");
  }
  const std::lock_guard lock(state_->mutex);
  const auto connection = std::move(state_->connection);
  connection->stream->SetLimits({});
  return WithPrefix(connection->reader.TakeRest(), std::move(connection->stream));
}

void Response::Abort() {
  const std::lock_guard lock(state_->mutex);
  if (state_->connection) state_->connection->stream->Shutdown();
}

namespace {

// One request and the head of its answer.
struct Answer {
  ResponseHead head;
  Framing framing;
};

Result<Answer> Converse(const Exchange& exchange, const ClientOptions& options,
                        Connection* connection) {
  TRY(std::string head, SerializeHead(exchange, connection->route, options.user_agent));
  connection->stream->SetLimits(exchange.limits);
  bool source_failed = false;
  auto written = WriteRequest(exchange, std::move(head), *connection->stream, &source_failed);
  if (!written.ok()) {
    // A server may answer and close before it has read all: 413, 401. Its answer says more than the
    // broken pipe.
    if (source_failed || written.error().code() != Code::kUnavailable) {
      return std::move(written).error();
    }
    WaitLimits limits = exchange.limits;
    limits.idle = std::chrono::seconds(1);
    connection->stream->SetLimits(limits);
  }
  auto answered = ReadFinalHead(connection->reader, options.head_limits);
  if (!answered.ok()) {
    return written.ok() ? std::move(answered).error() : std::move(written).error();
  }
  connection->stream->SetLimits(exchange.limits);
  Answer answer{*std::move(answered), {}};
  TRY(answer.framing, ResponseFraming(answer.head, exchange.method));
  connection->reader.BeginBody(answer.framing);
  // Half a request stands in the connection: it serves no other.
  if (!written.ok()) answer.head.headers.Add("Connection", "close");
  return answer;
}

}  // namespace

Result<Client> Client::Create(ClientOptions options) {
  return Client(std::make_shared<State>(std::move(options)));
}

void Client::CloseIdle() { state_->pool.Clear(); }

Result<Response> Client::State::SendOnce(const Exchange& exchange,
                                         const std::shared_ptr<State>& self) {
  TRY(const Route route, RouteOf(exchange, options));
  const TlsClient* tls_client = nullptr;
  if (route.scheme == "https" || (route.proxy && route.proxy->scheme == "https")) {
    TRY(tls_client, Tls());
  }
  const bool repeatable = IsIdempotent(exchange.method) && !exchange.request->body_source;
  while (true) {
    std::unique_ptr<Connection> connection = pool.Take(route);
    if (!connection) {
      TRY(auto stream, Dial(route, tls_client, ConnectLimits(exchange.limits, exchange.timeouts)));
      connection = std::make_unique<Connection>(route, std::move(stream));
    }
    auto answer = Converse(exchange, options, connection.get());
    if (!answer.ok()) {
      // The server closed a kept connection just as it was used again. A fresh one is the last try.
      const bool closed = connection->reused && !connection->reader.received() &&
                          answer.error().code() == Code::kUnavailable;
      if (!closed || !repeatable) return std::move(answer).error();
      continue;
    }
    auto state = std::make_unique<Response::State>(std::move(answer->head), exchange.url,
                                                   answer->framing, std::move(connection), self);
    return Response(std::move(state));
  }
}

Result<Response> Client::Send(const Request& request) const {
  TRY_VOID(CheckRequest(request));
  TRY(Url url, Url::Parse(request.url));
  const Timeouts timeouts = request.timeouts.value_or(state_->options.timeouts);
  Exchange exchange{&request,
                    std::move(url),
                    request.method,
                    request.headers,
                    true,
                    timeouts,
                    LimitsOf(timeouts, request.cancellation)};
  for (int redirects = 0;; ++redirects) {
    auto response = state_->SendOnce(exchange, state_);
    if (!response.ok()) {
      return std::move(response).error().WithContext(exchange.method + " " +
                                                     exchange.url.ToString());
    }
    if (redirects == request.max_redirects) return response;
    TRY(const bool follow, Follow(*response, &exchange));
    if (!follow) return response;
  }
}

}  // namespace podium::http
