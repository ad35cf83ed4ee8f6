#include "commands/node_process.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "linux/path.h"

namespace podium::commands {
namespace {

constexpr std::chrono::milliseconds kLockPatience{5000};

}  // namespace

const char* Environment(const char* variable) {
  return std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nobody changes the environment
}

Result<void> MakeInstanceFolders(const Instance& instance) {
  // Others may pass through to what is theirs (volumes of containers with other users).
  TRY(const UniqueFd data, kernel::MakeFolders(instance.data_dir, 0711));
  TRY(const UniqueFd run, kernel::MakeFolders(instance.run_dir, 0700));
  TRY(const UniqueFd log, kernel::MakeFolders(instance.log_dir, 0755));
  return {};
}

Result<UniqueFd> LockInstance(const Instance& instance) {
  const std::string path = instance.run_dir + "/agent.lock";
  TRY(UniqueFd lock, kernel::OpenPath(path, O_RDWR | O_CREAT, 0600));
  if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) {
    return Error(Code::kAlreadyExists,
                 "an agent of instance \"" + instance.name + "\" runs already");
  }
  return Error::FromErrno(errno, path);
}

Result<std::unique_ptr<image::ImageStore>> OpenImages(const std::string& folder) {
  const auto give_up = std::chrono::steady_clock::now() + kLockPatience;
  while (true) {
    auto store = image::ImageStore::Open(folder);
    const bool busy = !store.ok() && store.error().code() == Code::kUnavailable;
    if (!busy || std::chrono::steady_clock::now() > give_up) return store;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Result<UniqueFd> StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  UniqueFd fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return Error::FromErrno(errno, "signalfd");
  return fd;
}

void TellReady(std::string_view descriptor) {
  if (descriptor.empty()) return;
  int number = -1;
  std::from_chars(descriptor.data(), descriptor.data() + descriptor.size(), number);
  const UniqueFd ready(number);
  (void)!write(ready.get(), "1", 1);
}

}  // namespace podium::commands
