// Who a process is: limits, label, user, groups, capabilities, and last the system calls it may
// make.
#include <asm/errno.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/seccomp.h>

#include "runtime/shim/stage.h"
#include "runtime/shim/syscalls.h"

namespace podium::runtime::shim {
namespace {

// As upstream's pause image.
constexpr uint32_t kNobody = 65535;
constexpr uint64_t kSysAdmin = uint64_t{1} << CAP_SYS_ADMIN;

struct Capabilities {
  uint64_t effective, permitted, inheritable;
};

void GetCapabilities(Capabilities* out) {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  Must(sys::Call(__NR_capget, &header, data), FailedStep::kCapabilities);
  *out = {.effective = data[0].effective | uint64_t{data[1].effective} << 32,
          .permitted = data[0].permitted | uint64_t{data[1].permitted} << 32,
          .inheritable = data[0].inheritable | uint64_t{data[1].inheritable} << 32};
}

void SetCapabilities(const Capabilities& set) {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  for (int i = 0; i < 2; ++i) {
    data[i] = {.effective = static_cast<uint32_t>(set.effective >> (32 * i)),
               .permitted = static_cast<uint32_t>(set.permitted >> (32 * i)),
               .inheritable = static_cast<uint32_t>(set.inheritable >> (32 * i))};
  }
  Must(sys::Call(__NR_capset, &header, data), FailedStep::kCapabilities);
}

// Capabilities are numbered without gaps; the first that the kernel does not know ends them.
void DropBounding(uint64_t keep) {
  for (unsigned long capability = 0; capability < 64; ++capability) {
    if ((keep >> capability & 1) != 0) continue;
    const long result = sys::Prctl(PR_CAPBSET_DROP, capability);
    if (result == -EINVAL) return;
    Must(result, FailedStep::kCapabilities);
  }
}

// The last step about capabilities: nothing can be regained afterwards.
void FinishCapabilities(const PlanReader& plan) {
  const PlanHeader& header = plan.header();
  Capabilities have;
  GetCapabilities(&have);
  const uint64_t permitted = header.permitted & have.permitted;
  // Inheritable ones come only with ambient ones (CVE-2022-27650); capset may raise them up to what
  // is permitted.
  SetCapabilities({.effective = header.effective & permitted,
                   .permitted = permitted,
                   .inheritable = header.inheritable & permitted});
  for (unsigned long capability = 0; capability < 64; ++capability) {
    if ((header.ambient & permitted & header.inheritable) >> capability & 1) {
      Must(sys::Prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability), FailedStep::kCapabilities);
    }
  }
}

void CheckUser(uint32_t uid, uint32_t gid) {
  uint32_t ids[3] = {};
  Must(sys::Call(__NR_getresuid, &ids[0], &ids[1], &ids[2]), FailedStep::kUser);
  if (ids[0] != uid || ids[1] != uid || ids[2] != uid) Fail(FailedStep::kUser, EINVAL);
  Must(sys::Call(__NR_getresgid, &ids[0], &ids[1], &ids[2]), FailedStep::kUser);
  if (ids[0] != gid || ids[1] != gid || ids[2] != gid) Fail(FailedStep::kUser, EINVAL);
}

}  // namespace

uint32_t SetRlimits(const PlanReader& plan) {
  uint32_t refused = 0;
  for (const PlanRlimit& limit : plan.Rlimits()) {
    // RLIMIT_* go to 15.
    const char digits[2] = {static_cast<char>('0' + limit.resource / 10 % 10),
                            static_cast<char>('0' + limit.resource % 10)};
    const std::string_view name = limit.resource < 10 ? std::string_view(digits + 1, 1)
                                                      : std::string_view(digits, sizeof(digits));
    rlimit64 wanted = {.rlim_cur = limit.soft, .rlim_max = limit.hard};
    long result = sys::Call(__NR_prlimit64, 0, limit.resource, &wanted, nullptr);
    if (result == -EPERM) {
      // Without CAP_SYS_RESOURCE a hard limit stays; what is below it is given.
      rlimit64 now = {};
      Must(sys::Call(__NR_prlimit64, 0, limit.resource, nullptr, &now), FailedStep::kRlimit);
      wanted.rlim_max = now.rlim_max;
      if (wanted.rlim_cur > wanted.rlim_max) wanted.rlim_cur = wanted.rlim_max;
      result = sys::Call(__NR_prlimit64, 0, limit.resource, &wanted, nullptr);
      refused |= kRefusedRlimit;
    }
    Must(result, FailedStep::kRlimit, name);
  }
  return refused;
}

