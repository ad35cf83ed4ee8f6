// Connections of a client that wait for their next request.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <mutex>

#include "http/dial.h"
#include "http/message_reader.h"
#include "http/stream.h"

namespace podium::http {

// A connection to a server, and what was read from it.
struct Connection {
  Connection(Route to, std::unique_ptr<Stream> over)
      : route(std::move(to)), stream(std::move(over)), reader(*stream) {}

  // Whether the server closed it, or said something that nobody asked for.
  bool IsStale() const;

  Route route;
  std::unique_ptr<Stream> stream;
  MessageReader reader;
  bool reused = false;
};

// Threads: any.
class ConnectionPool {
 public:
  ConnectionPool(size_t max_idle, size_t max_per_route, std::chrono::milliseconds keep)
      : max_idle_(max_idle), max_per_route_(max_per_route), keep_(keep) {}

  // The one used last, since it is the likeliest to be open still; null where there is none.
  std::unique_ptr<Connection> Take(const Route& route);
  // The oldest ones go where there are too many.
  void Put(std::unique_ptr<Connection> connection);
  void Clear();

 private:
  struct Idle {
    std::unique_ptr<Connection> connection;
    Clock::time_point since;
  };
  const size_t max_idle_;
  const size_t max_per_route_;
  const std::chrono::milliseconds keep_;
  std::mutex mutex_;
  std::list<Idle> idle_;  // newest first
};

}  // namespace podium::http
