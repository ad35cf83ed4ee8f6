// What stands behind an Exchange: one way to answer for each version of the protocol, and what all
// of them say the same.
#pragma once

#include <memory>
#include <string>

#include "http/server.h"
#include "http/server_connection.h"

namespace podium::http {

// The calls of Exchange, whose order and headers were checked already.
struct Exchange::State {
  enum class Step { kNothing, kStreaming, kDone };

  State(std::shared_ptr<const ServerContext> server, ServerRequest asked)
      : context(std::move(server)), request(std::move(asked)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  virtual ~State() = default;

  virtual Result<void> Respond(int status, Headers headers, std::string_view body) = 0;
  virtual Result<void> RespondFrom(int status, Headers headers, std::unique_ptr<PulledBody> source,
                                   std::optional<uint64_t> size) = 0;
  virtual Result<void> Begin(int status, Headers headers) = 0;
  virtual Result<bool> TryWrite(std::string_view bytes) = 0;
  // Waits until TryWrite has something other to say than false.
  virtual void WaitForRoom() = 0;
  virtual Result<void> End() = 0;
  virtual Result<std::unique_ptr<Stream>> Upgrade(Headers headers) = 0;
  virtual Result<Exchange::Taken> TakeConnection() = 0;
  // The next bytes of a body that is streamed, however many there are.
  virtual Result<size_t> ReadSomeOfBody(std::span<char> buffer) = 0;
  // The same without waiting: as PulledBody has them, and the end of the second.
  virtual void AttachBody(std::shared_ptr<Poller> poller, BodyWaker waker) = 0;
  virtual Result<BodyPiece> NextOfBody() = 0;
  virtual void DetachBody() = 0;
  virtual uint64_t max_body() const = 0;
  // kResourceExhausted when these were too many.
  Result<void> CountBody(size_t size);
  virtual bool cancelled() const = 0;
  virtual void OnCancel(std::function<void()> callback) = 0;
  // The exchange goes away amid an answer.
  virtual void BreakOff() = 0;

  const std::shared_ptr<const ServerContext> context;
  const ServerRequest request;
  Step step = Step::kNothing;
  uint64_t body_read = 0;
};

// Path and query of the request's target (RFC 9112, section 3.2). kInvalidArgument for one that is
// none, or that is not to be had strictly (Treatment::strict_path).
Result<void> SplitTarget(bool strict, ServerRequest* request);

Error ClientIsGone();
// Of answers that never have a body.
bool HasNoBody(int status);
// The date of now as HTTP writes it, made once a second in each thread.
std::string_view HttpDateNow();

}  // namespace podium::http
