// A request and its answer in HTTP/2: what the connection's loop and the handler share.
//
// As with HTTP/1.1, what stands under the mutex is for both at any time; the rest is the loop's.
// Nothing of the protocol happens in a handler's thread: it leaves its answer here, and posts.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "http/pulled_body.h"
#include "http/server_connection.h"

namespace podium::http {

struct Http2Stream {
  // Has the loop look at the answer, unless it does so anyway. The caller holds the mutex.
  void TouchLocked();
  // Bytes of a body that the handler reads, or its end.
  void TakeIn(std::string_view bytes, bool last);
  // Tells the handler to end.
  void Cancel();
  // The stream is closed: nobody takes an answer.
  void Leave();

  int32_t id = 0;
  uint64_t connection = 0;
  std::shared_ptr<LoopInbox> inbox;

  // The loop's.
  Treatment treatment;  // and the handler's to read
  RequestHead head;
  size_t head_bytes = 0;
  bool head_too_large = false;
  bool has_head = false;
  bool whole = false;       // the request was received
  bool dispatched = false;  // it has a handler
  bool refused = false;     // it has an answer of the server itself
  bool in_handler = false;  // the handler is at work on the loop's thread
  std::string body;
  size_t counted = 0;  // bytes of it
  uint64_t received = 0;
  Clock::time_point begun;
  bool submitted = false;                    // the answer's head is on its way
  bool waits = false;                        // there is nothing to send at the time
  bool finished = false;                     // nothing comes any more
  std::optional<Clock::time_point> blocked;  // by the client's window, since then
  size_t sent = 0;                           // since then
  std::unique_ptr<PulledBody> source;
  std::shared_ptr<BodyWaker::Target> waker;
  std::string_view piece;
  BodyPiece::Then then = BodyPiece::Then::kMore;
  Headers trailers;  // of the source that has come to its end

  std::mutex mutex;
  std::condition_variable changed;
  bool posted = false;
  bool gone = false;
  bool cancelled = false;
  std::function<void()> on_cancel;
  // The answer.
  bool begun_answer = false;
  int status = 0;
  Headers headers;
  std::string out;
  size_t out_begin = 0;
  bool ended = false;   // `out` is the rest of it
  bool broken = false;  // it will not be whole
  std::unique_ptr<PulledBody> handed;
  // Of a body that the handler reads.
  std::string in;
  bool in_whole = false;
  size_t in_taken = 0;  // that the client may send more for
  BodyWaker in_waker;   // of who waits for more, without a thread
};

// `running` is counted while the exchange lives: a client that gives up its streams does not get
// more handlers at once than one that waits.
std::shared_ptr<Exchange> MakeHttp2Exchange(std::shared_ptr<const ServerContext> context,
                                            std::shared_ptr<Http2Stream> stream,
                                            std::shared_ptr<std::atomic<int>> running,
                                            ServerRequest request);

}  // namespace podium::http
