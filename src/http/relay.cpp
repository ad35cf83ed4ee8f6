#include "http/relay.h"

#include <poll.h>

#include <array>
#include <optional>
#include <utility>

namespace podium::http {
namespace {

constexpr size_t kReadSize = size_t{32} << 10;
// A side is read from while less than this waits for the other one, and less than that for itself:
// answers to its pings, for one.
constexpr size_t kBuffer = size_t{64} << 10;
constexpr size_t kMostOwn = size_t{256} << 10;
// In one turn, so that a fast pair does not keep the others waiting.
constexpr size_t kTurn = size_t{512} << 10;

class Relaying : public std::enable_shared_from_this<Relaying> {
 public:
  Relaying(std::shared_ptr<Poller> poller, SpliceSide client, SpliceSide server,
           std::unique_ptr<Translation> translation, std::function<void()> done)
      : poller_(std::move(poller)),
        client_{.transport = std::move(client.transport)},
        server_{.transport = std::move(server.transport)},
        translation_(std::move(translation)),
        done_(std::move(done)) {
    if (!client.first.empty()) translation_->FromClient(client.first);
    if (!server.first.empty()) translation_->FromServer(server.first);
  }

  void Begin() {
    for (Side* side : {&client_, &server_}) {
      if (!side->transport) continue;
      side->wait = std::make_unique<PolledFd>(*poller_, side->transport->fd(),
                                              [self = shared_from_this(), side](bool timed_out) {
                                                if (!timed_out && side->armed == 0) {
                                                  return self->HungUp(*side);
                                                }
                                                self->Turn(timed_out);
                                              });
    }
    poller_->Post([self = shared_from_this()] { self->Turn(false); });
  }

 private:
  struct Side {
    std::unique_ptr<Transport> transport;
    std::unique_ptr<PolledFd> wait{};  // goes before the transport
    short events = 0;                  // that are to be waited for
    short armed = 0;                   // that are, since the last turn that waits
    std::string out{};
    size_t sent = 0;      // of `out`
    bool ended = false;   // nothing more comes
    bool closed = false;  // it knows that nothing more goes to it
    bool broken = false;  // it takes nothing more
    bool hung_up = false;
    size_t waiting(const std::string& more) const { return more.size() + out.size() - sent; }
  };

  // Nothing was asked of it: it is gone, in both directions. What a server sent before is still to
  // be read, when the client has room for it.
  void HungUp(Side& side) {
    if (&side == &client_) return Close();
    side.hung_up = true;
  }

  void Turn(bool timed_out) {
    if (over_) return;
    moved_ = again_ = false;
    if (!Step()) return Close();
    if (again_) {
      // After the others.
      poller_->Post([self = shared_from_this()] { self->Turn(false); });
      return;
    }
    if (!translation_->done) {
      deadline_.reset();
    } else if (moved_ || !deadline_) {
      deadline_ = Clock::now() + kSpliceLinger;
    } else if (timed_out && Clock::now() >= *deadline_) {
      return Close();
    }
    for (Side* side : {&client_, &server_}) {
      if (!side->wait || (side->hung_up && side->events == 0)) continue;
      side->armed = side->events;
      side->wait->Arm(side->events, deadline_);
    }
  }

  // What goes now; false at the end.
  bool Step() {
    for (size_t turn = 0; turn < kTurn;) {
      client_.events = server_.events = 0;
      size_t moved = 0;
      if (!Read(client_, &moved) || !Read(server_, &moved)) return false;
      if (!Write(client_, &translation_->to_client, &moved)) return false;
      Write(server_, &translation_->to_server, &moved);
      if (moved == 0) return !translation_->done || Leave();
      moved_ = true;
      turn += moved;
    }
    return again_ = true;
  }

  bool MayRead(const Side& from) const {
    if (!from.transport || from.ended) return false;
    const size_t client = client_.waiting(translation_->to_client);
    const size_t server = server_.waiting(translation_->to_server);
    return &from == &client_ ? server < kBuffer && client < kMostOwn
                             : client < kBuffer && server < kMostOwn;
  }
  bool Read(Side& from, size_t* moved) {
    if (!MayRead(from)) return true;
    std::array<char, kReadSize> buffer;
    auto progress = from.transport->TryRead(buffer);
    if (!progress.ok()) {
      // What a server said before it broke is to be told.
      if (&from == &client_) return false;
      progress = Progress{.end = true};
    }
    if (progress->wait != 0) {
      from.events = static_cast<short>(from.events | progress->wait);
      return true;
    }
    *moved += progress->bytes;
    if (progress->end) {
      *moved += 1;
      from.ended = true;
      if (&from == &client_) return translation_->done;
      translation_->ServerEnded();
    } else if (!translation_->done) {
      const std::string_view bytes(buffer.data(), progress->bytes);
      &from == &client_ ? translation_->FromClient(bytes) : translation_->FromServer(bytes);
    }
    return true;
  }

  // False when it takes nothing more.
  bool Write(Side& to, std::string* more, size_t* moved) {
    if (!to.transport) return true;
    while (!to.broken) {
      if (to.sent == to.out.size()) {
        // A thousand that are idle hold no buffers.
        to.out = std::exchange(*more, {});
        to.sent = 0;
      }
      if (to.out.empty()) return true;
      auto progress = to.transport->TryWrite(std::string_view(to.out).substr(to.sent));
      if (!progress.ok()) {
        to.broken = true;
        break;
      }
      to.sent += progress->bytes;
      *moved += progress->bytes;
      if (progress->wait == 0) continue;
      to.events = static_cast<short>(to.events | progress->wait);
      return true;
    }
    to.out.clear();
    to.sent = 0;
    more->clear();
    return false;
  }

  // When all is said: this side closes, and then the client, or its bytes on the way would be met
  // by a reset, which may overtake what was sent.
  bool Leave() {
    if (client_.waiting(translation_->to_client) > 0) return true;
    if (server_.waiting(translation_->to_server) > 0) return true;
    server_.wait.reset();
    server_.transport.reset();
    if (client_.ended) return false;
    if (client_.closed) return true;
    auto progress = client_.transport->TryCloseWrite();
    if (!progress.ok()) return false;
    client_.closed = progress->wait == 0;
    client_.events = static_cast<short>(client_.events | POLLIN | progress->wait);
    return true;
  }

  void Close() {
    if (std::exchange(over_, true)) return;
    for (Side* side : {&client_, &server_}) {
      side->wait.reset();
      side->transport.reset();
    }
    translation_.reset();
    if (done_) std::exchange(done_, nullptr)();
  }

  const std::shared_ptr<Poller> poller_;
  Side client_;
  Side server_;
  std::unique_ptr<Translation> translation_;
  std::function<void()> done_;
  std::optional<Clock::time_point> deadline_{};
  bool moved_ = false;
  bool again_ = false;
  bool over_ = false;
};

}  // namespace

void Relay(const std::shared_ptr<Poller>& poller, SpliceSide client, SpliceSide server,
           std::unique_ptr<Translation> translation, std::function<void()> done) {
  std::make_shared<Relaying>(poller, std::move(client), std::move(server), std::move(translation),
                             std::move(done))
      ->Begin();
}

}  // namespace podium::http
