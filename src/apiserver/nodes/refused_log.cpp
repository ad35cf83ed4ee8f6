#include "apiserver/nodes/refused_log.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "api/status.h"
#include "client/status_error.h"

namespace podium::apiserver {
namespace {

constexpr size_t kLongestText = 2048;
constexpr std::chrono::seconds kRefusalTime{10};

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
