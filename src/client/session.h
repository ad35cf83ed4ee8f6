// Requests to one server as bytes: who asks, asking again, and refusals as errors. For client, and
// for commands that show what a server answers as it stands (tables, documents, raw paths).
//
// Threads: any.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/address.h"
#include "http/client.h"

namespace podium::client {

inline constexpr size_t kMaxAnswer = size_t{64} << 20;
inline constexpr size_t kMaxErrorBody = size_t{1} << 20;

// Streams may be silent for as long as they like.
inline constexpr http::Timeouts kEndless{.connect = std::chrono::seconds(10),
                                         .idle = std::chrono::milliseconds(0)};

class Session {
 public:
  // Each text of a Warning header. On the thread of the call.
  using OnWarning = std::function<void(std::string_view text)>;

  // Each request that was sent: its method, the server's host (and port, where one is said) and the
  // status of the answer, "<error>" without one. On the thread of the call.
  using OnAnswer = std::function<void(std::string_view method, const std::string& host,
                                      const std::string& status)>;

  static Result<std::shared_ptr<Session>> Create(ServerAddress address, OnWarning on_warning = {},
                                                 OnAnswer on_answer = {});

  // To this path below the server's URL; JSON is asked for.
  http::Request RequestFor(std::string_view method, const std::string& path,
                           std::string_view query) const;
  // The answer, whatever its status, but for these: after 401 it asks once more if there are newer
  // credentials; after 429 and 5xx with Retry-After, as often as client-go does. A request whose
  // body is a stream is sent once.
  Result<http::Response> Send(const http::Request& request);
  // The answer if it is a success, or what the server says against it.
  Result<http::Response> SendChecked(const http::Request& request);
  // All of its body, of at most kMaxAnswer.
  Result<std::string> SendForBody(const http::Request& request);
  // A refusal that came by another way, such as a WebSocket's.
  static Error Refusal(http::Response& response, const http::Request& request);
  // Adds who asks to the request, and gives the client for it.
  Result<http::Client> Prepare(http::Request* request, Login* login);
  // Errors of a socket on this machine say what to do.
  Error Explain(Error error) const;

  // Whoever waits gets kCancelled, and so does whoever comes later.
  void Stop() { cancellation_->Cancel(); }
  bool stopped() const { return cancellation_->cancelled(); }
  // For requests that end before the session goes.
  const http::Cancellation* cancellation() const { return cancellation_.get(); }

 private:
  Session(ServerAddress address, std::unique_ptr<http::Cancellation> cancellation,
          OnWarning on_warning, OnAnswer on_answer, std::string host)
      : address_(std::move(address)),
        cancellation_(std::move(cancellation)),
        on_warning_(std::move(on_warning)),
        on_answer_(std::move(on_answer)),
        host_(std::move(host)) {}

  Result<http::Response> SendOnce(http::Request request, Login* login);
  void TellWarnings(const http::Headers& headers) const;

  const ServerAddress address_;
  const std::unique_ptr<http::Cancellation> cancellation_;
  const OnWarning on_warning_;
  const OnAnswer on_answer_;
  const std::string host_;
  std::mutex mutex_;
  // Under mutex_: the client for the certificate shown last.
  std::optional<http::Client> http_;
  Login shown_;
};

}  // namespace podium::client
