// Exec, ExecSync, Attach, PortForward.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "linux/namespaces.h"
#include "linux/process.h"
#include "runtime/embedded_runtime.h"
#include "runtime/filters.h"
#include "runtime/host_facts.h"

namespace podium::runtime {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// What a process left behind may keep its streams open for; longer than that nobody waits.
constexpr auto kDrainTime = std::chrono::seconds(10);
constexpr size_t kReadSize = size_t{64} << 10;
constexpr int kConnectSeconds = 10;

struct Pipe {
  UniqueFd in;  // to read from
  UniqueFd out;
};

Result<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error::FromErrno(errno, "pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<UniqueFd> Copy(int fd) {
  UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy) return Error::FromErrno(errno, "fcntl");
  return copy;
}

template <size_t size>
void SetId(const std::string& id, char (&field)[size]) {
  std::memcpy(field, id.data(), std::min(id.size(), size - 1));
}

// One stream of an ExecSync. What is beyond the limit is read and dropped, so that the process is
// not held up by it.
struct Collected {
  int fd = -1;
  std::string* text = nullptr;
  bool open = true;

  void Read() {
    std::array<char, kReadSize> bytes;
    const ssize_t count = read(fd, bytes.data(), bytes.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count <= 0) {
      open = false;
      return;
    }
    const size_t room = kMaxExecSyncOutput - text->size();
    text->append(bytes.data(), std::min(room, static_cast<size_t>(count)));
  }
};

Result<UniqueFd> ConnectLocal(int family, uint16_t port) {
  UniqueFd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return Error::FromErrno(errno, "socket");
  const timeval limit{.tv_sec = kConnectSeconds, .tv_usec = 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_addr = in6addr_loopback;
  const auto* address = family == AF_INET ? reinterpret_cast<const sockaddr*>(&v4)
                                          : reinterpret_cast<const sockaddr*>(&v6);
  const socklen_t size = family == AF_INET ? sizeof v4 : sizeof v6;
  if (connect(socket.get(), address, size) != 0) {
    return Error::FromErrno(errno, "connecting to localhost:" + std::to_string(port));
  }
  const timeval none{};
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none);
  return socket;
}

}  // namespace

class EmbeddedRuntime::ExecSession : public Session {
 public:
  ExecSession(EmbeddedRuntime& runtime, std::string id) : runtime_(runtime), id_(std::move(id)) {}
  ExecSession(const ExecSession&) = delete;
  ExecSession& operator=(const ExecSession&) = delete;
  ~ExecSession() override {
    if (process_) (void)process_.Signal(SIGKILL);
    runtime_.ForgetExec(id_);
  }

  int stdin_fd() const override { return in_.get(); }
  void CloseStdin() override { in_.reset(); }
  int stdout_fd() const override { return out_.get(); }
  int stderr_fd() const override { return err_.get(); }
  Result<void> Resize(uint16_t columns, uint16_t rows) override {
    if (!terminal_) return Error(Code::kInvalidArgument, "the process has no terminal");
    const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    if (ioctl(terminal_.get(), TIOCSWINSZ, &size) != 0) return Error::FromErrno(errno, "resize");
    return {};
  }
  Result<int32_t> Wait(milliseconds timeout) override { return runtime_.WaitForExec(id_, timeout); }
  void NotifyEnd(std::function<void()> ended) override {
    runtime_.NotifyExecEnd(id_, std::move(ended));
  }
  const kernel::PidFd& process() const { return process_; }

 private:
  friend class EmbeddedRuntime;
  EmbeddedRuntime& runtime_;
  const std::string id_;
  UniqueFd in_;
  UniqueFd out_;
  UniqueFd err_;
  UniqueFd terminal_;
  kernel::PidFd process_;
};

class EmbeddedRuntime::AttachSession : public Session {
 public:
  AttachSession(EmbeddedRuntime& runtime, ContainerRef container)
      : runtime_(runtime), container_(std::move(container)) {}
  AttachSession(const AttachSession&) = delete;
  AttachSession& operator=(const AttachSession&) = delete;
  ~AttachSession() override {
    const std::lock_guard lock(runtime_.mutex_);
    container_->on_end.erase(this);
  }

