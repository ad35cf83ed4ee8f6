// The loop's writing half: what is left of answers, bodies that are pulled, and what comes after.
#include <sys/epoll.h>

#include <array>
#include <charconv>

#include "http/server_exchange.h"
#include "http/server_loop.h"

namespace podium::http {
namespace {

using Phase = ServerConnection::Phase;

// After the last answer: how long, and for how many bytes, the client may still be sending.
constexpr auto kLingerTime = std::chrono::seconds(1);
constexpr size_t kLingerBytes = size_t{1} << 20;
// The slowest that a client may take a finished answer, in bytes a second.
constexpr size_t kSlowestRead = size_t{16} << 10;
// How much of a pulled body is made at once, and how much in one turn.
constexpr size_t kGathered = 60000;
constexpr size_t kTurn = size_t{256} << 10;
// "ea60\r\n": room for the size of a chunk that is not known before.
constexpr size_t kSizeDigits = 4;
constexpr std::string_view kSizeRoom = "0000\r\n";
static_assert(kGathered <= 0xFFFF);

// Puts the size into the room that was left for it, without zeros in front.
void SetChunkSize(std::string* out, size_t begin, size_t size) {
  std::array<char, kSizeDigits> digits;
  char* const end = std::to_chars(digits.data(), digits.data() + kSizeDigits, size, 16).ptr;
  out->replace(begin, kSizeDigits, digits.data(), static_cast<size_t>(end - digits.data()));
}

}  // namespace

void ServerLoop::Reject(const Connection& connection, int status, std::string_view message) {
  ServerOptions::Page page{"text/plain; charset=utf-8", std::to_string(status) + " " +
                                                            std::string(ReasonPhrase(status)) +
                                                            ": " + std::string(message) + "\n"};
  if (context_->options.error_page) page = context_->options.error_page(status, message);
  connection->phase = Phase::kEnding;
  connection->keep_alive = false;
  Result<void> appended;
  {
    const std::lock_guard lock(connection->mutex);
    appended = AppendAnswer(connection->head, status, {{"Content-Type", page.content_type}},
                            page.body, true, &connection->out);
    connection->ended = true;
  }
  if (!appended.ok()) {
    Close(connection);
    return;
  }
  WriteMore(connection);
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
  } else if (ended && connection->phase == Phase::kEnding) {
    Finish(connection);
  } else {
    SetInterest(*connection, connection->interest & ~static_cast<uint32_t>(EPOLLOUT));
    if (connection->phase == Phase::kHandling) SetDeadline(*connection, std::nullopt);
  }
}

void ServerLoop::AwaitFlush(const Connection& connection, bool progress) {
  const bool first = (connection->interest & EPOLLOUT) == 0;
  // What is in `interest` of a connection that is not polled no longer holds.
  SetInterest(*connection, (connection->polled ? connection->interest : 0U) | EPOLLOUT);
  const Clock::time_point end = Clock::now() + context_->options.write_timeout;
  switch (connection->phase) {
    case Phase::kHead:
    case Phase::kBody:
      // The time of the request runs already.
      return;
    case Phase::kHandling:
      if (first || progress || !connection->deadline) SetDeadline(*connection, end);
      return;
    case Phase::kPulling:
      // All that waits is due at once: a body without an end would otherwise be held for as long as
      // a byte is taken now and then.
      if (first || !connection->deadline) SetDeadline(*connection, end);
      return;
    default:
      break;
  }
  // A finished answer has one deadline, for the same reason.
  if (std::exchange(connection->has_last_deadline, true)) return;
  size_t waiting = 0;
  {
    const std::lock_guard lock(connection->mutex);
    waiting = connection->WaitingLocked();
  }
  SetDeadline(*connection, end + std::chrono::seconds(waiting / kSlowestRead));
}

