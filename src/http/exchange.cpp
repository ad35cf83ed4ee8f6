// Exchange: what a handler does with its request.
#include <sys/epoll.h>

#include <algorithm>
#include <ctime>

#include "http/message_reader.h"
#include "http/server.h"
#include "http/server_connection.h"

namespace podium::http {
namespace {

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7), in no one's locale.
std::string HttpDate(std::time_t time) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  gmtime_r(&time, &parts);
  const auto two = [](int number) {
    return std::string{static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
  };
  return std::string(kDays[parts.tm_wday]) + ", " + two(parts.tm_mday) + " " +
         kMonths[parts.tm_mon] + " " + std::to_string(parts.tm_year + 1900) + " " +
         two(parts.tm_hour) + ":" + two(parts.tm_min) + ":" + two(parts.tm_sec) + " GMT";
}

Error Gone() { return Error(Code::kCancelled, "the client is gone"); }

bool HasNoBody(int status) { return status < 200 || status == 204 || status == 304; }

ResponseHead HeadOf(int status, Headers headers) {
  ResponseHead head{.status = status, .reason = std::string(ReasonPhrase(status))};
  if (!headers.Find("Date")) headers.Add("Date", HttpDate(std::time(nullptr)));
  head.headers = std::move(headers);
  return head;
}

Result<void> CheckHeaders(const Headers& headers) {
  for (const char* name : {"Content-Length", "Transfer-Encoding"}) {
    if (headers.Find(name)) {
      return Error(Code::kInvalidArgument, std::string(name) + " is not the handler's to set");
    }
  }
  return {};
}

}  // namespace

Result<std::string> SerializeAnswer(const RequestHead& request, int status, Headers headers,
                                    std::string_view body, bool close) {
  if (!HasNoBody(status)) headers.Add("Content-Length", std::to_string(body.size()));
  if (close) headers.Set("Connection", "close");
  TRY(std::string bytes, SerializeResponseHead(HeadOf(status, std::move(headers))));
  if (request.method != "HEAD" && !HasNoBody(status)) bytes += body;
  return bytes;
}

struct Exchange::State {
  enum class Step { kNothing, kStreaming, kDone };

  // Puts bytes behind what waits, and writes what the socket takes.
  Result<void> Send(std::string_view bytes, bool ended) {
    const std::lock_guard lock(connection->mutex);
    if (!connection->transport || connection->broken) return Gone();
    connection->out += bytes;
    connection->ended = ended;
    connection->FlushLocked();
    if (connection->broken) {
      context->inbox->Post({LoopCommand::Kind::kClose, connection->id});
      return Gone();
    }
    if (!ended && connection->WaitingLocked() > 0 && !connection->flush_asked) {
      connection->flush_asked = true;
      context->inbox->Post({LoopCommand::Kind::kFlush, connection->id});
    }
    return {};
  }

  // Gives the connection back to the loop.
  void Finish() {
    step = Step::kDone;
    {
      const std::lock_guard lock(connection->mutex);
      connection->on_cancel = nullptr;
    }
    context->inbox->Post({LoopCommand::Kind::kEnded, connection->id});
  }

  // Before the end of an answer: whether the connection can serve another request, and what was
  // read of it.
  void SettleBody() {
    if (!reader) return;
    if (!reader->body_done()) connection->keep_alive = false;
    connection->in += reader->TakeRest();
  }

  bool BodyIsUnread() const { return reader && !reader->body_done(); }

  std::string Framed(std::string_view bytes) const {
    if (head_only || bytes.empty()) return "";
    return chunked ? EncodeChunk(bytes) : std::string(bytes);
  }

  std::shared_ptr<const ServerContext> context;
  std::shared_ptr<ServerConnection> connection;
  ServerRequest request;
  Step step = Step::kNothing;
  bool chunked = false;
  bool head_only = false;
  // Of a streamed body.
  std::shared_ptr<Transport> transport{};
  std::unique_ptr<Stream> stream{};
  std::unique_ptr<MessageReader> reader{};
  uint64_t body_read = 0;
};

std::shared_ptr<Exchange> MakeExchange(std::shared_ptr<const ServerContext> context,
                                       std::shared_ptr<ServerConnection> connection,
                                       ServerRequest request) {
  auto state = std::make_unique<Exchange::State>(std::move(context), std::move(connection),
                                                 std::move(request));
  state->head_only = state->request.head.method == "HEAD";
  ServerConnection& from = *state->connection;
  if (from.treatment.stream_body && from.framing.kind != Framing::Kind::kNone) {
    const std::lock_guard lock(from.mutex);
    if (from.transport) {
      state->transport = from.transport;
      state->stream = StreamOver(state->transport);
      state->stream->SetLimits({.idle = state->context->options.body_timeout});
      state->reader = std::make_unique<MessageReader>(*state->stream, std::exchange(from.in, {}));
      state->reader->BeginBody(from.framing);
    }
  }
  return std::make_shared<Exchange>(std::move(state));
}

Exchange::Exchange(std::unique_ptr<State> state) : state_(std::move(state)) {}

Exchange::~Exchange() {
  switch (state_->step) {
    case State::Step::kDone:
      return;
    case State::Step::kStreaming:
      state_->context->inbox->Post({LoopCommand::Kind::kClose, state_->connection->id});
      return;
    case State::Step::kNothing:
      break;
  }
  constexpr std::string_view kMessage = "the request was not answered";
  ServerOptions::Page page{"text/plain; charset=utf-8", std::string(kMessage) + "\n"};
  if (state_->context->options.error_page) {
    page = state_->context->options.error_page(500, kMessage);
  }
  (void)Respond(500, {{"Content-Type", page.content_type}}, page.body);
}

