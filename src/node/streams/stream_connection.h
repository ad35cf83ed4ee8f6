// A client's connection and the streams on it, on a Poller's thread: reads while somebody takes
// what comes, writes what there is, and ends when it has been idle for too long. Ten thousand of
// them cost memory and no threads.
//
// Threads: Begin any, everything else the poller's.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http/poller.h"
#include "http/server.h"
#include "http/transport.h"
#include "node/streams/carrier.h"

namespace podium::node {

// Upstream's streaming.DefaultConfig.
struct StreamTimes {
  std::chrono::milliseconds idle{std::chrono::hours(4)};  // without a byte in either direction
  std::chrono::milliseconds creation{std::chrono::seconds(30)};  // for the client's streams to come
  // For the client to take what there is and go, when all is said.
  std::chrono::milliseconds finish{std::chrono::minutes(15)};
};

// Who the streams are for. Told what comes from within the connection's turns.
class StreamHandler : public StreamListener {
 public:
  // False: what the client sends waits.
  virtual bool WantsInput() = 0;
  // There is room for more to be sent again.
  virtual void OnRoom() = 0;
  // When it wants OnDeadline to be called; asked after each turn.
  virtual std::optional<http::Clock::time_point> Deadline() = 0;
  virtual void OnDeadline() = 0;
  // The client is gone, or Close was called: once, and nothing follows.
  virtual void OnClosed() = 0;
};

class StreamConnection : public std::enable_shared_from_this<StreamConnection> {
 public:
  // `answer`: what is sent first, the head of the 101.
  StreamConnection(std::shared_ptr<http::Poller> poller, http::Exchange::Taken client,
                   std::string answer, std::unique_ptr<StreamCarrier> carrier, StreamTimes times);

  // `started` is called first of all, on the poller's thread.
  void Begin(std::shared_ptr<StreamHandler> handler, std::function<void()> started);

  StreamCarrier& carrier() { return *carrier_; }
  // Whether more may be sent: what is sent beyond that is kept all the same.
  bool HasRoom();
  // Sends what there is and reads what may come. To be called after what was not done in a turn.
  void Turn() { Turn(false); }
  // Sends what there is, as far as that goes at once, and closes.
  void Close();
  const std::shared_ptr<http::Poller>& poller() const { return poller_; }
  const StreamTimes& times() const { return times_; }

 private:
  void Turn(bool timed_out);
  size_t Unsent() const;
  // False: it is over.
  bool Read(bool* again);
  bool Write();
  void Arm();

  const std::shared_ptr<http::Poller> poller_;
  std::unique_ptr<http::Transport> client_;
  std::unique_ptr<http::PolledFd> wait_;  // goes before the client
  std::string in_;                        // what came behind the request
  std::string out_;
  size_t sent_ = 0;  // of out_
  const std::unique_ptr<StreamCarrier> carrier_;
  const StreamTimes times_;
  std::shared_ptr<StreamHandler> handler_;  // from Begin until it is closed
  http::Clock::time_point moved_ = http::Clock::now();
  short events_ = 0;  // that are to be waited for
  short armed_ = 0;   // that are, since the last turn that waits
  bool turning_ = false;
  bool starved_ = false;  // somebody has more to send, and was told that there is no room
  bool closing_ = false;  // at the end of the turn
};

}  // namespace podium::node
