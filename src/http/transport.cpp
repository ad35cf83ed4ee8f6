#include "http/transport.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <mutex>

namespace podium::http {
namespace {

bool WouldBlock(int os_errno) { return os_errno == EAGAIN || os_errno == EWOULDBLOCK; }

Error LostConnection(int os_errno, std::string_view what) {
  // A peer that went away is nothing that one can mend here; it may be there again later.
  if (os_errno == EPIPE || os_errno == ECONNRESET || os_errno == ENOTCONN) {
    return Error(Code::kUnavailable, std::string(what) + ": the connection is broken", os_errno);
  }
  return Error::FromErrno(os_errno, what);
}

class SocketBytes : public Transport {
 public:
  explicit SocketBytes(UniqueFd socket) : socket_(std::move(socket)) {}

  Result<Progress> TryRead(std::span<char> buffer) override {
    while (true) {
      const ssize_t size = recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (size >= 0) return Progress{static_cast<size_t>(size), size == 0, 0};
      if (WouldBlock(errno)) return Progress{0, false, POLLIN};
      if (errno != EINTR) return LostConnection(errno, "reading");
    }
  }
  Result<Progress> TryWrite(std::string_view bytes) override {
    while (true) {
      const ssize_t size = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size >= 0) return Progress{static_cast<size_t>(size), false, 0};
      if (WouldBlock(errno)) return Progress{0, false, POLLOUT};
      if (errno != EINTR) return LostConnection(errno, "writing");
    }
  }
  Result<Progress> TryCloseWrite() override {
    if (shutdown(socket_.get(), SHUT_WR) != 0 && errno != ENOTCONN) {
      return LostConnection(errno, "closing");
    }
    return Progress{};
  }
  int fd() const override { return socket_.get(); }

 private:
  UniqueFd socket_;
};

class TransportStream : public Stream {
 public:
  explicit TransportStream(std::shared_ptr<Transport> transport)
      : owned_(std::move(transport)), transport_(owned_.get()) {}
  explicit TransportStream(Transport& transport) : transport_(&transport) {}

  Result<size_t> Read(std::span<char> buffer) override {
    while (true) {
      TRY(const Progress progress, transport_->TryRead(buffer));
      if (progress.wait == 0) return progress.bytes;
      TRY_VOID(Wait(progress.wait));
    }
  }
  Result<void> Write(std::string_view bytes) override {
    while (!bytes.empty()) {
      TRY(const Progress progress, transport_->TryWrite(bytes));
      bytes.remove_prefix(progress.bytes);
      if (progress.wait != 0) TRY_VOID(Wait(progress.wait));
    }
    return {};
  }
  Result<void> CloseWrite() override {
    while (true) {
      TRY(const Progress progress, transport_->TryCloseWrite());
      if (progress.wait == 0) return {};
      TRY_VOID(Wait(progress.wait));
    }
  }
  void Shutdown() override {
    shut_ = true;
    // Wakes whoever polls the socket.
    shutdown(transport_->fd(), SHUT_RDWR);
  }
  void SetLimits(const WaitLimits& limits) override {
    const std::lock_guard lock(mutex_);
    limits_ = limits;
  }
  int fd() const override { return transport_->fd(); }
  bool Buffered() const override { return transport_->Buffered(); }

 private:
  Result<void> Wait(short events) {
    if (shut_) return Error(Code::kCancelled, "the connection was shut down");
    std::unique_lock lock(mutex_);
    const WaitLimits limits = limits_;
    lock.unlock();
    return WaitFor(transport_->fd(), events, limits);
  }

  const std::shared_ptr<Transport> owned_;
  Transport* const transport_;
  std::atomic<bool> shut_ = false;
  std::mutex mutex_;  // of limits_
  WaitLimits limits_;
};

}  // namespace

Result<std::unique_ptr<Transport>> SocketTransport(UniqueFd socket) {
  const int flags = fcntl(socket.get(), F_GETFL);
  if (flags < 0 || fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return Error::FromErrno(errno, "making a socket non-blocking");
  }
  return std::unique_ptr<Transport>(std::make_unique<SocketBytes>(std::move(socket)));
}

std::unique_ptr<Stream> StreamOver(std::shared_ptr<Transport> transport) {
  return std::make_unique<TransportStream>(std::move(transport));
}

std::unique_ptr<Stream> StreamOver(Transport& transport) {
  return std::make_unique<TransportStream>(transport);
}

}  // namespace podium::http
