// Processes from their end to the record on disk and the event; and the table they are in.
#include <asm/errno.h>
#include <asm/siginfo.h>
#include <linux/fcntl.h>
#include <linux/wait.h>

#include "runtime/shim/shim.h"
#include "runtime/shim/syscalls.h"

namespace podium::runtime::shim {
namespace {

constexpr int kSignalExit = 128;
constexpr int kExitedNormally = 1;  // CLD_EXITED

struct Ended {
  int32_t pid = 0;
  int32_t code = 0;    // as a shell says it
  int32_t signal = 0;  // or 0
};

// The next child that has ended, still to be reaped. pid 0: none.
Ended PeekEnded() {
  siginfo_t info = {};
  const long result = sys::Call(__NR_waitid, P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT, nullptr);
  if (result < 0 || info.si_pid == 0) return {};
  Ended ended = {.pid = info.si_pid, .code = info.si_status, .signal = 0};
  if (info.si_code != kExitedNormally) {
    ended.signal = info.si_status;
    ended.code = kSignalExit + info.si_status;
  }
  return ended;
}

void Reap(int32_t pid) { sys::Call(__NR_waitid, P_PID, pid, nullptr, WEXITED | WNOHANG, nullptr); }

Process* FindPid(int32_t pid) {
  for (size_t i = 0; i < g_shim.process_count; ++i) {
    Process& process = g_shim.processes[i];
    if (process.used && process.state.pid == pid) return &process;
  }
  return nullptr;
}

// A container is born by a launcher, so its own report says which process it is. That was sent
// before it ended, and may still be unread.
Process* FindEnded(int32_t pid) {
  if (Process* known = FindPid(pid)) return known;
  for (size_t i = 0; i < g_shim.process_count; ++i) {
    Process& process = g_shim.processes[i];
    if (process.used && process.state.phase == ProcessPhase::kCreating) ReadStatus(process);
  }
  return FindPid(pid);
}

// "containers/<id>/<name>" below the sandbox's folder.
struct RecordPath {
  char text[128];
};
RecordPath PathOf(std::string_view id, std::string_view name) {
  RecordPath path = {};
  size_t size = 0;
  const std::string_view parts[] = {"containers/", id, name};
  for (const std::string_view part : parts) {
    __builtin_memcpy(path.text + size, part.data(), part.size());
    size += part.size();
  }
  return path;
}

// Best effort: a full disk or a removed folder must not keep a pod from ending, and the state is in
// memory too.
void WriteRecord(const ProcessState& state) {
  if (g_shim.sandbox.run_dir < 0) return;
  const RecordPath unfinished = PathOf(state.id, "/exit.new");
  const RecordPath finished = PathOf(state.id, "/exit");
  const ExitRecord record = {.magic = kExitMagic, .version = kMessageVersion, .state = state};
  const long fd = sys::Openat(g_shim.sandbox.run_dir, unfinished.text,
                              O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const long size = sys::Write(static_cast<int>(fd), &record, sizeof(record));
  sys::Close(static_cast<int>(fd));
  if (size == static_cast<long>(sizeof(record))) {
    sys::Renameat(g_shim.sandbox.run_dir, unfinished.text, finished.text);
  } else {
    sys::Unlinkat(g_shim.sandbox.run_dir, unfinished.text, 0);
  }
}

void SetEnded(const Ended& ended, ProcessState* state) {
  state->phase = ProcessPhase::kExited;
  state->pid = 0;
  state->exit_code = ended.code;
  state->exit_signal = ended.signal;
  state->finished_ns = Now();
}

void SendExited(const ProcessState& state) {
  ProcessInfo info = {};
  info.state = state;
  SendEvent(MessageType::kProcessExited, &info.header, sizeof(info));
}

void OnInfraEnded(const Ended& ended) {
  SetEnded(ended, &g_shim.sandbox.infra);
  KillPod();
  SendExited(g_shim.sandbox.infra);
}

void OnEnded(Process& process, const Ended& ended) {
  // Whether its program ran comes first, for the order of replies.
  ReadStatus(process);
  // All that it had to say has been read. Its launcher may still be on its way out and hold the
  // other end open: whoever waits for an answer would have waited for ever.
  if (process.used && process.status >= 0) CloseStatus(process);
  if (!process.used) return;
  SetEnded(ended, &process.state);
  if (process.state.started_ns == 0 && process.state.failed_step == 0) {
    process.state.failed_step = static_cast<uint32_t>(FailedStep::kDied);
    process.state.failed_error = ESRCH;
  }
  if (process.state.kind == ProcessKind::kExec) {
    if (process.state.failed_step == 0) SendExited(process.state);
    Forget(process);
    return;
  }
  FinishOutput(process);
  CloseFd(&process.stdin_pipe);
  CloseFd(&process.terminal);
  CloseFd(&process.pidfd);
  WriteRecord(process.state);
  SendExited(process.state);
  if (process.removing) {
    const ReplyTo reply = process.reply;
    Forget(process);
    ReplyDone(reply);
  }
}

}  // namespace

void ReapAll() {
  for (;;) {
    const Ended ended = PeekEnded();
    if (ended.pid == 0) return;
    Process* process = FindEnded(ended.pid);
    Reap(ended.pid);
    if (process != nullptr) {
      OnEnded(*process, ended);
    } else if (g_shim.sandbox.exists && ended.pid == g_shim.sandbox.infra.pid) {
      OnInfraEnded(ended);
    }
    // Others: launchers, and orphans of a pod without a pid namespace of its own.
  }
}

Process* FindProcess(std::string_view id, ProcessKind kind) {
  for (size_t i = 0; i < g_shim.process_count; ++i) {
    Process& process = g_shim.processes[i];
    if (process.used && process.state.kind == kind && id == FieldText(process.state.id)) {
      return &process;
    }
  }
  return nullptr;
}

Process* NewProcess(ProcessKind kind, std::string_view id) {
  size_t of_kind = 0;
  size_t place = g_shim.process_count;
  for (size_t i = g_shim.process_count; i > 0; --i) {
    const Process& process = g_shim.processes[i - 1];
    if (!process.used) place = i - 1;
    if (process.used && process.state.kind == kind) ++of_kind;
  }
  if (of_kind == (kind == ProcessKind::kContainer ? kMaxContainers : kMaxExecs)) return nullptr;
  if (place == g_shim.process_count) ++g_shim.process_count;
  Process& process = g_shim.processes[place];
  const uint32_t generation = process.generation;
  process = {};
  process.used = true;
  process.generation = generation;
  for (int* fd : {&process.pidfd, &process.status, &process.terminal, &process.stdin_pipe,
                  &process.log, &process.kill, &process.streams[0].fd, &process.streams[1].fd}) {
    *fd = -1;
  }
  for (auto& reader : process.attached) reader[0] = reader[1] = -1;
  process.state.kind = kind;
  process.state.phase = ProcessPhase::kCreating;
  process.state.created_ns = Now();
  CopyText(id, process.state.id, kIdSize);
  return &process;
}

void Forget(Process& process) {
  EndOutput(process);
  for (int* fd : {&process.pidfd, &process.status, &process.terminal, &process.stdin_pipe,
                  &process.log, &process.kill}) {
    CloseFd(fd);
  }
  process.used = false;
  ++process.generation;
  while (g_shim.process_count > 0 && !g_shim.processes[g_shim.process_count - 1].used) {
    --g_shim.process_count;
  }
}

}  // namespace podium::runtime::shim
