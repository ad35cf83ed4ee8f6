// Capabilities: names, numbers and sets (capabilities(7)). Arithmetic only; the sets are given to a
// process by the stage that becomes the container, from these masks.
//
// The kernel gives away nothing that the giver lacks: raising the bounding set is impossible and
// capset beyond the permitted set fails, so what a container gets is always cut down to what this
// process has (`available` below).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace podium::kernel {

// Bit n stands for capability n.
using CapabilityMask = uint64_t;

constexpr CapabilityMask CapabilityBit(int number) { return CapabilityMask{1} << number; }

// CAP_CHECKPOINT_RESTORE of Linux 5.9, the last that has a name here.
inline constexpr int kLastNamedCapability = 40;
inline constexpr CapabilityMask kNamedCapabilities = CapabilityBit(kLastNamedCapability + 1) - 1;

// What a container has where nothing is said: containerd's fourteen for the CRI.
extern const CapabilityMask kDefaultCapabilities;

// The five sets of a process.
struct CapabilitySets {
  CapabilityMask bounding = 0;
  CapabilityMask permitted = 0;
  CapabilityMask effective = 0;
  CapabilityMask inheritable = 0;
  CapabilityMask ambient = 0;

  friend bool operator==(const CapabilitySets&, const CapabilitySets&) = default;
};

// "NET_ADMIN" and "CAP_NET_ADMIN", in either case. None for anything else, "ALL" too.
std::optional<int> CapabilityNumber(std::string_view name);

// "CAP_NET_ADMIN"; empty for a number without a name.
std::string_view CapabilityName(int number);

// The names of a set, by number.
std::vector<std::string> CapabilityNames(CapabilityMask mask);

// A set of names, as the CRI and OCI give them. kInvalidArgument names what is not known.
Result<CapabilityMask> ParseCapabilities(std::span<const std::string> names);

// What the CRI's add_capabilities and drop_capabilities make of `base`, within `available`: first
// add ALL, then drop ALL, then each name added, then each name dropped, so that "add ALL, drop
// CHOWN" is everything but one and "drop ALL, add CHOWN" is one. kInvalidArgument names what is not
// known.
Result<CapabilityMask> ChangeCapabilities(CapabilityMask base, std::span<const std::string> add,
                                          std::span<const std::string> drop,
                                          CapabilityMask available);

// The sets of a container's first process. The inheritable set is empty, so that a program with
// inheritable file capabilities gains nothing (CVE-2022-27650, CVE-2022-24769). Other users than
// root keep nothing over exec but the ambient set, which is cut down to `granted`; the ambient set
// needs its capabilities to be inheritable, hence these and no others.
CapabilitySets ContainerCapabilities(CapabilityMask granted, CapabilityMask ambient);

// The last capability of the running kernel (/proc/sys/kernel/cap_last_cap).
Result<int> LastCapability();

// The sets of the calling thread.
Result<CapabilitySets> CurrentCapabilities();

}  // namespace podium::kernel
