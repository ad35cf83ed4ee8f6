// Infra's process, from birth in the pod's new namespaces to its program.
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/fcntl.h>

#include "runtime/shim/request_reader.h"
#include "runtime/shim/stage.h"
#include "runtime/shim/syscalls.h"

namespace podium::runtime::shim {
namespace {

// infra.cpp's name for it.
constexpr int kKillDescriptor = 3;

void WriteSysctl(int proc, std::string_view name, std::string_view value) {
  const open_how beneath = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                            .mode = 0,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
  const int folder =
      static_cast<int>(Must(sys::Openat2(proc, "sys", beneath), FailedStep::kSysctl, name));
  open_how how = beneath;
  how.flags = O_WRONLY | O_CLOEXEC;
  const int fd =
      static_cast<int>(Must(sys::Openat2(folder, name.data(), how), FailedStep::kSysctl, name));
  Must(sys::Write(fd, value.data(), value.size()), FailedStep::kSysctl, name);
  sys::Close(fd);
  sys::Close(folder);
}

// Host name and sysctls, from inside the namespaces they are of. `proc` is the shim's own.
void ApplyNames(const StageJob& job) {
  if (!job.hostname.empty()) {
    Must(sys::Call(__NR_sethostname, job.hostname.data(), job.hostname.size()),
         FailedStep::kHostname);
  }
  std::string_view rest = job.sysctls;
  std::string_view name;
  std::string_view value;
  while (TakeText(&rest, &name) && TakeText(&rest, &value)) WriteSysctl(job.proc, name, value);
}

}  // namespace

void InfraStage(const StageJob& job) {
  ReportTo(job.status);
  JoinCgroups(job.procs);
  const int keep[] = {job.status, job.proc, job.self, job.infra_program, job.net, job.kill};
  CloseAllBut(keep);
  uint32_t refused = 0;
  if (!SetOomScore(job.proc, job.oom_score_adj)) refused |= kRefusedOomScore;
  if (job.net >= 0) Must(sys::Setns(job.net, CLONE_NEWNET), FailedStep::kNamespace, "net");
  // Still the host's root by number, if not by capabilities: kernels let only that one write the
  // sysctls of an IPC namespace.
  ApplyNames(job);
  ReportReady(refused, -1);
  // The shim writes the user namespace's mappings meanwhile.
  AwaitGo();
  if ((job.sandbox_flags & kSandboxNewUser) != 0) BecomeNamespaceRoot();
  Must(sys::Call(__NR_setsid), FailedStep::kSpawn);
  LeaveKeyring(job.proc, nullptr);

  const bool own_pids = (job.sandbox_flags & kSandboxNewPid) != 0;
  // Above the places that the program's descriptors take.
  const int program = static_cast<int>(
      Must(sys::Fcntl(job.infra_program, F_DUPFD_CLOEXEC, 64), FailedStep::kInfraProgram));
  const int self =
      static_cast<int>(Must(sys::Fcntl(job.self, F_DUPFD_CLOEXEC, 64), FailedStep::kSpawn));
  const int status =
      static_cast<int>(Must(sys::Fcntl(job.status, F_DUPFD_CLOEXEC, 64), FailedStep::kSpawn));
  ReportTo(status);
  const bool kills = !own_pids && job.kill >= 0;
  const int kill =
      kills ? static_cast<int>(Must(sys::Fcntl(job.kill, F_DUPFD_CLOEXEC, 64), FailedStep::kSpawn))
            : -1;
  const int high[] = {program, self, status, kill};
  CloseAllBut(high);
  if (kills) Must(sys::Dup3(kill, kKillDescriptor, 0), FailedStep::kSpawn);
  DropEverything();
  // PID 1 of the pod's namespace takes all others along when it is killed. Where there is no such
  // namespace it gets to write to cgroup.kill first.
  DieWithShim(self, own_pids ? SIGKILL : SIGTERM);
  ResetSignals();
  const char* const arguments[] = {"/pause", nullptr};
  const char* const environment[] = {nullptr};
  Must(sys::Execveat(program, "", arguments, environment, AT_EMPTY_PATH),
       FailedStep::kInfraProgram);
  sys::Exit(128);
}

void ProcStage(const StageJob& job) {
  ReportTo(job.status);
  const int keep[] = {job.status};
  CloseAllBut(keep);
  const int fs = static_cast<int>(Must(sys::Fsopen("proc"), FailedStep::kMount, "proc"));
  Must(sys::Fsconfig(fs, FSCONFIG_CMD_CREATE, nullptr, nullptr), FailedStep::kMount, "proc");
  ReportReady(0, static_cast<int>(Must(sys::Fsmount(fs, 0), FailedStep::kMount, "proc")));
  sys::Exit(0);
}

void NameStage(const StageJob& job) {
  ReportTo(job.status);
  const int keep[] = {job.status, job.proc, job.join};
  CloseAllBut(keep);
  uint32_t flags = 0;
  if ((job.sandbox_flags & kSandboxNewUts) != 0) flags |= CLONE_NEWUTS;
  if ((job.sandbox_flags & kSandboxNewIpc) != 0) flags |= CLONE_NEWIPC;
  flags |= CLONE_NEWNET;
  Must(sys::Setns(job.join, flags), FailedStep::kNamespace);
  ApplyNames(job);
  ReportReady(0, -1);
  sys::Exit(0);
}

}  // namespace podium::runtime::shim
