// The loop's door: who comes in, to which loop, and who must go for them.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "http/http2_session.h"
#include "http/server_loop.h"
#include "http/tls_transport.h"

namespace podium::http {
namespace {

using Phase = ServerConnection::Phase;

constexpr int kHandshakesInATurn = 4;

// "10.0.0.1:4711", as Go writes addresses.
std::string AddressOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto* four = reinterpret_cast<const sockaddr_in*>(&address);
    inet_ntop(AF_INET, &four->sin_addr, text.data(), text.size());
    return std::string(text.data()) + ":" + std::to_string(ntohs(four->sin_port));
  }
  const auto* six = reinterpret_cast<const sockaddr_in6*>(&address);
  inet_ntop(AF_INET6, &six->sin6_addr, text.data(), text.size());
  return "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(six->sin6_port));
}

// Answers go out at once; a peer that has gone without a word is found within two minutes, as Go's
// servers do it; and what the kernel holds for a client that does not read stays small.
void TuneTcp(int fd) {
  const auto set = [fd](int level, int name, int value) {
    setsockopt(fd, level, name, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set(IPPROTO_TCP, TCP_NOTSENT_LOWAT, 128 << 10);
}

}  // namespace

Result<void> ServerLoop::AcceptFor(std::vector<Endpoint> endpoints,
                                   const std::vector<std::unique_ptr<ServerLoop>>& all) {
  endpoints_ = std::move(endpoints);
  all_ = &all;
  const size_t share = (context_->options.max_connections + all.size() - 1) / all.size();
  for (const auto& loop : all) {
    loop->acceptor_ = this;
    loop->max_connections_ = share;
    loop->all_ = &all;
    for (const Endpoint& endpoint : endpoints_) {
      loop->tls_.push_back(endpoint.tls);
      loop->plain_http2_.push_back(endpoint.plain_http2);
    }
  }
  AcceptWhenPossible();
  return {};
}

void ServerLoop::AcceptWhenPossible() {
  const bool accept = !stopping_ && holding_ == 0 && !accept_again_;
  if (accept == accepting_) return;
  for (size_t i = 0; i < endpoints_.size(); ++i) {
    epoll_event event{EPOLLIN, {.u64 = 1 + i}};
    epoll_ctl(epoll_.get(), accept ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, endpoints_[i].listener.fd(),
              &event);
  }
  accepting_ = accept;
}

ServerLoop& ServerLoop::LeastLoaded() {
  return **std::ranges::min_element(
      *all_, {}, [](const auto& loop) { return loop->given_.load(std::memory_order_relaxed); });
}

void ServerLoop::Accept(size_t endpoint) {
  // A few at a time, so that connections that are open get their turn.
  for (int i = 0; i < 64 && accepting_; ++i) {
    UniqueFd fd(accept4(endpoints_[endpoint].listener.fd(), nullptr, nullptr,
                        SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd) {
      ServerLoop& target = LeastLoaded();
      ++target.given_;
      if (&target == this) {
        Offer(endpoint, std::move(fd));
      } else {
        target.inbox_->Post({LoopCommand::Kind::kAdd, 0, std::move(fd), endpoint});
      }
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      // No descriptor or memory is free: the connection stays in the backlog, and would keep us
      // awake.
      accept_again_ = Clock::now() + std::chrono::milliseconds(100);
      AcceptWhenPossible();
    }
    return;
  }
}

void ServerLoop::Offer(size_t endpoint, UniqueFd fd) {
  if (stopping_) return;
  if (waiting_.empty() && (connections_.size() < max_connections_ || EvictIdle())) {
    Add(endpoint, std::move(fd));
    return;
  }
  waiting_.emplace_back(endpoint, std::move(fd));
  if (waiting_.size() > 1) return;
  if (acceptor_ == this) {
    ++holding_;
    AcceptWhenPossible();
  } else {
    acceptor_->Post(LoopCommand::Kind::kHeld);
  }
}

void ServerLoop::AddWaiting() {
  if (waiting_.empty() || stopping_) return;
  while (!waiting_.empty() && connections_.size() < max_connections_) {
    auto [endpoint, fd] = std::move(waiting_.front());
    waiting_.pop_front();
    Add(endpoint, std::move(fd));
  }
  if (!waiting_.empty()) return;
  if (acceptor_ == this) {
    --holding_;
    AcceptWhenPossible();
  } else {
    acceptor_->Post(LoopCommand::Kind::kRoom);
  }
}

bool ServerLoop::EvictIdle() {
  for (auto entry = alarms_.begin(); entry != alarms_.end();) {
    const Connection connection = connections_.at(entry->second);
    ++entry;
    if (connection->alarm != connection->deadline) {
      // Its time was put off since: it comes again where it belongs.
      SetAlarm(*connection, connection->deadline);
      continue;
    }
    // Not one that is just beginning: it has the time of a head to show what it wants.
    const bool idle =
        connection->phase == Phase::kHttp2
            ? connection->idle && connection->http2->used()
            : connection->phase == Phase::kHead && connection->used && connection->in.empty();
    if (!idle) continue;
    Close(connection);
    return true;
  }
  return false;
}

Result<std::shared_ptr<RemoteEnd>> ServerLoop::Meet(size_t endpoint, int fd) const {
  auto remote = std::make_shared<RemoteEnd>();
  remote->endpoint = endpoint;
  int family = 0;
  socklen_t size = sizeof family;
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0) {
    return Error::FromErrno(errno, "a socket's domain");
  }
  if (family != AF_UNIX) {
    TuneTcp(fd);
    remote->address = AddressOf(fd);
    return remote;
  }
  ucred credentials{};
  size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return Error::FromErrno(errno, "a peer's credentials");
  }
  remote->credentials = {credentials.pid, credentials.uid, credentials.gid};
  return remote;
}

