// Two connections made one: what comes from either goes to the other, on a Poller's thread, with a
// bounded buffer for each direction while there is something in it. Who is slow to take bytes slows
// down who sends them.
//
// When one side ends its half, the other is told so; what it still has to say goes through, for as
// long as bytes move (kSpliceLinger between two of them): then, or after an error of either side,
// both are closed.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "http/poller.h"
#include "http/transport.h"

namespace podium::http {

inline constexpr std::chrono::seconds kSpliceLinger{10};

struct SpliceSide {
  std::unique_ptr<Transport> transport;
  std::string first{};  // bytes of this side that were read already
};

// `done` is called on the poller's thread when both are closed, or dropped when the poller ends.
void Splice(const std::shared_ptr<Poller>& poller, SpliceSide a, SpliceSide b,
            std::function<void()> done);

}  // namespace podium::http