const ServerRequest& Exchange::request() const { return state_->request; }

Result<void> Exchange::Respond(int status, Headers headers, std::string_view body) {
  if (state_->step != State::Step::kNothing) {
    return Error(Code::kInvalidArgument, "the request was answered already");
  }
  TRY_VOID(CheckHeaders(headers));
  ServerConnection& connection = *state_->connection;
  state_->SettleBody();
  if (headers.HasToken("Connection", "close")) connection.keep_alive = false;
  TRY(const std::string bytes, SerializeAnswer(state_->request.head, status, std::move(headers),
                                               body, !connection.keep_alive));
  auto sent = state_->Send(bytes, true);
  state_->Finish();
  return sent;
}

Result<void> Exchange::Begin(int status, Headers headers) {
  if (state_->step != State::Step::kNothing) {
    return Error(Code::kInvalidArgument, "the request was answered already");
  }
  TRY_VOID(CheckHeaders(headers));
  ServerConnection& connection = *state_->connection;
  const bool no_body = HasNoBody(status);
  state_->head_only = state_->head_only || no_body;
  state_->chunked = state_->request.head.minor >= 1 && !no_body;
  // HTTP/1.0 knows the end of such a body by the end of the connection.
  if ((!state_->chunked && !no_body) || state_->BodyIsUnread()) connection.keep_alive = false;
  if (state_->chunked) headers.Add("Transfer-Encoding", "chunked");
  if (!connection.keep_alive) headers.Set("Connection", "close");
  TRY(const std::string bytes, SerializeResponseHead(HeadOf(status, std::move(headers))));
  state_->step = State::Step::kStreaming;
  return state_->Send(bytes, false);
}

Result<bool> Exchange::TryWrite(std::string_view bytes) {
  if (state_->step != State::Step::kStreaming) {
    return Error(Code::kInvalidArgument, "there is no answer to write to");
  }
  {
    const std::lock_guard lock(state_->connection->mutex);
    if (state_->connection->broken) return Gone();
    if (state_->connection->WaitingLocked() > state_->context->options.stream_buffer) return false;
  }
  TRY_VOID(state_->Send(state_->Framed(bytes), false));
  return true;
}

Result<void> Exchange::Write(std::string_view bytes) {
  constexpr size_t kPiece = size_t{64} << 10;
  ServerConnection& connection = *state_->connection;
  const size_t limit = state_->context->options.stream_buffer;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPiece);
    TRY(const bool taken, TryWrite(piece));
    if (taken) {
      bytes.remove_prefix(piece.size());
      continue;
    }
    std::unique_lock lock(connection.mutex);
    connection.drained.wait(
        lock, [&] { return connection.broken || connection.WaitingLocked() <= limit; });
  }
  return {};
}

Result<void> Exchange::End() {
  if (state_->step != State::Step::kStreaming) {
    return Error(Code::kInvalidArgument, "there is no answer to end");
  }
  if (state_->BodyIsUnread()) state_->connection->keep_alive = false;
  state_->SettleBody();
  auto sent = state_->Send(state_->chunked && !state_->head_only ? kLastChunk : "", true);
  state_->Finish();
  return sent;
}

Result<std::unique_ptr<Stream>> Exchange::Upgrade(Headers headers) {
  if (state_->step != State::Step::kNothing || state_->reader) {
    return Error(Code::kInvalidArgument, "the request was answered already");
  }
  headers.Set("Connection", "Upgrade");
  TRY(const std::string head,
      SerializeResponseHead({.status = 101, .reason = "Switching Protocols", .headers = headers}));
  ServerConnection& connection = *state_->connection;
  std::shared_ptr<Transport> transport;
  {
    const std::lock_guard lock(connection.mutex);
    if (!connection.transport || connection.broken) return Gone();
    epoll_ctl(connection.epoll, EPOLL_CTL_DEL, connection.transport->fd(), nullptr);
    transport = std::move(connection.transport);
    connection.detached = true;
  }
  state_->step = State::Step::kDone;
  auto stream = state_->context->upgraded->Track(
      state_->context->upgraded,
      WithPrefix(std::exchange(connection.in, {}), StreamOver(std::move(transport))),
      state_->connection);
  // Tracked first: Stop looks for it in one of both places.
  state_->context->inbox->Post({LoopCommand::Kind::kDetach, connection.id});
  stream->SetLimits({.idle = state_->context->options.write_timeout});
  TRY_VOID(stream->Write(head));
  stream->SetLimits({});
  return stream;
}

Result<size_t> Exchange::ReadBody(std::span<char> buffer) {
  if (!state_->reader || state_->step == State::Step::kDone) return 0;
  TRY(const size_t size, state_->reader->ReadBody(buffer));
  state_->body_read += size;
  if (state_->body_read > state_->connection->treatment.max_body) {
    return Error(Code::kResourceExhausted, "the request body is too large");
  }
  return size;
}

bool Exchange::cancelled() const {
  const std::lock_guard lock(state_->connection->mutex);
  return state_->connection->cancelled;
}

void Exchange::OnCancel(std::function<void()> callback) {
  {
    const std::lock_guard lock(state_->connection->mutex);
    if (!state_->connection->cancelled) {
      // After the answer the connection is another request's.
      if (state_->step != State::Step::kDone || state_->connection->detached) {
        state_->connection->on_cancel = std::move(callback);
      }
      return;
    }
  }
  callback();
}

}  // namespace podium::http
