// Answers in HTTP/2.
#include <algorithm>

#include "http/http2_stream.h"
#include "http/server_exchange.h"

namespace podium::http {
namespace {

class Http2Exchange : public Exchange::State {
 public:
  Http2Exchange(std::shared_ptr<const ServerContext> server, std::shared_ptr<Http2Stream> stream,
                std::shared_ptr<std::atomic<int>> running, ServerRequest asked)
      : State(std::move(server), std::move(asked)),
        stream_(std::move(stream)),
        running_(std::move(running)) {
    ++*running_;
  }
  ~Http2Exchange() override { --*running_; }
  Http2Exchange(const Http2Exchange&) = delete;
  Http2Exchange& operator=(const Http2Exchange&) = delete;

  Result<void> Respond(int status, Headers headers, std::string_view body) override;
  Result<void> RespondFrom(int status, Headers headers, std::unique_ptr<PulledBody> source,
                           std::optional<uint64_t> size) override;
  Result<void> Begin(int status, Headers headers) override;
  Result<bool> TryWrite(std::string_view bytes) override;
  void WaitForRoom() override;
  Result<void> End() override;
  Result<std::unique_ptr<Stream>> Upgrade(Headers /*headers*/) override {
    return Error(Code::kUnsupported, "connections of HTTP/2 are not upgraded");
  }
  Result<Exchange::Taken> TakeConnection() override {
    return Error(Code::kUnsupported, "connections of HTTP/2 are not upgraded");
  }
  Result<size_t> ReadSomeOfBody(std::span<char> buffer) override;
  void AttachBody(std::shared_ptr<Poller> /*poller*/, BodyWaker waker) override {
    waker_ = std::move(waker);
  }
  Result<BodyPiece> NextOfBody() override;
  void DetachBody() override;
  uint64_t max_body() const override { return stream_->treatment.max_body; }
  bool cancelled() const override;
  void OnCancel(std::function<void()> callback) override;
  void BreakOff() override;

 private:
  // The head of the answer; the caller holds the mutex.
  Result<void> BeginLocked(int status, Headers headers);
  bool BodyIsOmitted() const { return request.head.method == "HEAD" || HasNoBody(stream_->status); }

