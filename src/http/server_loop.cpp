#include "http/server_loop.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace podium::http {
namespace {

using Kind = LoopCommand::Kind;
using Phase = ServerConnection::Phase;

// What events of the epoll set belong to; connections are numbered from 2.
constexpr uint64_t kInbox = 0;
constexpr uint64_t kListener = 1;

// After the last answer: how long, and for how many bytes, the client may still be sending.
constexpr auto kLingerTime = std::chrono::seconds(1);
constexpr size_t kLingerBytes = size_t{1} << 20;
// The slowest that a client may take a finished answer, in bytes a second.
constexpr size_t kSlowestRead = size_t{16} << 10;

}  // namespace

Result<std::unique_ptr<ServerLoop>> ServerLoop::Create(Listener listener,
                                                       std::shared_ptr<const ServerContext> context,
                                                       Dispatch dispatch) {
  auto loop = std::unique_ptr<ServerLoop>(
      new ServerLoop(std::move(listener), std::move(context), std::move(dispatch)));
  loop->epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{EPOLLIN, {.u64 = kInbox}};
  if (!loop->epoll_ ||
      epoll_ctl(loop->epoll_.get(), EPOLL_CTL_ADD, loop->context_->inbox->fd(), &event) != 0) {
    return Error::FromErrno(errno, "epoll");
  }
  loop->AcceptWhenPossible(true);
  return loop;
}

void ServerLoop::Run() {
  std::array<epoll_event, 256> events;
  while (!done_) {
    const int count =
        epoll_wait(epoll_.get(), events.data(), events.size(), MillisecondsToDeadline());
    for (int i = 0; i < count; ++i) {
      const uint64_t id = events[static_cast<size_t>(i)].data.u64;
      if (id == kInbox) {
        for (const LoopCommand& command : context_->inbox->Take()) OnCommand(command);
      } else if (id == kListener) {
        Accept();
      } else if (const auto found = connections_.find(id); found != connections_.end()) {
        OnEvent(Connection(found->second), events[static_cast<size_t>(i)].events);
      }
    }
    RunDeadlines();
  }
}

int ServerLoop::MillisecondsToDeadline() const {
  std::optional<Clock::time_point> next = accept_again_;
  if (!deadlines_.empty()) {
    next = std::min(next.value_or(Clock::time_point::max()), deadlines_.begin()->first);
  }
  if (!next) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30));
}

void ServerLoop::RunDeadlines() {
  const Clock::time_point now = Clock::now();
  if (accept_again_ && *accept_again_ <= now) {
    accept_again_.reset();
    AcceptWhenPossible(true);
  }
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const Connection connection = connections_.at(deadlines_.begin()->second);
    SetDeadline(*connection, std::nullopt);
    OnDeadline(connection);
  }
}

