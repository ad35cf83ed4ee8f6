// Namespaces by descriptor.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::kernel {

// "net", "ipc", "uts", "pid", "mnt", "user", "cgroup": of a process. A number may come to mean
// another process: hold its PidFd, and look afterwards that it has not ended.
Result<UniqueFd> OpenNamespace(pid_t pid, const std::string& kind);

// What tells a namespace from others: the inode of its file.
Result<ino_t> NamespaceInode(int fd);

// A network namespace with nothing in it but a loopback device that is down. The calling thread
// stays where it is.
Result<UniqueFd> NewNetNamespace();

// The calling thread in another network namespace until this object's end. Sockets made meanwhile
// belong to that namespace for ever. If the way back fails, which only a lost capability can cause,
// the process is aborted: a thread of ours must not go on in a pod's network.
class NetNamespaceEntry {
 public:
  static Result<NetNamespaceEntry> Enter(int fd);
  NetNamespaceEntry(NetNamespaceEntry&&) = default;
  NetNamespaceEntry& operator=(NetNamespaceEntry&&) = delete;
  ~NetNamespaceEntry();

 private:
  explicit NetNamespaceEntry(UniqueFd back) : back_(std::move(back)) {}
  UniqueFd back_;
};

}  // namespace podium::kernel
