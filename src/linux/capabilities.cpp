#include "linux/capabilities.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "base/text.h"
#include "base/unique_fd.h"

namespace podium::kernel {
namespace {

// By number; linux/capability.h has the same, as macros.
constexpr std::array<std::string_view, kLastNamedCapability + 1> kNames = {
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};
static_assert(kNames[CAP_CHECKPOINT_RESTORE] == "CAP_CHECKPOINT_RESTORE");
static_assert(kNames[CAP_MKNOD] == "CAP_MKNOD");

constexpr std::string_view kPrefix = "CAP_";
constexpr std::string_view kAll = "ALL";

bool HasAll(std::span<const std::string> names) {
  return std::ranges::any_of(names,
                             [](const std::string& name) { return UpperCase(name) == kAll; });
}

Result<CapabilityMask> ParseBut(std::string_view passed_over, std::span<const std::string> names) {
  CapabilityMask mask = 0;
  for (const std::string& name : names) {
    if (!passed_over.empty() && UpperCase(name) == passed_over) continue;
    const std::optional<int> number = CapabilityNumber(name);
    if (!number) return Error(Code::kInvalidArgument, "unknown capability \"" + name + "\"");
    mask |= CapabilityBit(*number);
  }
  return mask;
}

}  // namespace

const CapabilityMask kDefaultCapabilities =
    CapabilityBit(CAP_CHOWN) | CapabilityBit(CAP_DAC_OVERRIDE) | CapabilityBit(CAP_FSETID) |
    CapabilityBit(CAP_FOWNER) | CapabilityBit(CAP_MKNOD) | CapabilityBit(CAP_NET_RAW) |
    CapabilityBit(CAP_SETGID) | CapabilityBit(CAP_SETUID) | CapabilityBit(CAP_SETFCAP) |
    CapabilityBit(CAP_SETPCAP) | CapabilityBit(CAP_NET_BIND_SERVICE) |
    CapabilityBit(CAP_SYS_CHROOT) | CapabilityBit(CAP_KILL) | CapabilityBit(CAP_AUDIT_WRITE);

std::optional<int> CapabilityNumber(std::string_view name) {
  std::string upper = UpperCase(name);
  if (!upper.starts_with(kPrefix)) upper.insert(0, kPrefix);
  const auto* const found = std::ranges::find(kNames, upper);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<int>(found - kNames.begin());
}

std::string_view CapabilityName(int number) {
  if (number < 0 || number > kLastNamedCapability) return {};
  return kNames[static_cast<size_t>(number)];
}

std::vector<std::string> CapabilityNames(CapabilityMask mask) {
  std::vector<std::string> names;
  for (int number = 0; number <= kLastNamedCapability; ++number) {
    if ((mask & CapabilityBit(number)) != 0) names.emplace_back(CapabilityName(number));
  }
  return names;
}

Result<CapabilityMask> ParseCapabilities(std::span<const std::string> names) {
  return ParseBut({}, names);
}

Result<CapabilityMask> ChangeCapabilities(CapabilityMask base, std::span<const std::string> add,
                                          std::span<const std::string> drop,
                                          CapabilityMask available) {
  TRY(const CapabilityMask added, ParseBut(kAll, add));
  TRY(const CapabilityMask dropped, ParseBut(kAll, drop));
  CapabilityMask mask = base;
  if (HasAll(add)) mask = available;
  if (HasAll(drop)) mask = 0;
  return ((mask | added) & ~dropped) & available;
}

CapabilitySets ContainerCapabilities(CapabilityMask granted, CapabilityMask ambient) {
  const CapabilityMask kept = granted & ambient;
  return {.bounding = granted,
          .permitted = granted,
          .effective = granted,
          .inheritable = kept,
          .ambient = kept};
}

Result<int> LastCapability() {
  constexpr const char* kPath = "/proc/sys/kernel/cap_last_cap";
  const UniqueFd file(open(kPath, O_RDONLY | O_CLOEXEC));
  std::array<char, 16> text{};
  const ssize_t size = file ? read(file.get(), text.data(), text.size()) : -1;
  if (size < 0) return Error::FromErrno(errno, std::string("reading ") + kPath);
  int last = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + size, last);
  if (problem != std::errc() || last < 0 || last > 63) {
    return Error(Code::kInternal, std::string(kPath) + " is no number of a capability");
  }
  return last;
}

Result<CapabilitySets> CurrentCapabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (syscall(SYS_capget, &header, data.data()) != 0) return Error::FromErrno(errno, "capget");
  const auto whole = [](uint32_t low, uint32_t high) {
    return CapabilityMask{low} | (CapabilityMask{high} << 32);
  };
  CapabilitySets sets;
  sets.permitted = whole(data[0].permitted, data[1].permitted);
  sets.effective = whole(data[0].effective, data[1].effective);
  sets.inheritable = whole(data[0].inheritable, data[1].inheritable);
  TRY(const int last, LastCapability());
  for (int number = 0; number <= last; ++number) {
    const int bounding = prctl(PR_CAPBSET_READ, number, 0, 0, 0);
    if (bounding < 0) return Error::FromErrno(errno, "reading the bounding set");
    if (bounding > 0) sets.bounding |= CapabilityBit(number);
    const int ambient = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, number, 0, 0);
    if (ambient < 0) return Error::FromErrno(errno, "reading the ambient set");
    if (ambient > 0) sets.ambient |= CapabilityBit(number);
  }
  return sets;
}

}  // namespace podium::kernel
