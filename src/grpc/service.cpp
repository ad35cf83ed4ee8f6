#include "grpc/service.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "grpc/message_reader.h"
#include "reflect/go_text.h"

namespace podium::grpc {
namespace {

// Of all requests that are being received.
constexpr size_t kMaxBuffered = size_t{128} << 20;
// A client may be silent for as long as it likes: it is a process of this machine, and reconnecting
// would only delay its next call.
constexpr std::chrono::hours kIdle{24 * 365};

}  // namespace

// The handlers that are at work.
class Service::Work {
 public:
  void Enter() {
    const std::lock_guard lock(mutex_);
    ++count_;
  }
  void Leave() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) idle_.notify_all();
  }
  bool WaitUntilIdle(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return idle_.wait_for(lock, timeout, [&] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable idle_;
  size_t count_ = 0;
};

// A request on its way: its body is taken as it comes, on the loop's thread, and the handler runs
// when all of it is there. Keeps itself alive through its waker until then.
class Service::Request : public std::enable_shared_from_this<Request> {
 public:
  Request(const std::shared_ptr<http::Exchange>& exchange, std::shared_ptr<Call> call,
          const Handler& handler, Executor& executor, std::shared_ptr<std::atomic<size_t>> buffered,
          std::shared_ptr<Work> work)
      : body_(http::RequestBody(exchange, nullptr)),
        call_(std::move(call)),
        handler_(handler),
        executor_(executor),
        buffered_(std::move(buffered)),
        work_(std::move(work)) {}
  ~Request() { *buffered_ -= counted_; }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  void Begin() {
    body_->Attach(http::BodyWaker([self = shared_from_this()] { self->Pull(); }));
    Pull();
  }

 private:
  void Pull() {
    while (body_) {
      auto piece = body_->Next();
      // The client has given up.
      if (!piece.ok()) return Finish();
      counted_ += piece->bytes.size();
      const size_t buffered = *buffered_ += piece->bytes.size();
      if (const auto taken = reader_.Take(piece->bytes); !taken.ok()) return Refuse(taken.error());
      if (buffered > kMaxBuffered) {
        return Refuse(Error(Code::kResourceExhausted, "too many requests at once"));
      }
      if (piece->then == http::BodyPiece::Then::kWait) return;
      if (piece->then == http::BodyPiece::Then::kEnd) return Run();
    }
  }

  void Run() {
    auto message = reader_.End();
    if (!message.ok()) return Refuse(message.error());
    work_->Enter();
    executor_.Post(
        [work = work_, call = call_, handler = handler_, text = *std::move(message)]() mutable {
          call->SetMessage(std::move(text));
          handler(call);
          call.reset();
          work->Leave();
        });
    Finish();
  }

  void Refuse(const Error& error) {
    call_->Fail(error);
    Finish();
  }

  // Gives up the body, and with it the waker that keeps this alive.
  void Finish() {
    const auto self = shared_from_this();
    body_.reset();
    call_.reset();
  }

  std::unique_ptr<http::PulledBody> body_;
  std::shared_ptr<Call> call_;
  const Handler handler_;
  Executor& executor_;
  const std::shared_ptr<std::atomic<size_t>> buffered_;
  const std::shared_ptr<Work> work_;
  MessageReader reader_;
  size_t counted_ = 0;
};

Service::Service(Methods methods, Executor& executor)
    : methods_(std::make_shared<const Methods>(std::move(methods))),
      executor_(executor),
      buffered_(std::make_shared<std::atomic<size_t>>(0)),
      work_(std::make_shared<Work>()) {}

bool Service::WaitUntilIdle(std::chrono::milliseconds timeout) const {
  return work_->WaitUntilIdle(timeout);
}

http::ServerOptions Service::Options() {
  http::ServerOptions options;
  options.treatment = [](const http::RequestHead&) {
    return http::Treatment{.on_loop = true,
                           .long_running = true,
                           .stream_body = true,
                           .max_body = kMaxMessage + kMessagePrefix + kMaxMessage};
  };
  options.idle_timeout = kIdle;
  options.head_timeout = kIdle;
  return options;
}

Error Service::Unknown(std::string_view path) const {
  const size_t slash = path.rfind('/');
  if (slash == 0 || slash == std::string_view::npos || !path.starts_with('/')) {
    return {Code::kUnsupported, "malformed method name: " + reflect::GoQuoted(path)};
  }
  const std::string_view service = path.substr(1, slash - 1);
  const std::string prefix = std::string(path.substr(0, slash + 1));
  const auto known = methods_->lower_bound(prefix);
  if (known != methods_->end() && known->first.starts_with(prefix)) {
    return {Code::kUnsupported, "unknown method " + std::string(path.substr(slash + 1)) +
                                    " for service " + std::string(service)};
  }
  return {Code::kUnsupported, "unknown service " + std::string(service)};
}

void Service::Handle(const std::shared_ptr<http::Exchange>& exchange) {
  const http::RequestHead& head = exchange->request().head;
  const std::string_view type = head.headers.Get("content-type");
  if (head.method != "POST") {
    (void)exchange->Respond(405, {{"Allow", "POST"}}, "");
    return;
  }
  const bool grpc = type == "application/grpc" || type.starts_with("application/grpc+") ||
                    type.starts_with("application/grpc;");
  if (!grpc) {
    (void)exchange->Respond(415, {}, "");
    return;
  }
  std::optional<http::Clock::time_point> deadline;
  Result<void> checked = CheckEncoding(head.headers);
  std::chrono::nanoseconds patience{};
  if (const std::string* timeout = head.headers.Find("grpc-timeout")) {
    auto parsed = ParseTimeout(*timeout);
    if (parsed.ok()) {
      patience = *parsed;
      deadline = http::Clock::now() + patience;
    } else if (checked.ok()) {
      checked = parsed.error();
    }
  }
  auto call = std::make_shared<Call>(exchange, deadline);
  if (!checked.ok()) return call->Fail(checked.error());
  const auto method = methods_->find(exchange->request().path);
  if (method == methods_->end()) return call->Fail(Unknown(exchange->request().path));
  exchange->OnCancel([weak = std::weak_ptr(call)] {
    if (const auto still = weak.lock()) still->End();
  });
  if (deadline) {
    call->SetTimer(executor_, executor_.PostAfter(patience, [weak = std::weak_ptr(call)] {
      if (const auto still = weak.lock()) still->Expire();
    }));
  }
  std::make_shared<Request>(exchange, std::move(call), method->second, executor_, buffered_, work_)
      ->Begin();
}

}  // namespace podium::grpc