  int stdin_fd() const override { return in_.get(); }
  void CloseStdin() override {
    in_.reset();
    if (!container_->config.stdin_once || container_->config.tty) return;
    shim::Target target{};
    SetId(container_->id, target.id);
    const auto client = runtime_.ClientOf(*container_->sandbox);
    if (client.ok()) (void)(*client)->Call(shim::MessageType::kCloseStdin, target);
  }
  int stdout_fd() const override { return out_.get(); }
  int stderr_fd() const override { return err_.get(); }
  Result<void> Resize(uint16_t columns, uint16_t rows) override {
    if (!container_->config.tty) {
      return Error(Code::kInvalidArgument, "the process has no terminal");
    }
    shim::ResizeTerminal resize{};
    SetId(container_->id, resize.id);
    resize.columns = columns;
    resize.rows = rows;
    TRY(const auto client, runtime_.ClientOf(*container_->sandbox));
    TRY_VOID(client->Call(shim::MessageType::kResizeTerminal, resize));
    return {};
  }
  Result<int32_t> Wait(milliseconds timeout) override {
    if (!runtime_.WaitForEnd(container_, Clock::now() + timeout)) {
      return Error(Code::kDeadlineExceeded, "the process still runs");
    }
    const std::lock_guard lock(runtime_.mutex_);
    return container_->status.exit_code;
  }
  void NotifyEnd(std::function<void()> ended) override {
    runtime_.NotifyContainerEnd(container_, this, std::move(ended));
  }

 private:
  friend class EmbeddedRuntime;
  EmbeddedRuntime& runtime_;
  const ContainerRef container_;
  UniqueFd in_;
  UniqueFd out_;
  UniqueFd err_;
};

Result<int32_t> EmbeddedRuntime::WaitForExec(const std::string& id, milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const auto found = execs_.find(id);
  if (found == execs_.end()) return Error(Code::kNotFound, "no such exec");
  changed_.wait_for(lock, timeout, [&] { return found->second.code || found->second.lost; });
  if (found->second.code) return *found->second.code;
  if (found->second.lost) return Error(Code::kUnavailable, "the pod's shim is gone");
  return Error(Code::kDeadlineExceeded, "the process still runs");
}

void EmbeddedRuntime::NotifyExecEnd(const std::string& id, std::function<void()> ended) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = execs_.find(id);
    if (found != execs_.end() && !found->second.code && !found->second.lost) {
      found->second.on_end = std::move(ended);
      return;
    }
  }
  ended();
}

void EmbeddedRuntime::NotifyContainerEnd(const ContainerRef& container, const Session* who,
                                         std::function<void()> ended) {
  {
    const std::lock_guard lock(mutex_);
    if (!container->removed && container->status.state != cri::ContainerState::kContainerExited) {
      container->on_end[who] = std::move(ended);
      return;
    }
  }
  ended();
}

void EmbeddedRuntime::ForgetExec(const std::string& id) {
  const std::lock_guard lock(mutex_);
  execs_.erase(id);
}

