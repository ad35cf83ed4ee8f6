// The pod: its namespaces and infra.
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/fcntl.h>

#include "runtime/shim/own_root.h"
#include "runtime/shim/shim.h"
#include "runtime/shim/stage.h"
#include "runtime/shim/syscalls.h"

namespace podium::runtime::shim {
namespace {

constexpr uint32_t kNamespaces =
    kSandboxNewNet | kSandboxNewIpc | kSandboxNewUts | kSandboxNewPid | kSandboxNewUser;

char* Number(char* to, uint64_t value) {
  char digits[20];
  size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0);
  while (count > 0) *to++ = digits[--count];
  return to;
}

// "<pid><suffix>", below proc.
struct ProcPath {
  char text[64];
};
ProcPath PathOf(int32_t pid, std::string_view suffix) {
  ProcPath path = {};
  char* to = Number(path.text, static_cast<uint64_t>(pid));
  __builtin_memcpy(to, suffix.data(), suffix.size());
  return path;
}

// The kernel takes a map in one write.
long WriteMap(int32_t pid, std::string_view name, const IdMapping* mappings, uint32_t count) {
  char text[kMaxIdMappings * 36];
  char* to = text;
  for (uint32_t i = 0; i < count; ++i) {
    to = Number(to, mappings[i].inside);
    *to++ = ' ';
    to = Number(to, mappings[i].outside);
    *to++ = ' ';
    to = Number(to, mappings[i].length);
    *to++ = '\n';
  }
  const long fd = sys::Openat(g_shim.proc, PathOf(pid, name).text, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  const long result = sys::Write(static_cast<int>(fd), text, static_cast<size_t>(to - text));
  sys::Close(static_cast<int>(fd));
  return result;
}

// Waits for a stage's next report, and the descriptor that comes with it if one may. False when its
// socket has ended.
bool ReadReport(int status, StageReport* report, int* fd = nullptr) {
  alignas(8) unsigned char control[128];
  iovec part = {.iov_base = report, .iov_len = sizeof(*report)};
  sys::MessageHeader header = {.name = nullptr,
                               .name_size = 0,
                               .parts = &part,
                               .part_count = 1,
                               .control = fd != nullptr ? control : nullptr,
                               .control_size = fd != nullptr ? sizeof(control) : 0,
                               .flags = 0};
  long size = 0;
  do {
    size = sys::Recvmsg(status, &header, sys::kMsgCmsgCloexec);
  } while (size == -EINTR);
  if (fd != nullptr && size > 0) *fd = ReadControl(control, header.control_size).fd;
  return size == static_cast<long>(sizeof(*report));
}

struct Outcome {
  FailedStep step = FailedStep::kNone;
  int error = 0;
  char detail[kDetailSize] = {};
  uint32_t refused = 0;
};

Outcome FailedWith(FailedStep step, long error) {
  Outcome outcome;
  outcome.step = step;
  outcome.error = static_cast<int>(error);
  return outcome;
}

Outcome FailedWith(const StageReport& report) {
  Outcome outcome = FailedWith(report.step, report.error);
  CopyText({report.detail, kDetailSize - 1}, outcome.detail, kDetailSize);
  return outcome;
}

// Carries infra from its birth to its program: nothing else happens in this shim meanwhile, and
// each step is short.
Outcome LeadInfra(const RunSandbox& run, int32_t pid, int status) {
  StageReport report = {};
  if (!ReadReport(status, &report)) return FailedWith(FailedStep::kDied, ESRCH);
  if (report.failed) return FailedWith(report);
  Outcome outcome;
  outcome.refused = report.refused;
  if ((run.flags & kSandboxNewUser) != 0) {
    long result = WriteMap(pid, "/uid_map", run.uid_mappings, run.uid_mapping_count);
    if (result >= 0) result = WriteMap(pid, "/gid_map", run.gid_mappings, run.gid_mapping_count);
    if (result < 0) return FailedWith(FailedStep::kUserMap, -result);
  }
  Go(status);
  if (ReadReport(status, &report)) return FailedWith(report);
  return outcome;
}

uint64_t CloneFlags(uint32_t sandbox_flags) {
  uint64_t flags = CLONE_PIDFD;
  if ((sandbox_flags & kSandboxNewNet) != 0) flags |= CLONE_NEWNET;
  if ((sandbox_flags & kSandboxNewIpc) != 0) flags |= CLONE_NEWIPC;
  if ((sandbox_flags & kSandboxNewUts) != 0) flags |= CLONE_NEWUTS;
  if ((sandbox_flags & kSandboxNewPid) != 0) flags |= CLONE_NEWPID;
  if ((sandbox_flags & kSandboxNewUser) != 0) flags |= CLONE_NEWUSER;
  return flags;
}

Outcome MakePod(const RunSandbox& run, const Request& request, const Received& received) {
  if (run.infra < 0) return FailedWith(FailedStep::kMessage, EINVAL);
  if (run.shm_size > 0) {
    const int error = MountShm(run.shm_size);
    if (error != 0) return FailedWith(FailedStep::kShm, error);
  }
  StageJob job;
  int procs[kMaxCgroups];
  for (uint32_t i = 0; i < run.cgroups.procs_count; ++i) {
    procs[i] = received.Peek(run.cgroups.procs[i]);
  }
  job.procs = {procs, run.cgroups.procs_count};
  job.proc = g_shim.proc;
  job.self = g_shim.self;
  job.infra_program = received.Peek(run.infra);
  job.net = received.Peek(run.net);
  job.kill = received.Peek(run.cgroups.kill);
  job.oom_score_adj = run.infra_oom_score_adj;
  job.sandbox_flags = run.flags;
  job.hostname = FieldText(run.hostname);
  job.sysctls = request.sysctls;
  clone_args clone = {};
  int pidfd = -1;
  clone.flags = CloneFlags(run.flags);
  clone.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  clone.exit_signal = SIGCHLD;
  const int folder = received.Peek(run.cgroups.folder);
  if (folder >= 0) {
    clone.flags |= CLONE_INTO_CGROUP;
    clone.cgroup = static_cast<uint64_t>(folder);
  }
  int status = -1;
  const long pid = Spawn(InfraStage, &job, clone, &status);
  if (pid < 0) return FailedWith(FailedStep::kSpawn, -pid);
  const Outcome outcome = LeadInfra(run, static_cast<int32_t>(pid), status);
  CloseFd(&status);
  if (outcome.step != FailedStep::kNone) {
    sys::PidfdSendSignal(pidfd, SIGKILL);
    CloseFd(&pidfd);
    return outcome;
  }
  Sandbox& sandbox = g_shim.sandbox;
  sandbox.exists = true;
  sandbox.own_net = HasOwnNet(run);
  sandbox.infra_pidfd = pidfd;
  sandbox.infra.kind = ProcessKind::kInfra;
  sandbox.infra.phase = ProcessPhase::kRunning;
  sandbox.infra.pid = static_cast<int32_t>(pid);
  sandbox.infra.created_ns = sandbox.infra.started_ns = Now();
  sandbox.infra.refused = outcome.refused;
  return outcome;
}

// A host name takes no process: the shim enters the namespace and comes back.
long NameHost(std::string_view hostname) {
  const long own = sys::Openat(g_shim.proc, "self/ns/uts", O_RDONLY | O_CLOEXEC);
  if (own < 0) return own;
  long result = sys::Setns(g_shim.sandbox.infra_pidfd, CLONE_NEWUTS);
  if (result >= 0) {
    result = sys::Call(__NR_sethostname, hostname.data(), hostname.size());
    // Cannot fail: it is where the shim has come from.
    sys::Setns(static_cast<int>(own), CLONE_NEWUTS);
  }
  sys::Close(static_cast<int>(own));
  return result;
}

// What a pod made ahead still lacks. Sysctls are set by a process inside its namespaces.
Outcome NamePod(const RunSandbox& run, const Request& request) {
  if (run.infra >= 0 || run.net >= 0 || run.shm_size > 0 || run.cgroups.folder >= 0 ||
      run.cgroups.procs_count > 0 ||
      (run.flags & kNamespaces) != (g_shim.sandbox.flags & kNamespaces)) {
    return FailedWith(FailedStep::kWrongPhase, EINVAL);
  }
  if (!AreNamespacedSysctls(request.sysctls, g_shim.sandbox.own_net,
                            (run.flags & kSandboxNewIpc) != 0)) {
    return FailedWith(FailedStep::kMessage, EINVAL);
  }
  if (request.sysctls.empty()) {
    if (run.hostname[0] == '\0') return {};
    const long named = NameHost(FieldText(run.hostname));
    return named < 0 ? FailedWith(FailedStep::kHostname, -named) : Outcome();
  }
  StageJob job;
  job.proc = g_shim.proc;
  job.join = g_shim.sandbox.infra_pidfd;
  job.sandbox_flags = run.flags;
  job.hostname = FieldText(run.hostname);
  job.sysctls = request.sysctls;
  clone_args clone = {};
  clone.exit_signal = SIGCHLD;
  int status = -1;
  const long pid = Spawn(NameStage, &job, clone, &status);
  if (pid < 0) return FailedWith(FailedStep::kSpawn, -pid);
  StageReport report = {};
  const bool reported = ReadReport(status, &report);
  CloseFd(&status);
  if (!reported) return FailedWith(FailedStep::kDied, ESRCH);
  if (report.failed) return FailedWith(report);
  return {};
}

// From now on `ps` shows whose shim this is.
void SetTitle(std::string_view id) {
  if (g_shim.title_size < id.size()) return;
  __builtin_memset(g_shim.title, '\0', g_shim.title_size);
  __builtin_memcpy(g_shim.title, id.data(), id.size());
}

}  // namespace

void RunPod(const ReplyTo& from, const Request& request, Received& received) {
  const RunSandbox& run = request.body.run_sandbox;
  Sandbox& sandbox = g_shim.sandbox;
  const bool prepared = sandbox.exists && (sandbox.flags & kSandboxPrepare) != 0;
  if (g_shim.shutting_down || (sandbox.exists && !prepared) ||
      (prepared && (run.flags & kSandboxPrepare) != 0) ||
      (prepared && sandbox.infra.phase == ProcessPhase::kExited)) {
    return ReplyFailed(from, FailedStep::kWrongPhase, EEXIST);
  }
  const Outcome outcome = prepared ? NamePod(run, request) : MakePod(run, request, received);
  if (outcome.step != FailedStep::kNone) {
    return ReplyFailed(from, outcome.step, outcome.error, outcome.detail);
  }
  if (run.mount_label[0] != '\0') {
    const int error = LabelOwnRoot(FieldText(run.mount_label));
    if (error != 0) return ReplyFailed(from, FailedStep::kLabel, error, FieldText(run.mount_label));
  }
  sandbox.flags = run.flags;
  CopyText(FieldText(run.id), sandbox.infra.id, kIdSize);
  if (run.id[0] != '\0') SetTitle(FieldText(run.id));
  if (!prepared) sandbox.kill = sandbox.run_dir = -1;
  if (run.cgroups.kill >= 0) {
    CloseFd(&sandbox.kill);
    sandbox.kill = received.Take(run.cgroups.kill);
  }
  sandbox.run_dir = received.Take(run.run_dir);
  if (run.listener >= 0) {
    g_shim.listener = received.Take(run.listener);
    Watch(g_shim.listener, Watched::kListener, 0, 0);
  }
  SandboxRunning running = {};
  running.infra_pid = sandbox.infra.pid;
  running.oom_score_refused = (sandbox.infra.refused & kRefusedOomScore) != 0 ? 1 : 0;
  running.started_ns = sandbox.infra.started_ns;
  int net = static_cast<int>(
      sys::Openat(g_shim.proc, PathOf(sandbox.infra.pid, "/ns/net").text, O_RDONLY | O_CLOEXEC));
  if (net < 0) return ReplyFailed(from, FailedStep::kNamespace, -net, "net");
  const int fds[] = {sandbox.infra_pidfd, net};
  Reply(from, MessageType::kSandboxRunning, &running.header, sizeof(running), fds);
  CloseFd(&net);
}

int MakeProc(int pidfd, int* mount) {
  StageJob job;
  clone_args clone = {};
  clone.exit_signal = SIGCHLD;
  int status = -1;
  const long pid = SpawnInPidNamespace(pidfd, ProcStage, &job, clone, &status);
  if (pid < 0) return static_cast<int>(-pid);
  StageReport report = {};
  const bool reported = ReadReport(status, &report, mount);
  CloseFd(&status);
  if (!reported || report.failed) return reported ? report.error : ESRCH;
  return 0;
}

int HavePodProc() {
  Sandbox& sandbox = g_shim.sandbox;
  if ((sandbox.flags & kSandboxNewPid) == 0 || sandbox.has_proc) return 0;
  int mount = -1;
  int error = MakeProc(sandbox.infra_pidfd, &mount);
  if (error != 0) return error;
  error = AttachProc(mount);
  CloseFd(&mount);
  sandbox.has_proc = error == 0;
  return error;
}

void KillPod() {
  const Sandbox& sandbox = g_shim.sandbox;
  if (!sandbox.exists) return;
  // Infra's end takes along whatever is in the pod's pid namespace. These are for what is not.
  for (size_t i = 0; i < g_shim.process_count; ++i) {
    const Process& process = g_shim.processes[i];
    if (!process.used || process.pidfd < 0) continue;
    sys::PidfdSendSignal(process.pidfd, SIGKILL);
    if (process.kill >= 0) sys::Write(process.kill, "1", 1);
  }
  if (sandbox.infra.phase != ProcessPhase::kExited) {
    sys::PidfdSendSignal(sandbox.infra_pidfd, SIGKILL);
  }
  if (sandbox.kill >= 0) sys::Write(sandbox.kill, "1", 1);
}

}  // namespace podium::runtime::shim
