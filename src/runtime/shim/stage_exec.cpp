// A further process in a container. It joins the container's cgroups and namespaces and becomes who
// it is to be outside of the container's pid namespace, where nobody in there sees it, and is born
// again inside when nothing is left that the container may not have but what its filter takes.
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/fcntl.h>

#include "runtime/shim/stage.h"
#include "runtime/shim/syscalls.h"

namespace podium::runtime::shim {
namespace {

// From here on names are the container's.
void JoinContainer(const StageJob& job) {
  uint32_t flags = CLONE_NEWNS | CLONE_NEWPID | PodNamespaces(job.sandbox_flags);
  if ((job.container_flags & kPlanNewCgroup) != 0) flags |= CLONE_NEWCGROUP;
  Must(sys::Setns(job.join, flags), FailedStep::kNamespace);
  if ((job.sandbox_flags & kSandboxNewUser) != 0) BecomeNamespaceRoot();
}

int OpenExecTerminal(const StageJob& job, int* terminal) {
  // The container may have put anything there: OpenTerminal looks at what it gets.
  const int folder = static_cast<int>(
      Must(sys::Openat(AT_FDCWD, "/dev/pts", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
           FailedStep::kTerminal, "/dev/pts"));
  const int master = OpenTerminal(folder, job.rows, job.columns, terminal);
  sys::Close(folder);
  return master;
}

}  // namespace

void ExecStage(const StageJob& job) {
  ReportTo(job.status);
  JoinCgroups(job.procs);
  const int keep[] = {job.status, job.proc,     job.self,     job.join,
                      job.plan,   job.stdio[0], job.stdio[1], job.stdio[2]};
  CloseAllBut(keep);
  const PlanReader plan = MapPlan(job.plan, 0);
  if (plan.header().root >= 0 || plan.header().mounts.count > 0) Fail(FailedStep::kPlan, EINVAL);
  uint32_t refused = 0;
  if (!SetOomScore(job.proc, plan.header().oom_score_adj)) refused |= kRefusedOomScore;
  JoinContainer(job);
  LeaveKeyring(job.proc, &plan);

  int master = -1;
  int stdio[3] = {job.stdio[0], job.stdio[1], job.stdio[2]};
  if ((job.process_flags & kProcessTerminal) != 0) {
    int terminal = -1;
    master = OpenExecTerminal(job, &terminal);
    for (int& fd : stdio) fd = terminal;
  }
  SetStdio(stdio, plan.header().uid);
  SetLabel(job.proc, plan);
  const bool entered = EnterWorkingDirectory(plan, false);
  refused |= SetRlimits(plan);
  SetUser(plan);
  if (!entered) EnterWorkingDirectory(plan, true);
  const char* program = FindProgram(plan);
  const bool dies_with_shim = (job.sandbox_flags & kSandboxNewPid) == 0;
  const int keep_inside[] = {0, 1, 2, job.status, master, dies_with_shim ? job.self : -1};
  CloseAllBut(keep_inside);
  BeBornInside();
  BeginSession((job.process_flags & kProcessTerminal) != 0);
  if (dies_with_shim) DieWithShim(job.self, SIGKILL);
  ReportReady(refused, master);
  RunProgram(plan, program);
}

}  // namespace podium::runtime::shim
