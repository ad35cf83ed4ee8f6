// A small world for tests: the thread's network namespace plays the host, namespaces of their own
// play pods, and "outside" is a machine at the other end of the host's only cable.
//
//   outside 192.0.2.2/24 ──── uplink 192.0.2.1/24 host ──── pods
//
// Everything ends with the descriptors.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace podium::testing {

inline constexpr const char* kHostAddress = "192.0.2.1";
inline constexpr const char* kOutsideAddress = "192.0.2.2";
inline constexpr const char* kHostAddress6 = "2001:db8::1";
inline constexpr const char* kOutsideAddress6 = "2001:db8::2";

// Makes the outside and the cable; the host's default route leads there. Loopback is up.
UniqueFd MakeOutside(uint32_t mtu = 1500);

// Runs `command` by a shell in the calling thread's namespaces, or in that network namespace.
// Its standard output; the test fails when the command does.
std::string Shell(const std::string& command);
std::string ShellIn(int netns, const std::string& command);

enum class Transport { kTcp, kUdp };

// A server that answers each connection or datagram with the address of whoever sent it.
class EchoServer {
 public:
  // In that network namespace; -1 for the calling thread's. Port 0: the kernel's choice.
  EchoServer(int netns, const std::string& address, uint16_t port,
             Transport transport = Transport::kTcp);
  ~EchoServer();
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;

  uint16_t port() const { return port_; }
  // Empty, or why there is no server.
  const std::string& problem() const { return problem_; }

 private:
  struct State;
  void Serve();

  State* state_ = nullptr;
  uint16_t port_ = 0;
  std::string problem_;
};

// What the server said (the address it saw), or "errno: <name>", or "timeout" after a while.
std::string Ask(int netns, const std::string& address, uint16_t port,
                Transport transport = Transport::kTcp, const std::string& source = {});
// The same, where the answer should be that the address is unreachable. That may come while the
// sender still holds the socket; TCP then finds out with its next tries, after one and three
// seconds.
std::string AskPatiently(int netns, const std::string& address, uint16_t port, Transport transport);

// Frames that come in on a device of a namespace, from construction on.
class Sniffer {
 public:
  Sniffer(int netns, const std::string& device);
  struct Packet {
    std::string source;
    std::string destination;
    uint8_t protocol = 0;
  };
  // The IP packets so far, after waiting for late ones.
  std::vector<Packet> Packets();

 private:
  UniqueFd fd_;
};

// Sends one frame as it is from a device of the namespace.
void SendFrame(int netns, const std::string& device, const std::vector<uint8_t>& frame);

}  // namespace podium::testing
