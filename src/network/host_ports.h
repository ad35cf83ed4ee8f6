// Ports of the host, and who has them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "network/network.h"

namespace podium::network {

// As in the header of a packet (IPPROTO_TCP and so on).
uint8_t ProtocolNumber(Protocol protocol);

// "8080/tcp", "10.0.0.1:8080/tcp".
std::string ToText(const PortMapping& port);

// Those of the mappings that have a host port. kInvalidArgument: a host address that is none, a
// container port that is missing, or two mappings that collide; kUnsupported: an address of
// loopback other than 127.0.0.1, which alone is led on (docs/network.md).
Result<std::vector<PortMapping>> EffectivePorts(std::span<const PortMapping> ports);

// Whether two mappings cannot both be: the same port and protocol, on addresses that overlap.
bool Collide(const PortMapping& a, const PortMapping& b);

// The first of the ports that a process of the host listens on, in words: "hostPort 8080/tcp is
// taken by nginx (pid 123), which listens on 0.0.0.0:8080". Nothing when all are free, or when the
// kernel cannot be asked (sock_diag is a module): a check that is missing should keep no pod from
// starting.
std::optional<std::string> ListenerOn(std::span<const PortMapping> ports);

}  // namespace podium::network
