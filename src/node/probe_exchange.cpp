#include "node/probe_exchange.h"

#include <poll.h>

#include <array>
#include <system_error>
#include <utility>

#include "base/ascii.h"
#include "http/url.h"

namespace podium::node {
namespace {

constexpr size_t kPiece = size_t{16} << 10;

// As Go's syscall.Errno says it: "connection refused".
std::string GoText(const Error& error) {
  if (error.os_errno() == 0) return error.message();
  std::string text = std::error_code(error.os_errno(), std::generic_category()).message();
  if (!text.empty()) text[0] = ToLower(text[0]);
  return text;
}

}  // namespace

void ProbeExchange::Begin(const std::shared_ptr<ProbeExchanges>& all, Target target,
                          std::unique_ptr<ProbeDialogue> dialogue, Done done) {
  std::shared_ptr<ProbeExchange> exchange(
      new ProbeExchange(all, std::move(target), std::move(dialogue), std::move(done)));
  Gate::Pass pass;
  {
    const std::lock_guard lock(all->mutex);
    if (!all->stopped) {
      pass = all->beginning.Enter();
      all->live.insert(exchange);
    }
  }
  if (!pass) return exchange->Finish(Error(Code::kCancelled, "the agent stops"));
  exchange->LookUp(pass);
}

void ProbeExchanges::Stop() {
  {
    const std::lock_guard lock(mutex);
    stopped = true;
  }
  beginning.WaitUntilEmpty();
  std::set<std::shared_ptr<ProbeExchange>> left;
  {
    const std::lock_guard lock(mutex);
    left = live;
  }
  for (const auto& exchange : left) exchange->Finish(Error(Code::kCancelled, "the agent stops"));
}

void ProbeExchange::Finish(Result<void> result) {
  if (std::exchange(finished_, true)) return;
  const auto self = shared_from_this();
  wait_.reset();
  transport_.reset();
  socket_.reset();
  {
    const std::lock_guard lock(all_->mutex);
    all_->live.erase(self);
  }
  const Done done = std::move(done_);
  done(stage_, std::move(result));
}

void ProbeExchange::LookUp(const Gate::Pass& pass) {
  http::WaitLimits limits;
  limits.deadline = target_.deadline;
  if (http::IsIpAddress(target_.host)) {
    auto addresses = http::LookUp(target_.host, target_.port, limits);
    if (!addresses.ok()) return Finish(std::move(addresses).error());
    addresses_ = *std::move(addresses);
    return Connect();
  }
  all_->executor.Post([self = shared_from_this(), limits, pass] {
    auto found = std::make_shared<Result<std::vector<http::SocketAddress>>>(
        http::LookUp(self->target_.host, self->target_.port, limits));
    self->all_->poller->Post([self, found] {
      if (self->finished_) return;
      if (!found->ok()) return self->Finish(std::move(*found).error());
      self->addresses_ = *std::move(*found);
      self->Connect();
    });
  });
}

void ProbeExchange::Connect() {
  while (true) {
    const auto now = http::Clock::now();
    if (next_address_ == addresses_.size()) {
      return Finish(first_error_
                        ? *std::move(first_error_)
                        : Error(Code::kNotFound, "lookup " + target_.host + ": no such host"));
    }
    if (now >= target_.deadline) {
      return Finish(Error(Code::kDeadlineExceeded, "i/o timeout"));
    }
    const auto share =
        (target_.deadline - now) / static_cast<int64_t>(addresses_.size() - next_address_);
    auto socket = http::BeginConnect(addresses_[next_address_++]);
    if (socket.ok()) {
      wait_.reset();
      socket_ = *std::move(socket);
      return Wait(POLLOUT, now + share);
    }
    if (!first_error_) {
      first_error_ = Error(socket.error().code(), "connect: " + GoText(socket.error()));
    }
  }
}

void ProbeExchange::Wait(short events, http::Clock::time_point deadline) {
  if (!wait_) {
    const int fd = transport_ ? transport_->fd() : socket_.get();
    wait_ = std::make_unique<http::PolledFd>(*all_->poller, fd,
                                             [weak = weak_from_this()](bool timed_out) {
                                               if (const auto self = weak.lock()) {
                                                 self->Ready(timed_out);
                                               }
                                             });
  }
  wait_->Arm(events, deadline);
}

void ProbeExchange::Ready(bool timed_out) {
  if (finished_) return;
  if (stage_ == Stage::kTalk) {
    if (timed_out) return Finish(Error(Code::kDeadlineExceeded, "i/o timeout"));
    return Turn();
  }
  if (timed_out) {
    if (!first_error_) first_error_ = Error(Code::kDeadlineExceeded, "i/o timeout");
    return Connect();
  }
  if (auto connected = http::FinishConnect(socket_.get()); !connected.ok()) {
    if (!first_error_) {
      first_error_ = Error(connected.error().code(), "connect: " + GoText(connected.error()));
    }
    return Connect();
  }
  Connected();
}

void ProbeExchange::Connected() {
  if (!dialogue_) return Finish({});
  stage_ = Stage::kTalk;
  // The transport's descriptor is the socket's.
  auto transport = http::SocketTransport(std::move(socket_));
  if (!transport.ok()) return Finish(std::move(transport).error());
  transport_ = *std::move(transport);
  if (target_.tls) {
    auto tls = all_->tls.Begin(std::move(transport_), target_.host);
    if (!tls.ok()) return Finish(std::move(tls).error());
    handshake_ = tls->get();
    transport_ = *std::move(tls);
  }
  auto first = dialogue_->Take("", false, &out_);
  if (!first.ok()) return Finish(std::move(first).error());
  over_ = *first;
  Turn();
}

void ProbeExchange::Turn() {
  while (true) {
    auto wait = handshake_ ? ShakeHands() : !out_.empty() ? Write() : Read();
    if (!wait.ok()) return Finish(std::move(wait).error());
    if (over_ && out_.empty() && !handshake_) return Finish({});
    if (*wait != 0) return Wait(*wait, target_.deadline);
  }
}

Result<short> ProbeExchange::ShakeHands() {
  TRY(const http::Progress progress, handshake_->TryHandshake());
  if (progress.end) return Error(Code::kUnavailable, "EOF");
  if (progress.wait == 0) handshake_ = nullptr;
  return progress.wait;
}

Result<short> ProbeExchange::Write() {
  auto progress = transport_->TryWrite(out_);
  if (!progress.ok()) {
    // Who hears no more may have answered before.
    broken_ = std::move(progress).error();
    out_.clear();
    return short{0};
  }
  out_.erase(0, progress->bytes);
  return progress->wait;
}

Result<short> ProbeExchange::Read() {
  std::array<char, kPiece> bytes;
  auto progress = transport_->TryRead(bytes);
  if (!progress.ok()) return broken_ ? *broken_ : progress.error();
  if (progress->wait != 0) return progress->wait;
  TRY(over_, dialogue_->Take({bytes.data(), progress->bytes}, progress->end, &out_));
  if (broken_) out_.clear();
  if (progress->end && !over_) return Error(Code::kUnavailable, "EOF");
  return short{0};
}

}  // namespace podium::node
