// A call of gRPC as its server sees it: one message in, and out one message, a stream of them, or
// an error. The answer that is given first counts: a call whose deadline passes is answered by
// itself (DEADLINE_EXCEEDED), and what its handler says later is dropped.
//
// A call that is dropped without an answer is answered with INTERNAL.
//
// Threads: everything is for any thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/executor.h"
#include "base/result.h"
#include "grpc/status.h"
#include "http/pulled_body.h"
#include "http/server.h"
#include "http/stream.h"

namespace podium::grpc {

// The answers of a call that has many, made as the client takes them. Called as http::PulledBody
// is.
class MessageSource {
 public:
  enum class Then { kMessage, kWait, kEnd };
  virtual ~MessageSource() = default;
  virtual void Attach(http::BodyWaker /*waker*/) {}  // NOLINT(*-value-param): as PulledBody's
  // kMessage: *message is the next one. kWait: ask again after Wake. An error ends the call so.
  virtual Result<Then> Next(std::string* message) = 0;
};

class StreamedAnswer;

class Call : public std::enable_shared_from_this<Call> {
 public:
  Call(std::shared_ptr<http::Exchange> exchange, std::optional<http::Clock::time_point> deadline);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call();

  // The request's message.
  std::string_view message() const { return message_; }
  std::optional<http::Clock::time_point> deadline() const { return deadline_; }

  void Answer(std::string_view message);
  void Stream(std::unique_ptr<MessageSource> source);
  void Fail(const Error& error);
  void Fail(StatusCode code, std::string_view message);

  // Nobody waits for the answer any more: it was given, the client is gone, or the deadline has
  // passed.
  bool over() const;
  // Called once, in some thread, when the client goes or the deadline passes before the answer; at
  // once if that has happened. It must not wait.
  void OnOver(std::function<void()> callback);

 private:
  friend class Service;
  // Takes the timer of its deadline along when it goes.
  void SetTimer(Executor& executor, Executor::TimerId timer);
  // The exchange, for who is first.
  std::shared_ptr<http::Exchange> TakeExchange();
  void SetMessage(std::string message) { message_ = std::move(message); }
  void Expire();
  void End();  // of the client, or of its patience

  const std::optional<http::Clock::time_point> deadline_;
  std::string message_;
  Executor* executor_ = nullptr;
  Executor::TimerId timer_ = 0;
  mutable std::mutex mutex_;
  std::shared_ptr<http::Exchange> exchange_;  // null: it is answered
  std::weak_ptr<StreamedAnswer> stream_;
  bool over_ = false;
  std::function<void()> on_over_;
};

}  // namespace podium::grpc
