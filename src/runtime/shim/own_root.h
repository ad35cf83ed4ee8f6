// The root that the shim and infra live in: a small read-only tmpfs in a mount namespace of their
// own, so that neither shows a file of the host, and so that a container's mount namespace starts
// as a copy of next to nothing. What containers need of it, they clone into their own:
//
//   /root    an empty folder: where a container's root is attached
//   /empty   an empty folder: what masked folders show
//   /dev     null, zero, full, random, urandom, tty
//   /shm     the pod's shared memory, once there is one
//   /proc    an empty folder; the pod's proc, once containers share its pid namespace
//   /sys     an empty folder, used for pods with a user namespace only (stage_container.cpp)
#pragma once

#include <cstdint>
#include <string_view>

namespace podium::runtime::shim {

// 0, or errno. Leaves the caller in a new mount namespace, in its root folder.
int EnterOwnRoot();

// Mounts the pod's /dev/shm at /shm. 0, or errno.
int MountShm(uint64_t bytes);

// Gives what containers clone an SELinux label: /dev's devices, /empty and /shm. 0, or errno.
int LabelOwnRoot(std::string_view label);

// Puts a detached mount at /proc. 0, or errno.
int AttachProc(int mount);

}  // namespace podium::runtime::shim
