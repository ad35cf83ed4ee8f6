// The loop's reading half: bytes of a connection become requests.
#include <sys/epoll.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "http/server_exchange.h"
#include "http/server_loop.h"
#include "http/url.h"

namespace podium::http {
namespace {

using Phase = ServerConnection::Phase;

// That are answered at once, before other connections have their turn.
constexpr int kRequestsInATurn = 32;
// Answers that are gathered, while there are more requests, before the first goes out.
constexpr size_t kAnswersInATurn = size_t{64} << 10;

// Whether two parties could take this encoded path for two different ones.
bool IsAmbiguousPath(std::string_view path) {
  for (const std::string_view part : Split(path, '/')) {
    auto decoded = PercentDecode(part);
    if (!decoded.ok() || *decoded == "." || *decoded == "..") return true;
    if (decoded->find_first_of("/\\") != std::string::npos) return true;
  }
  return false;
}

int StatusOf(const Error& error) {
  switch (error.code()) {
    case Code::kResourceExhausted:
      return 431;
    case Code::kUnsupported:
      return error.message().starts_with("unsupported HTTP version") ? 505 : 501;
    default:
      return 400;
  }
}

}  // namespace

Result<void> SplitTarget(bool strict, ServerRequest* request) {
  const std::string& target = request->head.target;
  std::string_view rest = target;
  if (target == "*") {
    request->path = "*";
    return {};
  }
  std::string absolute;
  if (!target.starts_with('/')) {
    TRY(const Url url, Url::Parse(target));
    absolute = url.Target();
    rest = absolute;
  }
  const size_t mark = std::min(rest.find('?'), rest.size());
  if (strict && IsAmbiguousPath(rest.substr(0, mark))) {
    return Error(Code::kInvalidArgument, "an ambiguous path");
  }
  TRY(request->path, PercentDecode(rest.substr(0, mark)));
  if (mark < rest.size()) request->query = rest.substr(mark + 1);
  if (request->path.find('\0') != std::string::npos) {
    return Error(Code::kInvalidArgument, "a NUL byte in the path");
  }
  return {};
}

void ServerLoop::ReadMore(const Connection& connection) {
  std::array<char, 65536> buffer;
  while (connection->phase == Phase::kHead || connection->phase == Phase::kBody) {
    auto progress = connection->transport->TryRead(buffer);
    if (!progress.ok() || progress->end) {
      Close(connection);
      return;
    }
    if (progress->wait != 0) return;
    const bool first = connection->phase == Phase::kHead && connection->in.empty();
    connection->in.append(buffer.data(), progress->bytes);
    Advance(connection);
    if (first && connection->phase == Phase::kHead && !connection->in.empty()) {
      SetDeadline(*connection, Clock::now() + context_->options.head_timeout);
    }
    // Whoever handles the request may have taken the transport.
    const bool reading = connection->phase == Phase::kHead || connection->phase == Phase::kBody;
    if (!reading || connection->in_again || !connection->transport) return;
    // What the socket still has makes it readable again.
    if (!connection->transport->Buffered()) return;
  }
}

void ServerLoop::Advance(const Connection& connection) {
  connection->advancing = true;
  for (int requests = 0;;) {
    if (connection->phase == Phase::kHead && ReadHeadStep(connection)) {
      // A client that sends thousands of requests at once gets its turns like the others.
      if (connection->phase == Phase::kHead && ++requests == kRequestsInATurn) {
        Again(*connection);
        break;
      }
      continue;
    }
    if (connection->phase == Phase::kBody && ReadBodyStep(connection)) continue;
    break;
  }
  connection->advancing = false;
  if (connection->phase == Phase::kPulling) return;
  // The answers of this turn go out together.
  bool waiting = false;
  {
    const std::lock_guard lock(connection->mutex);
    waiting = connection->transport && !connection->broken && connection->WaitingLocked() > 0 &&
              (connection->treatment.on_loop || connection->phase != Phase::kHandling);
  }
  if (waiting && (connection->interest & EPOLLOUT) == 0) WriteMore(connection);
}

bool ServerLoop::ReadHeadStep(const Connection& connection) {
  std::string& in = connection->in;
  // Some clients send a line break behind a body (RFC 9112, section 2.2).
  while (in.starts_with("\r\n")) in.erase(0, 2);
  const HeadLimits& limits = context_->options.head_limits;
  const size_t size = FindHeadEnd(in, connection->searched);
  if (size > limits.bytes || (size == 0 && in.size() > limits.bytes)) {
    Reject(connection, 431, "the request's head is too large");
    return false;
  }
  connection->searched = in.size();
  if (size == 0) return false;
  auto head = ParseRequestHead(std::string_view(in).substr(0, size), limits);
  if (!head.ok()) {
    Reject(connection, StatusOf(head.error()), head.error().message());
    return false;
  }
  auto framing = RequestFraming(*head);
  if (!framing.ok()) {
    Reject(connection, StatusOf(framing.error()), framing.error().message());
    return false;
  }
  in.erase(0, size);
  connection->searched = 0;
  connection->head = *std::move(head);
  connection->framing = *framing;
  connection->keep_alive =
      connection->head.minor >= 1 && KeepsAlive(connection->head.minor, connection->head.headers);
  connection->treatment =
      context_->options.treatment ? context_->options.treatment(connection->head) : Treatment{};
  BeginBody(connection);
  // In kHead again: it was answered.
  return connection->phase == Phase::kBody || connection->phase == Phase::kHead;
}

void ServerLoop::BeginBody(const Connection& connection) {
  const Framing& framing = connection->framing;
  if (framing.kind == Framing::Kind::kLength && framing.length > connection->treatment.max_body) {
    Reject(connection, 413,
           "Request entity too large: limit is " + std::to_string(connection->treatment.max_body));
    return;
  }
  if (connection->head.headers.HasToken("Expect", "100-continue") && connection->in.empty() &&
      framing.kind != Framing::Kind::kNone) {
    SendContinue(*connection);
  }
  if (framing.kind == Framing::Kind::kNone || connection->treatment.stream_body) {
    DispatchRequest(connection);
    return;
  }
  connection->phase = Phase::kBody;
  connection->chunks = {};
  SetDeadline(*connection, Clock::now() + context_->options.body_timeout);
}

void ServerLoop::SendContinue(ServerConnection& connection) {
  const std::lock_guard lock(connection.mutex);
  connection.out += "HTTP/1.1 100 Continue\r\n\r\n";
  connection.FlushLocked();
}

Result<void> ServerLoop::AppendBody(ServerConnection& connection, std::string_view bytes) {
  if (connection.body.size() + bytes.size() > connection.treatment.max_body) {
    return Error(Code::kResourceExhausted, "");
  }
  connection.body += bytes;
  connection.counted += bytes.size();
  const size_t buffered = context_->buffered += bytes.size();
  if (buffered > context_->options.max_buffered) return Error(Code::kUnavailable, "");
  return {};
}

bool ServerLoop::ReadBodyStep(const Connection& connection) {
  std::string& in = connection->in;
  bool complete = false;
  Result<void> taken;
  size_t used = 0;
  if (connection->framing.kind == Framing::Kind::kLength) {
    used = static_cast<size_t>(
        std::min<uint64_t>(in.size(), connection->framing.length - connection->body.size()));
    taken = AppendBody(*connection, std::string_view(in).substr(0, used));
    complete = connection->body.size() == connection->framing.length;
  } else {
    while (used < in.size() && taken.ok() && !connection->chunks.done()) {
      auto piece = connection->chunks.Next(std::string_view(in).substr(used));
      if (!piece.ok()) {
        Reject(connection, 400, piece.error().message());
        return false;
      }
      used += piece->consumed;
      taken = AppendBody(*connection, piece->data);
    }
    complete = connection->chunks.done();
  }
  in.erase(0, used);
  if (!taken.ok() && taken.error().code() == Code::kUnavailable) {
    Reject(connection, 503, "too many requests at once");
  } else if (!taken.ok()) {
    Reject(connection, 413,
           "Request entity too large: limit is " + std::to_string(connection->treatment.max_body));
  } else if (complete) {
    DispatchRequest(connection);
    return connection->phase == Phase::kHead;
  }
  return false;
}

void ServerLoop::DispatchRequest(const Connection& connection) {
  ServerRequest request;
  request.head = std::move(connection->head);
  if (auto split = SplitTarget(connection->treatment.strict_path, &request); !split.ok()) {
    connection->head = std::move(request.head);
    Reject(connection, 400, split.error().message());
    return;
  }
  request.remote = connection->remote;
  request.peer = connection->remote->credentials;
  request.body = std::exchange(connection->body, {});
  connection->phase = Phase::kHandling;
  SetDeadline(*connection, std::nullopt);
  if (connection->treatment.stream_body && !connection->treatment.on_loop) {
    LeaveSocketToHandler(*connection);
  }
  if (connection->treatment.on_loop) {
    RunOnLoop(connection, std::move(request));
    return;
  }
  // Copied into each task: std::function wants what can be copied.
  auto held = std::make_shared<ServerRequest>(std::move(request));
  auto task = [context = context_, connection, held] {
    context->handler(MakeExchange(context, connection, std::move(*held)));
  };
  const Treatment& treatment = connection->treatment;
  if (!run_(treatment.long_running || treatment.stream_body, std::move(task))) {
    Reject(connection, 503, "too many long-running requests");
  }
}

// The handler reads from the socket itself, and sees its end there.
void ServerLoop::LeaveSocketToHandler(ServerConnection& connection) {
  const std::lock_guard lock(connection.mutex);
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.transport->fd(), nullptr);
  connection.polled = false;
  connection.interest = 0;
}

void ServerLoop::RunOnLoop(const Connection& connection, ServerRequest request) {
  connection->in_handler = true;
  connection->answered = false;
  context_->handler(MakeExchange(context_, connection, std::move(request)));
  connection->in_handler = false;
  // Otherwise it answers later, and posts.
  if (!connection->answered) return;
  if (connection->source) {
    BeginPull(connection);
    return;
  }
  size_t waiting = 0;
  bool broken = false;
  {
    const std::lock_guard lock(connection->mutex);
    waiting = connection->WaitingLocked();
    broken = connection->broken;
  }
  connection->phase = Phase::kEnding;
  if (connection->keep_alive && !stopping_ && !broken && waiting < kAnswersInATurn) {
    Finish(connection);
  } else {
    WriteMore(connection);
  }
}

}  // namespace podium::http
