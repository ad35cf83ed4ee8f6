// Which devices a cgroup's processes may open and make: OCI's ordered rules, brought to one form
// that both versions can enforce. Of this room only.
#pragma once

#include <linux/bpf.h>

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "linux/cgroup.h"

namespace podium::kernel {

inline constexpr uint32_t kDeviceMknod = BPF_DEVCG_ACC_MKNOD;
inline constexpr uint32_t kDeviceRead = BPF_DEVCG_ACC_READ;
inline constexpr uint32_t kDeviceWrite = BPF_DEVCG_ACC_WRITE;

struct DeviceKey {
  char type = 'c';  // or 'b'
  std::optional<uint32_t> major = {};
  std::optional<uint32_t> minor = {};

  friend auto operator<=>(const DeviceKey&, const DeviceKey&) = default;
};

// What holds for all devices, and which accesses to which devices are different. No part of an
// exception is contradicted by another.
struct DevicePolicy {
  bool allow = true;
  std::map<DeviceKey, uint32_t> exceptions;  // kDevice… bits

  friend bool operator==(const DevicePolicy&, const DevicePolicy&) = default;
};

// kInvalidArgument for a rule that cannot be read, and for one that takes a part out of an earlier
// wildcard.
Result<DevicePolicy> MakeDevicePolicy(std::span<const DeviceRule> rules);

// v2: a program of type BPF_PROG_TYPE_CGROUP_DEVICE. It allows an access if one exception alone
// covers it, as v1 does.
std::vector<bpf_insn> CompileDevicePolicy(const DevicePolicy& policy);

// v2: replaces whatever program of this kind hangs on the cgroup; there is no moment without one.
Result<void> AttachDevicePolicy(int folder, const DevicePolicy& policy);

// v1: from what devices.list says to what is wanted, allowing before denying.
Result<void> WriteDevicePolicy(int folder, const DevicePolicy& policy);

}  // namespace podium::kernel
