// A thread that waits for connections of a server. The first of a server's loops accepts them, and
// gives each to the loop that has the fewest.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "http/listener.h"
#include "http/server_connection.h"

namespace podium::http {

class ServerLoop {
 public:
  static Result<std::unique_ptr<ServerLoop>> Create(std::shared_ptr<const ServerContext> context,
                                                    RunInThread run);

  // Before any of them runs: that this one accepts, and whom it gives connections to (itself among
  // them). `all` outlives the loops' threads.
  Result<void> AcceptFor(std::vector<Endpoint> endpoints,
                         const std::vector<std::unique_ptr<ServerLoop>>& all);

  // Until kCloseAll.
  void Run();

  // From any thread.
  void Post(LoopCommand::Kind kind) { inbox_->Post({kind}); }
  size_t connections() const { return count_; }
  uint64_t accepted() const { return accepted_; }

 private:
  using Connection = std::shared_ptr<ServerConnection>;
  ServerLoop(std::shared_ptr<const ServerContext> context, RunInThread run)
      : context_(std::move(context)), run_(std::move(run)) {}

  // server_accept.cpp
  void Accept(size_t endpoint);
  ServerLoop& LeastLoaded();
  void Offer(size_t endpoint, UniqueFd fd);
  // Makes room for one more connection; false when every one is busy.
  bool EvictIdle();
  // Takes what waits for room, as far as there is some.
  void AddWaiting();
  void AcceptWhenPossible();
  void Add(size_t endpoint, UniqueFd fd);
  Result<std::shared_ptr<RemoteEnd>> Meet(size_t endpoint, int fd) const;
  void ShakeHands(const Connection& connection);
  void RefuseHandshake(const Connection& connection);

  // server_loop.cpp
  void OnEvent(const Connection& connection, uint32_t events);
  void OnCommand(LoopCommand& command);
  void OnConnectionCommand(const Connection& connection, LoopCommand::Kind kind);
  void OnDeadline(const Connection& connection);
  void RunAgain();
  void BeginStop();
  void Close(const Connection& connection);
  void SetInterest(ServerConnection& connection, uint32_t events);
  void SetDeadline(ServerConnection& connection, std::optional<Clock::time_point> deadline);
  void SetAlarm(ServerConnection& connection, std::optional<Clock::time_point> alarm);
  int MillisecondsToDeadline() const;
  void RunDeadlines();
  // Another turn for it, after what else is to be done now.
  void Again(ServerConnection& connection);

  // server_request.cpp
  void ReadMore(const Connection& connection);
  // Goes on with what was read, up to a request that is not answered at once.
  void Advance(const Connection& connection);
  // One step of it; false when more must be read, or nothing is to be read now.
  bool ReadHeadStep(const Connection& connection);
  bool ReadBodyStep(const Connection& connection);
  Result<void> AppendBody(ServerConnection& connection, std::string_view bytes);
  void BeginBody(const Connection& connection);
  void SendContinue(ServerConnection& connection);
  void DispatchRequest(const Connection& connection);
  void RunOnLoop(const Connection& connection, ServerRequest request);
  void LeaveSocketToHandler(ServerConnection& connection);

  // server_http2.cpp
  void BeginHttp2(const Connection& connection);
  void ReadHttp2(const Connection& connection);
  void WriteHttp2(const Connection& connection);
  void EndHttp2(const Connection& connection);
  // When the connection is looked at again if nothing happens.
  void WaitInHttp2(ServerConnection& connection);
  void OnHttp2Deadline(const Connection& connection);

  // server_answer.cpp
  // Answers what is no request, and ends the connection.
  void Reject(const Connection& connection, int status, std::string_view message);
  void WriteMore(const Connection& connection);
  void AwaitFlush(const Connection& connection, bool progress);
  void BeginPull(const Connection& connection);
  void Pull(const Connection& connection);
  // Puts the next bytes of the body behind what waits, as one chunk; how many.
  Result<size_t> Fill(ServerConnection& connection);
  void EndPull(const Connection& connection);
  void Finish(const Connection& connection);
  void NextRequest(const Connection& connection);
  void Linger(const Connection& connection);
  void Discard(const Connection& connection);
  void ForgetBody(ServerConnection& connection);

  const std::shared_ptr<const ServerContext> context_;
  const RunInThread run_;
  std::shared_ptr<LoopInbox> inbox_;
  UniqueFd epoll_;
  std::unordered_map<uint64_t, Connection> connections_;
  std::set<std::pair<Clock::time_point, uint64_t>> alarms_;
  std::vector<uint64_t> again_;
  int handshakes_ = 0;  // of this turn
  bool stopping_ = false;
  bool done_ = false;
  uint64_t next_id_;
  std::atomic<size_t> count_ = 0;
  std::atomic<uint64_t> accepted_ = 0;
  // Connections given to it, which it may have to add yet.
  std::atomic<size_t> given_ = 0;

  // Accepted while there were too many connections.
  std::deque<std::pair<size_t, UniqueFd>> waiting_;

  std::vector<std::shared_ptr<const TlsServer>> tls_;  // of each endpoint
  std::vector<bool> plain_http2_;                      // likewise
  // Of the loop that accepts.
  std::vector<Endpoint> endpoints_;
  const std::vector<std::unique_ptr<ServerLoop>>* all_ = nullptr;
  ServerLoop* acceptor_ = this;
  size_t max_connections_ = 0;                     // its share
  std::optional<Clock::time_point> accept_again_;  // while no descriptor is free
  size_t holding_ = 0;                             // loops that hold connections waiting for room
  bool accepting_ = false;
};

}  // namespace podium::http
