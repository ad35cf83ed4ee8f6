// Waiting longer and longer between attempts.
#pragma once

#include <chrono>
#include <optional>
#include <random>

#include "base/result.h"
#include "http/stream.h"
#include "image/registry_options.h"

namespace podium::image {

// Whether the same request may well succeed in a while.
bool IsTransient(const Error& error);

// Of one request or download. Not for two threads at once.
class Backoff {
 public:
  explicit Backoff(const RetryPolicy& policy) : policy_(&policy), random_(std::random_device()()) {}

  // Waits before the next attempt. False when there is none left. kCancelled.
  //   retry_after   what the server asked for
  Result<bool> Wait(const http::Cancellation* cancellation,
                    std::optional<std::chrono::seconds> retry_after = {});
  // Something has moved on.
  void Reset() { failures_ = 0; }

  // How long Wait would wait; for tests.
  std::chrono::milliseconds NextDelay();

 private:
  const RetryPolicy* policy_;
  std::minstd_rand random_;
  int failures_ = 0;
};

}  // namespace podium::image
