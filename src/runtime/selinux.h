// SELinux: the labels of pods, as containerd and CRI-O give them. A policy that knows containers
// (the package container-selinux, and others of its kind) names the contexts in
// /etc/selinux/TYPE/contexts/lxc_contexts: what containers run as, and what their files are. Each
// pod gets two categories that no other pod has, so that one that breaks out reaches no other's
// files. Source: go-selinux (InitLabels), lxc_contexts(5).
//
// Where a pod says nothing of a level, its containers share the pod's: as CRI-O does. (containerd
// gives each one of its own as soon as the pod says anything, and then they cannot share a volume.)
//
// Without SELinux the options change nothing, which is said in a warning. With SELinux and without
// such contexts whoever asks for a label is refused instead of getting none. What can never be a
// level is refused everywhere, in containerd's words (internal/cri/server/podsandbox, release 2.1).
// Private to this room.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/types/cri.h"

namespace podium::runtime {

// What containers are told where nothing enforces labels.
inline constexpr std::string_view kNoSelinux =
    "the kernel has no SELinux: labels that pods ask for (seLinuxOptions) have no effect";

// "user:role:type" or "user:role:type:level", of the policy.
struct SelinuxContexts {
  std::string process;
  std::string file;
  // Of images' layers, which all containers may read: kernels before 6.x ask the policy about these
  // files too when a program in an overlay is mapped.
  std::string layer;
};

// Empty: none is set.
struct SelinuxLabels {
  std::string process;
  std::string mount;
};

// Whether the kernel enforces or permits by a policy, and this process has a label.
bool MachineHasSelinux();

// Those of the policy that `folder`, /etc/selinux, says the machine has; none where it knows no
// containers.
std::optional<SelinuxContexts> FindSelinuxContexts(const std::string& folder = "/etc/selinux");

// `options` may be null. kInvalidArgument for a level that is none, kUnsupported where a label
// would have to be set and `contexts` are missing.
Result<void> CheckSelinux(const wire::cri::SELinuxOption* options, bool machine_has_it,
                          const std::optional<SelinuxContexts>& contexts);

// What a pod that asks for `options` (may be null) has: every member is set, but for a level where
// the policy has none. A level that it does not name is one that is not in `taken`.
wire::cri::SELinuxOption PodSelinux(const SelinuxContexts& contexts,
                                    const wire::cri::SELinuxOption* options,
                                    const std::multiset<std::string, std::less<>>& taken);

// `pod`: of PodSelinux. `container`: what it asks for itself, or null.
SelinuxLabels LabelsOf(const SelinuxContexts& contexts, const wire::cri::SELinuxOption& pod,
                       const wire::cri::SELinuxOption* container);

// Whether the file or folder itself has the label.
bool HasLabel(int fd, const std::string& label);
// Gives the file or folder `fd` (O_PATH will do), and all below it on its file system, a label.
// Links are labelled, never followed. What cannot have one (a file system without them) stays as it
// is. kInvalidArgument for `path`, which is where the caller has found it, if it belongs to the
// machine as a whole.
Result<void> Relabel(int fd, const std::string& path, const std::string& label);

}  // namespace podium::runtime
