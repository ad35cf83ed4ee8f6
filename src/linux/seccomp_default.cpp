// The rules of RuntimeDefault: facts about containerd's and moby's default profiles (2.2, 29.x),
// the same in both where they matter for the kernels we run on (5.15 and newer).
#include <linux/capability.h>
#include <sched.h>

#include <array>
#include <cerrno>
#include <span>

#include "linux/seccomp_calls.h"
#include "linux/seccomp_filter.h"

namespace podium::kernel {
namespace {

#if defined(__x86_64__)
constexpr auto kOfMachine = std::to_array<const char*>({"arch_prctl", "modify_ldt"});
#else
constexpr auto kOfMachine =
    std::to_array<const char*>({"arm_fadvise64_64", "arm_sync_file_range", "breakpoint",
                                "cacheflush", "set_tls", "sync_file_range2"});
#endif

// Calls that are allowed with a capability. Several lines may name the same call.
struct WithCapability {
  int capability;
  std::array<const char*, 24> names;
};

constexpr auto kWithCapability = std::to_array<WithCapability>({
    {CAP_DAC_READ_SEARCH, {"open_by_handle_at"}},
    {CAP_SYS_ADMIN, {"bpf",           "clone",         "clone3",      "fanotify_init",   "fsconfig",
                     "fsmount",       "fsopen",        "fspick",      "lookup_dcookie",  "mount",
                     "mount_setattr", "move_mount",    "open_tree",   "perf_event_open", "quotactl",
                     "quotactl_fd",   "setdomainname", "sethostname", "setns",           "syslog",
                     "umount",        "umount2",       "unshare",     "open_tree_attr"}},
    {CAP_SYS_BOOT, {"reboot"}},
    {CAP_SYS_CHROOT, {"chroot"}},
    {CAP_SYS_MODULE, {"delete_module", "finit_module", "init_module"}},
    {CAP_SYS_PACCT, {"acct"}},
    {CAP_SYS_PTRACE, {"kcmp", "pidfd_getfd", "process_madvise"}},
    {CAP_SYS_RAWIO, {"ioperm", "iopl"}},
    {CAP_SYS_TIME, {"clock_settime", "clock_settime64", "settimeofday", "stime"}},
    {CAP_SYS_TTY_CONFIG, {"vhangup"}},
    {CAP_SYS_NICE, {"get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"}},
    {CAP_SYSLOG, {"syslog"}},
    {CAP_BPF, {"bpf"}},
    {CAP_PERFMON, {"perf_event_open"}},
});

constexpr uint64_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                    CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;

// PER_LINUX, PER_LINUX32, with UNAME26, and the question what it is.
constexpr std::array<uint64_t, 5> kPersonalities = {0x0, 0x8, 0x20000, 0x20008, 0xffffffff};

// All address families below 64 but 38 (AF_ALG) and 40 (AF_VSOCK), as blocks of a power of two.
struct Block {
  uint32_t mask;
  uint32_t first;
};
constexpr auto kAddressFamilies = std::to_array<Block>({{0xffffffe0, 0},
                                                        {0xfffffffc, 32},
                                                        {0xfffffffe, 36},
                                                        {0xffffffff, 39},
                                                        {0xffffffff, 41},
                                                        {0xfffffffe, 42},
                                                        {0xfffffffc, 44},
                                                        {0xfffffff0, 48}});

SeccompRule Allow(std::span<const char* const> names) {
  SeccompRule rule{.action = SeccompAction::kAllow};
  for (const char* name : names) {
    if (name) rule.names.emplace_back(name);
  }
  return rule;
}

SeccompRule AllowIf(const char* name, SeccompArgument argument) {
  return {.names = {name}, .action = SeccompAction::kAllow, .args = {argument}};
}

// The capabilities that a filter depends on.
CapabilityMask Relevant() {
  CapabilityMask mask = 0;
  for (const WithCapability& one : kWithCapability) mask |= CapabilityBit(one.capability);
  return mask;
}

}  // namespace

SeccompProfile DefaultSeccompProfile(CapabilityMask granted) {
  SeccompProfile profile;
  profile.default_action = SeccompAction::kErrno;
  profile.default_errno_ret = EPERM;
  profile.architectures = NativeArchitectures();
  profile.syscalls = {Allow(kAlwaysAllowed), Allow(kOfMachine)};
  for (const Block& block : kAddressFamilies) {
    profile.syscalls.push_back(AllowIf("socket", {.index = 0,
                                                  .value = block.mask,
                                                  .value_two = block.first,
                                                  .op = SeccompOperator::kMaskedEqual}));
  }
  for (const uint64_t personality : kPersonalities) {
    profile.syscalls.push_back(AllowIf("personality", {.index = 0, .value = personality}));
  }
  for (const WithCapability& one : kWithCapability) {
    if ((granted & CapabilityBit(one.capability)) != 0) {
      profile.syscalls.push_back(Allow(one.names));
    }
  }
  if ((granted & CapabilityBit(CAP_SYS_ADMIN)) == 0) {
    profile.syscalls.push_back(AllowIf("clone", {.index = 0,
                                                 .value = kNewNamespaces,
                                                 .value_two = 0,
                                                 .op = SeccompOperator::kMaskedEqual}));
    // Its flags are in memory, where a filter cannot look; with ENOSYS libraries use clone.
    profile.syscalls.push_back(
        {.names = {"clone3"}, .action = SeccompAction::kErrno, .errno_ret = ENOSYS});
  }
  return profile;
}

std::shared_ptr<const SeccompFilter> DefaultSeccomp::For(CapabilityMask granted) {
  static const CapabilityMask kRelevant = Relevant();
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const SeccompFilter>& filter = filters_[granted & kRelevant];
  if (!filter) {
    // Our own rules compile.
    filter = std::make_shared<SeccompFilter>(
        CompileSeccomp(DefaultSeccompProfile(granted & kRelevant)).value());
  }
  return filter;
}

}  // namespace podium::kernel
