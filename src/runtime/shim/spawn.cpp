// Processes from clone3 to "its program runs". A stage tells how far it is over its status socket;
// the socket's end means that the program runs, or that the process is gone.
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/wait.h>

#include "runtime/shim/shim.h"
#include "runtime/shim/stage.h"
#include "runtime/shim/syscalls.h"

namespace podium::runtime::shim {
namespace {

constexpr int kReadEnd = 0;
constexpr int kWriteEnd = 1;

bool MakePipe(int (&fds)[2]) { return sys::Pipe2(fds, O_CLOEXEC) >= 0; }

// The version 1 descriptors of a request, as the stage takes them.
std::span<const int> ProcsOf(const CgroupDescriptors& cgroups, const Received& received,
                             int (&procs)[kMaxCgroups]) {
  for (uint32_t i = 0; i < cgroups.procs_count; ++i) procs[i] = received.Peek(cgroups.procs[i]);
  return {procs, cgroups.procs_count};
}

clone_args CloneInto(int cgroup_folder) {
  clone_args args = {};
  args.exit_signal = SIGCHLD;
  if (cgroup_folder >= 0) {
    args.flags = CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(cgroup_folder);
  }
  return args;
}

// The container's namespaces, for kSignalAll and execs. The one word of a plan that the shim reads;
// a process whose plan is none never gets to where it matters.
uint32_t FlagsOf(int plan) {
  uint32_t flags = 0;
  const long size =
      sys::Call(__NR_pread64, plan, &flags, sizeof(flags), offsetof(PlanHeader, flags));
  return size == static_cast<long>(sizeof(flags)) ? flags : 0;
}

// The container's ends of its streams go into the job, ours into the process. False: out of
// descriptors.
bool MakeStreams(const CreateContainer& request, Process& process, StageJob* job) {
  for (int& fd : job->stdio) fd = g_shim.null;
  if ((request.flags & kProcessTerminal) != 0) return true;
  for (size_t i = 0; i < 2; ++i) {
    int pipe[2];
    if (!MakePipe(pipe)) return false;
    process.streams[i].fd = pipe[kReadEnd];
    job->stdio[i + 1] = pipe[kWriteEnd];
    sys::Fcntl(pipe[kReadEnd], F_SETFL, O_NONBLOCK);
  }
  if ((request.flags & kProcessStdin) != 0) {
    int pipe[2];
    if (!MakePipe(pipe)) return false;
    job->stdio[0] = pipe[kReadEnd];
    process.stdin_pipe = pipe[kWriteEnd];
  }
  return true;
}

void CloseStreams(const StageJob& job) {
  for (const int fd : job.stdio) {
    if (fd >= 0 && fd != g_shim.null) sys::Close(fd);
  }
}

StageJob JobFor(uint32_t process_flags, uint16_t rows, uint16_t columns) {
  StageJob job;
  job.proc = g_shim.proc;
  job.self = g_shim.self;
  job.sandbox_flags = g_shim.sandbox.flags;
  job.process_flags = process_flags;
  job.rows = rows;
  job.columns = columns;
  return job;
}

uint32_t IndexOf(const Process& process) {
  return static_cast<uint32_t>(&process - g_shim.processes);
}

void ReplyProcess(Process& process, MessageType type, std::span<const int> fds) {
  ProcessInfo info = {};
  info.state = process.state;
  Reply(process.reply, type, &info.header, sizeof(info), fds);
  process.reply = {};
}

void OnReady(Process& process, const StageReport& report, int32_t pid, int terminal) {
  process.state.pid = pid;
  process.state.refused = report.refused;
  // Still ours to reap, so the number is still its own.
  process.pidfd = static_cast<int>(sys::PidfdOpen(pid));
  process.terminal = terminal;
  if (g_shim.shutting_down || g_shim.sandbox.infra.phase == ProcessPhase::kExited) {
    sys::PidfdSendSignal(process.pidfd, SIGKILL);
  }
  if (process.state.kind == ProcessKind::kExec) return;
  if (terminal >= 0) {
    // Our own copy of it is read; the other one is for whoever attaches.
    process.streams[0].fd = static_cast<int>(sys::Fcntl(terminal, F_DUPFD_CLOEXEC, 0));
    sys::Fcntl(process.streams[0].fd, F_SETFL, O_RDWR | O_NONBLOCK);
  }
  process.state.phase = ProcessPhase::kCreated;
  WatchStreams(process);
  // One that does not wait is answered when its program runs.
  if (!process.starting) ReplyProcess(process, MessageType::kContainerCreated, {&process.pidfd, 1});
}

// Its program did not run. A container that was created becomes one that ended; of others nothing
// is left.
void OnFailed(Process& process, FailedStep step, int32_t error, std::string_view detail) {
  CloseFd(&process.status);
  process.state.failed_step = static_cast<uint32_t>(step);
  process.state.failed_error = error;
  ReplyFailed(process.reply, step, error, detail);
  process.reply = {};
  const bool exec = process.state.kind == ProcessKind::kExec;
  if (exec && process.state.pid != 0) {
    // It has said its last word. Reaped here, its id is free as soon as the answer is out.
    sys::Call(__NR_waitid, P_PID, process.state.pid, nullptr, WEXITED, nullptr);
  }
  if (exec || process.state.pid == 0) Forget(process);
}

}  // namespace

void WatchStreams(Process& process) {
  for (uint32_t i = 0; i < 2; ++i) {
    if (process.streams[i].fd >= 0) {
      Watch(process.streams[i].fd, Watched::kStream, IndexOf(process), process.generation, i);
    }
  }
}

ControlData ReadControl(const unsigned char* control, size_t size) {
  ControlData data;
  size_t at = 0;
  while (at + sizeof(sys::ControlHeader) <= size) {
    sys::ControlHeader header;
    __builtin_memcpy(&header, control + at, sizeof(header));
    if (header.size < sizeof(header) || header.size > size - at) break;
    const unsigned char* content = control + at + sizeof(header);
    if (header.type == sys::kScmCredentials) {
      sys::Credentials credentials;
      __builtin_memcpy(&credentials, content, sizeof(credentials));
      data.pid = credentials.pid;
    } else if (header.type == sys::kScmRights) {
      __builtin_memcpy(&data.fd, content, sizeof(data.fd));
    }
    at += (header.size + 7) / 8 * 8;
  }
  return data;
}

long Spawn(void (*stage)(const StageJob&), StageJob* job, const clone_args& clone, int* status) {
  int pair[2];
  long result =
      sys::Call(__NR_socketpair, sys::kAfUnix, sys::kSockSeqpacket | sys::kSockCloexec, 0, pair);
  if (result < 0) return result;
  // The kernel then says who sent a report, in our own numbers.
  sys::Setsockopt(pair[0], sys::kSolSocket, sys::kSoPasscred, 1);
  job->status = pair[1];
  result = sys::Clone3(clone);
  if (result == 0) stage(*job);
  sys::Close(pair[1]);
  if (result < 0) {
    sys::Close(pair[0]);
    return result;
  }
  *status = pair[0];
  return result;
}

void Go(int status) {
  // A nameless socket that wants credentials gets an abstract name of the kernel's when it sends,
  // and all in the host's network would see it (CVE-2020-15257). What still comes is a failure, and
  // needs none.
  sys::Setsockopt(status, sys::kSolSocket, sys::kSoPasscred, 0);
  sys::Call(__NR_sendto, status, "g", 1, sys::kMsgNosignal, nullptr, 0);
}

// Ours for children is changed and changed back.
long SpawnInPidNamespace(int pidfd, void (*stage)(const StageJob&), StageJob* job,
                         const clone_args& clone, int* status) {
  if (pidfd < 0) return Spawn(stage, job, clone, status);
  const long result = sys::Setns(pidfd, CLONE_NEWPID);
  if (result < 0) return result;
  const long pid = Spawn(stage, job, clone, status);
  // Cannot fail: one may always enter one's own.
  sys::Setns(g_shim.self, CLONE_NEWPID);
  return pid;
}

void Create(const ReplyTo& from, const CreateContainer& request, Received& received) {
  const std::string_view id = FieldText(request.id);
  if (FindProcess(id, ProcessKind::kContainer) != nullptr) {
    return ReplyFailed(from, FailedStep::kWrongPhase, EEXIST, id);
  }
  const std::string_view target_id = FieldText(request.target);
  const Process* target = nullptr;
  if (!target_id.empty()) {
    target = FindProcess(target_id, ProcessKind::kContainer);
    if (target == nullptr) {
      return ReplyFailed(from, FailedStep::kUnknownTarget, ENOENT, target_id);
    }
    if (target->state.phase != ProcessPhase::kRunning) {
      return ReplyFailed(from, FailedStep::kWrongPhase, ESRCH, target_id);
    }
  }
  Process* process = NewProcess(ProcessKind::kContainer, id);
  if (process == nullptr) return ReplyFailed(from, FailedStep::kTooMany, EAGAIN, id);
  StageJob job = JobFor(request.flags, request.rows, request.columns);
  int procs[kMaxCgroups];
  job.procs = ProcsOf(request.cgroups, received, procs);
  job.plan = received.Peek(request.plan);
  job.attached = {received.fds + request.first_plan_descriptor, request.plan_descriptor_count};
  job.join = g_shim.sandbox.infra_pidfd;
  process->reply = from;
  process->starting = (request.flags & kProcessStart) != 0;
  process->plan_flags = FlagsOf(job.plan);
  process->log = received.Take(request.log);
  process->kill = received.Take(request.cgroups.kill);
  // One that has a pid namespace of its own makes it below the pod's.
  const bool pod_pids = (g_shim.sandbox.flags & kSandboxNewPid) != 0;
  const bool below_pod = pod_pids && (process->plan_flags & kPlanNewPid) != 0;
  long result = 0;
  if (target != nullptr) {
    job.pids = target->pidfd;
    result = -MakeProc(job.pids, &job.pids_proc);
  } else if (pod_pids && !below_pod) {
    job.pids = g_shim.sandbox.infra_pidfd;
    result = -HavePodProc();
  }
  if (result == 0 && !MakeStreams(request, *process, &job)) result = -EMFILE;
  if (result == 0) {
    result =
        SpawnInPidNamespace(below_pod ? g_shim.sandbox.infra_pidfd : -1, ContainerStage, &job,
                            CloneInto(received.Peek(request.cgroups.folder)), &process->status);
  }
  CloseStreams(job);
  CloseFd(&job.pids_proc);
  if (result < 0) {
    return OnFailed(*process, FailedStep::kSpawn, static_cast<int32_t>(-result), id);
  }
  Watch(process->status, Watched::kStatus, IndexOf(*process), process->generation);
}

void StartExec(const ReplyTo& from, const Exec& request, Received& received) {
  const std::string_view id = FieldText(request.id);
  const std::string_view container_id = FieldText(request.container);
  Process* container = FindProcess(container_id, ProcessKind::kContainer);
  if (container == nullptr) {
    return ReplyFailed(from, FailedStep::kUnknownTarget, ENOENT, container_id);
  }
  if (container->state.phase != ProcessPhase::kRunning) {
    return ReplyFailed(from, FailedStep::kWrongPhase, EINVAL, container_id);
  }
  if (FindProcess(id, ProcessKind::kExec) != nullptr) {
    return ReplyFailed(from, FailedStep::kWrongPhase, EEXIST, id);
  }
  Process* process = NewProcess(ProcessKind::kExec, id);
  if (process == nullptr) return ReplyFailed(from, FailedStep::kTooMany, EAGAIN, id);
  CopyText(container_id, process->state.container, kIdSize);
  StageJob job = JobFor(request.flags, request.rows, request.columns);
  int procs[kMaxCgroups];
  job.procs = ProcsOf(request.cgroups, received, procs);
  job.plan = received.Peek(request.plan);
  job.join = container->pidfd;
  job.container_flags = container->plan_flags;
  for (size_t i = 0; i < 3; ++i) {
    const int fd = received.Peek(request.stdio[i]);
    job.stdio[i] = fd >= 0 ? fd : g_shim.null;
  }
  process->reply = from;
  const long result =
      Spawn(ExecStage, &job, CloneInto(received.Peek(request.cgroups.folder)), &process->status);
  if (result < 0) {
    return OnFailed(*process, FailedStep::kSpawn, static_cast<int32_t>(-result), id);
  }
  Watch(process->status, Watched::kStatus, IndexOf(*process), process->generation);
}

void Start(const ReplyTo& from, Process& process) {
  if (process.state.phase != ProcessPhase::kCreated || process.starting || process.removing) {
    return ReplyFailed(from, FailedStep::kWrongPhase, EINVAL, process.state.id);
  }
  process.reply = from;
  process.starting = true;
  Go(process.status);
}

void CloseStatus(Process& process) {
  if (process.state.pid == 0) return OnFailed(process, FailedStep::kDied, ESRCH, "");
  CloseFd(&process.status);
  const bool exec = process.state.kind == ProcessKind::kExec;
  // A created container that was killed: the reaper has the rest to say.
  if (!exec && !process.starting) return;
  process.state.phase = ProcessPhase::kRunning;
  process.state.started_ns = Now();
  if (!exec) return ReplyProcess(process, MessageType::kStarted, {});
  const int fds[] = {process.pidfd, process.terminal};
  ReplyProcess(process, MessageType::kExecStarted, {fds, process.terminal >= 0 ? 2U : 1U});
  CloseFd(&process.terminal);
}

void ReadStatus(Process& process) {
  while (process.used && process.status >= 0) {
    StageReport report = {};
    alignas(8) unsigned char control[128];
    iovec part = {.iov_base = &report, .iov_len = sizeof(report)};
    sys::MessageHeader header = {.name = nullptr,
                                 .name_size = 0,
                                 .parts = &part,
                                 .part_count = 1,
                                 .control = control,
                                 .control_size = sizeof(control),
                                 .flags = 0};
    const long size =
        sys::Recvmsg(process.status, &header, sys::kMsgDontwait | sys::kMsgCmsgCloexec);
    if (size == -EAGAIN || size == -EINTR) return;
    const ControlData data = ReadControl(control, size > 0 ? header.control_size : 0);
    if (size != static_cast<long>(sizeof(report))) {
      CloseStatus(process);
    } else if (report.failed) {
      report.detail[kDetailSize - 1] = '\0';
      OnFailed(process, report.step, report.error, report.detail);
    } else {
      OnReady(process, report, data.pid, data.fd);
    }
  }
}

}  // namespace podium::runtime::shim
