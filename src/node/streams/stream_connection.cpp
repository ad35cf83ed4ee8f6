#include "node/streams/stream_connection.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

namespace podium::node {
namespace {

constexpr size_t kPiece = size_t{32} << 10;
// Read in one turn, so that a fast client does not keep the others waiting.
constexpr size_t kTurn = size_t{256} << 10;
// Of what is to be sent: beyond, nobody gives more.
constexpr size_t kRoom = size_t{128} << 10;
// Beyond this the client is not read from either: it asks for answers (pings) and takes none.
constexpr size_t kMost = 2 * kRoom;

}  // namespace

StreamConnection::StreamConnection(std::shared_ptr<http::Poller> poller,
                                   http::Exchange::Taken client, std::string answer,
                                   std::unique_ptr<StreamCarrier> carrier, StreamTimes times)
    : poller_(std::move(poller)),
      client_(std::move(client.transport)),
      in_(std::move(client.rest)),
      out_(std::move(answer)),
      carrier_(std::move(carrier)),
      times_(times) {}

void StreamConnection::Begin(std::shared_ptr<StreamHandler> handler,
                             std::function<void()> started) {
  poller_->Post([self = shared_from_this(), handler = std::move(handler),
                 started = std::move(started)]() mutable {
    self->handler_ = std::move(handler);
    self->wait_ = std::make_unique<http::PolledFd>(*self->poller_, self->client_->fd(),
                                                   [self](bool timed_out) {
                                                     // Nothing was asked of it: it is broken, in
                                                     // both directions.
                                                     if (!timed_out && self->armed_ == 0)
                                                       return self->Close();
                                                     self->Turn(timed_out);
                                                   });
    started();
    self->Turn(false);
  });
}

size_t StreamConnection::Unsent() const { return out_.size() - sent_ + carrier_->output().size(); }

bool StreamConnection::HasRoom() {
  const bool room = Unsent() < kRoom;
  starved_ = starved_ || !room;
  return room;
}

void StreamConnection::Turn(bool timed_out) {
  if (turning_ || !handler_) return;
  turning_ = true;
  const auto handler = handler_;
  const auto now = http::Clock::now();
  if (timed_out && now >= moved_ + times_.idle) closing_ = true;
  if (const auto deadline = handler->Deadline(); deadline && now >= *deadline) {
    handler->OnDeadline();
  }
  bool again = false;
  events_ = 0;
  bool open = Write();
  if (open && starved_ && Unsent() < kRoom) {
    starved_ = false;
    handler->OnRoom();
    open = Write();
  }
  open = open && !closing_ && Read(&again) && Write();
  turning_ = false;
  // All was sent at once: nothing else would call those who had no room before.
  again = again || (starved_ && Unsent() < kRoom);
  if (!open || closing_) return Close();
  if (again) {
    // After the others.
    return poller_->Post([self = shared_from_this()] { self->Turn(false); });
  }
  Arm();
}

bool StreamConnection::Read(bool* again) {
  for (size_t turn = 0; handler_->WantsInput() && Unsent() < kMost && !closing_;) {
    std::array<char, kPiece> buffer;
    std::string_view bytes;
    std::string first = std::exchange(in_, {});
    if (!first.empty()) {
      bytes = first;
    } else {
      if (turn >= kTurn) return *again = true;
      auto progress = client_->TryRead(buffer);
      if (!progress.ok() || progress->end) return false;
      if (progress->wait != 0) {
        events_ = static_cast<short>(events_ | progress->wait);
        return true;
      }
      bytes = {buffer.data(), progress->bytes};
    }
    turn += bytes.size();
    moved_ = http::Clock::now();
    if (!carrier_->Receive(bytes, *handler_).ok()) {
      (void)Write();
      return false;
    }
    if (!Write()) return false;
  }
  return true;
}

bool StreamConnection::Write() {
  while (true) {
    std::string& made = carrier_->output();
    if (sent_ == out_.size()) {
      out_ = std::exchange(made, {});
      sent_ = 0;
    } else {
      out_ += std::exchange(made, {});
    }
    if (out_.empty()) return true;
    auto progress = client_->TryWrite(std::string_view(out_).substr(sent_));
    if (!progress.ok()) return false;
    sent_ += progress->bytes;
    if (progress->bytes > 0) moved_ = http::Clock::now();
    if (progress->wait != 0) {
      out_.erase(0, std::exchange(sent_, 0));
      events_ = static_cast<short>(events_ | progress->wait);
      return true;
    }
    if (sent_ == out_.size()) {
      // A thousand that are idle hold no buffers.
      std::string().swap(out_);
      sent_ = 0;
    }
  }
}

void StreamConnection::Arm() {
  auto until = moved_ + times_.idle;
  if (const auto deadline = handler_->Deadline()) until = std::min(until, *deadline);
  armed_ = events_;
  wait_->Arm(events_, until);
}

void StreamConnection::Close() {
  // Not begun, or amid a turn.
  if (!handler_ || turning_) {
    closing_ = true;
    return;
  }
  const auto handler = std::exchange(handler_, nullptr);
  (void)Write();
  (void)client_->TryCloseWrite();
  wait_.reset();
  client_.reset();
  handler->OnClosed();
}

}  // namespace podium::node