Result<std::unique_ptr<Session>> EmbeddedRuntime::StartExec(const ContainerRef& container,
                                                            const cri::ExecRequest& request,
                                                            const WindowSize& window) {
  if (request.cmd.empty()) return Error(Code::kInvalidArgument, "no command specified");
  TRY(const auto process, ProcessOf(container));
  shim::Plan plan = *process;
  plan.arguments = request.cmd;
  if (request.tty && std::ranges::none_of(plan.environment, [](const std::string& variable) {
        return variable.starts_with("TERM=");
      })) {
    plan.environment.emplace_back("TERM=xterm");
  }
  TRY(const std::string bytes, shim::EncodePlan(plan));
  TRY(const UniqueFd memory, kernel::SealedMemory("plan", bytes));
  TRY(const kernel::CgroupEntry entry, cgroups_.OpenForSpawn(container->cgroup));

  auto session = std::make_unique<ExecSession>(*this, NewId());
  std::vector<int> passed = {memory.get()};
  const auto add = [&](int fd) {
    passed.push_back(fd);
    return static_cast<int32_t>(passed.size() - 1);
  };
  shim::Exec exec{};
  exec.plan = 0;
  exec.stdio[0] = exec.stdio[1] = exec.stdio[2] = -1;
  UniqueFd ends[3];
  if (request.tty) {
    exec.flags |= shim::kProcessTerminal;
    exec.columns = window.columns;
    exec.rows = window.rows;
  } else {
    if (request.stdin_) {
      TRY(Pipe pipe, MakePipe());
      session->in_ = std::move(pipe.out);
      ends[0] = std::move(pipe.in);
    }
    for (const int i : {1, 2}) {
      if (!(i == 1 ? request.stdout_ : request.stderr_)) continue;
      TRY(Pipe pipe, MakePipe());
      (i == 1 ? session->out_ : session->err_) = std::move(pipe.in);
      ends[i] = std::move(pipe.out);
    }
    for (int i = 0; i < 3; ++i) {
      if (ends[i]) exec.stdio[i] = add(ends[i].get());
    }
  }
  exec.cgroups.folder = entry.directory ? add(entry.directory.get()) : -1;
  exec.cgroups.kill = -1;
  for (const UniqueFd& tasks : entry.tasks) {
    if (exec.cgroups.procs_count >= shim::kMaxCgroups) break;
    exec.cgroups.procs[exec.cgroups.procs_count++] = add(tasks.get());
  }
  SetId(session->id_, exec.id);
  SetId(container->id, exec.container);
  {
    const std::lock_guard lock(mutex_);
    execs_[session->id_].shim_key = container->sandbox->shim.key;
  }
  TRY(const auto client, ClientOf(*container->sandbox));
  auto reply = client->Call(shim::MessageType::kExec, exec, passed);
  if (!reply.ok()) {
    return std::move(reply).error().WithContext("failed to exec in container");
  }
  if (reply->descriptors.empty()) return Error(Code::kInternal, "the shim sent no descriptor");
  session->process_ = kernel::PidFd(std::move(reply->descriptors[0]));
  if (request.tty) {
    if (reply->descriptors.size() < 2) return Error(Code::kInternal, "the shim sent no terminal");
    session->terminal_ = std::move(reply->descriptors[1]);
    if (request.stdin_) {
      TRY(session->in_, Copy(session->terminal_.get()));
    }
    if (request.stdout_) {
      TRY(session->out_, Copy(session->terminal_.get()));
    }
  }
  return std::unique_ptr<Session>(std::move(session));
}

Result<std::unique_ptr<Session>> EmbeddedRuntime::Exec(const cri::ExecRequest& request,
                                                       const WindowSize& window) {
  TRY(const ContainerRef container, GetRunning(request.container_id));
  return StartExec(container, request, window);
}

