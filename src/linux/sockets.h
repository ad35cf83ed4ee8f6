// Who waits at which port, as /proc shows it (Linux: net/ipv4/tcp_ipv4.c, udp.c; proc(5)).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace podium::kernel {

// A TCP socket that listens, or a UDP socket that takes datagrams from anybody.
struct BoundSocket {
  bool udp = false;
  uint16_t port = 0;
  uint64_t inode = 0;  // of the socket; unique while it is there

  friend bool operator==(const BoundSocket&, const BoundSocket&) = default;
};

// Of the network namespace of this process, IPv4 and IPv6. kNotFound when it is gone.
Result<std::vector<BoundSocket>> ReadBoundSockets(pid_t pid);
// Of the lines of /proc/PID/net/tcp and its like. What is no such line is passed over.
std::vector<BoundSocket> ParseBoundSockets(const std::string& text, bool udp);

// The inodes of the sockets that a process has open. kNotFound when it is gone.
Result<std::vector<uint64_t>> OpenSockets(pid_t pid);

// What the kernel calls the process: at most 15 bytes, which the process itself can set.
Result<std::string> ProcessName(pid_t pid);

}  // namespace podium::kernel
