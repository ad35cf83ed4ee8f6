#include "linux/namespaces.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace podium::kernel {
namespace {

Result<UniqueFd> Open(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return Error::FromErrno(errno, path);
  return fd;
}

}  // namespace

Result<UniqueFd> OpenNamespace(pid_t pid, const std::string& kind) {
  return Open("/proc/" + std::to_string(pid) + "/ns/" + kind);
}

Result<ino_t> NamespaceInode(int fd) {
  struct stat status{};
  if (fstat(fd, &status) != 0) return Error::FromErrno(errno, "fstat");
  return status.st_ino;
}

Result<UniqueFd> NewNetNamespace() {
  TRY(UniqueFd back, Open("/proc/thread-self/ns/net"));
  if (unshare(CLONE_NEWNET) != 0) return Error::FromErrno(errno, "unshare");
  auto made = Open("/proc/thread-self/ns/net");
  if (setns(back.get(), CLONE_NEWNET) != 0) std::abort();
  return made;
}

Result<NetNamespaceEntry> NetNamespaceEntry::Enter(int fd) {
  TRY(UniqueFd back, Open("/proc/thread-self/ns/net"));
  if (setns(fd, CLONE_NEWNET) != 0) return Error::FromErrno(errno, "setns");
  return NetNamespaceEntry(std::move(back));
}

NetNamespaceEntry::~NetNamespaceEntry() {
  if (back_ && setns(back_.get(), CLONE_NEWNET) != 0) std::abort();
}

}  // namespace podium::kernel
