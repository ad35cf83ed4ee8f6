// A FakeServer behind HTTP: what an API server does between the wire and its store, as far as the
// contract of connections looks at it. For tests of HttpConnection.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "client/fake_server.h"
#include "http/server.h"

namespace podium::client {

class FakeHttp {
 public:
  // `server` outlives it.
  explicit FakeHttp(FakeServer& server);
  ~FakeHttp();

  std::string url() const;
  // Heads of requests: "GET /api/v1/pods?limit=1".
  std::vector<std::string> TakeRequests();
  // Answers the next requests, one each, instead.
  struct Answer {
    int status;
    http::Headers headers;
    std::string body;
  };
  void AnswerNext(std::vector<Answer> answers);
  // Of the newest request.
  http::Headers headers() const;

 private:
  using ExchangePtr = std::shared_ptr<http::Exchange>;
  void Handle(const ExchangePtr& exchange);
  void Serve(const ExchangePtr& exchange);
  void ServeWatch(const ExchangePtr& exchange, const Target& target, std::string_view query);
  Result<std::string> Answered(const http::ServerRequest& request, const Target& target,
                               std::string_view query);

  FakeServer& server_;
  mutable std::mutex mutex_;
  // Under mutex_.
  std::vector<std::string> requests_;
  std::vector<Answer> answers_;
  http::Headers headers_;
  uint16_t port_ = 0;
  std::unique_ptr<http::Server> http_;
};

}  // namespace podium::client