Result<cri::ExecSyncResponse> EmbeddedRuntime::ExecSync(std::string_view container_id,
                                                        const std::vector<std::string>& command,
                                                        std::chrono::seconds timeout) {
  TRY(const ContainerRef container, GetRunning(container_id));
  cri::ExecRequest request;
  request.cmd = command;
  request.stdout_ = request.stderr_ = true;
  const bool limited = timeout > timeout.zero();
  Clock::time_point until = limited ? Clock::now() + timeout : Clock::time_point::max();
  TRY(const std::unique_ptr<Session> started, StartExec(container, request, {}));
  const auto& session = static_cast<const ExecSession&>(*started);

  cri::ExecSyncResponse response;
  Collected streams[] = {{.fd = session.stdout_fd(), .text = &response.stdout_.data},
                         {.fd = session.stderr_fd(), .text = &response.stderr_.data}};
  bool ended = false;
  while (streams[0].open || streams[1].open || !ended) {
    pollfd polled[3] = {};
    for (int i = 0; i < 2; ++i) polled[i] = {streams[i].open ? streams[i].fd : -1, POLLIN, 0};
    polled[2] = {ended ? -1 : session.process().fd(), POLLIN, 0};
    int wait = -1;
    if (until != Clock::time_point::max()) {
      const auto left = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
      if (left <= 0) {
        if (ended) break;  // what it left behind keeps the streams
        return Error(Code::kDeadlineExceeded, "command timed out");
      }
      wait = static_cast<int>(std::min<int64_t>(left, 60'000));
    }
    if (poll(polled, 3, wait) < 0 && errno != EINTR) return Error::FromErrno(errno, "poll");
    for (int i = 0; i < 2; ++i) {
      if (polled[i].fd >= 0 && polled[i].revents != 0) streams[i].Read();
    }
    if (!ended && (polled[2].revents & POLLIN) != 0) {
      ended = true;
      until = std::min(until, Clock::now() + kDrainTime);
    }
  }
  TRY(response.exit_code, started->Wait(kDrainTime));
  return response;
}

Result<std::unique_ptr<Session>> EmbeddedRuntime::Attach(const cri::AttachRequest& request) {
  TRY(const ContainerRef container, GetRunning(request.container_id));
  auto session = std::make_unique<AttachSession>(*this, container);
  shim::Attach attach{};
  SetId(container->id, attach.id);
  attach.stdout_fd = attach.stderr_fd = -1;
  std::vector<int> passed;
  UniqueFd ends[2];
  for (const int i : {0, 1}) {
    // With a terminal there is one stream.
    if (!(i == 0 ? request.stdout_ : request.stderr_ && !container->config.tty)) continue;
    TRY(Pipe pipe, MakePipe());
    (i == 0 ? session->out_ : session->err_) = std::move(pipe.in);
    ends[i] = std::move(pipe.out);
    (i == 0 ? attach.stdout_fd : attach.stderr_fd) = static_cast<int32_t>(passed.size());
    passed.push_back(ends[i].get());
  }
  if (request.stdin_) attach.flags |= shim::kProcessStdin;
  TRY(const auto client, ClientOf(*container->sandbox));
  TRY(ShimReply reply, client->Call(shim::MessageType::kAttach, attach, passed));
  if (request.stdin_) {
    if (reply.descriptors.empty()) return Error(Code::kInternal, "the shim sent no stdin");
    session->in_ = std::move(reply.descriptors[0]);
  }
  return std::unique_ptr<Session>(std::move(session));
}

Result<void> EmbeddedRuntime::ReopenContainerLog(std::string_view container_id) {
  TRY(const ContainerRef container, GetContainer(container_id));
  {
    const std::lock_guard lock(mutex_);
    if (container->status.state != cri::ContainerState::kContainerRunning) {
      return Error(Code::kInvalidArgument, "container is not running");
    }
  }
  TRY(const UniqueFd log, OpenLog(*container));
  if (!log) return {};  // it has none
  shim::ReopenLog reopen{};
  SetId(container->id, reopen.id);
  reopen.log = 0;
  const int fd = log.get();
  TRY(const auto client, ClientOf(*container->sandbox));
  TRY_VOID(client->Call(shim::MessageType::kReopenLog, reopen, {&fd, 1}));
  return {};
}

Result<UniqueFd> EmbeddedRuntime::PortForward(std::string_view sandbox_id, uint16_t port) {
  TRY(const SandboxRef sandbox, GetSandbox(sandbox_id));
  if (port == 0) return Error(Code::kInvalidArgument, "port 0");
  Result<UniqueFd> net = Error(Code::kInternal, "");
  {
    const std::lock_guard lock(mutex_);
    if (sandbox->state != cri::PodSandboxState::kSandboxReady) {
      return Error(Code::kUnavailable, "sandbox container \"" + sandbox->id + "\" is not running");
    }
    net = Copy(sandbox->shim.net.get());
  }
  if (!net.ok()) return net;
  TRY(const auto entry, kernel::NetNamespaceEntry::Enter(net->get()));
  auto connected = ConnectLocal(AF_INET, port);
  if (connected.ok() || connected.error().os_errno() != ECONNREFUSED) return connected;
  auto second = ConnectLocal(AF_INET6, port);
  return second.ok() ? std::move(second) : std::move(connected);
}

}  // namespace podium::runtime
