// The loop's part in connections of HTTP/2: bytes to and from their sessions, and their time.
#include <sys/epoll.h>

#include <array>

#include "http/http2_session.h"
#include "http/server_loop.h"

namespace podium::http {
namespace {

using Phase = ServerConnection::Phase;

// What one connection reads, and writes, before others have their turn.
constexpr int kReadsInATurn = 4;
constexpr size_t kTurn = size_t{256} << 10;
// Into how many parts the write timeout is cut, to see who is slow.
constexpr int kLooks = 4;

}  // namespace

void ServerLoop::BeginHttp2(const Connection& connection) {
  connection->remote->http2 = true;
  auto session = Http2Session::Create(context_, run_, *connection);
  if (!session.ok()) {
    Close(connection);
    return;
  }
  connection->http2 = *std::move(session);
  connection->phase = Phase::kHttp2;
  connection->idle = true;
  ReadHttp2(connection);
}

void ServerLoop::ReadHttp2(const Connection& connection) {
  std::array<char, 65536> buffer;
  for (int reads = 0; reads < kReadsInATurn; ++reads) {
    auto progress = connection->transport->TryRead(buffer);
    if (!progress.ok() || progress->end) {
      Close(connection);
      return;
    }
    if (progress->wait != 0) break;
    if (!connection->http2->Receive({buffer.data(), progress->bytes})) {
      Close(connection);
      return;
    }
    if (!connection->transport->Buffered()) break;
    if (reads == kReadsInATurn - 1) Again(*connection);
  }
  WriteHttp2(connection);
}

void ServerLoop::WriteHttp2(const Connection& connection) {
  std::string& out = connection->out;
  for (size_t written = 0; written < kTurn;) {
    bool broken = false;
    {
      const std::lock_guard lock(connection->mutex);
      connection->FlushLocked();
      broken = connection->broken || !connection->transport;
    }
    if (broken) {
      Close(connection);
      return;
    }
    if (!out.empty()) {
      // Nothing is read from who does not read: our answers to that would pile up.
      if (!connection->blocked) connection->blocked = Clock::now();
      SetInterest(*connection, EPOLLOUT | EPOLLRDHUP);
      WaitInHttp2(*connection);
      return;
    }
    connection->blocked.reset();
    connection->http2->Produce(&out);
    if (out.empty()) {
      if (connection->http2->Done()) {
        EndHttp2(connection);
        return;
      }
      {
        const std::lock_guard lock(connection->mutex);
        connection->ShrinkLocked();
      }
      SetInterest(*connection, EPOLLIN | EPOLLRDHUP);
      WaitInHttp2(*connection);
      return;
    }
    written += out.size();
  }
  Again(*connection);
  WaitInHttp2(*connection);
}

void ServerLoop::EndHttp2(const Connection& connection) {
  connection->http2.reset();
  Linger(connection);
}

void ServerLoop::WaitInHttp2(ServerConnection& connection) {
  const Http2Session& session = *connection.http2;
  if (session.streams() > 0 || connection.blocked) {
    if (!connection.idle && connection.deadline) return;
    connection.idle = false;
    SetDeadline(connection, Clock::now() + context_->options.write_timeout / kLooks);
  } else if (session.used() && !connection.idle) {
    connection.idle = true;
    SetDeadline(connection, Clock::now() + context_->options.idle_timeout);
  }
}

void ServerLoop::OnHttp2Deadline(const Connection& connection) {
  const Clock::time_point now = Clock::now();
  if (connection->blocked && now - *connection->blocked > context_->options.write_timeout) {
    Close(connection);
    return;
  }
  if (connection->idle) {
    // Says so, and goes.
    connection->http2->BeginStop();
  } else {
    connection->http2->Sweep(now);
  }
  WriteHttp2(connection);
}

}  // namespace podium::http
