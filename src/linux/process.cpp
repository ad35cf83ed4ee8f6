#include "linux/process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "linux/open_files.h"

namespace podium::kernel {
namespace {

// Of <linux/wait.h>; glibc has it in its enum under the same number.
constexpr auto kPidFdId = static_cast<idtype_t>(3);
constexpr int kFirstDescriptor = 3;

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// posix_spawn's two objects, freed at the end.
struct SpawnState {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  SpawnState() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  SpawnState(const SpawnState&) = delete;
  SpawnState& operator=(const SpawnState&) = delete;
  ~SpawnState() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

// A copy beyond the numbers that the child's own descriptors will have.
Result<UniqueFd> Lift(int fd, int floor) {
  UniqueFd lifted(fcntl(fd, F_DUPFD_CLOEXEC, floor));
  if (!lifted) return Error::FromErrno(errno, "fcntl");
  return lifted;
}

}  // namespace

Result<PidFd> PidFd::Open(pid_t pid) {
  UniqueFd fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!fd) {
    if (errno == ESRCH) return Error(Code::kNotFound, "no process " + std::to_string(pid), ESRCH);
    return Error::FromErrno(errno, "pidfd_open");
  }
  return PidFd(std::move(fd));
}

Result<void> PidFd::Signal(int signal) const {
  if (syscall(SYS_pidfd_send_signal, fd_.get(), signal, nullptr, 0) == 0 || errno == ESRCH) {
    return {};
  }
  return Error::FromErrno(errno, "pidfd_send_signal");
}

bool PidFd::WaitForEnd(std::chrono::milliseconds timeout) const {
  const auto end = std::chrono::steady_clock::now() + timeout;
  pollfd entry{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    const int wait =
        timeout.count() < 0 ? -1 : static_cast<int>(std::max<int64_t>(left.count(), 0));
    const int ready = poll(&entry, 1, wait);
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

Result<std::optional<int>> PidFd::Reap() const {
  siginfo_t info{};
  if (waitid(kPidFdId, static_cast<id_t>(fd_.get()), &info, WEXITED | WNOHANG) != 0) {
    return Error::FromErrno(errno, "waitid");
  }
  if (info.si_pid == 0) return std::optional<int>();
  return std::optional<int>(info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status);
}

Result<UniqueFd> SealedMemory(const std::string& name, std::string_view bytes) {
  // MFD_EXEC (Linux 6.3) silences a warning where vm.memfd_noexec asks for a decision.
  constexpr unsigned kMemfdExec = 0x10;
  UniqueFd file(memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING | kMemfdExec));
  if (!file && errno == EINVAL) {
    file = UniqueFd(memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  }
  if (!file) return Error::FromErrno(errno, "memfd_create");
  while (!bytes.empty()) {
    const ssize_t count = write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::FromErrno(errno, "writing " + name);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  if (fcntl(file.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) !=
      0) {
    return Error::FromErrno(errno, "sealing " + name);
  }
  return file;
}

Result<Spawned> Spawn(const SpawnRequest& request) {
  // Whoever started this process may have left descriptors open in it; they go no further.
  if (close_range(kFirstDescriptor, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
    return Error::FromErrno(errno, "close_range");
  }
  const int floor = kFirstDescriptor + static_cast<int>(request.descriptors.size());
  TRY(const UniqueFd program, Lift(request.program, floor));
  std::vector<UniqueFd> lifted;
  for (const int fd : request.descriptors) {
    TRY(UniqueFd copy, Lift(fd, floor));
    lifted.push_back(std::move(copy));
  }
  TRY(const UniqueFd null, [&]() -> Result<UniqueFd> {
    const UniqueFd opened(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!opened) return Error::FromErrno(errno, "/dev/null");
    return Lift(opened.get(), floor);
  }());
  UniqueFd output;
  if (request.output >= 0) {
    TRY(output, Lift(request.output, floor));
  }

  SpawnState state;
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  int error = posix_spawnattr_setsigmask(&state.attributes, &none);
  if (error == 0) error = posix_spawnattr_setsigdefault(&state.attributes, &all);
  constexpr int kFlags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (error == 0) error = posix_spawnattr_setflags(&state.attributes, kFlags);
  const int out = output ? output.get() : null.get();
  const int standard[] = {null.get(), out, out};
  for (int i = 0; i < kFirstDescriptor && error == 0; ++i) {
    error = posix_spawn_file_actions_adddup2(&state.actions, standard[i], i);
  }
  for (size_t i = 0; i < lifted.size() && error == 0; ++i) {
    error = posix_spawn_file_actions_adddup2(&state.actions, lifted[i].get(),
                                             kFirstDescriptor + static_cast<int>(i));
  }
  if (error != 0) return Error::FromErrno(error, "preparing a process");

  const std::vector<char*> arguments = Pointers(request.arguments);
  const std::vector<char*> environment = Pointers(request.environment);
  const std::string path = "/proc/self/fd/" + std::to_string(program.get());
  Spawned spawned;
  error = posix_spawn(&spawned.pid, path.c_str(), &state.actions, &state.attributes,
                      arguments.data(), environment.data());
  if (error != 0) return Error::FromErrno(error, "starting a process");
  RestoreOpenFiles(spawned.pid);
  // It is our child and not reaped yet, so the number means it.
  TRY(spawned.process, PidFd::Open(spawned.pid));
  return spawned;
}

}  // namespace podium::kernel
