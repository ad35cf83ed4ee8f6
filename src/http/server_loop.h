// The thread that waits for all connections of a server.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"
#include "http/listener.h"
#include "http/server_connection.h"

namespace podium::http {

class ServerLoop {
 public:
  // Takes a request whose connection is in kHandling; false when there is no thread for it.
  using Dispatch =
      std::function<bool(std::shared_ptr<ServerConnection> connection, ServerRequest request)>;
  static Result<std::unique_ptr<ServerLoop>> Create(Listener listener,
                                                    std::shared_ptr<const ServerContext> context,
                                                    Dispatch dispatch);

  // Until kCloseAll.
  void Run();

  // From any thread.
  size_t connections() const { return count_; }
  uint64_t accepted() const { return accepted_; }

 private:
  using Connection = std::shared_ptr<ServerConnection>;
  ServerLoop(Listener listener, std::shared_ptr<const ServerContext> context, Dispatch dispatch)
      : listener_(std::move(listener)),
        context_(std::move(context)),
        dispatch_(std::move(dispatch)) {}

  void Accept();
  // Makes room for one more connection; false when every one is busy.
  bool EvictIdle();
  void AcceptWhenPossible(bool accept);
  void Add(UniqueFd fd);
  void OnEvent(const Connection& connection, uint32_t events);
  void OnCommand(const LoopCommand& command);
  void OnDeadline(const Connection& connection);
  void BeginStop();

  void ReadMore(const Connection& connection);
  // Goes on with what was read, up to a whole request.
  void Advance(const Connection& connection);
  // One step of it; false when more must be read, or nothing is to be read now.
  bool ReadHeadStep(const Connection& connection);
  bool ReadBodyStep(const Connection& connection);
  Result<void> AppendBody(ServerConnection& connection, std::string_view bytes);
  void BeginBody(const Connection& connection);
  void SendContinue(ServerConnection& connection);
  void DispatchRequest(const Connection& connection);

  // Answers what is no request, and ends the connection.
  void Reject(const Connection& connection, int status, std::string_view message);
  void WriteMore(const Connection& connection);
  void AwaitFlush(const Connection& connection, bool progress);
  void Finish(const Connection& connection);
  void NextRequest(const Connection& connection);
  void Linger(const Connection& connection);
  void Discard(const Connection& connection);
  void Close(const Connection& connection);
  void ForgetBody(ServerConnection& connection);

  void SetInterest(ServerConnection& connection, uint32_t events);
  void SetDeadline(ServerConnection& connection, std::optional<Clock::time_point> deadline);
  int MillisecondsToDeadline() const;
  void RunDeadlines();

  std::optional<Listener> listener_;
  const std::shared_ptr<const ServerContext> context_;
  const Dispatch dispatch_;
  UniqueFd epoll_;
  std::unordered_map<uint64_t, Connection> connections_;
  std::set<std::pair<Clock::time_point, uint64_t>> deadlines_;
  std::optional<Clock::time_point> accept_again_;  // while no descriptor is free
  UniqueFd waiting_;                               // accepted while there were too many connections
  bool accepting_ = false;
  bool stopping_ = false;
  bool done_ = false;
  uint64_t next_id_ = 2;
  size_t buffered_ = 0;  // of bodies
  std::atomic<size_t> count_ = 0;
  std::atomic<uint64_t> accepted_ = 0;
};

}  // namespace podium::http
