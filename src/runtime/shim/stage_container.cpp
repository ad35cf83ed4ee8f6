// A container's process, from birth to its program:
//
//   launcher   cgroups; limits that only the host's root may set; joins the pod's namespaces
//   container  mounts, root, terminal, user; reports that it is ready; waits for the word, unless
//              it is to start at once; filter; exec
//
// Between the two it is born again, as the shim's child. With a pid namespace of the container's
// own that is at once: the launcher is in the pod's, where only infra could see it. In a pid
// namespace that containers share it is as late as can be, when nothing is left of what a container
// may not have.
//
// The order matters. Descriptors of the shim are gone before any namespace of the pod is joined. A
// namespace is made only after the user namespace that is to own it has been joined.
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/fcntl.h>

#include "runtime/shim/stage.h"
#include "runtime/shim/syscalls.h"

namespace podium::runtime::shim {
namespace {

constexpr int kDetach = 2;  // MNT_DETACH

// The kernel lets a user namespace mount proc and sysfs only where its mount namespace already
// shows them whole. The copy that the launcher makes of our root does; the container leaves it
// behind. A proc that is shared is made already.
void ShowKernelFileSystems(bool shares_pids) {
  Must(sys::Unshare(CLONE_NEWNS), FailedStep::kNamespace, "mnt");
  struct {
    const char* type;
    const char* path;
  } const shown[] = {{"proc", "/proc"}, {"sysfs", "/sys"}};
  for (const auto& one : shown) {
    if (shares_pids && one.type == shown[0].type) continue;
    const int fs = static_cast<int>(Must(sys::Fsopen(one.type), FailedStep::kMount, one.path));
    Must(sys::Fsconfig(fs, FSCONFIG_CMD_CREATE, nullptr, nullptr), FailedStep::kMount, one.path);
    const int mount = static_cast<int>(Must(sys::Fsmount(fs, 0), FailedStep::kMount, one.path));
    Must(sys::MoveMount(mount, AT_FDCWD, one.path, 0), FailedStep::kMount, one.path);
    sys::Close(mount);
    sys::Close(fs);
  }
}

// In the child, returns. The launcher ends here: the shim, its parent, becomes the child's
// (CLONE_PARENT), so that it sees the end of the container itself.
void BeBornAgain() {
  clone_args args = {};
  args.flags = CLONE_PARENT | CLONE_NEWPID | CLONE_NEWNS;
  const long child = Must(sys::Clone3(args), FailedStep::kNamespace, "pid");
  if (child > 0) sys::Exit(0);
}

// The root is attached before anything is mounted in it: kernels before 6.15 mount nothing on a
// detached tree.
void AttachRoot(int root) { Must(sys::MoveMount(root, AT_FDCWD, "/root", 0), FailedStep::kRoot); }

void EnterRoot(const PlanReader& plan, int root) {
  Must(sys::Fchdir(root), FailedStep::kRoot);
  Must(sys::PivotRoot(".", "."), FailedStep::kRoot);
  Must(sys::Umount2(".", kDetach), FailedStep::kRoot);
  Must(sys::Chdir("/"), FailedStep::kRoot);
  sys::Close(MakeFolder(root, plan.Text(plan.header().cwd), FailedStep::kWorkingDirectory));
  if ((plan.header().flags & kPlanReadOnlyRoot) != 0) {
    const mount_attr read_only = {
        .attr_set = MOUNT_ATTR_RDONLY, .attr_clr = 0, .propagation = 0, .userns_fd = 0};
    Must(sys::MountSetattr(root, AT_EMPTY_PATH, read_only), FailedStep::kRoot);
  }
}

// The terminal also as /dev/console: a mount of the descriptor itself, on a file that we make.
void MountConsole(int root, int terminal) {
  constexpr FailedStep kStep = FailedStep::kTerminal;
  const int dev = static_cast<int>(
      Must(ResolveIn(root, "/dev", O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS), kStep, "/dev"));
  const long file =
      sys::Openat(dev, "console", O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
  if (file != -EEXIST) sys::Close(static_cast<int>(Must(file, kStep, "/dev/console")));
  const int target = static_cast<int>(Must(
      ResolveIn(dev, "console", O_PATH, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV), kStep, "console"));
  const int mount = static_cast<int>(
      Must(sys::OpenTree(terminal, "", AT_EMPTY_PATH | OPEN_TREE_CLONE), kStep, "/dev/console"));
  Must(sys::MoveMount(mount, target, "", MOVE_MOUNT_T_EMPTY_PATH), kStep, "/dev/console");
  sys::Close(mount);
  sys::Close(target);
  sys::Close(dev);
}

struct Streams {
  int master = -1;
  int stdio[3];
};

Streams OpenStreams(const StageJob& job, const PlanReader& plan, const MountContext& context) {
  Streams streams;
  for (int i = 0; i < 3; ++i) streams.stdio[i] = job.stdio[i];
  if ((job.process_flags & kProcessTerminal) == 0) return streams;
  if (context.devpts < 0) Fail(FailedStep::kTerminal, ENODEV);
  int terminal = -1;
  streams.master = OpenTerminal(context.devpts, job.rows, job.columns, &terminal);
  if ((plan.header().flags & kPlanConsole) != 0) MountConsole(context.root, terminal);
  for (int& fd : streams.stdio) fd = terminal;
  return streams;
}

bool SharesPids(const StageJob& job) { return job.pids >= 0; }

uint32_t Launch(const StageJob& job, const PlanReader& plan) {
  uint32_t refused = 0;
  if (!SetOomScore(job.proc, plan.header().oom_score_adj)) refused |= kRefusedOomScore;
  const bool user_namespace = (job.sandbox_flags & kSandboxNewUser) != 0;
  if (SharesPids(job)) {
    Must(sys::Setns(job.pids, CLONE_NEWPID), FailedStep::kNamespace, "pid");
  }
  if (user_namespace) ShowKernelFileSystems(SharesPids(job));
  Must(sys::Setns(job.join, PodNamespaces(job.sandbox_flags)), FailedStep::kNamespace);
  if (user_namespace) BecomeNamespaceRoot();
  if ((plan.header().flags & kPlanNewPid) != 0) {
    BeBornAgain();
  } else {
    Must(sys::Unshare(CLONE_NEWNS), FailedStep::kNamespace, "mnt");
  }
  return refused;
}

}  // namespace

void ContainerStage(const StageJob& job) {
  ReportTo(job.status);
  JoinCgroups(job.procs);
  int keep[kMaxDescriptors + 10] = {job.status, job.proc,     job.self,     job.join,
                                    job.plan,   job.stdio[0], job.stdio[1], job.stdio[2],
                                    job.pids,   job.pids_proc};
  size_t kept = 10;
  for (const int fd : job.attached) keep[kept++] = fd;
  CloseAllBut({keep, kept});
  const PlanReader plan = MapPlan(job.plan, static_cast<uint32_t>(job.attached.size()));
  if (plan.header().root < 0) Fail(FailedStep::kPlan, EINVAL);
  uint32_t refused = Launch(job, plan);

  if ((plan.header().flags & kPlanNewCgroup) != 0) {
    Must(sys::Unshare(CLONE_NEWCGROUP), FailedStep::kNamespace, "cgroup");
  }
  LeaveKeyring(job.proc, &plan);
  const int root = job.attached[static_cast<size_t>(plan.header().root)];
  MountContext context = {.root = root,
                          .own_root = static_cast<int>(Must(
                              sys::Openat(AT_FDCWD, "/", O_PATH | O_CLOEXEC), FailedStep::kRoot)),
                          .user_namespace = (job.sandbox_flags & kSandboxNewUser) != 0,
                          .shares_pids = SharesPids(job),
                          .pids_proc = job.pids_proc,
                          .attached = job.attached,
                          .devpts = -1};
  AttachRoot(root);
  CarryOutMounts(plan, &context);
  const Streams streams = OpenStreams(job, plan, context);
  EnterRoot(plan, root);

  SetStdio(streams.stdio, plan.header().uid);
  SetLabel(job.proc, plan);
  const bool entered = EnterWorkingDirectory(plan, false);
  refused |= SetRlimits(plan);
  SetUser(plan);
  if (!entered) EnterWorkingDirectory(plan, true);
  const char* program = FindProgram(plan);
  if (SharesPids(job)) {
    const int keep_inside[] = {0, 1, 2, job.status, streams.master};
    CloseAllBut(keep_inside);
    BeBornInside();
  }
  BeginSession((job.process_flags & kProcessTerminal) != 0);
  // With a pid namespace of the pod, infra's end is the end of all in it. Without one this is what
  // there is; a program that changes user clears it, and the agent's cgroups do the rest. One that
  // shares a target's ends with the target.
  if ((job.sandbox_flags & kSandboxNewPid) == 0 && !SharesPids(job)) DieWithShim(job.self, SIGKILL);
  ReportReady(refused, streams.master);
  if ((job.process_flags & kProcessStart) == 0) AwaitGo();
  RunProgram(plan, program);
}

}  // namespace podium::runtime::shim
