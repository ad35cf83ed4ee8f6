// SELinux options of the CRI. This runtime gives no labels, as containerd does not unless
// enable_selinux is set: on a machine without SELinux the options change nothing, which is said in
// a warning; on one that has it, whoever asks for a label is refused instead of getting none. What
// can never be a level is refused everywhere, in containerd's words
// (internal/cri/server/podsandbox, release 2.1). Private to this room.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/types/cri.h"

namespace podium::runtime {

// What containers are told where nothing enforces labels.
inline constexpr std::string_view kNoSelinux =
    "the kernel has no SELinux: labels that pods ask for (seLinuxOptions) have no effect";

// Whether the kernel enforces or permits by a policy, and this process has a label.
bool MachineHasSelinux();

// `options` may be null. kInvalidArgument for a level that is none, kUnsupported where a label
// would have to be set.
Result<void> CheckSelinux(const wire::cri::SELinuxOption* options, bool machine_has_it);

}  // namespace podium::runtime
