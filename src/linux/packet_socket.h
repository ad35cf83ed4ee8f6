// Unix sockets that keep messages apart (SOCK_SEQPACKET) and carry descriptors and credentials.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::kernel {

// The kernel passes at most 253 descriptors with one message (SCM_MAX_FD).
inline constexpr size_t kMaxPassedDescriptors = 253;

Result<std::pair<UniqueFd, UniqueFd>> PacketSocketPair();

// A socket in a folder, mode 0600. By descriptor, because a socket's path may have 107 bytes only.
// What is there under the name is replaced.
Result<UniqueFd> ListenPackets(int folder, const std::string& name);
// kNotFound without it, kUnavailable (ECONNREFUSED) when nobody listens any more.
Result<UniqueFd> ConnectPackets(int folder, const std::string& name);

struct Packet {
  std::string bytes;
  std::vector<UniqueFd> descriptors;
};

// All or nothing; waits while the other end is full. Never raises SIGPIPE: EPIPE.
Result<void> SendPacket(int socket, std::string_view bytes, std::span<const int> descriptors = {});
// Waits, unless the socket does not block: kUnavailable (EAGAIN). Empty bytes: the other end has
// closed. kDataLoss (EMSGSIZE) when the message is larger than `max_size` or descriptors were lost;
// those that came are closed.
Result<Packet> ReceivePacket(int socket, size_t max_size);

struct PeerCredentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};
Result<PeerCredentials> PeerOf(int socket);

}  // namespace podium::kernel