void ServerLoop::Add(size_t endpoint, UniqueFd fd) {
  auto remote = Meet(endpoint, fd.get());
  auto transport = SocketTransport(std::move(fd));
  if (!remote.ok() || !transport.ok()) {
    --given_;
    return;
  }
  auto connection = std::make_shared<ServerConnection>();
  if (!tls_[endpoint]) {
    connection->transport = *std::move(transport);
  } else {
    auto tls = tls_[endpoint]->Accept(*std::move(transport));
    if (!tls.ok()) {
      --given_;
      return;
    }
    connection->tls = tls->get();
    connection->transport = *std::move(tls);
    connection->phase = Phase::kHandshake;
  }
  connection->id = next_id_++;
  connection->epoll = epoll_.get();
  connection->inbox = inbox_;
  connection->remote = *std::move(remote);
  connection->polled = false;
  connections_.emplace(connection->id, connection);
  count_ = connections_.size();
  ++accepted_;
  SetInterest(*connection, EPOLLIN | EPOLLRDHUP);
  SetDeadline(*connection, Clock::now() + (connection->tls ? context_->options.handshake_timeout
                                                           : context_->options.head_timeout));
  if (!connection->tls && plain_http2_[endpoint]) BeginHttp2(connection);
}

void ServerLoop::ShakeHands(const Connection& connection) {
  // Each takes a fifth of a millisecond, which those who are in wait for; the rest is still there
  // in the next turn.
  if (++handshakes_ > kHandshakesInATurn) return;
  auto progress = connection->tls->TryHandshake();
  if (!progress.ok() || progress->end) {
    RefuseHandshake(connection);
    return;
  }
  if (progress->wait != 0) {
    SetInterest(*connection,
                EPOLLRDHUP | (progress->wait == POLLOUT ? uint32_t{EPOLLOUT} : uint32_t{EPOLLIN}));
    return;
  }
  TlsTransport& tls = *std::exchange(connection->tls, nullptr);
  connection->remote->tls = true;
  connection->remote->certificates = PeerCertificates(tls);
  connection->phase = Phase::kHead;
  SetInterest(*connection, EPOLLIN | EPOLLRDHUP);
  SetDeadline(*connection, Clock::now() + context_->options.head_timeout);
  if (ChoseHttp2(tls)) {
    BeginHttp2(connection);
    return;
  }
  // The request may have come with the end of the handshake.
  if (tls.Buffered()) Again(*connection);
}

// Who speaks plain HTTP is told what is wrong, as Go's servers do it.
void ServerLoop::RefuseHandshake(const Connection& connection) {
  if (connection->tls->SawPlainHttp()) {
    (void)connection->tls->below().TryWrite(
        "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
  }
  Close(connection);
}

}  // namespace podium::http