void ServerLoop::BeginPull(const Connection& connection) {
  if (!connection->source) return;  // the client was gone before
  connection->phase = Phase::kPulling;
  connection->piece = {};
  connection->then = BodyPiece::Then::kMore;
  connection->waker = std::make_shared<BodyWaker::Target>(inbox_, connection->id);
  connection->source->Attach(BodyWaker(connection->waker));
  Pull(connection);
}

void ServerLoop::Pull(const Connection& connection) {
  for (size_t taken = 0; taken < kTurn;) {
    size_t waiting = 0;
    bool broken = false;
    {
      const std::lock_guard lock(connection->mutex);
      connection->FlushLocked();
      waiting = connection->WaitingLocked();
      broken = connection->broken || !connection->transport;
    }
    if (broken) {
      Close(connection);
      return;
    }
    if (waiting > 0) {
      AwaitFlush(connection, false);
      return;
    }
    SetDeadline(*connection, std::nullopt);
    if (connection->piece.empty() && connection->then == BodyPiece::Then::kEnd) {
      EndPull(connection);
      return;
    }
    auto filled = Fill(*connection);
    if (!filled.ok()) {
      Close(connection);
      return;
    }
    taken += *filled;
    if (*filled > 0 || connection->then == BodyPiece::Then::kEnd) continue;
    if (stopping_ && connection->treatment.long_running) {
      EndPull(connection);
      return;
    }
    // Nothing waits to be written; Wake goes on.
    {
      const std::lock_guard lock(connection->mutex);
      connection->ShrinkLocked();
    }
    SetInterest(*connection, connection->interest & ~static_cast<uint32_t>(EPOLLOUT));
    return;
  }
  Again(*connection);
}

Result<size_t> ServerLoop::Fill(ServerConnection& connection) {
  std::string& out = connection.out;
  // From here on a Wake is about what is not asked for yet.
  connection.waker->woken = false;
  if (connection.then == BodyPiece::Then::kWait) connection.then = BodyPiece::Then::kMore;
  const size_t begin = out.size();
  if (connection.chunked) out += kSizeRoom;
  const size_t data = out.size();
  while (out.size() - data < kGathered) {
    if (connection.piece.empty()) {
      if (connection.then != BodyPiece::Then::kMore) break;
      TRY(const BodyPiece next, connection.source->Next());
      connection.piece = next.bytes;
      connection.then = next.then;
      continue;
    }
    const size_t size = std::min(connection.piece.size(), kGathered - (out.size() - data));
    out += connection.piece.substr(0, size);
    connection.piece.remove_prefix(size);
  }
  const size_t filled = out.size() - data;
  if (filled == 0) {
    out.resize(begin);
  } else if (connection.chunked) {
    SetChunkSize(&out, begin, filled);
    out += "\r\n";
  }
  return filled;
}

void ServerLoop::EndPull(const Connection& connection) {
  connection->source.reset();
  connection->waker.reset();
  {
    const std::lock_guard lock(connection->mutex);
    if (connection->chunked) connection->out += kLastChunk;
    connection->ended = true;
  }
  connection->phase = Phase::kEnding;
  WriteMore(connection);
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
  bool buffered = false;
  {
    const std::lock_guard lock(connection->mutex);
    connection->ended = false;
    // A client that closed its side was only cancelled for the request that is over: what it sent
    // before may hold others.
    connection->cancelled = false;
    buffered = connection->transport && connection->transport->Buffered();
    connection->ShrinkLocked();
  }
  connection->phase = Phase::kHead;
  connection->used = true;
  connection->searched = 0;
  connection->head = {};
  connection->has_last_deadline = false;
  SetInterest(*connection, EPOLLIN | EPOLLRDHUP);
  SetDeadline(*connection,
              Clock::now() + (connection->in.empty() ? context_->options.idle_timeout
                                                     : context_->options.head_timeout));
  // Not from within: a client may have sent a thousand requests at once.
  if (connection->advancing) return;
  if (!connection->in.empty() || buffered) Again(*connection);
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
  context_->buffered -= std::exchange(connection.counted, 0);
  connection.body = {};
}

}  // namespace podium::http
