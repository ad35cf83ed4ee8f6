// A body whose pieces may wait to be made, such as a list of custom resources that a webhook
// converts: each is made in the executor, while the loop goes on with others.
#pragma once

#include <memory>

#include "base/executor.h"
#include "http/pulled_body.h"

namespace podium::apiserver {

// The executor outlives it. `body` is used by one task at a time, and goes with the last of them.
std::unique_ptr<http::PulledBody> OffLoop(std::unique_ptr<http::PulledBody> body,
                                          Executor& executor);

}  // namespace podium::apiserver
