// Answers in HTTP/1.1.
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <optional>

#include "http/framed_body.h"
#include "http/message_reader.h"
#include "http/poller.h"
#include "http/server_exchange.h"

namespace podium::http {
namespace {

constexpr size_t kBodyPiece = size_t{32} << 10;

ResponseHead HeadOf(int status, Headers headers) {
  ResponseHead head{.status = status, .reason = std::string(ReasonPhrase(status))};
  if (!headers.Find("Date")) headers.Add("Date", HttpDateNow());
  head.headers = std::move(headers);
  return head;
}

class Http1Exchange : public Exchange::State {
 public:
  Http1Exchange(std::shared_ptr<const ServerContext> server,
                std::shared_ptr<ServerConnection> connection, ServerRequest asked)
      : State(std::move(server), std::move(asked)),
        connection_(std::move(connection)),
        head_only_(request.head.method == "HEAD") {}

  // For whoever reads it by ReadBody, or else pulls it.
  void BeginStreamedBody(bool pulled);

  Result<void> Respond(int status, Headers headers, std::string_view body) override;
  Result<void> RespondFrom(int status, Headers headers, std::unique_ptr<PulledBody> source,
                           std::optional<uint64_t> size) override;
  Result<void> Begin(int status, Headers headers) override;
  Result<bool> TryWrite(std::string_view bytes) override;
  void WaitForRoom() override;
  Result<void> End() override;
  Result<std::unique_ptr<Stream>> Upgrade(Headers headers) override;
  Result<Exchange::Taken> TakeConnection() override;
  Result<size_t> ReadSomeOfBody(std::span<char> buffer) override;
  void AttachBody(std::shared_ptr<Poller> poller, BodyWaker waker) override;
  Result<BodyPiece> NextOfBody() override;
  void DetachBody() override { wait_.reset(); }
  uint64_t max_body() const override { return connection_->treatment.max_body; }
  bool cancelled() const override;
  void OnCancel(std::function<void()> callback) override;
  void BreakOff() override { Post(LoopCommand::Kind::kClose); }

 private:
  void Post(LoopCommand::Kind kind) { connection_->inbox->Post({kind, connection_->id}); }
  // After bytes were put behind what waits: writes what the socket takes, unless the loop does.
  Result<void> SentLocked(bool ended);
  Result<void> Send(std::string_view bytes, bool ended);
  // The head of an answer that comes piece by piece.
  Result<std::string> BeginHead(int status, Headers headers, std::optional<uint64_t> size);
  // Takes the connection off the loop.
  Result<std::shared_ptr<Transport>> Detach();
  // Gives the connection back to the loop.
  void Finish(LoopCommand::Kind kind);
  // Before the end of an answer: whether the connection can serve another request, and what was
  // read of it.
  void SettleBody();
  bool BodyIsUnread() const {
    return (reader_ && !reader_->body_done()) || (pulled_ && !pulled_->done());
  }
  Result<Progress> ReadMoreOfBody(std::span<char> buffer);
  std::string Framed(std::string_view bytes) const {
    if (head_only_ || bytes.empty()) return "";
    return chunked_ ? EncodeChunk(bytes) : std::string(bytes);
  }

