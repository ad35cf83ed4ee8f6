#include "grpc/call.h"

#include <utility>

#include "grpc/message_reader.h"

namespace podium::grpc {
namespace {

constexpr std::string_view kDeadline = "context deadline exceeded";

http::Headers AnswerFields() {
  return {{"content-type", "application/grpc"}, {"grpc-accept-encoding", "identity"}};
}

class OneMessage : public http::PulledBody {
 public:
  explicit OneMessage(std::string framed) : framed_(std::move(framed)) {}
  Result<http::BodyPiece> Next() override {
    return http::BodyPiece{framed_, http::BodyPiece::Then::kEnd};
  }
  http::Headers Trailers() override { return StatusFields(StatusCode::kOk, ""); }

 private:
  const std::string framed_;
};

}  // namespace

// What a stream's body and its deadline share.
class StreamedAnswer {
 public:
  void Attach(http::BodyWaker waker) {
    const std::lock_guard lock(mutex_);
    waker_ = std::move(waker);
  }
  void Expire() {
    http::BodyWaker waker;
    {
      const std::lock_guard lock(mutex_);
      expired_ = true;
      waker = waker_;
    }
    waker.Wake();
  }
  bool expired() const {
    const std::lock_guard lock(mutex_);
    return expired_;
  }

 private:
  mutable std::mutex mutex_;
  http::BodyWaker waker_;
  bool expired_ = false;
};

namespace {

class ManyMessages : public http::PulledBody {
 public:
  // `call` keeps the deadline for as long as the answer lasts.
  ManyMessages(std::unique_ptr<MessageSource> source, std::shared_ptr<StreamedAnswer> shared,
               std::shared_ptr<const void> call)
      : source_(std::move(source)), shared_(std::move(shared)), call_(std::move(call)) {}

  void Attach(http::BodyWaker waker) override {
    shared_->Attach(waker);
    source_->Attach(std::move(waker));
  }
  Result<http::BodyPiece> Next() override {
    using Then = http::BodyPiece::Then;
    if (shared_->expired()) return EndWith(StatusCode::kDeadlineExceeded, kDeadline);
    message_.clear();
    const auto then = source_->Next(&message_);
    if (!then.ok()) return EndWith(StatusCodeOf(then.error().code()), then.error().message());
    switch (*then) {
      case MessageSource::Then::kMessage:
        framed_ = Framed(message_);
        return http::BodyPiece{framed_, Then::kMore};
      case MessageSource::Then::kWait:
        return http::BodyPiece{{}, Then::kWait};
      case MessageSource::Then::kEnd:
        break;
    }
    return EndWith(StatusCode::kOk, "");
  }
  http::Headers Trailers() override { return trailers_; }

 private:
  http::BodyPiece EndWith(StatusCode code, std::string_view message) {
    trailers_ = StatusFields(code, message);
    return {{}, http::BodyPiece::Then::kEnd};
  }

  const std::unique_ptr<MessageSource> source_;
  const std::shared_ptr<StreamedAnswer> shared_;
  const std::shared_ptr<const void> call_;
  std::string message_;
  std::string framed_;
  // As it is when the server stops.
  http::Headers trailers_ = StatusFields(StatusCode::kUnavailable, "the server is stopping");
};

}  // namespace

Call::Call(std::shared_ptr<http::Exchange> exchange,
           std::optional<http::Clock::time_point> deadline)
    : deadline_(deadline), exchange_(std::move(exchange)) {}

Call::~Call() {
  if (executor_) executor_->Cancel(timer_);
  Fail(StatusCode::kInternal, "the call was not answered");
}

void Call::SetTimer(Executor& executor, Executor::TimerId timer) {
  executor_ = &executor;
  timer_ = timer;
}

std::shared_ptr<http::Exchange> Call::TakeExchange() {
  std::function<void()> unused;
  const std::lock_guard lock(mutex_);
  unused = std::exchange(on_over_, nullptr);
  return std::exchange(exchange_, nullptr);
}

void Call::Answer(std::string_view message) {
  if (message.size() > kMaxMessage) {
    Fail(StatusCode::kResourceExhausted, "grpc: trying to send message larger than max (" +
                                             std::to_string(message.size()) + " vs. " +
                                             std::to_string(kMaxMessage) + ")");
    return;
  }
  const auto exchange = TakeExchange();
  if (!exchange) return;
  // Who is gone needs no answer.
  (void)exchange->RespondFrom(200, AnswerFields(), std::make_unique<OneMessage>(Framed(message)));
}

void Call::Stream(std::unique_ptr<MessageSource> source) {
  auto shared = std::make_shared<StreamedAnswer>();
  const auto exchange = TakeExchange();
  if (!exchange) return;
  {
    const std::lock_guard lock(mutex_);
    stream_ = shared;
  }
  (void)exchange->RespondFrom(
      200, AnswerFields(),
      std::make_unique<ManyMessages>(std::move(source), std::move(shared), shared_from_this()));
}

void Call::Fail(const Error& error) { Fail(StatusCodeOf(error.code()), error.message()); }

void Call::Fail(StatusCode code, std::string_view message) {
  const auto exchange = TakeExchange();
  if (!exchange) return;
  http::Headers fields = AnswerFields();
  const http::Headers status = StatusFields(code, message);
  for (const auto& [name, value] : status.fields()) fields.Add(name, value);
  (void)exchange->Respond(200, std::move(fields), "");
}

bool Call::over() const {
  const std::lock_guard lock(mutex_);
  return over_ || !exchange_;
}

void Call::OnOver(std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    if (!over_) {
      if (exchange_) on_over_ = std::move(callback);
      return;
    }
  }
  callback();
}

void Call::End() {
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    if (!exchange_) return;
    over_ = true;
    callback = std::exchange(on_over_, nullptr);
  }
  if (callback) callback();
}

void Call::Expire() {
  std::shared_ptr<StreamedAnswer> stream;
  {
    const std::lock_guard lock(mutex_);
    stream = stream_.lock();
  }
  if (stream) return stream->Expire();
  End();
  Fail(StatusCode::kDeadlineExceeded, kDeadline);
}

}  // namespace podium::grpc