// Takes effect at execve. `proc` is the shim's own: a container cannot put anything in its place
// (CVE-2019-19921, CVE-2025-52881).
void SetLabel(int proc, const PlanReader& plan) {
  const PlanHeader& header = plan.header();
  if (header.label_kind == LabelKind::kNone) return;
  const bool apparmor = header.label_kind == LabelKind::kAppArmor;
  const char* path = apparmor ? "self/attr/apparmor/exec" : "self/attr/exec";
  long fd = sys::Openat(proc, path, O_WRONLY | O_CLOEXEC);
  // Kernels whose only security module is AppArmor may have the old name alone.
  if (fd == -ENOENT && apparmor) fd = sys::Openat(proc, "self/attr/exec", O_WRONLY | O_CLOEXEC);
  Must(fd, FailedStep::kLabel);
  const std::string_view label = plan.Text(header.label);
  constexpr std::string_view kCommand = "exec ";
  char text[kMaxPath + kCommand.size()];
  size_t size = 0;
  if (apparmor) {
    __builtin_memcpy(text, kCommand.data(), kCommand.size());
    size = kCommand.size();
  }
  __builtin_memcpy(text + size, label.data(), label.size());
  size += label.size();
  Must(sys::Write(static_cast<int>(fd), text, size), FailedStep::kLabel, label);
  sys::Close(static_cast<int>(fd));
}

void SetUser(const PlanReader& plan) {
  const PlanHeader& header = plan.header();
  Must(sys::Prctl(PR_SET_KEEPCAPS, 1), FailedStep::kCapabilities);
  DropBounding(header.bounding);
  const std::span<const uint32_t> groups = plan.Groups();
  Must(sys::Call(__NR_setgroups, groups.size(), groups.data()), FailedStep::kUser);
  Must(sys::Call(__NR_setresgid, header.gid, header.gid, header.gid), FailedStep::kUser);
  Must(sys::Call(__NR_setresuid, header.uid, header.uid, header.uid), FailedStep::kUser);
  CheckUser(header.uid, header.gid);
  // A change to another user has emptied the effective set. What the plan permits is effective
  // until the end, and what installing a filter takes.
  Capabilities have;
  GetCapabilities(&have);
  const bool filter_first = header.filter.size > 0 && (header.flags & kPlanNoNewPrivileges) == 0;
  const uint64_t interim = (header.permitted | (filter_first ? kSysAdmin : 0)) & have.permitted;
  SetCapabilities({.effective = interim, .permitted = interim, .inheritable = 0});
  if ((header.flags & kPlanNoNewPrivileges) != 0) {
    Must(sys::Prctl(PR_SET_NO_NEW_PRIVS, 1), FailedStep::kNoNewPrivileges);
  }
  if (!filter_first) FinishCapabilities(plan);
  HideMemory();
}

// The last thing before execve, so that a filter need not allow what the stage does.
void SetFilter(const PlanReader& plan) {
  const PlanHeader& header = plan.header();
  if (header.filter.size == 0) return;
  const std::string_view bytes = plan.Text(header.filter);
  const sock_fprog program = {
      .len = static_cast<unsigned short>(bytes.size() / sizeof(sock_filter)),
      .filter = reinterpret_cast<sock_filter*>(const_cast<char*>(bytes.data()))};
  Must(sys::Call(__NR_seccomp, SECCOMP_SET_MODE_FILTER, header.filter_flags, &program),
       FailedStep::kSeccomp);
  if ((header.flags & kPlanNoNewPrivileges) == 0) FinishCapabilities(plan);
}

void DropEverything() {
  DropBounding(0);
  Must(sys::Call(__NR_setgroups, 0, nullptr), FailedStep::kUser);
  // Not mapped in the pod's user namespace: then it stays that namespace's root, who without
  // capabilities is nobody too.
  if (sys::Call(__NR_setresgid, kNobody, kNobody, kNobody) == 0) {
    sys::Call(__NR_setresuid, kNobody, kNobody, kNobody);
  }
  SetCapabilities({.effective = 0, .permitted = 0, .inheritable = 0});
  Must(sys::Prctl(PR_SET_NO_NEW_PRIVS, 1), FailedStep::kNoNewPrivileges);
}

// After the last change of credentials, which would clear it.
void DieWithShim(int self, int signal) {
  Must(sys::Prctl(PR_SET_PDEATHSIG, static_cast<unsigned long>(signal)), FailedStep::kSpawn);
  // It may have died before. getppid would not tell: it is 0 in another pid namespace.
  pollfd shim = {.fd = self, .events = POLLIN, .revents = 0};
  const __kernel_timespec no_wait = {.tv_sec = 0, .tv_nsec = 0};
  if (sys::Call(__NR_ppoll, &shim, 1, &no_wait, nullptr, 0) != 0) sys::Exit(128);
}

}  // namespace podium::runtime::shim
