#include "runtime/isolators/all.h"

namespace podium::runtime {

std::span<const Isolator> AllIsolators() {
  static constexpr Isolator kIsolators[] = {
      {"root file system", PrepareRootfs, false},
      {"user", PrepareUser, false},
      {"process", PrepareProcess, true},
      {"devices", PrepareDevices, false},
      {"mounts", PrepareMounts, false},
      {"masks", PrepareMasks, false},
      {"capabilities", PrepareCapabilities, true},
      {"seccomp", PrepareSeccomp, true},
      {"apparmor", PrepareApparmor, true},
      {"selinux", PrepareSelinux, true},
      {"cgroups", PrepareCgroups, false},
      {"namespaces", PrepareNamespaces, false},
  };
  return kIsolators;
}

}  // namespace podium::runtime
