// A server of HTTP/1.1, and of HTTP/2 over TLS or where an endpoint says so. One thread, or a few
// (loops), wait for all connections: they read heads and small bodies, and write what clients are
// slow to take. Handlers run in a few other threads, so that ten thousand slow or idle connections
// cost memory, and no threads. Handlers that never wait may run on the loop's thread itself, which
// costs a request no hand-over at all.
//
//   TRY(auto listener, Listener::Unix(run_dir + "/agent.sock"));
//   TRY(auto server, Server::Start(std::move(listener), {}, [](std::shared_ptr<Exchange> exchange)
//   {
//     (void)exchange->Respond(200, {{"Content-Type", "text/plain"}}, "hello\n");
//   }));
//   …
//   server->Stop(std::chrono::seconds(10));
//
// Routing is not here: a handler looks at the request.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/listener.h"
#include "http/message.h"
#include "http/pulled_body.h"
#include "http/stream.h"
#include "http/tls_server.h"
#include "http/transport.h"

namespace podium::http {

// Who is at the other end of a unix socket, as the kernel says (SO_PEERCRED).
struct PeerCredentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

// Who has connected: one for all requests of a connection, so that a handler that keeps what it
// found out about it does so once.
class RemoteEnd {
 public:
  std::string address{};  // "10.0.0.1:4711", "[fd00::1]:4711"; "" over a unix socket
  size_t endpoint = 0;    // that it came in by, counted as Start was given them
  std::optional<PeerCredentials> credentials{};  // over a unix socket
  bool tls = false;
  bool http2 = false;
  // Over TLS: what the client has shown, in DER, its own first. Nobody has verified it unless the
  // endpoint's TlsServer does.
  std::vector<std::string> certificates{};

  // What a handler wants to find again with the connection's next request. Any thread; null at
  // first.
  std::shared_ptr<const void> note() const { return note_.load(); }
  void SetNote(std::shared_ptr<const void> note) const { note_.store(std::move(note)); }

 private:
  mutable std::atomic<std::shared_ptr<const void>> note_;
};

struct ServerRequest {
  RequestHead head;
  std::string path;                     // of the target, decoded; begins with a slash, or is "*"
  std::string query;                    // of the target, encoded, without '?'
  std::string body;                     // all of it, unless the treatment is to stream it
  std::optional<PeerCredentials> peer;  // over a unix socket
  std::shared_ptr<const RemoteEnd> remote;
};

// What becomes of a request, known from its head.
struct Treatment {
  // The handler runs on the loop's thread, right when the request is there. It must neither wait
  // nor compute for long: every connection of the loop waits for it. It may keep the exchange and
  // answer later from any thread; Exchange::Write and ReadBody, which wait, are not for it.
  bool on_loop = false;
  // It may take as long as it likes (exec, a log that is followed, a watch): it gets a thread of
  // its own unless it runs on the loop, and Stop asks it to end at once.
  bool long_running = false;
  // The body is not collected. The handler takes it with ReadBody, on a thread of its own; one that
  // runs on the loop has it pulled (RequestBody).
  bool stream_body = false;
  // 400 for paths that two parties could read in two ways: with an encoded slash or backslash, with
  // "." or ".." as a segment, encoded or not. NUL is refused anyway.
  bool strict_path = false;
  // Larger bodies are answered with 413.
  uint64_t max_body = uint64_t{3} << 20;
};

struct ServerOptions {
  HeadLimits head_limits{};
  std::function<Treatment(const RequestHead& head)> treatment{};  // none: Treatment{}

  size_t loops = 1;                 // threads that wait for connections, which are spread over them
  size_t threads = 8;               // that handlers share
  size_t max_long_running = 512;    // threads of their own; beyond: 503
  size_t max_connections = 10'000;  // beyond: the one idle for longest goes, or the new one waits
  size_t max_buffered = size_t{128} << 20;   // of bodies of all connections; beyond: 503
  size_t stream_buffer = size_t{256} << 10;  // of an answer that the client is slow to take

