#include "image/backoff.h"

#include <algorithm>

namespace podium::image {

bool IsTransient(const Error& error) {
  return error.code() == Code::kUnavailable || error.code() == Code::kDeadlineExceeded;
}

std::chrono::milliseconds Backoff::NextDelay() {
  // 2^20 of anything is past any maximum.
  const auto whole = std::min<std::chrono::milliseconds>(
      policy_->max_delay, policy_->first_delay * (int64_t{1} << std::min(failures_, 20)));
  std::uniform_int_distribution<int64_t> part(whole.count() / 2, whole.count());
  return std::chrono::milliseconds(part(random_));
}

Result<bool> Backoff::Wait(const http::Cancellation* cancellation,
                           std::optional<std::chrono::seconds> retry_after) {
  std::chrono::milliseconds delay = NextDelay();
  if (++failures_ >= policy_->attempts) return false;
  if (retry_after) {
    if (*retry_after > policy_->max_retry_after) return false;
    delay = std::max<std::chrono::milliseconds>(delay, *retry_after);
  }
  auto waited =
      http::WaitFor(-1, 0, {.deadline = http::Clock::now() + delay, .cancellation = cancellation});
  if (!waited.ok() && waited.error().code() != Code::kDeadlineExceeded) {
    return std::move(waited).error();
  }
  return true;
}

}  // namespace podium::image
