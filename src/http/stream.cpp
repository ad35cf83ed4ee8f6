#include "http/stream.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace podium::http {
namespace {

class PrefixedStream : public Stream {
 public:
  PrefixedStream(std::string prefix, std::unique_ptr<Stream> stream)
      : prefix_(std::move(prefix)), stream_(std::move(stream)) {}

  Result<size_t> Read(std::span<char> buffer) override {
    if (taken_ == prefix_.size()) return stream_->Read(buffer);
    const size_t size = std::min(buffer.size(), prefix_.size() - taken_);
    std::memcpy(buffer.data(), prefix_.data() + taken_, size);
    taken_ += size;
    return size;
  }
  Result<void> Write(std::string_view bytes) override { return stream_->Write(bytes); }
  Result<void> CloseWrite() override { return stream_->CloseWrite(); }
  void Shutdown() override { stream_->Shutdown(); }
  void SetLimits(const WaitLimits& limits) override { stream_->SetLimits(limits); }
  int fd() const override { return stream_->fd(); }
  bool Buffered() const override { return taken_ < prefix_.size() || stream_->Buffered(); }

 private:
  const std::string prefix_;
  size_t taken_ = 0;
  std::unique_ptr<Stream> stream_;
};

// When the wait ends at the latest.
std::optional<Clock::time_point> EndOf(const WaitLimits& limits) {
  if (limits.idle.count() <= 0) return limits.deadline;
  const Clock::time_point idle = Clock::now() + limits.idle;
  return limits.deadline ? std::min(idle, *limits.deadline) : idle;
}

// For poll: -1 without an end, and never 0 before it.
int Milliseconds(const std::optional<Clock::time_point>& end) {
  if (!end) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*end - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30));
}

}  // namespace

Result<std::unique_ptr<Cancellation>> Cancellation::Create() {
  UniqueFd event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return Error::FromErrno(errno, "making an eventfd");
  return std::unique_ptr<Cancellation>(new Cancellation(std::move(event)));
}

void Cancellation::Cancel() { eventfd_write(event_.get(), 1); }

bool Cancellation::cancelled() const {
  pollfd event{event_.get(), POLLIN, 0};
  return poll(&event, 1, 0) == 1;
}

Result<void> WaitFor(int fd, short events, const WaitLimits& limits) {
  const std::optional<Clock::time_point> end = EndOf(limits);
  while (true) {
    pollfd polled[2] = {{fd, events, 0},
                        {limits.cancellation ? limits.cancellation->fd() : -1, POLLIN, 0}};
    const int count = poll(polled, 2, Milliseconds(end));
    if (count < 0 && errno != EINTR) return Error::FromErrno(errno, "poll");
    if (count > 0 && polled[1].revents != 0) return Error(Code::kCancelled, "cancelled");
    if (count > 0 && polled[0].revents != 0) return {};
    if (end && Clock::now() >= *end) return Error(Code::kDeadlineExceeded, "timed out");
  }
}

std::unique_ptr<Stream> WithPrefix(std::string bytes, std::unique_ptr<Stream> stream) {
  if (bytes.empty()) return stream;
  return std::make_unique<PrefixedStream>(std::move(bytes), std::move(stream));
}

}  // namespace podium::http