  std::chrono::milliseconds handshake_timeout{10'000};  // of TLS
  std::chrono::milliseconds head_timeout{10'000};   // from a connection's or request's first byte
  std::chrono::milliseconds body_timeout{60'000};   // for all of a body that is collected
  std::chrono::milliseconds idle_timeout{120'000};  // between requests
  // Without a byte of the answer taken. A finished answer must also go out at 16 KiB a second, and
  // of a pulled body all that waits (some 64 KiB) within this time.
  std::chrono::milliseconds write_timeout{30'000};

  // What the server itself answers (400, 408, 413, 431, 500, 503): the body, and its type. None:
  // the message as plain text.
  struct Page {
    std::string content_type;
    std::string body;
  };
  std::function<Page(int status, std::string_view message)> error_page{};
};

// A request and its answer. The handler may keep it beyond its return and answer later, from any
// thread: so thousands of watches need none. Dropped without an answer it answers 500; dropped amid
// one it breaks the connection, so that the client does not take a part for the whole.
//
// Threads: answering is for one at a time; cancelled() and OnCancel are for any.
// kCancelled from what writes: the client is gone, or the server has stopped.
class Exchange {
 public:
  struct State;
  explicit Exchange(std::unique_ptr<State> state);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange();

  const ServerRequest& request() const;

  // The whole answer. Content-Length, Date and Connection are added.
  Result<void> Respond(int status, Headers headers, std::string_view body);

  // An answer piece by piece. Write waits while more than the stream buffer is on its way; TryWrite
  // says false instead, and has then taken nothing. Pieces are sent as they come.
  Result<void> Begin(int status, Headers headers);
  Result<void> Write(std::string_view bytes);
  Result<bool> TryWrite(std::string_view bytes);
  Result<void> End();

  // An answer whose body is pulled out of `body` as the client takes it. When the server stops, a
  // long-running one ends, as a whole, where its body has nothing more at the time.
  // `size` of the body where it is known, which then is sent as Content-Length: the body has just
  // so many bytes, or fails.
  Result<void> RespondFrom(int status, Headers headers, std::unique_ptr<PulledBody> body,
                           std::optional<uint64_t> size = {});

  // Over HTTP/1.1 only (kUnsupported).
  // 101 with these headers (Upgrade among them): from then on the connection is the caller's, with
  // no bounds on waiting. Stop shuts it down.
  Result<std::unique_ptr<Stream>> Upgrade(Headers headers);

  // The same for who answers by himself, and waits for nothing: the connection as it is, before any
  // answer, with what the client sent behind its request. Stop shuts it down. Any thread.
  struct Taken {
    std::unique_ptr<Transport> transport;
    std::string rest;
  };
  Result<Taken> TakeConnection();

  // Of a streamed body: at least a byte, or 0 at its end. kResourceExhausted past max_body.
  Result<size_t> ReadBody(std::span<char> buffer);

  // The client has closed its side or is gone, or Stop wants this to end.
  bool cancelled() const;
  // Called once, in some thread, when that happens; at once if it has. It must not wait, and may
  // still be running when the handler has returned: what it uses, it owns.
  void OnCancel(std::function<void()> callback);

 private:
  friend class StreamedRequestBody;
  std::unique_ptr<State> state_;
};

using Handler = std::function<void(std::shared_ptr<Exchange> exchange)>;

class Poller;
// A streamed body as what is pulled, without a thread: its waker is called on the poller's thread
// (HTTP/1.1) or a loop's (HTTP/2). Once for an exchange whose handler runs on the loop, which is
// answered when nobody pulls any more. Errors: kUnavailable amid it, kResourceExhausted past
// max_body, kInvalidArgument where it is no body.
// Threads: any, one at a time.
std::unique_ptr<PulledBody> RequestBody(std::shared_ptr<Exchange> exchange,
                                        std::shared_ptr<Poller> poller);

// While one lives, what its thread answers and wakes is gathered, and each loop is woken once when
// it ends. For who answers many in a row: a commit of the store.
class AnswerBatch {
 public:
  AnswerBatch();
  ~AnswerBatch();
  AnswerBatch(const AnswerBatch&) = delete;
  AnswerBatch& operator=(const AnswerBatch&) = delete;
};

// A place that a server listens at.
struct Endpoint {
  Listener listener;
  std::shared_ptr<const TlsServer> tls{};  // none: plain
  // Where it is plain: clients speak HTTP/2 from the first byte on, as gRPC's do, and nothing else
  // is understood ("prior knowledge", RFC 9113, section 3.3).
  bool plain_http2 = false;
};

class Server {
 public:
  // Listens until Stop.
  static Result<std::unique_ptr<Server>> Start(std::vector<Endpoint> endpoints,
                                               ServerOptions options, Handler handler);
  static Result<std::unique_ptr<Server>> Start(Listener listener, ServerOptions options,
                                               Handler handler);
  // Stops without grace.
  ~Server();

  // No new connections, no new requests; long-running ones are cancelled at once, others have
  // `grace` to end. Then every connection is closed, upgraded ones too, and everything cancelled.
  // Returns when all handlers have returned, which they must once cancelled.
  void Stop(std::chrono::milliseconds grace);

  struct Counts {
    size_t connections = 0;
    size_t long_running = 0;
    uint64_t accepted = 0;  // connections since the start
  };
  Counts counts() const;

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace podium::http
