#include "linux/packet_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace podium::kernel {
namespace {

constexpr int kBacklog = 16;

Result<UniqueFd> NewSocket() {
  UniqueFd made(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!made) return Error::FromErrno(errno, "socket");
  return made;
}

Result<sockaddr_un> AddressOf(int folder, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(folder) + '/' + name;
  if (path.size() >= sizeof address.sun_path) {
    return Error(Code::kInvalidArgument, name + " is too long for a socket");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

std::vector<UniqueFd> TakeDescriptors(msghdr* message) {
  std::vector<UniqueFd> taken;
  for (cmsghdr* part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      taken.emplace_back(fd);
    }
  }
  return taken;
}

}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> PacketSocketPair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return Error::FromErrno(errno, "socketpair");
  }
  return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

Result<UniqueFd> ListenPackets(int folder, const std::string& name) {
  TRY(UniqueFd made, NewSocket());
  TRY(const sockaddr_un address, AddressOf(folder, name));
  if (unlinkat(folder, name.c_str(), 0) != 0 && errno != ENOENT) {
    return Error::FromErrno(errno, name);
  }
  // The socket's file takes its mode from the socket, so that it is never there with another.
  if (fchmod(made.get(), S_IRUSR | S_IWUSR) != 0) return Error::FromErrno(errno, name);
  if (bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(made.get(), kBacklog) != 0) {
    return Error::FromErrno(errno, name);
  }
  return made;
}

Result<UniqueFd> ConnectPackets(int folder, const std::string& name) {
  TRY(UniqueFd made, NewSocket());
  TRY(const sockaddr_un address, AddressOf(folder, name));
  while (connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EINTR) continue;
    if (errno == ECONNREFUSED) {
      return Error(Code::kUnavailable, name + ": nobody listens", ECONNREFUSED);
    }
    return Error::FromErrno(errno, name);
  }
  return made;
}

Result<void> SendPacket(int socket, std::string_view bytes, std::span<const int> descriptors) {
  if (descriptors.size() > kMaxPassedDescriptors) {
    return Error(Code::kResourceExhausted, "too many descriptors for one message");
  }
  iovec vector{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxPassedDescriptors * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(part), descriptors.data(), descriptors.size_bytes());
  }
  while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return Error::FromErrno(errno, "sendmsg");
  }
  return {};
}

Result<Packet> ReceivePacket(int socket, size_t max_size) {
  Packet packet;
  packet.bytes.resize(max_size);
  iovec vector{.iov_base = packet.bytes.data(), .iov_len = packet.bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxPassedDescriptors * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t count = 0;
  while ((count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0) {
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return Error(Code::kUnavailable, "no message", EAGAIN);
    return Error::FromErrno(errno, "recvmsg");
  }
  packet.descriptors = TakeDescriptors(&message);
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return Error(Code::kDataLoss, "a message is too large", EMSGSIZE);
  }
  packet.bytes.resize(static_cast<size_t>(count));
  return packet;
}

Result<PeerCredentials> PeerOf(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return Error::FromErrno(errno, "SO_PEERCRED");
  }
  return PeerCredentials{credentials.pid, credentials.uid, credentials.gid};
}

}  // namespace podium::kernel
