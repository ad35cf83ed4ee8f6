#include "http/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "http/connect.h"

namespace podium::http {
namespace {

constexpr int kBacklog = 4096;

// Whether the path may be taken: nothing stands there, or a socket that nobody serves.
Result<void> CheckPath(const std::string& path) {
  struct stat info{};
  if (lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return Error::FromErrno(errno, path);
  }
  if (!S_ISSOCK(info.st_mode)) {
    return Error(Code::kInvalidArgument, path + " exists and is no socket");
  }
  if (ConnectUnix(path, {.deadline = Clock::now() + std::chrono::seconds(1)}).ok()) {
    return Error(Code::kAlreadyExists, "another server is listening at " + path);
  }
  return {};
}

}  // namespace

Listener::Listener(Listener&& other) noexcept
    : socket_(std::move(other.socket_)),
      port_(other.port_),
      path_(std::exchange(other.path_, {})),
      device_(other.device_),
      inode_(other.inode_) {}

Listener& Listener::operator=(Listener&& other) noexcept {
  if (this != &other) {
    RemovePath();
    socket_ = std::move(other.socket_);
    port_ = other.port_;
    path_ = std::exchange(other.path_, {});
    device_ = other.device_;
    inode_ = other.inode_;
  }
  return *this;
}

Listener::~Listener() { RemovePath(); }

void Listener::RemovePath() {
  struct stat info{};
  if (path_.empty() || lstat(path_.c_str(), &info) != 0) return;
  if (info.st_dev == device_ && info.st_ino == inode_) unlink(path_.c_str());
}

Result<Listener> Listener::Unix(const std::string& path, mode_t mode) {
  // Made beside its place and renamed over what is there: clients find the old socket or the new
  // one, and no moment with none.
  const std::string made = path + ".new";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || made.size() >= sizeof address.sun_path) {
    return Error(Code::kInvalidArgument, "a bad socket path: " + path);
  }
  std::memcpy(address.sun_path, made.data(), made.size());
  TRY_VOID(CheckPath(path));
  Listener listener(UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
  // The file of a socket takes its mode from the socket, less the umask; a chmod afterwards would
  // leave a gap, and the umask belongs to all threads.
  if (!listener.socket_ || fchmod(listener.fd(), mode) != 0) {
    return Error::FromErrno(errno, "making a socket");
  }
  unlink(made.c_str());
  struct stat info{};
  if (bind(listener.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      lstat(made.c_str(), &info) != 0) {
    return Error::FromErrno(errno, "listening at " + path);
  }
  listener.path_ = made;
  listener.device_ = info.st_dev;
  listener.inode_ = info.st_ino;
  if (listen(listener.fd(), kBacklog) != 0 || rename(made.c_str(), path.c_str()) != 0) {
    return Error::FromErrno(errno, "listening at " + path);
  }
  listener.path_ = path;
  return listener;
}

Result<Listener> Listener::Tcp(const std::string& address, uint16_t port) {
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  const bool is_six = inet_pton(AF_INET6, address.c_str(), &six.sin6_addr) == 1;
  if (!is_six && inet_pton(AF_INET, address.c_str(), &four.sin_addr) != 1) {
    return Error(Code::kInvalidArgument, "not an address: " + address);
  }
  auto* bound = is_six ? reinterpret_cast<sockaddr*>(&six) : reinterpret_cast<sockaddr*>(&four);
  socklen_t size = is_six ? sizeof six : sizeof four;
  Listener listener(
      UniqueFd(socket(bound->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
  const int on = 1;
  if (!listener.socket_ ||
      setsockopt(listener.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(listener.fd(), bound, size) != 0 || listen(listener.fd(), kBacklog) != 0 ||
      getsockname(listener.fd(), bound, &size) != 0) {
    return Error::FromErrno(errno, "listening on " + address + ":" + std::to_string(port));
  }
  listener.port_ = ntohs(is_six ? six.sin6_port : four.sin_port);
  return listener;
}

}  // namespace podium::http
