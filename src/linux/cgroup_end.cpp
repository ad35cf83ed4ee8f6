#include "linux/cgroup_end.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <span>

#include "linux/cgroup_files.h"

namespace podium::kernel {
namespace {

constexpr const char* kEvents = "cgroup.events";
constexpr const char* kFreezerState = "freezer.state";

Error Late(const char* what) { return {Code::kDeadlineExceeded, what}; }

int MillisecondsLeft(Deadline deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000));
}

// Until `key` of cgroup.events is `value`. False when the deadline is over.
Result<bool> WaitForEvent(int folder, std::string_view key, uint64_t value, Deadline deadline) {
  TRY(const CgroupWatch watch, WatchFile(folder, kEvents));
  while (true) {
    watch.Acknowledge();
    TRY(const std::string text, ReadCgroupFile(folder, kEvents));
    if (text.find(std::string(key) + " " + std::to_string(value)) != std::string::npos) return true;
    const int left = MillisecondsLeft(deadline);
    if (left == 0) return false;
    pollfd events{.fd = watch.fd.get(), .events = watch.events, .revents = 0};
    if (poll(&events, 1, left) < 0 && errno != EINTR) return Error::FromErrno(errno, "poll");
  }
}

// Kills those of `pids` that are in the folder. A number may have gone to another process since it
// was read: so it is pinned, and signalled only if the folder has it still.
Result<void> Signal(int folder, std::span<const pid_t> pids) {
  constexpr size_t kAtOnce = 128;  // descriptors
  while (!pids.empty()) {
    const auto part = pids.first(std::min(pids.size(), kAtOnce));
    std::vector<std::pair<pid_t, UniqueFd>> pinned;
    for (const pid_t pid : part) {
      UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
      if (process) {
        pinned.emplace_back(pid, std::move(process));
      } else if (errno != ESRCH && errno != EINVAL) {
        return Error::FromErrno(errno, "pidfd_open");
      }
    }
    TRY(std::vector<pid_t> there, ProcessesBelow(folder));
    std::ranges::sort(there);
    for (const auto& [pid, process] : pinned) {
      if (!std::ranges::binary_search(there, pid)) continue;
      if (syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) != 0 &&
          errno != ESRCH) {
        return Error::FromErrno(errno, "killing process " + std::to_string(pid));
      }
    }
    pids = pids.subspan(part.size());
  }
  return {};
}

// The folder and all below it, each of which may have been stopped by itself.
Result<void> ThawBelow(int folder, int depth = 0) {
  constexpr int kMaxDepth = 64;
  TRY_VOID(WriteCgroupFile(folder, kFreezerState, "THAWED"));
  if (depth == kMaxDepth) return {};
  TRY(const std::vector<std::string> children, ChildCgroups(folder));
  for (const std::string& child : children) {
    const auto below = OpenCgroup(folder, child);
    if (below.ok()) TRY_VOID(ThawBelow(below->get(), depth + 1));
  }
  return {};
}

}  // namespace

void CgroupWatch::Acknowledge() const {
  // An eventfd is emptied by read, and a file of cgroups by reading it from its beginning.
  std::array<char, 512> text{};
  if (pread(fd.get(), text.data(), text.size(), 0) < 0 && errno == ESPIPE) {
    (void)!read(fd.get(), text.data(), text.size());
  }
}

Result<CgroupWatch> WatchFile(int folder, const std::string& file) {
  CgroupWatch watch;
  TRY(watch.fd, OpenCgroupFile(folder, file, O_RDONLY));
  watch.events = POLLPRI;
  watch.Acknowledge();
  return watch;
}

Result<void> KillUnified(int folder, Deadline deadline) {
  auto written = WriteCgroupFile(folder, "cgroup.kill", "1");
  if (!written.ok() && written.error().os_errno() == EOPNOTSUPP) {
    return KillBySignals(folder, deadline);  // a threaded cgroup
  }
  TRY_VOID(std::move(written));
  TRY(const bool empty, WaitForEvent(folder, "populated", 0, deadline));
  if (!empty) return Late("processes of a cgroup do not end");
  // Whoever comes next runs.
  return WriteCgroupFile(folder, "cgroup.freeze", "0");
}

Result<void> KillBySignals(int folder, Deadline deadline) {
  const bool freezer = HasCgroupFile(folder, kFreezerState);
  for (Patience patience(deadline);;) {
    TRY(const std::vector<pid_t> before, ProcessesBelow(folder));
    if (before.empty()) {
      return freezer ? ThawBelow(folder) : Result<void>();
    }
    // A process that cannot be stopped soon, since it waits for a disk, cannot fork either.
    constexpr std::chrono::milliseconds kFreezing(200);
    if (freezer) {
      (void)FreezeV1(folder, std::min(deadline, std::chrono::steady_clock::now() + kFreezing));
    }
    TRY(const std::vector<pid_t> pids, ProcessesBelow(folder));
    const auto signalled = Signal(folder, pids);
    // v1 keeps a killed process where it stopped until it is let go.
    if (freezer) TRY_VOID(ThawBelow(folder));
    TRY_VOID(signalled);
    if (!patience.Wait()) return Late("processes of a cgroup do not end");
  }
}

Result<void> FreezeUnified(int folder, Deadline deadline) {
  TRY_VOID(WriteCgroupFile(folder, "cgroup.freeze", "1"));
  auto frozen = WaitForEvent(folder, "frozen", 1, deadline);
  if (frozen.ok() && *frozen) return {};
  TRY_VOID(WriteCgroupFile(folder, "cgroup.freeze", "0"));
  TRY_VOID(std::move(frozen));
  return Late("processes of a cgroup do not stand still");
}

Result<void> FreezeV1(int folder, Deadline deadline) {
  if (!HasCgroupFile(folder, kFreezerState)) {
    return Error(Code::kUnsupported, "no freezer: the processes of a cgroup cannot be stopped");
  }
  for (Patience patience(deadline);;) {
    // Again each time: a process that was being forked, or moved here, may have been missed.
    TRY_VOID(WriteCgroupFile(folder, kFreezerState, "FROZEN"));
    TRY(const std::string state, ReadCgroupFile(folder, kFreezerState));
    if (state == "FROZEN") return {};
    if (patience.Wait()) continue;
    TRY_VOID(WriteCgroupFile(folder, kFreezerState, "THAWED"));
    return Late("processes of a cgroup do not stand still");
  }
}

}  // namespace podium::kernel
