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
#include "http/server.h"
#include "http/transport.h"

namespace podium::http {

// What the loop is asked to do with a connection.
struct LoopCommand {
  enum class Kind {
    kFlush,     // bytes wait to be written
    kEnded,     // the answer is complete
    kClose,     // the connection is broken, or to be broken
    kDetach,    // the connection is no longer the server's
    kStop,      // no new connections and requests
    kCloseAll,  // and then the end
  };
  Kind kind;
  uint64_t connection = 0;
};

// Threads: Post is for any. Outlives the loop: what is posted then is dropped.
class LoopInbox {
 public:
  static Result<std::shared_ptr<LoopInbox>> Create();
  void Post(LoopCommand command);
  std::vector<LoopCommand> Take();
  int fd() const { return wake_.get(); }

 private:
  explicit LoopInbox(UniqueFd wake) : wake_(std::move(wake)) {}
  UniqueFd wake_;  // an eventfd
  std::mutex mutex_;
  std::vector<LoopCommand> commands_;
};

struct ServerConnection {
  enum class Phase { kHead, kBody, kHandling, kEnding, kLingering };

  // Writes what is waiting, as far as it goes. The caller holds the mutex.
  void FlushLocked();
  size_t WaitingLocked() const { return out.size() - out_begin; }
  // Breaks it for whoever still uses it, and closes it if nobody does.
  void Break();
  // Tells the handler to end.
  void Cancel();

  uint64_t id = 0;
  int epoll = -1;
  std::optional<PeerCredentials> peer;

  // The loop's.
  Phase phase = Phase::kHead;
  uint32_t interest = 0;
  bool polled = true;   // the descriptor is in the epoll set
  bool used = false;    // a request was served
  size_t searched = 0;  // of `in`, for the end of a head
  RequestHead head;
  Treatment treatment;
  Framing framing;
  ChunkedDecoder chunks;
  std::string body;
  size_t counted = 0;              // bytes of the body, until the end of the request
  size_t discarded = 0;            // while lingering
  bool has_last_deadline = false;  // of the answer's rest
  Clock::time_point deadline;
  bool has_deadline = false;

  // The loop's, and in kHandling the handler's.
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
  void CancelAll();
  void ShutdownAll();
  size_t size() const;

 private:
  friend class TrackedStream;
  struct Entry {
    Stream* stream;
    std::shared_ptr<ServerConnection> connection;
  };
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  bool shut_ = false;
};

// What exchanges need of their server, and keep alive.
struct ServerContext {
  ServerOptions options;
  std::shared_ptr<LoopInbox> inbox;
  std::shared_ptr<UpgradedStreams> upgraded;
};

// The exchange of a request whose connection is in kHandling.
std::shared_ptr<Exchange> MakeExchange(std::shared_ptr<const ServerContext> context,
                                       std::shared_ptr<ServerConnection> connection,
                                       ServerRequest request);

// The bytes of a whole answer. `close`: the connection ends with it.
Result<std::string> SerializeAnswer(const RequestHead& request, int status, Headers headers,
                                    std::string_view body, bool close);

}  // namespace podium::http
