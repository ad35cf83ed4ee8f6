// infra: the first process of a pod, whose namespaces are the pod's. It waits to be ended. As PID 1
// of the pod's pid namespace it is the parent of orphans; ignoring SIGCHLD makes the kernel reap
// them. It never allocates, reads or opens anything.
#include <asm/signal.h>
#include <linux/prctl.h>

#include "runtime/shim/start.h"
#include "runtime/shim/syscalls.h"

namespace podium::runtime::shim {
namespace {

// Open only in a pod without a pid namespace of its own: cgroup.kill of the pod.
constexpr int kKillDescriptor = 3;

}  // namespace

int Main(int /*argc*/, char** /*argv*/) {
  sys::Prctl(PR_SET_NAME, reinterpret_cast<unsigned long>("pause"));
  // Where the pod's containers see it, one of the same user could trace it and be in its place.
  sys::Prctl(PR_SET_DUMPABLE, 0);
  sys::Sigaction(SIGCHLD, {.handler = SIG_IGN, .flags = 0, .restorer = nullptr, .mask = 0});
  // A blocked signal waits even for a PID 1 that has no handler for it (sig_ignored() in the
  // kernel), so none is lost between here and the wait.
  sys::Sigprocmask(SIG_SETMASK, ~uint64_t{0});
  const uint64_t ends = (uint64_t{1} << (SIGTERM - 1)) | (uint64_t{1} << (SIGINT - 1));
  while (sys::Call(__NR_rt_sigtimedwait, &ends, nullptr, nullptr, sizeof(ends)) < 0) {
  }
  sys::Write(kKillDescriptor, "1", 1);
  return 0;
}

}  // namespace podium::runtime::shim