  const std::shared_ptr<ServerConnection> connection_;
  bool chunked_ = false;
  bool head_only_ = false;
  // Of a streamed body.
  bool body_is_lost_ = false;
  std::shared_ptr<Transport> transport_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<MessageReader> reader_;
  // Of one that is pulled, beside the transport.
  std::optional<FramedBody> pulled_;
  std::string in_;
  size_t in_begin_ = 0;
  std::unique_ptr<PolledFd> wait_;  // goes before the transport
};

void Http1Exchange::BeginStreamedBody(bool pulled) {
  const std::lock_guard lock(connection_->mutex);
  transport_ = connection_->transport;
  body_is_lost_ = !transport_;
  if (body_is_lost_) return;
  if (pulled) {
    in_ = std::exchange(connection_->in, {});
    pulled_.emplace(connection_->framing);
    return;
  }
  stream_ = StreamOver(transport_);
  stream_->SetLimits({.idle = context->options.body_timeout});
  reader_ = std::make_unique<MessageReader>(*stream_, std::exchange(connection_->in, {}));
  reader_->BeginBody(connection_->framing);
}

Result<void> Http1Exchange::SentLocked(bool ended) {
  connection_->ended = ended;
  // Who runs on the loop writes when it is done; and who answers for it is not kept by a socket.
  if (!connection_->treatment.on_loop) connection_->FlushLocked();
  if (connection_->broken) {
    Post(LoopCommand::Kind::kClose);
    return ClientIsGone();
  }
  if (!ended && connection_->WaitingLocked() > 0 && !connection_->flush_asked) {
    connection_->flush_asked = true;
    Post(LoopCommand::Kind::kFlush);
  }
  return {};
}

Result<void> Http1Exchange::Send(std::string_view bytes, bool ended) {
  const std::lock_guard lock(connection_->mutex);
  if (!connection_->transport || connection_->broken) return ClientIsGone();
  connection_->out += bytes;
  return SentLocked(ended);
}

void Http1Exchange::Finish(LoopCommand::Kind kind) {
  step = Step::kDone;
  {
    const std::lock_guard lock(connection_->mutex);
    connection_->on_cancel = nullptr;
  }
  if (connection_->InHandlerOnLoop()) {
    connection_->answered = true;
  } else {
    Post(kind);
  }
}

void Http1Exchange::SettleBody() {
  if (BodyIsUnread()) connection_->keep_alive = false;
  if (reader_) connection_->in += reader_->TakeRest();
  if (pulled_) connection_->in += std::exchange(in_, {}).substr(std::exchange(in_begin_, 0));
}

Result<void> Http1Exchange::Respond(int status, Headers headers, std::string_view body) {
  SettleBody();
  if (headers.HasToken("Connection", "close")) connection_->keep_alive = false;
  Result<void> sent;
  {
    const std::lock_guard lock(connection_->mutex);
    if (!connection_->transport || connection_->broken) {
      sent = ClientIsGone();
    } else {
      TRY_VOID(AppendAnswer(request.head, status, std::move(headers), body,
                            !connection_->keep_alive, &connection_->out));
      sent = SentLocked(true);
    }
  }
  Finish(LoopCommand::Kind::kEnded);
  return sent;
}

Result<std::string> Http1Exchange::BeginHead(int status, Headers headers,
                                             std::optional<uint64_t> size) {
  const bool no_body = HasNoBody(status);
  if (headers.HasToken("Connection", "close")) connection_->keep_alive = false;
  head_only_ = head_only_ || no_body;
  chunked_ = request.head.minor >= 1 && !no_body && !size;
  // HTTP/1.0 knows the end of such a body by the end of the connection.
  if ((!chunked_ && !no_body && !size) || BodyIsUnread()) connection_->keep_alive = false;
  if (chunked_) headers.Add("Transfer-Encoding", "chunked");
  if (size && !no_body) headers.Add("Content-Length", std::to_string(*size));
  if (!connection_->keep_alive) headers.Set("Connection", "close");
  return SerializeResponseHead(HeadOf(status, std::move(headers)));
}

Result<void> Http1Exchange::Begin(int status, Headers headers) {
  TRY(const std::string bytes, BeginHead(status, std::move(headers), std::nullopt));
  step = Step::kStreaming;
  return Send(bytes, false);
}

Result<void> Http1Exchange::RespondFrom(int status, Headers headers,
                                        std::unique_ptr<PulledBody> source,
                                        std::optional<uint64_t> size) {
  TRY(const std::string bytes, BeginHead(status, std::move(headers), size));
  SettleBody();
  if (head_only_) {
    auto sent = Send(bytes, true);
    Finish(LoopCommand::Kind::kEnded);
    return sent;
  }
  {
    const std::lock_guard lock(connection_->mutex);
    if (!connection_->transport || connection_->broken) {
      step = Step::kDone;
      return ClientIsGone();
    }
    connection_->out += bytes;
  }
  connection_->chunked = chunked_;
  connection_->source = std::move(source);
  // A body of many minutes: whoever wants to know of its end has the source's.
  Finish(LoopCommand::Kind::kPull);
  return {};
}

Result<bool> Http1Exchange::TryWrite(std::string_view bytes) {
  {
    const std::lock_guard lock(connection_->mutex);
    if (connection_->broken) return ClientIsGone();
    if (connection_->WaitingLocked() > context->options.stream_buffer) return false;
  }
  TRY_VOID(Send(Framed(bytes), false));
  return true;
}

void Http1Exchange::WaitForRoom() {
  const size_t limit = context->options.stream_buffer;
  std::unique_lock lock(connection_->mutex);
  connection_->drained.wait(
      lock, [&] { return connection_->broken || connection_->WaitingLocked() <= limit; });
}

Result<void> Http1Exchange::End() {
  if (BodyIsUnread()) connection_->keep_alive = false;
  SettleBody();
  auto sent = Send(chunked_ && !head_only_ ? kLastChunk : "", true);
  Finish(LoopCommand::Kind::kEnded);
  return sent;
}

Result<std::shared_ptr<Transport>> Http1Exchange::Detach() {
  if (reader_ || pulled_) {
    return Error(Code::kInvalidArgument, "a request with a body has no connection to give");
  }
  std::shared_ptr<Transport> transport;
  {
    const std::lock_guard lock(connection_->mutex);
    if (!connection_->transport || connection_->broken) return ClientIsGone();
    epoll_ctl(connection_->epoll, EPOLL_CTL_DEL, connection_->transport->fd(), nullptr);
    transport = std::move(connection_->transport);
    connection_->detached = true;
  }
  step = Step::kDone;
  return transport;
}

Result<std::unique_ptr<Stream>> Http1Exchange::Upgrade(Headers headers) {
  headers.Set("Connection", "Upgrade");
  TRY(const std::string head,
      SerializeResponseHead({.status = 101, .reason = "Switching Protocols", .headers = headers}));
  TRY(std::shared_ptr<Transport> transport, Detach());
  auto stream = context->upgraded->Track(
      context->upgraded,
      WithPrefix(std::exchange(connection_->in, {}), StreamOver(std::move(transport))),
      connection_);
  // Tracked first: Stop looks for it in one of both places.
  Post(LoopCommand::Kind::kDetach);
  stream->SetLimits({.idle = context->options.write_timeout});
  TRY_VOID(stream->Write(head));
  stream->SetLimits({});
  return stream;
}

Result<Exchange::Taken> Http1Exchange::TakeConnection() {
  TRY(std::shared_ptr<Transport> transport, Detach());
  Exchange::Taken taken;
  taken.transport =
      context->upgraded->TrackTransport(context->upgraded, std::move(transport), connection_);
  taken.rest = std::exchange(connection_->in, {});
  Post(LoopCommand::Kind::kDetach);
  return taken;
}

Result<size_t> Http1Exchange::ReadSomeOfBody(std::span<char> buffer) {
  if (body_is_lost_) return ClientIsGone();
  if (!reader_) return 0;
  return reader_->ReadBody(buffer);
}

void Http1Exchange::AttachBody(std::shared_ptr<Poller> poller, BodyWaker waker) {
  if (!pulled_) return;
  wait_ = std::make_unique<PolledFd>(*poller, transport_->fd(),
                                     [waker = std::move(waker)](bool) { waker.Wake(); });
}

// The loop may write what waits of the answer before this one, and TLS is one state for both.
Result<Progress> Http1Exchange::ReadMoreOfBody(std::span<char> buffer) {
  const std::lock_guard lock(connection_->mutex);
  if (!connection_->transport || connection_->broken) return ClientIsGone();
  return transport_->TryRead(buffer);
}

Result<BodyPiece> Http1Exchange::NextOfBody() {
  using Then = BodyPiece::Then;
  if (body_is_lost_) return ClientIsGone();
  if (!pulled_) return BodyPiece{{}, Then::kEnd};
  while (true) {
    TRY(const FramedBody::Piece piece, pulled_->Next(std::string_view(in_).substr(in_begin_)));
    in_begin_ += piece.consumed;
    if (pulled_->done()) return BodyPiece{piece.data, Then::kEnd};
    if (!piece.data.empty()) return BodyPiece{piece.data, Then::kMore};
    if (in_begin_ < in_.size()) continue;
    std::array<char, kBodyPiece> buffer;
    TRY(const Progress progress, ReadMoreOfBody(buffer));
    if (progress.wait != 0) {
      std::string().swap(in_);
      in_begin_ = 0;
      wait_->Arm(progress.wait);
      return BodyPiece{{}, Then::kWait};
    }
    if (progress.end) return Error(Code::kUnavailable, "unexpected EOF");
    in_.assign(buffer.data(), progress.bytes);
    in_begin_ = 0;
  }
}

bool Http1Exchange::cancelled() const {
  const std::lock_guard lock(connection_->mutex);
  return connection_->cancelled;
}

void Http1Exchange::OnCancel(std::function<void()> callback) {
  {
    const std::lock_guard lock(connection_->mutex);
    if (!connection_->cancelled) {
      // After the answer the connection is another request's.
      if (step != Step::kDone || connection_->detached) {
        connection_->on_cancel = std::move(callback);
      }
      return;
    }
  }
  callback();
}

}  // namespace

Result<void> AppendAnswer(const RequestHead& request, int status, Headers headers,
                          std::string_view body, bool close, std::string* out) {
  if (!HasNoBody(status)) headers.Add("Content-Length", std::to_string(body.size()));
  if (close) headers.Set("Connection", "close");
  const bool with_body = request.method != "HEAD" && !HasNoBody(status);
  out->reserve(out->size() + 512 + (with_body ? body.size() : 0));
  TRY_VOID(AppendResponseHead(HeadOf(status, std::move(headers)), out));
  if (with_body) *out += body;
  return {};
}

std::shared_ptr<Exchange> MakeExchange(std::shared_ptr<const ServerContext> context,
                                       std::shared_ptr<ServerConnection> connection,
                                       ServerRequest request) {
  const bool streamed =
      connection->treatment.stream_body && connection->framing.kind != Framing::Kind::kNone;
  const bool pulled = connection->treatment.on_loop;
  auto state = std::make_unique<Http1Exchange>(std::move(context), std::move(connection),
                                               std::move(request));
  if (streamed) state->BeginStreamedBody(pulled);
  return std::make_shared<Exchange>(std::move(state));
}

}  // namespace podium::http