void ServerLoop::SetDeadline(ServerConnection& connection,
                             std::optional<Clock::time_point> deadline) {
  if (connection.has_deadline) deadlines_.erase({connection.deadline, connection.id});
  connection.has_deadline = deadline.has_value();
  if (!deadline) return;
  connection.deadline = *deadline;
  deadlines_.emplace(*deadline, connection.id);
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

void ServerLoop::AcceptWhenPossible(bool accept) {
  if (!listener_ || accept == accepting_) return;
  epoll_event event{EPOLLIN, {.u64 = kListener}};
  epoll_ctl(epoll_.get(), accept ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listener_->fd(), &event);
  accepting_ = accept;
}

void ServerLoop::Accept() {
  // A few at a time, so that connections that are open get their turn.
  for (int i = 0; i < 64 && listener_; ++i) {
    UniqueFd fd(accept4(listener_->fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd && connections_.size() >= context_->options.max_connections && !EvictIdle()) {
      waiting_ = std::move(fd);
      AcceptWhenPossible(false);
      return;
    }
    if (fd) {
      Add(std::move(fd));
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      // No descriptor or memory is free: the connection stays in the backlog, and would keep us
      // awake.
      AcceptWhenPossible(false);
      accept_again_ = Clock::now() + std::chrono::milliseconds(100);
    }
    return;
  }
}

bool ServerLoop::EvictIdle() {
  for (const auto& [deadline, id] : deadlines_) {
    const Connection connection = connections_.at(id);
    // Not one that is just beginning: it has the time of a head to show what it wants.
    if (connection->phase != Phase::kHead || !connection->used || !connection->in.empty()) continue;
    Close(connection);
    return true;
  }
  return false;
}

void ServerLoop::Add(UniqueFd fd) {
  auto connection = std::make_shared<ServerConnection>();
  connection->id = next_id_++;
  connection->epoll = epoll_.get();
  if (listener_->is_unix()) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return;
    connection->peer = {credentials.pid, credentials.uid, credentials.gid};
  }
  auto transport = SocketTransport(std::move(fd));
  if (!transport.ok()) return;
  connection->transport = *std::move(transport);
  connection->polled = false;
  connections_.emplace(connection->id, connection);
  count_ = connections_.size();
  ++accepted_;
  SetInterest(*connection, EPOLLIN);
  SetDeadline(*connection, Clock::now() + context_->options.head_timeout);
}

void ServerLoop::OnEvent(const Connection& connection, uint32_t events) {
  {
    const std::lock_guard lock(connection->mutex);
    if (connection->detached) return;
  }
  switch (connection->phase) {
    case Phase::kHead:
    case Phase::kBody:
      if (events != 0) ReadMore(connection);
      return;
    case Phase::kLingering:
      Discard(connection);
      return;
    case Phase::kHandling:
    case Phase::kEnding:
      break;
  }
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    Close(connection);
    return;
  }
  if ((events & EPOLLRDHUP) != 0) {
    // Half closed: an answer can still be taken, yet nobody follows a log like this.
    SetInterest(*connection, connection->interest & ~static_cast<uint32_t>(EPOLLRDHUP));
    connection->Cancel();
  }
  if ((events & EPOLLOUT) != 0) WriteMore(connection);
}

void ServerLoop::OnCommand(const LoopCommand& command) {
  if (command.kind == Kind::kStop) return BeginStop();
  if (command.kind == Kind::kCloseAll) {
    BeginStop();
    while (!connections_.empty()) Close(Connection(connections_.begin()->second));
    done_ = true;
    return;
  }
  const auto found = connections_.find(command.connection);
  if (found == connections_.end()) return;
  const Connection connection = found->second;
  switch (command.kind) {
    case Kind::kEnded:
      connection->phase = Phase::kEnding;
      [[fallthrough]];
    case Kind::kFlush:
      WriteMore(connection);
      return;
    case Kind::kClose:
    case Kind::kDetach:
      Close(connection);
      return;
    case Kind::kStop:
    case Kind::kCloseAll:
      return;
  }
}

void ServerLoop::BeginStop() {
  stopping_ = true;
  AcceptWhenPossible(false);
  listener_.reset();
  waiting_.reset();
  accept_again_.reset();
  std::vector<Connection> all;
  all.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) all.push_back(connection);
  for (const Connection& connection : all) {
    if (connection->phase == Phase::kHead || connection->phase == Phase::kBody) {
      Close(connection);
    } else if (connection->treatment.long_running) {
      connection->Cancel();
    }
  }
}

void ServerLoop::OnDeadline(const Connection& connection) {
  const bool begun = connection->phase == Phase::kBody ||
                     (connection->phase == Phase::kHead && !connection->in.empty());
  if (begun) {
    Reject(connection, 408, "the request did not arrive in time");
  } else {
    Close(connection);
  }
}

void ServerLoop::WriteMore(const Connection& connection) {
  bool flushed = false;
  bool broken = false;
  bool ended = false;
  bool progress = false;
  {
    const std::lock_guard lock(connection->mutex);
    const size_t before = connection->WaitingLocked();
    connection->FlushLocked();
    flushed = connection->WaitingLocked() == 0;
    progress = connection->WaitingLocked() < before;
    connection->flush_asked = !flushed;
    broken = connection->broken || !connection->transport;
    ended = connection->ended;
  }
  connection->drained.notify_all();
  if (broken) {
    Close(connection);
  } else if (!flushed) {
    AwaitFlush(connection, progress);
  } else if (ended && connection->phase != Phase::kHandling) {
    Finish(connection);
  } else {
    SetInterest(*connection, connection->interest & ~static_cast<uint32_t>(EPOLLOUT));
    SetDeadline(*connection, std::nullopt);
  }
}

