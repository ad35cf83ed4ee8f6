#include "network/cni_exec.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/unique_fd.h"
#include "linux/open_files.h"
#include "linux/process.h"

namespace podium::network {

using kernel::PidFd;
using std::chrono::steady_clock;

namespace {

constexpr size_t kMaxOutput = size_t{1} << 20;
constexpr size_t kMaxErrors = 4096;
constexpr int kFirstDescriptor = 3;

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return Error::FromErrno(errno, "pipe");
  Pipe made{UniqueFd(fds[0]), UniqueFd(fds[1])};
  if (fcntl(made.read.get(), F_SETFL, O_NONBLOCK) != 0) return Error::FromErrno(errno, "pipe");
  return made;
}

// This process's environment without what CNI names, and then the call's.
std::vector<std::string> EnvironmentOf(const CniCall& call) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::strncmp(*variable, "CNI_", 4) != 0) variables.emplace_back(*variable);
  }
  for (const auto& [name, value] : call.environment) {
    variables.push_back(fmt::format("{}={}", name, value));
  }
  return variables;
}

class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  void Give(int fd, int as) { posix_spawn_file_actions_adddup2(&actions_, fd, as); }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// To the end, to `limit`, or to what is there. False when there is more than the limit.
bool Drain(UniqueFd* fd, std::string* text, size_t limit, bool cut) {
  char buffer[4096];
  while (*fd) {
    const ssize_t size = read(fd->get(), buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return true;
    if (size == 0) fd->reset();
    text->append(buffer, static_cast<size_t>(size));
    if (text->size() <= limit) continue;
    if (!cut) return false;
    text->resize(limit);
  }
  return true;
}

// A child until it is reaped. Ends it, and what is in its session's group, if nobody has waited.
class Running {
 public:
  explicit Running(pid_t pid) : pid_(pid) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    if (pid_ > 0) {
      kill(-pid_, SIGKILL);
      (void)Reap();
    }
  }
  int Reap() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
};

// Until the program has ended.
Result<void> Collect(const PidFd& process, Pipe* output, Pipe* errors, const CniCall& call,
                     CniOutcome* outcome) {
  const auto end = steady_clock::now() + call.timeout;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - steady_clock::now()).count();
    if (left <= 0) {
      return Error(Code::kDeadlineExceeded, call.program + " has not ended in " +
                                                std::to_string(call.timeout.count()) + " ms");
    }
    pollfd fds[] = {{process.fd(), POLLIN, 0},
                    {output->read.get(), POLLIN, 0},
                    {errors->read.get(), POLLIN, 0}};
    if (poll(fds, 3, static_cast<int>(left)) < 0 && errno != EINTR) {
      return Error::FromErrno(errno, "poll");
    }
    // What it has left running may keep the pipes open: its own end counts.
    const bool ended = (fds[0].revents & POLLIN) != 0;
    if (!Drain(&output->read, &outcome->output, kMaxOutput, false)) {
      return Error(Code::kResourceExhausted, call.program + " prints more than 1 MiB");
    }
    (void)Drain(&errors->read, &outcome->errors, kMaxErrors, true);
    if (ended) return {};
  }
}

}  // namespace

Result<CniOutcome> RunCniPlugin(const CniCall& call) {
  TRY(const UniqueFd input, kernel::SealedMemory("cni", call.input));
  if (lseek(input.get(), 0, SEEK_SET) != 0) return Error::FromErrno(errno, "lseek");
  TRY(Pipe output, MakePipe());
  TRY(Pipe errors, MakePipe());
  // Whoever started this process may have left descriptors open in it; they go no further.
  if (close_range(kFirstDescriptor, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
    return Error::FromErrno(errno, "close_range");
  }
  SpawnSettings settings;
  settings.Give(input.get(), STDIN_FILENO);
  settings.Give(output.write.get(), STDOUT_FILENO);
  settings.Give(errors.write.get(), STDERR_FILENO);
  std::vector<std::string> variables = EnvironmentOf(call);
  std::vector<char*> environment;
  environment.reserve(variables.size() + 1);
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  std::string program = call.program;
  char* const arguments[] = {program.data(), nullptr};
  pid_t pid = 0;
  if (const int failed = posix_spawn(&pid, program.c_str(), settings.actions(),
                                     settings.attributes(), arguments, environment.data());
      failed != 0) {
    return Error::FromErrno(failed, "running " + program);
  }
  Running running(pid);
  kernel::RestoreOpenFiles(pid);
  output.write.reset();
  errors.write.reset();
  TRY(const PidFd process, PidFd::Open(pid));
  CniOutcome outcome;
  TRY_VOID(Collect(process, &output, &errors, call, &outcome));
  outcome.status = running.Reap();
  return outcome;
}

}  // namespace podium::network
