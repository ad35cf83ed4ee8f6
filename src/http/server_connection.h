// A connection of the server: what its loop and the handler of its request share.
//
// A request is either the loop's (its head and body are being read, its answer's rest is written)
// or, in Phase::kHandling, its handler's: then the fields marked so are the handler's, and go back
// with the command kEnded. What stands under the mutex is for both at any time.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "http/chunked.h"
#include "http/message.h"
#include "http/pulled_body.h"
#include "http/server.h"
#include "http/transport.h"

namespace podium::http {

// What a loop is asked to do.
struct LoopCommand {
  enum class Kind {
    kAdd,       // serve a connection that was accepted
    kHeld,      // a loop has no room for what it was given: accept no more
    kRoom,      // it has again
    kFlush,     // bytes wait to be written
    kEnded,     // the answer is complete
    kPull,      // the answer's body is to be pulled from its source
    kWake,      // the source has something
    kStream,    // of HTTP/2: a handler has left something
    kClose,     // the connection is broken, or to be broken
    kDetach,    // the connection is no longer the server's
    kStop,      // no new connections and requests
    kCloseAll,  // and then the end
  };
  Kind kind;
  uint64_t connection = 0;
  UniqueFd fd{};        // of kAdd
  size_t endpoint = 0;  // of kAdd
  int32_t stream = 0;   // of HTTP/2
};

// Threads: Post is for any, the rest for the loop. Outlives the loop: what is posted then is
// dropped.
class LoopInbox : public std::enable_shared_from_this<LoopInbox> {
 public:
  static Result<std::shared_ptr<LoopInbox>> Create();
  void Post(LoopCommand command);
  // Everything that was posted, into `commands`, which is empty. Marks the loop as awake: who posts
  // to a loop that is awake need not wake it.
  void Take(std::vector<LoopCommand>* commands);
  // Marks the loop as asleep, unless something was posted.
  bool MaySleep();
  void WakeIfAsleep();

  // The calling thread runs this inbox's loop, from now on.
  void Adopt();
  bool OnLoopThread() const;
  // Readable, edge-triggered, when the loop is to wake up.
  int fd() const { return wake_.get(); }

 private:
  explicit LoopInbox(UniqueFd wake) : wake_(std::move(wake)) {}
  UniqueFd wake_;  // an eventfd, which nobody reads
  std::mutex mutex_;
  std::vector<LoopCommand> commands_;
  bool asleep_ = false;
};

// What a waker reaches.
struct BodyWaker::Target {
  std::shared_ptr<LoopInbox> inbox;
  uint64_t connection = 0;
  int32_t stream = 0;               // of HTTP/2
  std::atomic<bool> woken = false;  // since the source was asked last
  std::function<void()> call{};     // instead
};

// Runs a handler in a thread, of its own if `alone`; false when there is none.
using RunInThread = std::function<bool(bool alone, std::function<void()> task)>;

class Http2Session;

struct ServerConnection {
  ServerConnection();
  ~ServerConnection();
  enum class Phase { kHandshake, kHead, kBody, kHandling, kPulling, kEnding, kLingering, kHttp2 };

  // Writes what is waiting, as far as it goes. The caller holds the mutex.
  void FlushLocked();
  size_t WaitingLocked() const { return out.size() - out_begin; }
  // Gives up memory that only a large message needed. For the loop, while no handler is at work.
  void ShrinkLocked();
  // Breaks it for whoever still uses it, and closes it if nobody does.
  void Break();
  // Tells the handler to end.
  void Cancel();
  // Whether the caller is the handler that runs on the loop right now.
  bool InHandlerOnLoop() const { return treatment.on_loop && inbox->OnLoopThread() && in_handler; }

  uint64_t id = 0;
  int epoll = -1;
  std::shared_ptr<LoopInbox> inbox;   // of its loop
  std::shared_ptr<RemoteEnd> remote;  // as it stays, once the handshake is over

  // The loop's.
  TlsTransport* tls = nullptr;  // the transport, in kHandshake
  Phase phase = Phase::kHead;
  uint32_t interest = 0;
  bool polled = true;       // the descriptor is in the epoll set
  bool used = false;        // a request was served
  bool advancing = false;   // Advance is at work
  bool in_again = false;    // its turn comes again though nothing happens at its socket
  bool in_handler = false;  // its handler is at work on the loop's thread,
  bool answered = false;    // and has answered
  size_t searched = 0;      // of `in`, for the end of a head
  RequestHead head;
  Framing framing;
  ChunkedDecoder chunks;
  std::string body;
  size_t counted = 0;              // bytes of the body, until the end of the request
  size_t discarded = 0;            // while lingering
  bool has_last_deadline = false;  // of the answer's rest
  std::optional<Clock::time_point> deadline;
  std::optional<Clock::time_point> alarm;  // when the loop looks at the deadline: not after it
  // Of kHttp2, in which `out` is the loop's.
  std::unique_ptr<Http2Session> http2;
  bool idle = false;                           // the deadline is one for idleness
  std::optional<Clock::time_point> blocked{};  // the client takes nothing, since then
  // Of kPulling, in which `out` is the loop's too. The handler hands over `source` and `chunked`.
  std::unique_ptr<PulledBody> source;
  std::shared_ptr<BodyWaker::Target> waker;
  std::string_view piece;  // what is left of the source's last one
  BodyPiece::Then then = BodyPiece::Then::kMore;
  bool chunked = false;

  // The loop's, and in kHandling the handler's.
  Treatment treatment;
  std::string in;  // read, and not yet used
  bool keep_alive = false;

  std::mutex mutex;
  std::condition_variable drained;
  std::shared_ptr<Transport> transport;  // null: closed, or handed over
  bool detached = false;
  bool broken = false;
  bool ended = false;
  bool flush_asked = false;
  bool cancelled = false;
  std::string out;
  size_t out_begin = 0;  // what of `out` is written
  std::function<void()> on_cancel;
};

// Upgraded connections, so that Stop finds them. Threads: any.
class UpgradedStreams {
 public:
  std::unique_ptr<Stream> Track(std::shared_ptr<UpgradedStreams> self,
                                std::unique_ptr<Stream> stream,
                                std::shared_ptr<ServerConnection> connection);
  std::unique_ptr<Transport> TrackTransport(std::shared_ptr<UpgradedStreams> self,
                                            std::shared_ptr<Transport> transport,
                                            std::shared_ptr<ServerConnection> connection);
  void CancelAll();
  void ShutdownAll();
  size_t size() const;

 private:
  friend class TrackedStream;
  friend class TrackedTransport;
  struct Entry {
    const void* owner;
    std::function<void()> shut_down;
    std::shared_ptr<ServerConnection> connection;
  };
  void Add(Entry entry);
  void Remove(const void* owner);
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  bool shut_ = false;
};

// What exchanges need of their server, and keep alive.
struct ServerContext {
  ServerOptions options;
  Handler handler;
  std::shared_ptr<UpgradedStreams> upgraded;
  mutable std::atomic<size_t> buffered = 0;  // bytes of bodies
};

// The exchange of a request whose connection is in kHandling.
std::shared_ptr<Exchange> MakeExchange(std::shared_ptr<const ServerContext> context,
                                       std::shared_ptr<ServerConnection> connection,
                                       ServerRequest request);

// The bytes of a whole answer, behind what is in `out`. `close`: the connection ends with it. After
// an error `out` is as it was.
Result<void> AppendAnswer(const RequestHead& request, int status, Headers headers,
                          std::string_view body, bool close, std::string* out);

}  // namespace podium::http
