#include "http/splice.h"

#include <poll.h>

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace podium::http {
namespace {

constexpr size_t kBuffer = size_t{64} << 10;
// In one turn, so that a fast pair does not keep the others waiting.
constexpr size_t kTurn = size_t{512} << 10;

class Splicing : public std::enable_shared_from_this<Splicing> {
 public:
  Splicing(std::shared_ptr<Poller> poller, SpliceSide a, SpliceSide b, std::function<void()> done)
      : poller_(std::move(poller)),
        sides_{Side{.transport = std::move(a.transport)},
               Side{.transport = std::move(b.transport)}},
        ways_{Way{.from = 0, .to = 1, .bytes = std::move(a.first)},
              Way{.from = 1, .to = 0, .bytes = std::move(b.first)}},
        done_(std::move(done)) {}

  void Begin() {
    for (Side& side : sides_) {
      side.wait = std::make_unique<PolledFd>(*poller_, side.transport->fd(),
                                             [self = shared_from_this(), &side](bool timed_out) {
                                               // Nothing was asked of it: it is gone, in both
                                               // directions.
                                               if (!timed_out && side.armed == 0)
                                                 return self->Close();
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
  };
  struct Way {
    size_t from = 0;
    size_t to = 0;
    std::string bytes;
    size_t begin = 0;
    bool ended = false;   // nothing more comes
    bool closed = false;  // and who it goes to knows
  };

  void Turn(bool timed_out) {
    if (over_) return;
    for (Side& side : sides_) side.events = 0;
    bool moved = false;
    bool again = false;
    for (Way& way : ways_) {
      if (!Move(way, &moved, &again)) return Close();
    }
    if (ways_[0].closed && ways_[1].closed) return Close();
    const bool lingers = ways_[0].ended || ways_[1].ended;
    if (!lingers) {
      deadline_.reset();
    } else if (moved || !deadline_) {
      deadline_ = Clock::now() + kSpliceLinger;
    } else if (timed_out && Clock::now() >= *deadline_) {
      return Close();
    }
    if (again) {
      // After the others.
      poller_->Post([self = shared_from_this()] { self->Turn(false); });
      return;
    }
    // A side that is not waited for still tells of an error. Armed last: this may be called again
    // from then on only by the same thread, later.
    for (Side& side : sides_) {
      side.armed = side.events;
      side.wait->Arm(side.events, deadline_);
    }
  }

  // What goes in one direction now; false when one of both is broken.
  bool Move(Way& way, bool* moved, bool* again) {
    Transport& from = *sides_[way.from].transport;
    size_t turn = 0;
    while (true) {
      if (!Write(way, moved)) return false;
      if (way.begin < way.bytes.size()) return true;  // waits to be taken
      if (way.ended) return EndWay(way);
      if (turn >= kTurn) return *again = true;
      std::array<char, kBuffer> buffer;
      auto progress = from.TryRead(buffer);
      if (!progress.ok()) return false;
      if (progress->wait != 0) {
        sides_[way.from].events = static_cast<short>(sides_[way.from].events | progress->wait);
        return true;
      }
      *moved = true;
      way.ended = progress->end;
      turn += progress->bytes;
      way.bytes.assign(buffer.data(), progress->bytes);
      way.begin = 0;
    }
  }
  bool Write(Way& way, bool* moved) {
    Side& to = sides_[way.to];
    while (way.begin < way.bytes.size()) {
      auto progress = to.transport->TryWrite(std::string_view(way.bytes).substr(way.begin));
      if (!progress.ok()) return false;
      way.begin += progress->bytes;
      *moved = *moved || progress->bytes > 0;
      if (progress->wait != 0) {
        to.events = static_cast<short>(to.events | progress->wait);
        return true;
      }
    }
    // A thousand pairs that are idle hold no buffers.
    std::string().swap(way.bytes);
    way.begin = 0;
    return true;
  }
  bool EndWay(Way& way) {
    if (way.closed) return true;
    Side& to = sides_[way.to];
    auto progress = to.transport->TryCloseWrite();
    if (!progress.ok()) return false;
    way.closed = progress->wait == 0;
    if (!way.closed) to.events = static_cast<short>(to.events | progress->wait);
    return true;
  }

  void Close() {
    if (std::exchange(over_, true)) return;
    for (Side& side : sides_) {
      side.wait.reset();
      side.transport.reset();
    }
    for (Way& way : ways_) std::string().swap(way.bytes);
    if (done_) std::exchange(done_, nullptr)();
  }

  const std::shared_ptr<Poller> poller_;
  std::array<Side, 2> sides_;
  std::array<Way, 2> ways_;
  std::function<void()> done_;
  std::optional<Clock::time_point> deadline_{};
  bool over_ = false;
};

}  // namespace

void Splice(const std::shared_ptr<Poller>& poller, SpliceSide a, SpliceSide b,
            std::function<void()> done) {
  std::make_shared<Splicing>(poller, std::move(a), std::move(b), std::move(done))->Begin();
}

}  // namespace podium::http
