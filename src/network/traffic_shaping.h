// Limits of a pod's rates, on the host's side, where the pod cannot lift them.
//
// What the pod receives waits in a token bucket (tbf) on the host's end of its pair. What it sends
// is led through a device of its own (ifb) with such a bucket, as a queue exists only where packets
// leave. The ifb device is named after the pod's and must be removed with it.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "network/network.h"

namespace podium::network {

// Sets the limits of a pod whose host end is `device`, with this index. Nothing happens when there
// are none. kUnsupported: the kernel lacks tbf, ifb, or what leads packets there.
Result<void> LimitRates(const std::string& device, uint32_t index, const Bandwidth& bandwidth);

// Removes what LimitRates made beyond the pod's own device. What is not there is no error.
Result<void> RemoveRateDevice(const std::string& device);

// The name of the ifb device that belongs to a pod's: "veth…" → "ifbp…".
std::string RateDeviceOf(const std::string& device);

}  // namespace podium::network
