// Tests that make devices, mounts or packet rules run on a thread with network and mount namespaces
// of its own: nothing of what they make outlives them or reaches the machine.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "base/unique_fd.h"

namespace podium::testing {

// Runs `body` in new namespaces; loopback is down, there is no other device. Mounts made inside do
// not propagate. The thread's failures are the test's.
inline void InOwnNamespaces(const std::function<void()>& body) {
  std::thread thread([&body] {
    ASSERT_EQ(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
    ASSERT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    body();
  });
  thread.join();
}

// A new network namespace; the thread stays where it is.
inline UniqueFd NewNetns() {
  UniqueFd made;
  std::thread thread([&made] {
    if (unshare(CLONE_NEWNET) == 0) {
      made.reset(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    }
  });
  thread.join();
  return made;
}

// Runs `body` on a thread in that network namespace.
inline void InNetns(int netns, const std::function<void()>& body) {
  std::thread thread([netns, &body] {
    ASSERT_EQ(setns(netns, CLONE_NEWNET), 0);
    body();
  });
  thread.join();
}

}  // namespace podium::testing

// In a test's body: only root may make namespaces.
#define PODIUM_NEEDS_ROOT() \
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to make network and mount namespaces"
