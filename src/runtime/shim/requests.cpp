// What each request does. The long ones are in sandbox.cpp and spawn.cpp.
#include <asm/errno.h>
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <asm/termios.h>

#include "runtime/plan_layout.h"
#include "runtime/shim/shim.h"
#include "runtime/shim/syscalls.h"

namespace podium::runtime::shim {
namespace {

void HandleHello(const ReplyTo& from, const Hello& request) {
  g_shim.connections[from.connection - 1].log_bound = request.log_bound;
  Hello hello = {};
  hello.version = kMessageVersion;
  hello.pid = static_cast<int32_t>(sys::Getpid());
  Reply(from, MessageType::kHelloReply, &hello.header, sizeof(hello));
}

void ReplyResult(const ReplyTo& from, FailedStep step, long result, std::string_view detail) {
  if (result < 0) return ReplyFailed(from, step, static_cast<int>(-result), detail);
  ReplyDone(from);
}

// ESRCH for what has ended, as kill(2).
long SendSignal(const Signal& request, const Process& process) {
  if (process.state.phase == ProcessPhase::kExited || process.pidfd < 0) return -ESRCH;
  if ((request.flags & kSignalAll) == 0) {
    return sys::PidfdSendSignal(process.pidfd, request.signal);
  }
  if (process.kill >= 0) return sys::Write(process.kill, "1", 1);
  // A PID 1 takes all of its namespace along.
  if ((process.plan_flags & kPlanNewPid) == 0) return -EOPNOTSUPP;
  return sys::PidfdSendSignal(process.pidfd, SIGKILL);
}

void HandleSignal(const ReplyTo& from, const Signal& request) {
  if (request.kind == ProcessKind::kInfra) {
    const Sandbox& sandbox = g_shim.sandbox;
    const bool runs = sandbox.exists && sandbox.infra.phase != ProcessPhase::kExited;
    const long result =
        runs ? sys::PidfdSendSignal(sandbox.infra_pidfd, request.signal) : long{-ESRCH};
    return ReplyResult(from, FailedStep::kSignal, result, "");
  }
  const std::string_view id = FieldText(request.id);
  const Process* process = FindProcess(id, request.kind);
  if (process == nullptr) return ReplyFailed(from, FailedStep::kUnknownTarget, ENOENT, id);
  ReplyResult(from, FailedStep::kSignal, SendSignal(request, *process), id);
}

void HandleResize(const ReplyTo& from, const ResizeTerminal& request, const Process& process) {
  const winsize size = {
      .ws_row = request.rows, .ws_col = request.columns, .ws_xpixel = 0, .ws_ypixel = 0};
  const long result =
      process.terminal < 0 ? long{-ENOTTY} : sys::Ioctl(process.terminal, TIOCSWINSZ, &size);
  ReplyResult(from, FailedStep::kTerminalSize, result, process.state.id);
}

void HandleAttach(const ReplyTo& from, const Attach& request, Process& process,
                  Received& received) {
  const bool wants_stdin = (request.flags & kProcessStdin) != 0;
  const int input = process.terminal >= 0 ? process.terminal : process.stdin_pipe;
  if (process.state.phase != ProcessPhase::kCreated &&
      process.state.phase != ProcessPhase::kRunning) {
    return ReplyFailed(from, FailedStep::kWrongPhase, EINVAL, process.state.id);
  }
  if (wants_stdin && input < 0) {
    return ReplyFailed(from, FailedStep::kStdio, ENOENT, process.state.id);
  }
  if (request.stdout_fd >= 0 || request.stderr_fd >= 0) {
    if (!CanAttach(process)) {
      return ReplyFailed(from, FailedStep::kTooMany, EAGAIN, process.state.id);
    }
    AttachOutput(process, received.Take(request.stdout_fd), received.Take(request.stderr_fd));
  }
  Attached attached = {};
  const std::span<const int> fds(&input, wants_stdin ? 1 : 0);
  Reply(from, MessageType::kAttached, &attached.header, sizeof(attached), fds);
}

void HandleReopenLog(const ReplyTo& from, const ReopenLog& request, Process& process,
                     Received& received) {
  CloseFd(&process.log);
  process.log = received.Take(request.log);
  process.torn = false;
  process.log_written = 0;
  process.log_reported = 0;
  process.let_go = false;
  ReplyDone(from);
}

void HandleRemove(const ReplyTo& from, Process& process) {
  switch (process.state.phase) {
    case ProcessPhase::kExited:
      Forget(process);
      return ReplyDone(from);
    case ProcessPhase::kCreated:
      if (process.starting || process.removing) break;
      // Answered when it is reaped.
      process.removing = true;
      process.reply = from;
      sys::PidfdSendSignal(process.pidfd, SIGKILL);
      return;
    case ProcessPhase::kCreating:
    case ProcessPhase::kRunning:
      break;
  }
  ReplyFailed(from, FailedStep::kWrongPhase, EBUSY, process.state.id);
}

void ReplyState(const ReplyTo& from, const ProcessState& state, int pidfd) {
  ProcessInfo info = {};
  info.state = state;
  Reply(from, MessageType::kProcessState, &info.header, sizeof(info),
        {&pidfd, pidfd >= 0 && state.phase != ProcessPhase::kExited ? 1U : 0U});
}

void HandleState(const ReplyTo& from) {
  const Sandbox& sandbox = g_shim.sandbox;
  SandboxState state = {};
  if (sandbox.exists) {
    CopyText(FieldText(sandbox.infra.id), state.id, sizeof(state.id));
    state.flags = sandbox.flags;
    state.phase = static_cast<uint32_t>(sandbox.infra.phase);
    state.entries = 1;
  }
  for (size_t i = 0; i < g_shim.process_count; ++i) {
    if (g_shim.processes[i].used) ++state.entries;
  }
  Reply(from, MessageType::kSandboxState, &state.header, sizeof(state));
  if (sandbox.exists) ReplyState(from, sandbox.infra, sandbox.infra_pidfd);
  for (size_t i = 0; i < g_shim.process_count; ++i) {
    const Process& process = g_shim.processes[i];
    if (process.used) ReplyState(from, process.state, process.pidfd);
  }
  Plain end = {};
  Reply(from, MessageType::kStateEnd, &end.header, sizeof(end));
}

void HandleShutdown(const ReplyTo& from) {
  if (g_shim.shutting_down) return ReplyFailed(from, FailedStep::kWrongPhase, EBUSY);
  g_shim.shutting_down = true;
  g_shim.shutdown_reply = from;
  KillPod();
}

// Requests about one container.
void HandleContainer(const ReplyTo& from, const RequestBody& body, Process& process,
                     Received& received) {
  switch (body.header.type) {
    case MessageType::kStartContainer:
      return Start(from, process);
    case MessageType::kResizeTerminal:
      return HandleResize(from, body.resize_terminal, process);
    case MessageType::kAttach:
      return HandleAttach(from, body.attach, process, received);
    case MessageType::kCloseStdin:
      CloseFd(&process.stdin_pipe);
      return ReplyDone(from);
    case MessageType::kReopenLog:
      return HandleReopenLog(from, body.reopen_log, process, received);
    case MessageType::kRemoveContainer:
      return HandleRemove(from, process);
    default:
      return ReplyFailed(from, FailedStep::kMessage, EOPNOTSUPP);
  }
}

// The container that a request is about; null for requests that are not about one.
const char* ContainerOf(const RequestBody& body) {
  switch (body.header.type) {
    case MessageType::kStartContainer:
    case MessageType::kCloseStdin:
    case MessageType::kRemoveContainer:
      return body.target.id;
    case MessageType::kResizeTerminal:
      return body.resize_terminal.id;
    case MessageType::kAttach:
      return body.attach.id;
    case MessageType::kReopenLog:
      return body.reopen_log.id;
    default:
      return nullptr;
  }
}

bool PodRuns() {
  const Sandbox& sandbox = g_shim.sandbox;
  return sandbox.exists && (sandbox.flags & kSandboxPrepare) == 0 && !g_shim.shutting_down &&
         sandbox.infra.phase == ProcessPhase::kRunning;
}

}  // namespace

void Handle(const ReplyTo& from, const Request& request, Received& received) {
  const RequestBody& body = request.body;
  if (const char* id = ContainerOf(body)) {
    Process* process = FindProcess(id, ProcessKind::kContainer);
    if (process == nullptr) return ReplyFailed(from, FailedStep::kUnknownTarget, ENOENT, id);
    return HandleContainer(from, body, *process, received);
  }
  switch (body.header.type) {
    case MessageType::kHello:
      return HandleHello(from, body.hello);
    case MessageType::kRunSandbox:
      return RunPod(from, request, received);
    case MessageType::kCreateContainer:
    case MessageType::kExec:
      if (!PodRuns()) return ReplyFailed(from, FailedStep::kWrongPhase, ESRCH);
      return body.header.type == MessageType::kExec ? StartExec(from, body.exec, received)
                                                    : Create(from, body.create_container, received);
    case MessageType::kSignal:
      return HandleSignal(from, body.signal);
    case MessageType::kState:
      return HandleState(from);
    case MessageType::kShutdown:
      return HandleShutdown(from);
    default:
      return ReplyFailed(from, FailedStep::kMessage, EOPNOTSUPP);
  }
}

}  // namespace podium::runtime::shim
