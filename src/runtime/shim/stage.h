// stage.h: what a new process does from its birth until its program runs. It is a copy of the shim,
// alone in its memory, and knows one way to fail: Fail tells the shim and ends it. So the steps
// read in order, without errors to pass on. Private to this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/messages.h"
#include "runtime/shim/plan_reader.h"

namespace podium::runtime::shim {

// From a stage to the shim, over a SOCK_SEQPACKET pair that closes when the program runs.
struct StageReport {
  bool failed;  // else: ready, all is done but the last step
  FailedStep step;
  int32_t error;
  uint32_t refused;
  char detail[kDetailSize];
};

// Stages do not return.
//
// What a stage is given. Descriptors are the shim's.
struct StageJob {
  int status = -1;
  int proc = -1;
  int self = -1;              // the shim's pidfd
  int join = -1;              // the pidfd whose namespaces are joined: infra's, or the container's
  int pids = -1;              // containers: the pidfd whose pid namespace is shared
  int pids_proc = -1;         // its proc, detached; -1: the pod's, in own_root
  int infra_program = -1;     // infra
  int net = -1;               // infra: the network namespace to join
  int kill = -1;              // infra, without a pid namespace: cgroup.kill of the pod
  int32_t oom_score_adj = 0;  // infra
  uint32_t sandbox_flags = 0;
  uint32_t process_flags = 0;
  uint32_t container_flags = 0;   // execs: those of the container's plan
  std::string_view hostname;      // infra
  std::string_view sysctls;       // infra
  int plan = -1;                  // containers, execs
  std::span<const int> attached;  // the plan's descriptors
  std::span<const int> procs;     // CgroupDescriptors::procs
  int stdio[3] = {-1, -1, -1};
  uint16_t rows = 0;
  uint16_t columns = 0;
};

void InfraStage(const StageJob& job);
// Names a pod made ahead: its host name and sysctls.
void NameStage(const StageJob& job);
// Mounts a proc of the pid namespace that it is born in, and reports it as the descriptor.
void ProcStage(const StageJob& job);
void ContainerStage(const StageJob& job);
void ExecStage(const StageJob& job);

// The rest is for the stages themselves.

// Set once by each stage: where reports go.
void ReportTo(int status);
[[noreturn]] void Fail(FailedStep step, long error, std::string_view detail = "");
// The result of a system call; fails with it if it is negative.
inline long Must(long result, FailedStep step, std::string_view detail = "") {
  if (result < 0) Fail(step, -result, detail);
  return result;
}
void ReportReady(uint32_t refused, int terminal);
// Waits for the shim's word. Ends the process if the shim has gone.
void AwaitGo();

// stage.cpp: steps that several stages have.
void JoinCgroups(std::span<const int> procs);
// Closes all descriptors but these (negative ones are none) and the standard streams.
void CloseAllBut(std::span<const int> keep);
// False if it may not be lowered.
bool SetOomScore(int proc, int32_t value);
// The plan, mapped and checked.
PlanReader MapPlan(int fd, uint32_t descriptors);
// A new session keyring, with the container's label where there is SELinux: the shim's, which is
// the host's, stays outside. `plan` may be null.
void LeaveKeyring(int proc, const PlanReader* plan);
// The namespaces that a pod's processes share with infra, for setns.
uint32_t PodNamespaces(uint32_t sandbox_flags);
// Root of the user namespace just joined.
void BecomeNamespaceRoot();
// Goes on as a new process, in the pid namespace that was joined for children: all that others in
// it can ever see or trace has the container's capabilities and no descriptor of the shim's
// (CVE-2016-9962). The shim, our parent, becomes the new one's.
void BeBornInside();
// Core dumps and tracers get nothing of what runs before the program, whatever fs.suid_dumpable
// says about a process that has changed its user.
void HideMemory();

// stage_user.cpp: user, groups, capabilities, limits, label; then the filter.
uint32_t SetRlimits(const PlanReader& plan);  // kRefused... bits
void SetLabel(int proc, const PlanReader& plan);
void SetUser(const PlanReader& plan);
void SetFilter(const PlanReader& plan);
void DropEverything();  // infra: no capabilities, nobody
void DieWithShim(int self, int signal);

// stage_mounts.cpp: all of plan.Mounts(), in order, below `root`.
struct MountContext {
  int root;
  int own_root;  // own_root.h, as this mount namespace sees it
  bool user_namespace;
  bool shares_pids;  // proc is made already: it is this one, or the pod's in own_root
  int pids_proc;
  std::span<const int> attached;
  int devpts;  // out: the last devpts mounted, or -1
};
void CarryOutMounts(const PlanReader& plan, MountContext* context);
// Makes a folder and those above it inside root, and returns an O_PATH descriptor of it.
int MakeFolder(int root, std::string_view path, FailedStep step);
// Resolves inside root, magic links refused. The result as of openat2.
long ResolveIn(int root, std::string_view path, int flags, uint64_t resolve = 0);
// A copy of something in the shim's own root ("dev/null", "shm", "empty"), as a detached mount.
int CloneOwn(int own_root, const char* path, uint64_t attributes, FailedStep step);

// stage_program.cpp: terminal, standard streams, working directory, program.
int OpenTerminal(int ptmx_folder, uint16_t rows, uint16_t columns, int* terminal);
// A session of its own; with `terminal`, standard input is its terminal.
void BeginSession(bool terminal);
void SetStdio(const int (&stdio)[3], uint32_t uid);
// False if it must be tried again as the container's user.
bool EnterWorkingDirectory(const PlanReader& plan, bool again);
// Finds it as the user it will run as. The path lives as long as the process.
const char* FindProgram(const PlanReader& plan);
void ResetSignals();
[[noreturn]] void RunProgram(const PlanReader& plan, const char* path);

}  // namespace podium::runtime::shim
