// Seccomp profiles as files: OCI's LinuxSeccomp in JSON, and Docker's form of it, whose rules hold
// only with some capabilities, architectures or kernels ("includes", "excludes"), and whose
// architectures come as a map ("archMap"). A runtime that passed these over would take a rule for
// everyone that is meant for a few.
//
// Members that are not known are passed over, as upstream does; listenerPath and the action that
// needs it are refused.
#pragma once

#include <string_view>

#include "base/result.h"
#include "linux/capabilities.h"
#include "linux/seccomp_filter.h"

namespace podium::runtime {

struct KernelVersion {
  int major = 0;
  int minor = 0;
  friend auto operator<=>(const KernelVersion&, const KernelVersion&) = default;
};

// Of the running kernel (uname(2)).
KernelVersion RunningKernel();

// What a profile's conditions ask about.
struct SeccompConditions {
  kernel::CapabilityMask granted = 0;  // the container's bounding set
  KernelVersion running;
};

// kInvalidArgument: no JSON object, a value of the wrong type, a name that is not known, no default
// action (an empty profile confines nothing, CVE-2023-2431).
Result<kernel::SeccompProfile> ParseSeccompProfile(std::string_view json,
                                                   const SeccompConditions& conditions);

}  // namespace podium::runtime
