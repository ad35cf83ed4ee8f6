// Two connections that speak different protocols, and a translation between them, on a Poller's
// thread. (Of those that speak the same, splice.h makes one.) Who is slow to take bytes slows down
// who sends them.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/poller.h"
#include "http/splice.h"

namespace podium::http {

// Threads: one at a time.
class Translation {
 public:
  virtual ~Translation() = default;
  // What came of either side, or that nothing more comes.
  virtual void FromClient(std::string_view bytes) = 0;
  virtual void FromServer(std::string_view bytes) = 0;
  virtual void ServerEnded() = 0;

  // What is to be sent. The relay takes it.
  std::string to_client{};
  std::string to_server{};
  // Nothing more is to be read: what is to be sent goes out, as long as bytes move
  // (kSpliceLinger), then both connections are closed. A client that closes ends it too.
  bool done = false;
};

// `server` may be no connection, for a translation that is done. `done` is called on the poller's
// thread when both are closed, or dropped when the poller ends.
void Relay(const std::shared_ptr<Poller>& poller, SpliceSide client, SpliceSide server,
           std::unique_ptr<Translation> translation, std::function<void()> done);

}  // namespace podium::http