  const std::shared_ptr<Http2Stream> stream_;
  const std::shared_ptr<std::atomic<int>> running_;
  // Of a body that is pulled.
  BodyWaker waker_;
  std::string piece_;
};

Result<void> Http2Exchange::BeginLocked(int status, Headers headers) {
  if (status < 200 || status > 999) return Error(Code::kInvalidArgument, "a bad status");
  for (const auto& [name, value] : headers.fields()) {
    if (!IsToken(name) || !IsFieldValue(value)) {
      return Error(Code::kInvalidArgument, "the header field \"" + name + "\" cannot be sent");
    }
  }
  if (!headers.Find("Date")) headers.Add("Date", HttpDateNow());
  stream_->begun_answer = true;
  stream_->status = status;
  stream_->headers = std::move(headers);
  return {};
}

Result<void> Http2Exchange::Respond(int status, Headers headers, std::string_view body) {
  const std::lock_guard lock(stream_->mutex);
  if (!HasNoBody(status)) headers.Add("Content-Length", std::to_string(body.size()));
  TRY_VOID(BeginLocked(status, std::move(headers)));
  step = Step::kDone;
  stream_->on_cancel = nullptr;
  if (stream_->gone) return ClientIsGone();
  if (!BodyIsOmitted()) stream_->out = body;
  stream_->ended = true;
  stream_->TouchLocked();
  return {};
}

Result<void> Http2Exchange::RespondFrom(int status, Headers headers,
                                        std::unique_ptr<PulledBody> source,
                                        std::optional<uint64_t> size) {
  if (size && !HasNoBody(status)) headers.Add("Content-Length", std::to_string(*size));
  const std::lock_guard lock(stream_->mutex);
  TRY_VOID(BeginLocked(status, std::move(headers)));
  step = Step::kDone;
  stream_->on_cancel = nullptr;
  if (stream_->gone) return ClientIsGone();
  if (BodyIsOmitted()) {
    stream_->ended = true;
  } else {
    stream_->handed = std::move(source);
  }
  stream_->TouchLocked();
  return {};
}

Result<void> Http2Exchange::Begin(int status, Headers headers) {
  const std::lock_guard lock(stream_->mutex);
  TRY_VOID(BeginLocked(status, std::move(headers)));
  step = Step::kStreaming;
  if (stream_->gone) return ClientIsGone();
  stream_->TouchLocked();
  return {};
}

Result<bool> Http2Exchange::TryWrite(std::string_view bytes) {
  const std::lock_guard lock(stream_->mutex);
  if (stream_->gone) return ClientIsGone();
  if (stream_->out.size() - stream_->out_begin > context->options.stream_buffer) return false;
  if (BodyIsOmitted()) return true;
  stream_->out += bytes;
  stream_->TouchLocked();
  return true;
}

void Http2Exchange::WaitForRoom() {
  const size_t limit = context->options.stream_buffer;
  std::unique_lock lock(stream_->mutex);
  stream_->changed.wait(
      lock, [&] { return stream_->gone || stream_->out.size() - stream_->out_begin <= limit; });
}

Result<void> Http2Exchange::End() {
  const std::lock_guard lock(stream_->mutex);
  step = Step::kDone;
  stream_->on_cancel = nullptr;
  if (stream_->gone) return ClientIsGone();
  stream_->ended = true;
  stream_->TouchLocked();
  return {};
}

void Http2Exchange::BreakOff() {
  const std::lock_guard lock(stream_->mutex);
  stream_->broken = true;
  if (!stream_->gone) stream_->TouchLocked();
}

Result<size_t> Http2Exchange::ReadSomeOfBody(std::span<char> buffer) {
  if (!stream_->treatment.stream_body) return 0;
  std::unique_lock lock(stream_->mutex);
  const bool arrived = stream_->changed.wait_for(lock, context->options.body_timeout, [&] {
    return stream_->gone || stream_->in_whole || !stream_->in.empty();
  });
  if (!arrived) return Error(Code::kDeadlineExceeded, "timed out");
  if (stream_->in.empty() && !stream_->in_whole) {
    return Error(Code::kUnavailable, "unexpected EOF");
  }
  const size_t size = std::min(buffer.size(), stream_->in.size());
  std::copy_n(stream_->in.begin(), size, buffer.begin());
  stream_->in.erase(0, size);
  stream_->in_taken += size;
  if (size > 0 && !stream_->gone) stream_->TouchLocked();
  return size;
}

Result<BodyPiece> Http2Exchange::NextOfBody() {
  using Then = BodyPiece::Then;
  if (!stream_->treatment.stream_body) return BodyPiece{{}, Then::kEnd};
  const std::lock_guard lock(stream_->mutex);
  piece_ = std::exchange(stream_->in, {});
  stream_->in_taken += piece_.size();
  if (!piece_.empty() && !stream_->gone) stream_->TouchLocked();
  if (stream_->in_whole) return BodyPiece{piece_, Then::kEnd};
  if (!piece_.empty()) return BodyPiece{piece_, Then::kMore};
  if (stream_->gone) return Error(Code::kUnavailable, "unexpected EOF");
  stream_->in_waker = waker_;
  return BodyPiece{{}, Then::kWait};
}

void Http2Exchange::DetachBody() {
  const std::lock_guard lock(stream_->mutex);
  stream_->in_waker = {};
}

bool Http2Exchange::cancelled() const {
  const std::lock_guard lock(stream_->mutex);
  return stream_->cancelled;
}

void Http2Exchange::OnCancel(std::function<void()> callback) {
  {
    const std::lock_guard lock(stream_->mutex);
    if (!stream_->cancelled) {
      if (step != Step::kDone) stream_->on_cancel = std::move(callback);
      return;
    }
  }
  callback();
}

}  // namespace

void Http2Stream::TouchLocked() {
  if (std::exchange(posted, true)) return;
  if (inbox->OnLoopThread() && in_handler) return;
  inbox->Post({.kind = LoopCommand::Kind::kStream, .connection = connection, .stream = id});
}

void Http2Stream::TakeIn(std::string_view bytes, bool last) {
  BodyWaker reader;
  {
    const std::lock_guard lock(mutex);
    in += bytes;
    in_whole = in_whole || last;
    reader = std::exchange(in_waker, {});
  }
  changed.notify_all();
  reader.Wake();
}

void Http2Stream::Cancel() {
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex);
    cancelled = true;
    callback = std::exchange(on_cancel, nullptr);
  }
  if (callback) callback();
}

void Http2Stream::Leave() {
  std::unique_ptr<PulledBody> unused;
  BodyWaker reader;
  {
    const std::lock_guard lock(mutex);
    gone = true;
    reader = std::exchange(in_waker, {});
    out = {};
    out_begin = 0;
    unused = std::move(handed);
  }
  changed.notify_all();
  reader.Wake();
  source.reset();
  Cancel();
}

std::shared_ptr<Exchange> MakeHttp2Exchange(std::shared_ptr<const ServerContext> context,
                                            std::shared_ptr<Http2Stream> stream,
                                            std::shared_ptr<std::atomic<int>> running,
                                            ServerRequest request) {
  return std::make_shared<Exchange>(std::make_unique<Http2Exchange>(
      std::move(context), std::move(stream), std::move(running), std::move(request)));
}

}  // namespace podium::http
