// Clients of an HTTP/1.1 server in one thread, made to cost little: one call to receive and one to
// send for each request, and epoll for many at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

struct ssl_ctx_st;
struct ssl_st;

namespace podium::load {

using Clock = std::chrono::steady_clock;

// Whom to load, and as whom.
struct Target {
  std::string host = "127.0.0.1";
  uint16_t port = 6443;
  bool tls = true;
  std::string host_header{};
  std::string token{};
  std::shared_ptr<ssl_ctx_st> context{};

  std::string Request(const std::string& method, const std::string& path,
                      const std::string& body = "") const;
};

struct Response {
  int status = 0;
  std::string body;
};

// One keep-alive connection. It is not moved while a Loop has it.
class Connection {
 public:
  // Connects, and shakes hands, waiting.
  static Result<std::unique_ptr<Connection>> Open(const Target& target);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Sends a request; small ones always fit into the socket.
  Result<void> Send(std::string_view request);
  // Sends and waits for the answer.
  Result<Response> Ask(std::string_view request);
  // One call to receive: false when the connection is over. What came is taken by TakeResponse or
  // TakeBody.
  bool Receive();
  // Whether OpenSSL holds bytes that Receive would get without the socket.
  bool Buffered() const;
  // A whole answer, if it is there; its body only if `body` is given.
  Result<bool> TakeResponse(int* status, std::string* body);
  // What has come of an answer that does not end: the data of its chunks.
  Result<void> TakeBody(std::string* data);
  int fd() const { return fd_.get(); }

  Clock::time_point sent;  // of the last request

 private:
  Connection() = default;
  bool TakeHead();
  Result<bool> TakeChunks(std::string* data);

  UniqueFd fd_;
  ssl_st* ssl_ = nullptr;
  std::string in_;
  size_t at_ = 0;  // what of it is taken
  bool in_body_ = false;
  int status_ = 0;
  int64_t left_ = 0;    // of the body; -1: chunked
  int64_t chunk_ = -1;  // what is left of a chunk, with its end; -1: its size comes
};

// Calls `ready` for each connection that has something, until it says no or `end` is there.
class Loop {
 public:
  static Result<std::unique_ptr<Loop>> Create();
  void Add(Connection& connection);
  void Run(Clock::time_point end, const std::function<bool(Connection&)>& ready);

 private:
  UniqueFd epoll_;
};

}  // namespace podium::load
