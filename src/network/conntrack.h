// What the kernel remembers of flows (ctnetlink).
//
// Where a packet of a known flow goes was decided with the flow's first packet. A datagram flow
// ends only when it is silent for a while, so one that goes on would never notice that a host port
// has come or gone: it is to be forgotten. (A TCP connection ends by itself, when nobody answers.)
#pragma once

#include <span>

#include "base/result.h"
#include "network/addresses.h"
#include "network/network.h"

namespace podium::network {

// Forgets the UDP flows to these host ports that end at the machine itself (the port was nobody's
// until now) or at this pod (it is the pod's no more). Other protocols' ports are passed over. On a
// kernel without ctnetlink nothing happens: flows then end after half a minute of silence.
Result<void> ForgetFlows(std::span<const PortMapping> ports, const PodAddress& pod);

}  // namespace podium::network
