// A client of HTTP/1.1 that blocks: over TCP, TLS and unix sockets, through proxies.
//
//   TRY(auto client, Client::Create({.proxy = ProxyFromEnvironment(std::getenv)}));
//   TRY(auto response, client.Send({.url = "https://registry.example/v2/"}));
//   if (response.status() == 200) { TRY(auto body, response.ReadAll(1 << 20)); … }
//
// Connections are kept and used again. Threads: Client may be used by any at once; a Response by
// one at a time. Statuses are no errors: whatever a server answers is a Response.
//
// Errors: kNotFound (no such host, no such socket), kUnavailable (refused, broken off, a name that
// cannot be looked up now), kDeadlineExceeded, kCancelled, kPermissionDenied (a certificate that is
// not trusted), kInvalidArgument (a bad request of ours, or an answer that is no HTTP),
// kResourceExhausted (a limit), kUnsupported.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/headers.h"
#include "http/message.h"
#include "http/proxy.h"
#include "http/stream.h"
#include "http/tls.h"
#include "http/url.h"

namespace podium::http {

// 0 is no bound.
struct Timeouts {
  std::chrono::milliseconds connect{30'000};  // names, proxies and handshakes together
  std::chrono::milliseconds idle{60'000};     // while no byte moves
  std::chrono::milliseconds total{0};         // until the end of the body
};

struct ClientOptions {
  TlsOptions tls{};
  ProxySettings proxy{};  // none: proxies are used by who asks for them
  Timeouts timeouts{};
  HeadLimits head_limits{};
  std::string user_agent = "podium";
  // For requests to URLs that others chose: none goes to 169.254.0.0/16 or fe80::/10, where clouds
  // tell machines their secrets, whatever name leads there (kPermissionDenied).
  bool refuse_link_local = false;
  // Connections kept for later, in all and to one server, and for how long.
  size_t max_idle = 32;
  size_t max_idle_per_server = 8;
  std::chrono::milliseconds keep_idle{90'000};
};

// Fills the buffer and says how much; 0 at the end. An error breaks the request off.
using BodySource = std::function<Result<size_t>(std::span<char> buffer)>;
using BodySink = std::function<Result<void>(std::string_view bytes)>;

struct Request {
  std::string method = "GET";
  std::string url{};
  // Host, Content-Length, Transfer-Encoding and User-Agent are added; a Host and a User-Agent given
  // here win, and the other two must not be given.
  Headers headers{};
  std::string body{};
  BodySource body_source = nullptr;     // instead of `body`
  std::optional<uint64_t> body_size{};  // of body_source, where it is known
  // Connects to this path instead of to the URL's host.
  std::string unix_socket{};
  std::optional<Timeouts> timeouts{};  // instead of the client's
  // How many redirects are followed; 0 hands them to the caller as they are. To another origin no
  // Authorization, Cookie or Proxy-Authorization goes along, and none is followed from https to
  // http. 307 and 308 with a body_source are handed over, since it cannot be read twice.
  int max_redirects = 0;
  const Cancellation* cancellation = nullptr;
};

class Response {
 public:
  Response(Response&&) noexcept;
  Response& operator=(Response&&) noexcept;
  // The connection serves other requests once the body was read to its end; otherwise it is closed.
  ~Response();

  int status() const;
  const ResponseHead& head() const;
  const Headers& headers() const { return head().headers; }
  // Where the answer came from, after redirects.
  const Url& url() const;
  // Of the body, where the server said.
  std::optional<uint64_t> content_length() const;

  // At least a byte of the body, or 0 at its end. kUnavailable when it breaks off.
  Result<size_t> Read(std::span<char> buffer);
  // The same without waiting: nothing when there is nothing yet. Only then wait for input at fd(),
  // as what is here already may have left the socket.
  Result<std::optional<size_t>> TryRead(std::span<char> buffer);
  // -1 once the body was read to its end.
  int fd() const;
  // The rest of the body; kResourceExhausted when there is more than max_size of it.
  Result<std::string> ReadAll(size_t max_size);
  Result<void> ReadTo(const BodySink& sink, uint64_t max_size);

  // After 101 Switching Protocols: the connection, with whatever the server sent already. Without
  // bounds on waiting. kInvalidArgument after any other status.
  Result<std::unique_ptr<Stream>> TakeStream();
  // Breaks off whoever waits in Read, from another thread.
  void Abort();

 private:
  friend class Client;
  struct State;
  explicit Response(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Client {
 public:
  static Result<Client> Create(ClientOptions options = {});

  // Returns when the head of the answer is there. Interim answers (1xx) are passed over. A request
  // that may be repeated (RFC 9110, section 9.2.2) is, once, when a kept connection turns out to
  // have been closed by the server.
  Result<Response> Send(const Request& request) const;

  void CloseIdle();

 private:
  friend class Response;
  struct State;
  explicit Client(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace podium::http
