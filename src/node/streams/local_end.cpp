#include "node/streams/local_end.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace podium::node {
namespace {

constexpr size_t kPiece = size_t{32} << 10;
// Read in one turn, so that a fast process does not keep the other streams waiting.
constexpr size_t kTurn = size_t{256} << 10;

bool IsSocket(int fd) {
  struct stat status{};
  return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

}  // namespace

Result<std::shared_ptr<LocalEnd>> LocalEnd::Create(std::shared_ptr<http::Poller> poller, int fd,
                                                   uint32_t tag,
                                                   std::weak_ptr<LocalEndOwner> owner) {
  UniqueFd own(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own) return Error::FromErrno(errno, "dup");
  const int flags = fcntl(own.get(), F_GETFL);
  if (flags < 0 || fcntl(own.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return Error::FromErrno(errno, "O_NONBLOCK");
  }
  const bool is_socket = IsSocket(own.get());
  std::shared_ptr<LocalEnd> end(
      new LocalEnd(std::move(poller), std::move(own), tag, is_socket, std::move(owner)));
  end->Begin();
  return end;
}

LocalEnd::LocalEnd(std::shared_ptr<http::Poller> poller, UniqueFd fd, uint32_t tag, bool is_socket,
                   std::weak_ptr<LocalEndOwner> owner)
    : poller_(std::move(poller)),
      fd_(std::move(fd)),
      tag_(tag),
      is_socket_(is_socket),
      owner_(std::move(owner)) {}

void LocalEnd::Begin() {
  wait_ = std::make_unique<http::PolledFd>(*poller_, fd_.get(),
                                           [weak = weak_from_this()](bool /*timed_out*/) {
                                             const auto self = weak.lock();
                                             if (self) self->Ready();
                                           });
}

void LocalEnd::Ready() {
  const auto owner = owner_.lock();
  if (!owner || !fd_) return;
  if (write_blocked_) Write(*owner);
  if (read_blocked_) Read(*owner);
  owner->Settle();
}

void LocalEnd::Pull() {
  const auto owner = owner_.lock();
  pulled_ = true;
  if (owner && fd_ && !read_ended_) Read(*owner);
}

void LocalEnd::Push(std::string_view bytes) {
  const auto owner = owner_.lock();
  if (!owner || !fd_ || write_ended_ || end_pushed_) return;
  pending_ += bytes;
  if (!write_blocked_) Write(*owner);
}

void LocalEnd::PushEnd() {
  const auto owner = owner_.lock();
  if (std::exchange(end_pushed_, true) || !owner || !fd_ || write_ended_) return;
  if (!write_blocked_) Write(*owner);
}

void LocalEnd::Close() {
  wait_.reset();
  fd_.reset();
  std::string().swap(pending_);
  begin_ = 0;
}

void LocalEnd::Read(LocalEndOwner& owner) {
  const auto self = shared_from_this();  // the owner may let go of it
  read_blocked_ = false;
  for (size_t turn = 0; pulled_ && !read_ended_ && fd_ && owner.HasRoom();) {
    if (turn >= kTurn) {
      // After the others.
      poller_->Post([weak = weak_from_this()] {
        const auto end = weak.lock();
        if (!end) return;
        end->read_blocked_ = true;
        end->Ready();
      });
      break;
    }
    std::array<char, kPiece> piece;
    const ssize_t got = read(fd_.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) {
      read_blocked_ = true;
      break;
    }
    // A terminal whose other side is closed says EIO.
    if (got <= 0) {
      read_ended_ = true;
      owner.OnReadEnd(*this);
      break;
    }
    turn += static_cast<size_t>(got);
    owner.OnBytes(*this, {piece.data(), static_cast<size_t>(got)});
  }
  Arm();
}

void LocalEnd::Write(LocalEndOwner& owner) {
  const auto self = shared_from_this();
  write_blocked_ = false;
  while (begin_ < pending_.size()) {
    const std::string_view bytes = std::string_view(pending_).substr(begin_);
    const ssize_t wrote = is_socket_ ? send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL)
                                     : write(fd_.get(), bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && errno == EAGAIN) {
      pending_.erase(0, std::exchange(begin_, 0));
      write_blocked_ = true;
      return Arm();
    }
    if (wrote < 0) {
      // Whoever read it has stopped to: what it says is heard all the same.
      write_ended_ = true;
      break;
    }
    begin_ += static_cast<size_t>(wrote);
  }
  std::string().swap(pending_);
  begin_ = 0;
  if (end_pushed_ && !std::exchange(write_ended_, true) && is_socket_) {
    shutdown(fd_.get(), SHUT_WR);
  }
  if (write_ended_ && !is_socket_ && !pulled_) Close();
  owner.OnDrained(*this);
}

void LocalEnd::Arm() {
  if (!wait_) return;
  short events = 0;
  if (read_blocked_) events = static_cast<short>(events | POLLIN);
  if (write_blocked_) events = static_cast<short>(events | POLLOUT);
  // Nothing is asked of one that waits for nothing: a process that is gone would wake us forever.
  if (events != 0) wait_->Arm(events);
}

}  // namespace podium::node