void ServerLoop::AwaitFlush(const Connection& connection, bool progress) {
  const bool first = (connection->interest & EPOLLOUT) == 0;
  // What is in `interest` of a connection that is not polled no longer holds.
  SetInterest(*connection, (connection->polled ? connection->interest : 0U) | EPOLLOUT);
  if (connection->phase == Phase::kHandling) {
    if (first || progress || !connection->has_deadline) {
      SetDeadline(*connection, Clock::now() + context_->options.write_timeout);
    }
    return;
  }
  // A finished answer has one deadline: who takes a byte now and then would hold it forever.
  if (std::exchange(connection->has_last_deadline, true)) return;
  size_t waiting = 0;
  {
    const std::lock_guard lock(connection->mutex);
    waiting = connection->WaitingLocked();
  }
  SetDeadline(*connection, Clock::now() + context_->options.write_timeout +
                               std::chrono::seconds(waiting / kSlowestRead));
}

void ServerLoop::Finish(const Connection& connection) {
  ForgetBody(*connection);
  if (connection->keep_alive && !stopping_) {
    NextRequest(connection);
  } else if (connection->keep_alive) {
    // The client means to use it again, and would not close it.
    Close(connection);
  } else {
    Linger(connection);
  }
}

void ServerLoop::NextRequest(const Connection& connection) {
  {
    const std::lock_guard lock(connection->mutex);
    connection->ended = false;
    // A client that closed its side was only cancelled for the request that is over: what it sent
    // before may hold others.
    connection->cancelled = false;
  }
  connection->phase = Phase::kHead;
  connection->used = true;
  connection->searched = 0;
  connection->head = {};
  connection->has_last_deadline = false;
  SetInterest(*connection, EPOLLIN);
  SetDeadline(*connection,
              Clock::now() + (connection->in.empty() ? context_->options.idle_timeout
                                                     : context_->options.head_timeout));
  Advance(connection);
}

// Closing a socket with unread bytes resets the connection, and the reset may overtake the answer
// (RFC 9112, section 9.6).
void ServerLoop::Linger(const Connection& connection) {
  connection->phase = Phase::kLingering;
  connection->discarded = 0;
  connection->in.clear();
  {
    const std::lock_guard lock(connection->mutex);
    if (connection->transport) (void)connection->transport->TryCloseWrite();
  }
  SetInterest(*connection, EPOLLIN);
  SetDeadline(*connection, Clock::now() + kLingerTime);
}

void ServerLoop::Discard(const Connection& connection) {
  std::array<char, 16384> buffer;
  while (true) {
    auto progress = connection->transport->TryRead(buffer);
    if (progress.ok() && progress->wait != 0) return;
    if (progress.ok()) connection->discarded += progress->bytes;
    if (!progress.ok() || progress->end || connection->discarded > kLingerBytes) {
      Close(connection);
      return;
    }
  }
}

void ServerLoop::ForgetBody(ServerConnection& connection) {
  buffered_ -= std::exchange(connection.counted, 0);
  connection.body = {};
}

void ServerLoop::Close(const Connection& connection) {
  SetDeadline(*connection, std::nullopt);
  ForgetBody(*connection);
  // One that was handed over is no longer ours to break.
  bool detached = false;
  {
    const std::lock_guard lock(connection->mutex);
    detached = connection->detached;
  }
  if (!detached) connection->Break();
  connections_.erase(connection->id);
  count_ = connections_.size();
  if (waiting_ && !stopping_ && connections_.size() < context_->options.max_connections) {
    Add(std::exchange(waiting_, UniqueFd()));
    AcceptWhenPossible(true);
  }
}

}  // namespace podium::http
