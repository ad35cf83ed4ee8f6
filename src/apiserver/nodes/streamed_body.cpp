#include "apiserver/nodes/streamed_body.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <utility>

#include "api/status.h"
#include "client/status_error.h"
#include "http/chunked.h"

namespace podium::apiserver {
namespace {

constexpr size_t kPiece = size_t{64} << 10;
constexpr std::chrono::seconds kIdle{60};
constexpr size_t kLongestText = 2048;
constexpr std::chrono::seconds kRefusalTime{10};

// Whether bytes of an answer are there, which are then in *received; an end counts as one, which
// the next read tells.
Result<bool> HasAnswer(http::Transport& connection, std::string* received) {
  std::array<char, 4096> buffer;
  TRY(const http::Progress progress, connection.TryRead(buffer));
  if (progress.wait != 0) return false;
  received->append(buffer.data(), progress.bytes);
  return true;
}

// False: the other side has answered, and takes no more.
Result<bool> Write(http::Transport& connection, std::string_view bytes, std::string* received) {
  while (!bytes.empty()) {
    TRY(const http::Progress progress, connection.TryWrite(bytes));
    bytes.remove_prefix(progress.bytes);
    TRY(const bool answered, HasAnswer(connection, received));
    if (answered) return false;
    if (progress.wait == 0) continue;
    TRY_VOID(http::WaitFor(connection.fd(), static_cast<short>(progress.wait | POLLIN),
                           {.idle = kIdle}));
  }
  return true;
}

// A text that is read until its end, its bound, or its time.
struct Refusal {
  void Step(bool timed_out) {
    if (!done) return;
    while (!timed_out && text.size() < kLongestText) {
      auto piece = body->Next();
      if (!piece.ok()) break;
      text += piece->bytes;
      if (piece->then == http::BodyPiece::Then::kEnd) break;
      // The body waits by itself; this is called again when there is something.
      if (piece->then == http::BodyPiece::Then::kWait) return;
    }
    text.resize(std::min(text.size(), kLongestText));
    body.reset();
    std::exchange(done, nullptr)(std::move(text));
  }
  std::unique_ptr<http::PulledBody> body;
  std::string text;
  std::function<void(std::string text)> done;
};

}  // namespace

Result<SentBody> SendStreamedBody(
    http::Exchange& exchange, http::RequestHead head,
    const std::function<Result<void>(http::BackendDialled done)>& dial) {
  const std::string length(exchange.request().head.headers.Get("Content-Length"));
  const bool chunked = length.empty();
  chunked ? head.headers.Set("Transfer-Encoding", "chunked")
          : head.headers.Set("Content-Length", length);
  TRY(const std::string bytes, http::SerializeRequestHead(head));
  auto promise = std::make_shared<std::promise<Result<std::unique_ptr<http::Transport>>>>();
  auto dialled = promise->get_future();
  TRY_VOID(dial([promise](auto connection) { promise->set_value(std::move(connection)); }));
  SentBody sent;
  TRY(sent.connection, dialled.get());
  TRY(bool goes_on, Write(*sent.connection, bytes, &sent.received));
  std::array<char, kPiece> buffer;
  while (goes_on) {
    auto size = exchange.ReadBody(buffer);
    if (!size.ok()) return Error(Code::kCancelled, size.error().message());
    if (*size == 0) break;
    const std::string_view piece(buffer.data(), *size);
    auto written = chunked ? Write(*sent.connection, http::EncodeChunk(piece), &sent.received)
                           : Write(*sent.connection, piece, &sent.received);
    // It may have answered before it closed.
    goes_on = written.ok() && *written;
  }
  if (goes_on && chunked) (void)Write(*sent.connection, http::kLastChunk, &sent.received);
  return sent;
}

void ReadRefusal(const std::shared_ptr<http::Poller>& poller, Executor& timers,
                 http::BackendAnswer answer, std::function<void(std::string text)> done) {
  auto refusal = std::make_shared<Refusal>();
  refusal->done = std::move(done);
  refusal->body = http::BackendBody(poller, std::move(answer));
  refusal->body->Attach(http::BodyWaker([refusal] { refusal->Step(false); }));
  const std::weak_ptr weak = refusal;
  timers.PostAfter(kRefusalTime, [weak, poller] {
    poller->Post([weak] {
      if (const auto late = weak.lock()) late->Step(true);
    });
  });
  refusal->Step(false);
}

Error LogRefusedError(int status, std::string_view pod, const std::string& text) {
  if (status == 400) return api::BadRequestError(text);
  if (status == 500) return api::InternalError(text);
  // Without a verb, hence the blank.
  const Error error = client::ErrorOfAnswer(status, text, " pods/log " + std::string(pod));
  api::meta::v1::Status told = api::StatusOf(error);
  if (status == 401) told.reason = "Unauthorized";
  if (status == 403) told.reason = "Forbidden";
  if (status == 404) told.reason = "NotFound";
  if (status == 503) told.reason = "ServiceUnavailable";
  return api::StatusError(std::move(told));
}

}  // namespace podium::apiserver
