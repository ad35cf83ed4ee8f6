// HTTP/2 (RFC 9113, by nghttp2) on one connection of the server: bytes in, requests to handlers,
// bytes out. What a client can make the server hold or do is bounded:
//
// - 250 streams at once, as upstream, and as many handlers, whether or not their streams are still
//   there (rapid reset, CVE-2023-44487);
// - frames that bring nothing forward (PING, SETTINGS, PRIORITY, empty DATA, RST_STREAM, small
//   WINDOW_UPDATEs, streams that end in an error) are paid for out of a budget, which time, and
//   answers and bytes that the client takes refill; who overdraws it is sent away with
//   ENHANCE_YOUR_CALM (CVE-2019-9512, -9514, -9515, -9518, CVE-2025-8671);
// - a head as large as in HTTP/1.1, in nine frames at most (CVE-2024-27316);
// - streams whose window the client keeps shut are reset (CVE-2019-9511, -9517).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "http/http2_stream.h"
#include "http/server_connection.h"

struct nghttp2_session;
struct nghttp2_option;

namespace podium::http {

// Threads: the loop's, throughout. What is to be written is put into the connection's `out`.
class Http2Session {
 public:
  static Result<std::unique_ptr<Http2Session>> Create(std::shared_ptr<const ServerContext> context,
                                                      RunInThread run,
                                                      const ServerConnection& connection);
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  // False when the connection is to be closed, once what waits is written.
  bool Receive(std::string_view bytes);
  // Puts frames behind what is in `out`, until there is nothing more or `out` is large.
  void Produce(std::string* out);
  // Nothing is left to be read or written.
  bool Done() const;

  // A handler has left something.
  void OnStream(int32_t id);
  // A source has something.
  void OnWake(int32_t id);

  // No new requests; long-running ones end.
  void BeginStop();
  // Deals with streams that are slow.
  void Sweep(Clock::time_point now);

  size_t streams() const { return streams_.size(); }
  // Whether a request has come.
  bool used() const { return used_; }

 private:
  friend struct Http2Callbacks;
  friend struct Http2BodyCallback;
  using StreamPtr = std::shared_ptr<Http2Stream>;

  Http2Session(std::shared_ptr<const ServerContext> context, RunInThread run,
               const ServerConnection& connection);

  StreamPtr Find(int32_t id) const;
  // Takes from the budget; false when it is empty, and then the session ends.
  bool Charge(size_t cost);
  void Refill(double credit);

  // http2_session.cpp
  void BeginRequest(int32_t id);
  void AddHeader(Http2Stream& stream, std::string_view name, std::string_view value);
  void OnHead(const StreamPtr& stream, bool whole);
  void OnData(const StreamPtr& stream, std::string_view bytes);
  void OnWhole(const StreamPtr& stream);
  void OnClosed(int32_t id, bool failed);
  void Dispatch(const StreamPtr& stream);
  void ForgetBody(Http2Stream& stream);

  // http2_answer.cpp
  void Continue(Http2Stream& stream);
  void Reject(const StreamPtr& stream, int status, std::string_view message);
  // Carries out what the handler has left.
  void Progress(const StreamPtr& stream);
  void Submit(const StreamPtr& stream, bool with_body);
  // Behind the answer's last bytes; false when they cannot be sent.
  bool SubmitTrailers(const Http2Stream& stream);
  // The next bytes of an answer.
  struct Taken {
    size_t bytes = 0;
    bool end = false;
    bool wait = false;
    bool failed = false;
  };
  Taken TakeBody(Http2Stream& stream, char* out, size_t size);
  Taken TakePulled(Http2Stream& stream, char* out, size_t size);
  void SweepStream(const StreamPtr& stream, Clock::time_point now);

  const std::shared_ptr<const ServerContext> context_;
  const RunInThread run_;
  const std::shared_ptr<LoopInbox> inbox_;
  const uint64_t connection_;
  const std::shared_ptr<const RemoteEnd> remote_;
  const std::shared_ptr<std::atomic<int>> running_;  // handlers
  nghttp2_session* session_ = nullptr;
  std::unordered_map<int32_t, StreamPtr> streams_;
  bool used_ = false;
  bool stopping_ = false;
  double budget_;
  Clock::time_point refilled_;
};

}  // namespace podium::http
