// The netlink part of floor.cpp. Plain calls: what fails ends the process and says what failed.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdio>

namespace bench {

template <class T>
T Must(T result, const char* what) {
  if (result < 0) {
    std::perror(what);
    _exit(1);
  }
  return result;
}

int OpenRoute();
// floor0, up.
void MakeBridge(int route);
// A pair in one message: flPOD on the bridge and up, eth0 born in infra's network namespace.
void MakeVeth(int route, int pod, pid_t infra, unsigned bridge);
// In the pod's namespace: lo and eth0 up, an address of 10.99.0.0/16, a default route.
void SetAddress(int pod);

}  // namespace bench
