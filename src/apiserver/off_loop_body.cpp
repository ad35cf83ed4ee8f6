#include "apiserver/off_loop_body.h"

#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace podium::apiserver {
namespace {

using Then = http::BodyPiece::Then;

class OffLoopBody final : public http::PulledBody {
 public:
  OffLoopBody(std::unique_ptr<http::PulledBody> body, Executor& executor)
      : shared_(std::make_shared<Shared>(std::move(body))), executor_(executor) {}

  void Attach(http::BodyWaker waker) override {
    shared_->waker = waker;
    shared_->body->Attach(std::move(waker));
  }

  Result<http::BodyPiece> Next() override {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->running) {
      shared_->asked_again = true;
      return http::BodyPiece{{}, Then::kWait};
    }
    if (shared_->made) {
      Result<Made> made = *std::exchange(shared_->made, std::nullopt);
      if (!made.ok()) return std::move(made).error();
      current_ = *std::move(made);
      return http::BodyPiece{current_.bytes, current_.then};
    }
    shared_->running = true;
    executor_.Post([shared = shared_] { Make(*shared); });
    return http::BodyPiece{{}, Then::kWait};
  }

 private:
  struct Made {
    std::string bytes;
    Then then = Then::kMore;
  };
  struct Shared {
    explicit Shared(std::unique_ptr<http::PulledBody> of) : body(std::move(of)) {}
    const std::unique_ptr<http::PulledBody> body;  // of the task that runs
    http::BodyWaker waker;
    std::mutex mutex;
    bool running = false;
    bool asked_again = false;
    std::optional<Result<Made>> made;
  };

  static void Make(Shared& shared) {
    const auto piece = shared.body->Next();
    Result<Made> made = piece.ok() ? Result<Made>(Made{std::string(piece->bytes), piece->then})
                                   : Result<Made>(piece.error());
    // What has nothing yet wakes the loop itself; perhaps it has done so while this was running.
    const bool waits = piece.ok() && piece->then == Then::kWait && piece->bytes.empty();
    bool again = false;
    {
      const std::lock_guard lock(shared.mutex);
      shared.running = false;
      again = std::exchange(shared.asked_again, false);
      if (!waits) shared.made = std::move(made);
    }
    if (!waits || again) shared.waker.Wake();
  }

  const std::shared_ptr<Shared> shared_;
  Executor& executor_;
  Made current_;
};

}  // namespace

std::unique_ptr<http::PulledBody> OffLoop(std::unique_ptr<http::PulledBody> body,
                                          Executor& executor) {
  return std::make_unique<OffLoopBody>(std::move(body), executor);
}

}  // namespace podium::apiserver
