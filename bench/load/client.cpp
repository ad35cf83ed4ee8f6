#include "load/client.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "http/connect.h"

namespace podium::load {
namespace {

Error Broken(std::string_view what) { return Error(Code::kUnavailable, std::string(what)); }

// The value of a header field, by its name as Go and podium write it.
std::string_view Field(std::string_view head, std::string_view name) {
  const size_t at = head.find(name);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = head.substr(at + name.size());
  return rest.substr(0, rest.find('\r'));
}

}  // namespace

std::string Target::Request(const std::string& method, const std::string& path,
                            const std::string& body) const {
  std::string out = method + " " + path + " HTTP/1.1\r\nHost: " + host_header +
                    "\r\nUser-Agent: load\r\nAccept: application/json\r\n";
  if (!token.empty()) out += "Authorization: Bearer " + token + "\r\n";
  if (!body.empty()) {
    out +=
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return out + "\r\n" + body;
}

Result<std::unique_ptr<Connection>> Connection::Open(const Target& target) {
  auto made = std::unique_ptr<Connection>(new Connection);
  TRY(made->fd_, http::ConnectTcp(target.host, target.port,
                                  {.deadline = Clock::now() + std::chrono::seconds(10)}));
  // Blocking: who is asked to read or write can.
  const int flags = fcntl(made->fd(), F_GETFL);
  fcntl(made->fd(), F_SETFL, flags & ~O_NONBLOCK);
  const int on = 1;
  setsockopt(made->fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!target.tls) return made;
  made->ssl_ = SSL_new(target.context.get());
  SSL_set_fd(made->ssl_, made->fd());
  SSL_set_tlsext_host_name(made->ssl_, target.host.c_str());
  if (SSL_connect(made->ssl_) != 1) {
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    return Broken(std::string("tls: ") + (reason ? reason : "refused"));
  }
  return made;
}

Connection::~Connection() { SSL_free(ssl_); }

Result<void> Connection::Send(std::string_view request) {
  sent = Clock::now();
  while (!request.empty()) {
    const ssize_t size = ssl_ ? SSL_write(ssl_, request.data(), static_cast<int>(request.size()))
                              : send(fd(), request.data(), request.size(), MSG_NOSIGNAL);
    if (size <= 0) return Broken("the server hung up");
    request.remove_prefix(static_cast<size_t>(size));
  }
  return {};
}

bool Connection::Receive() {
  if (at_ > 0) in_.erase(0, std::exchange(at_, 0));
  constexpr size_t kRoom = size_t{64} << 10;
  const size_t old = in_.size();
  ssize_t size = 0;
  // A record at a time with TLS.
  in_.resize_and_overwrite(old + kRoom, [&](char* data, size_t) {
    size = ssl_ ? SSL_read(ssl_, data + old, static_cast<int>(kRoom))
                : recv(fd(), data + old, kRoom, 0);
    return size > 0 ? old + static_cast<size_t>(size) : old;
  });
  // A record may be about TLS itself, as a ticket is.
  return size > 0 || (ssl_ && SSL_get_error(ssl_, static_cast<int>(size)) == SSL_ERROR_WANT_READ);
}

bool Connection::Buffered() const { return ssl_ && SSL_has_pending(ssl_) == 1; }

bool Connection::TakeHead() {
  const std::string_view rest = std::string_view(in_).substr(at_);
  const size_t end = rest.find("\r\n\r\n");
  if (end == std::string_view::npos) return false;
  const std::string_view head = rest.substr(0, end + 2);
  status_ = head.size() > 12 ? (head[9] - '0') * 100 + (head[10] - '0') * 10 + (head[11] - '0') : 0;
  const std::string_view length = Field(head, "\r\nContent-Length: ");
  left_ = length.empty() ? -1 : 0;
  std::from_chars(length.data(), length.data() + length.size(), left_);
  chunk_ = -1;
  at_ += end + 4;
  in_body_ = true;
  return true;
}

// Chunks as far as they came; true at the last one. Trailers are not sent by those we load.
Result<bool> Connection::TakeChunks(std::string* data) {
  while (at_ < in_.size()) {
    if (chunk_ < 0) {
      const size_t line = in_.find("\r\n", at_);
      if (line == std::string::npos) return false;
      int64_t size = 0;
      if (std::from_chars(&in_[at_], &in_[line], size, 16).ec != std::errc()) {
        return Broken("no chunk");
      }
      if (size == 0) {
        if (in_.size() < line + 4) return false;
        at_ = line + 4;
        return true;
      }
      at_ = line + 2;
      chunk_ = size + 2;
    }
    const auto size = std::min<int64_t>(chunk_, static_cast<int64_t>(in_.size() - at_));
    const int64_t of_data = std::clamp<int64_t>(chunk_ - 2, 0, size);
    if (data) data->append(in_, at_, static_cast<size_t>(of_data));
    at_ += static_cast<size_t>(size);
    chunk_ -= size;
    if (chunk_ == 0) chunk_ = -1;
  }
  return false;
}

Result<bool> Connection::TakeResponse(int* status, std::string* body) {
  if (!in_body_ && !TakeHead()) return false;
  *status = status_;
  bool whole = false;
  if (left_ < 0) {
    TRY(whole, TakeChunks(body));
  } else {
    const auto size = std::min<int64_t>(left_, static_cast<int64_t>(in_.size() - at_));
    if (body) body->append(in_, at_, static_cast<size_t>(size));
    at_ += static_cast<size_t>(size);
    left_ -= size;
    whole = left_ == 0;
  }
  if (whole) in_body_ = false;
  return whole;
}

Result<void> Connection::TakeBody(std::string* data) {
  if (!in_body_ && !TakeHead()) return {};
  if (status_ != 200) return Broken("status " + std::to_string(status_));
  TRY(const bool end, TakeChunks(data));
  if (end) return Broken("the watch has ended");
  return {};
}

Result<Response> Connection::Ask(std::string_view request) {
  TRY_VOID(Send(request));
  Response response;
  while (true) {
    if (!Receive()) return Broken("the server hung up");
    TRY(const bool whole, TakeResponse(&response.status, &response.body));
    if (whole) return response;
  }
}

Result<std::unique_ptr<Loop>> Loop::Create() {
  auto loop = std::make_unique<Loop>();
  loop->epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!loop->epoll_) return Error::FromErrno(errno, "epoll");
  return loop;
}

void Loop::Add(Connection& connection) {
  epoll_event event{EPOLLIN, {.ptr = &connection}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.fd(), &event);
}

void Loop::Run(Clock::time_point end, const std::function<bool(Connection&)>& ready) {
  std::array<epoll_event, 256> events;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return;
    const int count =
        epoll_wait(epoll_.get(), events.data(), events.size(), static_cast<int>(left));
    for (int i = 0; i < count; ++i) {
      auto& connection = *static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr);
      do {
        if (!ready(connection)) return;
      } while (connection.Buffered());
    }
  }
}

}  // namespace podium::load
