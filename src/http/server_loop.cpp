#include "http/server_loop.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "http/http2_session.h"

namespace podium::http {
namespace {

using Kind = LoopCommand::Kind;
using Phase = ServerConnection::Phase;

// What events of the epoll set belong to: the inbox, listeners from 1 on, connections from here on.
constexpr uint64_t kInbox = 0;
constexpr uint64_t kFirstConnection = uint64_t{1} << 32;

}  // namespace

Result<std::unique_ptr<ServerLoop>> ServerLoop::Create(std::shared_ptr<const ServerContext> context,
                                                       RunInThread run) {
  auto loop = std::unique_ptr<ServerLoop>(new ServerLoop(std::move(context), std::move(run)));
  loop->next_id_ = kFirstConnection;
  TRY(loop->inbox_, LoopInbox::Create());
  loop->epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{EPOLLIN | EPOLLET, {.u64 = kInbox}};
  if (!loop->epoll_ ||
      epoll_ctl(loop->epoll_.get(), EPOLL_CTL_ADD, loop->inbox_->fd(), &event) != 0) {
    return Error::FromErrno(errno, "epoll");
  }
  return loop;
}

void ServerLoop::Run() {
  inbox_->Adopt();
  std::array<epoll_event, 256> events;
  std::vector<LoopCommand> commands;
  while (!done_) {
    const bool sleep = again_.empty() && inbox_->MaySleep();
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(),
                                 sleep ? MillisecondsToDeadline() : 0);
    handshakes_ = 0;
    for (int i = 0; i < count; ++i) {
      const uint64_t id = events[static_cast<size_t>(i)].data.u64;
      if (id == kInbox) continue;
      if (id < kFirstConnection) {
        Accept(id - 1);
      } else if (const auto found = connections_.find(id); found != connections_.end()) {
        OnEvent(Connection(found->second), events[static_cast<size_t>(i)].events);
      }
    }
    inbox_->Take(&commands);
    for (LoopCommand& command : commands) OnCommand(command);
    commands.clear();
    RunAgain();
    RunDeadlines();
  }
}

void ServerLoop::Again(ServerConnection& connection) {
  if (std::exchange(connection.in_again, true)) return;
  again_.push_back(connection.id);
}

void ServerLoop::RunAgain() {
  for (const uint64_t id : std::exchange(again_, {})) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) continue;
    const Connection connection = found->second;
    connection->in_again = false;
    if (connection->phase == Phase::kPulling) {
      Pull(connection);
    } else if (connection->phase == Phase::kHttp2) {
      ReadHttp2(connection);
    } else if (connection->phase == Phase::kHead || connection->phase == Phase::kBody) {
      Advance(connection);
      ReadMore(connection);
    }
  }
}

int ServerLoop::MillisecondsToDeadline() const {
  std::optional<Clock::time_point> next = accept_again_;
  if (!alarms_.empty()) {
    next = std::min(next.value_or(Clock::time_point::max()), alarms_.begin()->first);
  }
  if (!next) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30));
}

void ServerLoop::RunDeadlines() {
  if (alarms_.empty() && !accept_again_) return;
  const Clock::time_point now = Clock::now();
  if (accept_again_ && *accept_again_ <= now) {
    accept_again_.reset();
    AcceptWhenPossible();
  }
  while (!alarms_.empty() && alarms_.begin()->first <= now) {
    const Connection connection = connections_.at(alarms_.begin()->second);
    const bool due = connection->deadline && *connection->deadline <= now;
    SetAlarm(*connection, due ? std::nullopt : connection->deadline);
    if (!due) continue;
    connection->deadline.reset();
    OnDeadline(connection);
  }
}

// Deadlines are put off with every request, so the alarm stays where it is unless it would come too
// late, and looks at the deadline when it goes off.
void ServerLoop::SetDeadline(ServerConnection& connection,
                             std::optional<Clock::time_point> deadline) {
  connection.deadline = deadline;
  if (deadline && (!connection.alarm || *deadline < *connection.alarm)) {
    SetAlarm(connection, deadline);
  }
}

void ServerLoop::SetAlarm(ServerConnection& connection, std::optional<Clock::time_point> alarm) {
  if (connection.alarm) alarms_.erase({*connection.alarm, connection.id});
  connection.alarm = alarm;
  if (alarm) alarms_.emplace(*alarm, connection.id);
}

void ServerLoop::SetInterest(ServerConnection& connection, uint32_t events) {
  if (connection.interest == events && connection.polled) return;
  const std::lock_guard lock(connection.mutex);
  if (!connection.transport) return;
  epoll_event event{events, {.u64 = connection.id}};
  epoll_ctl(epoll_.get(), connection.polled ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
            connection.transport->fd(), &event);
  connection.interest = events;
  connection.polled = true;
}

