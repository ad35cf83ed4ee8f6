// The shim's start and its loop.
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/close_range.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/time.h>

#include "runtime/shim/own_root.h"
#include "runtime/shim/shim.h"
#include "runtime/shim/start.h"
#include "runtime/shim/syscalls.h"

namespace podium::runtime::shim {

constinit Shim g_shim = {};

namespace {

constexpr int kMaxEvents = 16;

// An event's 64 bits: what, generation, stream, index.
constexpr int kKindShift = 56;
constexpr int kStreamShift = 48;
constexpr int kGenerationShift = 16;

// Everything waits in the signalfd; a child's stage unblocks again, and undoes the two ignored
// ones. What else was ignored when we were started would be so in every container.
int OpenSignals() {
  constexpr int kSignals = 64;
  const sys::SignalAction standard = {
      .handler = SIG_DFL, .flags = 0, .restorer = nullptr, .mask = 0};
  sys::SignalAction ignore = standard;
  ignore.handler = SIG_IGN;
  for (int signal = 1; signal <= kSignals; ++signal) {
    const bool ignored = signal == SIGHUP || signal == SIGPIPE;
    sys::Sigaction(signal, ignored ? ignore : standard);
  }
  sys::Sigprocmask(SIG_SETMASK, ~uint64_t{0});
  const uint64_t awaited =
      uint64_t{1} << (SIGCHLD - 1) | uint64_t{1} << (SIGTERM - 1) | uint64_t{1} << (SIGINT - 1);
  return static_cast<int>(
      sys::Call(__NR_signalfd4, -1, &awaited, sizeof(awaited), O_CLOEXEC | O_NONBLOCK));
}

// A proc file system that no name leads to. It shows the host's processes, so it is for writes
// about ourselves and for new children only.
long OpenProc() {
  const long fs = sys::Fsopen("proc");
  if (fs < 0) return fs;
  long result = sys::Fsconfig(static_cast<int>(fs), FSCONFIG_CMD_CREATE, nullptr, nullptr);
  if (result >= 0) {
    result = sys::Fsmount(static_cast<int>(fs),
                          MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  }
  sys::Close(static_cast<int>(fs));
  if (result < 0 || result > kControlDescriptor) return result;
  // Not in the place of a standard stream: a stage puts the container's there before it is done.
  const long moved = sys::Fcntl(static_cast<int>(result), F_DUPFD_CLOEXEC, kControlDescriptor + 1);
  sys::Close(static_cast<int>(result));
  return moved;
}

long CheckFd(long fd, int* out) {
  *out = static_cast<int>(fd);
  return fd;
}

// Where the environment says so, the descriptors behind the connection are the cgroups to be in
// (messages.h). To be moved there would make every processor of the machine see a lock (cgroup.h in
// linux); so the process is born again in the one of version 2, as its maker's child as before, and
// enters those of version 1 by itself. Minus errno.
long EnterCgroups(const char* const* environment) {
  constexpr std::string_view kName = kCgroupsVariable;
  if (environment[0] == nullptr) return 0;
  std::string_view kinds = environment[0];
  if (!kinds.starts_with(kName)) return 0;
  kinds.remove_prefix(kName.size());
  int fd = kControlDescriptor + 1;
  if (kinds.starts_with(kCgroupFolder)) {
    clone_args args = {};
    args.flags = CLONE_PARENT | CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(fd++);
    kinds.remove_prefix(1);
    const long child = sys::Clone3(args);
    if (child > 0) sys::Exit(0);
    if (child < 0) return child;
  }
  for (size_t i = 0; i < kinds.size(); ++i) {
    const long written = sys::Write(fd++, "0", 1);
    if (written < 0) return written;
  }
  return 0;
}

// What makes a process a shim. Minus errno if it cannot be one.
long BecomeShim() {
  sys::Prctl(PR_SET_NAME, reinterpret_cast<unsigned long>("podium-shim"));
  // Not to be looked into: children are copies of it until their program runs.
  sys::Prctl(PR_SET_DUMPABLE, 0);
  sys::CloseRange(0, kControlDescriptor - 1, 0);
  sys::CloseRange(kControlDescriptor + 1, ~0U, 0);
  sys::Call(__NR_setsid);
  sys::Umask(0);
  long result = sys::Prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (result >= 0) result = CheckFd(OpenProc(), &g_shim.proc);
  if (result >= 0) result = -EnterOwnRoot();
  if (result >= 0)
    result = CheckFd(sys::Openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC), &g_shim.null);
  // The places of the standard streams stay taken: a stage moves descriptors there.
  while (result >= 0 && result < kControlDescriptor) {
    result = sys::Fcntl(g_shim.null, F_DUPFD_CLOEXEC, 0);
  }
  if (result >= 0) result = sys::Fcntl(kControlDescriptor, F_SETFD, FD_CLOEXEC);
  if (result >= 0) result = CheckFd(sys::PidfdOpen(static_cast<int>(sys::Getpid())), &g_shim.self);
  if (result >= 0) result = CheckFd(sys::Call(__NR_epoll_create1, O_CLOEXEC), &g_shim.epoll);
  if (result >= 0) result = CheckFd(OpenSignals(), &g_shim.signals);
  return result;
}

void ReadSignals() {
  unsigned char info[128 * 4];
  long size = 0;
  bool end = false;
  while ((size = sys::Read(g_shim.signals, info, sizeof(info))) > 0) {
    for (long at = 0; at < size; at += 128) {
      uint32_t signal = 0;
      __builtin_memcpy(&signal, info + at, sizeof(signal));
      end = end || signal == SIGTERM || signal == SIGINT;
    }
  }
  ReapAll();
  if (end) {
    g_shim.shutting_down = true;
    KillPod();
  }
}

void Dispatch(uint64_t data) {
  const auto kind = static_cast<Watched>(data >> kKindShift);
  const auto index = static_cast<uint32_t>(data & 0xffff);
  const auto generation = static_cast<uint32_t>(data >> kGenerationShift);
  const auto stream = static_cast<uint32_t>(data >> kStreamShift & 1);
  switch (kind) {
    case Watched::kListener:
      return AcceptConnection();
    case Watched::kConnection:
      if (g_shim.connections[index].fd >= 0 && g_shim.connections[index].generation == generation) {
        ReadConnection(index);
      }
      return;
    case Watched::kSignals:
      return ReadSignals();
    case Watched::kStatus:
    case Watched::kStream: {
      Process& process = g_shim.processes[index];
      // An event of this round may be about a process that another one has forgotten.
      if (!process.used || process.generation != generation) return;
      if (kind == Watched::kStatus) return ReadStatus(process);
      return ReadStream(process, stream);
    }
  }
}

// Whether nothing of the pod is left.
bool IsOver() {
  if (g_shim.sandbox.exists && g_shim.sandbox.infra.phase != ProcessPhase::kExited) return false;
  for (size_t i = 0; i < g_shim.process_count; ++i) {
    const Process& process = g_shim.processes[i];
    if (process.used && process.state.phase != ProcessPhase::kExited) return false;
  }
  return true;
}

bool IsAbandoned() {
  if (g_shim.sandbox.exists && (g_shim.sandbox.flags & kSandboxPrepare) == 0) return false;
  for (const Connection& connection : g_shim.connections) {
    if (connection.fd >= 0) return false;
  }
  return true;
}

uint64_t TimeOf(int clock) {
  __kernel_timespec time = {};
  sys::ClockGettime(clock, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

void Loop() {
  for (;;) {
    epoll_event events[kMaxEvents];
    const int timeout = g_shim.holding ? LookAtHeld() : -1;
    const long count =
        sys::Call(__NR_epoll_pwait, g_shim.epoll, events, kMaxEvents, timeout, nullptr, 0);
    for (long i = 0; i < count; ++i) Dispatch(events[i].data);
    // A pod that was never named belongs to the agent that asked for it.
    if (!g_shim.shutting_down && IsAbandoned()) {
      g_shim.shutting_down = true;
      KillPod();
    }
    if (g_shim.shutting_down && IsOver()) {
      ReplyDone(g_shim.shutdown_reply);
      return;
    }
  }
}

}  // namespace

void Watch(int fd, Watched kind, uint32_t index, uint32_t generation, uint32_t stream) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data = uint64_t{static_cast<uint8_t>(kind)} << kKindShift |
               uint64_t{stream} << kStreamShift | uint64_t{generation} << kGenerationShift | index;
  sys::Call(__NR_epoll_ctl, g_shim.epoll, EPOLL_CTL_ADD, fd, &event);
}

void Unwatch(int fd) {
  epoll_event unused = {};
  sys::Call(__NR_epoll_ctl, g_shim.epoll, EPOLL_CTL_DEL, fd, &unused);
}

uint64_t Now() { return TimeOf(CLOCK_REALTIME); }

uint64_t MonotonicNow() { return TimeOf(CLOCK_MONOTONIC); }

void CloseFd(int* fd) {
  if (*fd >= 0) sys::Close(*fd);
  *fd = -1;
}

void CopyText(std::string_view from, char* to, size_t size) {
  const size_t count = from.size() < size ? from.size() : size - 1;
  __builtin_memcpy(to, from.data(), count);
  to[count] = '\0';
}

int Main(int argc, char** argv) {
  for (Connection& connection : g_shim.connections) connection.fd = -1;
  g_shim.listener = -1;
  if (argc > 1) {
    g_shim.title = argv[1];
    g_shim.title_size = std::string_view(argv[1]).size();
  }
  // The environment is behind the arguments.
  long result = EnterCgroups(argv + argc + 1);
  if (result >= 0) result = BecomeShim();
  if (result < 0) {
    // Before there is a loop: said on the one connection, as an event would be.
    AddConnection(kControlDescriptor);
    ReplyFailed({.connection = 1, .generation = g_shim.connections[0].generation, .id = 0},
                FailedStep::kSpawn, static_cast<int>(-result), "shim");
    return 1;
  }
  Watch(g_shim.signals, Watched::kSignals, 0, 0);
  AddConnection(kControlDescriptor);
  Loop();
  return 0;
}

}  // namespace podium::runtime::shim
