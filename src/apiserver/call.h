// Call: one request while it is served, and Answer: what becomes of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apiserver/request_info.h"
#include "apiserver/user.h"
#include "http/headers.h"
#include "http/pulled_body.h"
#include "http/url.h"
#include "reflect/type.h"

namespace podium::apiserver {

class AuditRecord;

// Made for each request and shared by whoever works on it, one after the other: no two threads at a
// time. Views point into the http request, which the call keeps alive.
struct Call {
  std::string_view method;
  std::string_view path;      // decoded
  std::string_view uri{};     // path and query as the client sent them
  std::string_view remote{};  // the other end: "10.0.0.1:4711"; "" of a socket, or in this process
  http::QueryParameters query{};
  const http::Headers* headers = nullptr;
  std::string_view body{};
  // Of a client in this process, instead of a body. It stays the client's while the call runs.
  struct {
    const reflect::Type* type = nullptr;
    const void* object = nullptr;
  } decoded_body{};
  RequestInfo info{};
  std::shared_ptr<const User> user{};
  // It came over the socket that only root on this machine can open.
  bool from_root = false;
  std::string audit_id{};
  int64_t received = 0;  // nanoseconds since 1970, by the server's clock
  // Of what does not run long: ?timeout=, and a minute at most. Of a client in this process: none.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  // For the header Warning, as texts; each once, in order.
  std::vector<std::string> warnings{};
  // For the audit log: of a key that comes twice, the first value counts.
  std::vector<std::pair<std::string, std::string>> annotations{};
  // What the log is going to say of it; null when it is not logged.
  std::shared_ptr<AuditRecord> audit{};

  std::shared_ptr<const void> keeps_alive{};
  // Has the resource that the call is about. Another one may take its place meanwhile.
  std::shared_ptr<const void> catalog{};
  // Counts it while it is served. Not of copies.
  std::shared_ptr<const void> in_flight{};

  std::string_view Header(std::string_view name) const {
    return headers != nullptr ? headers->Get(name) : std::string_view();
  }
  void Warn(std::string warning);
};

using CallPtr = std::shared_ptr<Call>;

// Not yet sent. Content-Length, Date and Connection are http's; Audit-Id, Warning and Cache-Control
// are added by the server to every answer.
struct Answer {
  int status = 200;
  http::Headers headers{};  // Content-Type among them
  std::string body{};
  std::unique_ptr<http::PulledBody> pulled{};  // instead of `body`
  std::optional<uint64_t> pulled_size{};       // where it is known
};

}  // namespace podium::apiserver