void ServerLoop::OnEvent(const Connection& connection, uint32_t events) {
  {
    const std::lock_guard lock(connection->mutex);
    if (connection->detached) return;
  }
  switch (connection->phase) {
    case Phase::kHandshake:
      ShakeHands(connection);
      return;
    case Phase::kHead:
    case Phase::kBody:
      if ((events & EPOLLOUT) != 0) WriteMore(connection);
      if ((events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) ReadMore(connection);
      return;
    case Phase::kLingering:
      Discard(connection);
      return;
    case Phase::kHttp2:
      if ((events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) {
        ReadHttp2(connection);
      } else {
        WriteHttp2(connection);
      }
      return;
    case Phase::kHandling:
    case Phase::kPulling:
    case Phase::kEnding:
      break;
  }
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    Close(connection);
    return;
  }
  // What the client sends meanwhile waits in the socket.
  uint32_t unwanted = events & EPOLLIN;
  if ((events & EPOLLRDHUP) != 0) {
    // Half closed: an answer can still be taken, yet nobody follows a log like this.
    unwanted |= EPOLLRDHUP;
    if (connection->phase == Phase::kPulling && connection->treatment.long_running) {
      Close(connection);
      return;
    }
    connection->Cancel();
  }
  if (unwanted != 0) SetInterest(*connection, connection->interest & ~unwanted);
  if ((events & EPOLLOUT) == 0) return;
  if (connection->phase == Phase::kPulling) {
    Pull(connection);
  } else {
    WriteMore(connection);
  }
}

void ServerLoop::OnCommand(LoopCommand& command) {
  switch (command.kind) {
    case Kind::kAdd:
      Offer(command.endpoint, std::move(command.fd));
      return;
    case Kind::kHeld:
      ++holding_;
      AcceptWhenPossible();
      return;
    case Kind::kRoom:
      --holding_;
      AcceptWhenPossible();
      return;
    case Kind::kStop:
      BeginStop();
      return;
    case Kind::kCloseAll:
      BeginStop();
      while (!connections_.empty()) Close(Connection(connections_.begin()->second));
      done_ = true;
      return;
    default:
      break;
  }
  const auto found = connections_.find(command.connection);
  if (found == connections_.end()) return;
  const Connection connection = found->second;
  if (!connection->http2) {
    OnConnectionCommand(connection, command.kind);
    return;
  }
  if (command.kind == Kind::kStream) connection->http2->OnStream(command.stream);
  if (command.kind == Kind::kWake) connection->http2->OnWake(command.stream);
  // What others of its streams have is written together.
  Again(*connection);
}

void ServerLoop::OnConnectionCommand(const Connection& connection, Kind kind) {
  switch (kind) {
    case Kind::kEnded:
      connection->phase = Phase::kEnding;
      [[fallthrough]];
    case Kind::kFlush:
      WriteMore(connection);
      return;
    case Kind::kPull:
      BeginPull(connection);
      return;
    case Kind::kWake:
      if (connection->phase == Phase::kPulling) Pull(connection);
      return;
    default:  // kClose, kDetach
      Close(connection);
      return;
  }
}

void ServerLoop::BeginStop() {
  stopping_ = true;
  AcceptWhenPossible();
  endpoints_.clear();
  waiting_.clear();
  accept_again_.reset();
  std::vector<Connection> all;
  all.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) all.push_back(connection);
  for (const Connection& connection : all) {
    if (connection->phase == Phase::kHandshake || connection->phase == Phase::kHead ||
        connection->phase == Phase::kBody) {
      Close(connection);
    } else if (connection->phase == Phase::kHttp2) {
      connection->http2->BeginStop();
      WriteHttp2(connection);
    } else if (connection->treatment.long_running) {
      connection->Cancel();
      // Ends at the next place where there is nothing more to send.
      if (connection->phase == Phase::kPulling) Pull(connection);
    }
  }
}

void ServerLoop::OnDeadline(const Connection& connection) {
  if (connection->phase == Phase::kHttp2) {
    OnHttp2Deadline(connection);
    return;
  }
  const bool begun = connection->phase == Phase::kBody ||
                     (connection->phase == Phase::kHead && !connection->in.empty());
  if (begun) {
    Reject(connection, 408, "the request did not arrive in time");
  } else {
    Close(connection);
  }
}

void ServerLoop::Close(const Connection& connection) {
  SetAlarm(*connection, std::nullopt);
  ForgetBody(*connection);
  // A source that was handed over already; while its handler has the exchange it is the handler's.
  if (connection->phase == Phase::kPulling) connection->source.reset();
  connection->http2.reset();
  // One that was handed over is no longer ours to break.
  bool detached = false;
  {
    const std::lock_guard lock(connection->mutex);
    detached = connection->detached;
  }
  if (!detached) connection->Break();
  connections_.erase(connection->id);
  count_ = connections_.size();
  --given_;
  AddWaiting();
}

}  // namespace podium::http
