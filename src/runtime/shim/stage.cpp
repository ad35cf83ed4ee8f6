#include "runtime/shim/stage.h"

#include <asm/errno.h>
#include <asm/mman.h>
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/keyctl.h>
#include <linux/mman.h>
#include <linux/prctl.h>

#include "runtime/shim/syscalls.h"

namespace podium::runtime::shim {
namespace {

int g_status = -1;

void SendReport(const StageReport& report, int fd) {
  iovec part = {.iov_base = const_cast<StageReport*>(&report), .iov_len = sizeof(report)};
  struct {
    sys::ControlHeader header;
    int fd;
    int padding;
  } control = {.header = {.size = sizeof(sys::ControlHeader) + sizeof(int),
                          .level = sys::kSolSocket,
                          .type = sys::kScmRights},
               .fd = fd,
               .padding = 0};
  const sys::MessageHeader message = {.name = nullptr,
                                      .name_size = 0,
                                      .parts = &part,
                                      .part_count = 1,
                                      .control = fd >= 0 ? &control : nullptr,
                                      .control_size = fd >= 0 ? sizeof(control) : 0,
                                      .flags = 0};
  sys::Sendmsg(g_status, &message, sys::kMsgNosignal);
}

}  // namespace

void ReportTo(int status) { g_status = status; }

void Fail(FailedStep step, long error, std::string_view detail) {
  StageReport report = {};
  report.failed = true;
  report.step = step;
  report.error = static_cast<int32_t>(error);
  const size_t size = detail.size() < sizeof(report.detail) ? detail.size() : kDetailSize - 1;
  __builtin_memcpy(report.detail, detail.data(), size);
  SendReport(report, -1);
  sys::Exit(128);
}

void ReportReady(uint32_t refused, int terminal) {
  StageReport report = {};
  report.refused = refused;
  SendReport(report, terminal);
}

void AwaitGo() {
  char go = 0;
  long size = 0;
  do {
    size = sys::Read(g_status, &go, 1);
  } while (size == -EINTR);
  if (size != 1) sys::Exit(128);
}

void JoinCgroups(std::span<const int> procs) {
  for (const int fd : procs) Must(sys::Write(fd, "0", 1), FailedStep::kCgroup);
}

void CloseAllBut(std::span<const int> keep) {
  // The places of the standard streams stay taken (main.cpp), so that nothing else gets there.
  unsigned first = kControlDescriptor;
  for (;;) {
    // The smallest kept descriptor from `first` on: few are kept, so no sorting.
    unsigned next = ~0U;
    for (const int fd : keep) {
      if (fd >= 0 && static_cast<unsigned>(fd) >= first && static_cast<unsigned>(fd) < next) {
        next = static_cast<unsigned>(fd);
      }
    }
    if (next > first) {
      Must(sys::CloseRange(first, next == ~0U ? next : next - 1, 0), FailedStep::kSpawn);
    }
    if (next == ~0U) return;
    first = next + 1;
  }
}

bool SetOomScore(int proc, int32_t value) {
  const long fd =
      Must(sys::Openat(proc, "self/oom_score_adj", O_WRONLY | O_CLOEXEC), FailedStep::kOomScore);
  char text[12];
  char* to = text + sizeof(text);
  uint32_t rest = value < 0 ? 0U - static_cast<uint32_t>(value) : static_cast<uint32_t>(value);
  do {
    *--to = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  if (value < 0) *--to = '-';
  const long result =
      sys::Write(static_cast<int>(fd), to, static_cast<size_t>(text + sizeof(text) - to));
  sys::Close(static_cast<int>(fd));
  // Lowering it takes CAP_SYS_RESOURCE, which containers and some virtual machines lack.
  if (result == -EACCES || result == -EPERM) return false;
  Must(result, FailedStep::kOomScore);
  return true;
}

PlanReader MapPlan(int fd, uint32_t descriptors) {
  struct stat status;
  Must(sys::Fstat(fd, &status), FailedStep::kPlan);
  // Unsealed, it could change after the check, or shrink under the mapping.
  const long seals = sys::Fcntl(fd, F_GET_SEALS, 0);
  constexpr long kSealed = F_SEAL_WRITE | F_SEAL_SHRINK;
  if (seals < 0 || (seals & kSealed) != kSealed) Fail(FailedStep::kPlan, EPERM);
  if (status.st_size <= 0 || static_cast<size_t>(status.st_size) > kMaxPlan) {
    Fail(FailedStep::kPlan, EINVAL);
  }
  const auto size = static_cast<size_t>(status.st_size);
  const long address = sys::Mmap(size, PROT_READ, MAP_PRIVATE, fd);
  if (!sys::IsMapped(address)) Fail(FailedStep::kPlan, -address);
  PlanReader plan;
  if (!plan.Open({sys::Pointer<const unsigned char>(address), size}, descriptors)) {
    Fail(FailedStep::kPlan, EINVAL);
  }
  return plan;
}

void LeaveKeyring(int proc, const PlanReader* plan) {
  if (plan != nullptr && plan->header().label_kind == LabelKind::kSelinux) {
    // Holds until the program runs.
    const long fd = Must(sys::Openat(proc, "self/attr/keycreate", O_WRONLY | O_CLOEXEC),
                         FailedStep::kLabel, "keyring");
    const std::string_view label = plan->Text(plan->header().label);
    Must(sys::Write(static_cast<int>(fd), label.data(), label.size()), FailedStep::kLabel, label);
    sys::Close(static_cast<int>(fd));
  }
  const long result = sys::Call(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
  // A kernel without keys, or an outer container's filter, has no keyring to leave.
  if (result == -ENOSYS || result == -EPERM) return;
  Must(result, FailedStep::kNamespace, "keyring");
}

uint32_t PodNamespaces(uint32_t sandbox_flags) {
  uint32_t flags = 0;
  if ((sandbox_flags & kSandboxNewIpc) != 0) flags |= CLONE_NEWIPC;
  if ((sandbox_flags & kSandboxNewUts) != 0) flags |= CLONE_NEWUTS;
  const bool user = (sandbox_flags & kSandboxNewUser) != 0;
  if (user) flags |= CLONE_NEWUSER;
  // One that was made elsewhere and joined; the host's own does no harm. But not from inside a user
  // namespace, which has no say over it.
  if (!user || (sandbox_flags & kSandboxNewNet) != 0) flags |= CLONE_NEWNET;
  return flags;
}

void BecomeNamespaceRoot() {
  Must(sys::Call(__NR_setgroups, 0, nullptr), FailedStep::kUser);
  Must(sys::Call(__NR_setresgid, 0, 0, 0), FailedStep::kUser);
  Must(sys::Call(__NR_setresuid, 0, 0, 0), FailedStep::kUser);
  HideMemory();
}

void HideMemory() { Must(sys::Prctl(PR_SET_DUMPABLE, 0), FailedStep::kSpawn); }

void BeBornInside() {
  clone_args args = {};
  args.flags = CLONE_PARENT;
  if (Must(sys::Clone3(args), FailedStep::kSpawn) > 0) sys::Exit(0);
}

}  // namespace podium::runtime::shim
