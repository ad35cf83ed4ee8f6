// The isolators: what each makes of a container's configuration. Each reads the context and writes
// its part of the draft; none has an effect outside but those it names, and these are undone when
// the draft and the container's folder go.
//
// Errors are kInvalidArgument for what the configuration says and can never work.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runtime/draft.h"

namespace podium::runtime {

struct Isolator {
  const char* name;  // as the trace shows it
  Result<void> (*prepare)(const ContainerContext& context, Draft* draft);
  // Part of an exec's plan too.
  bool is_of_process;
};

// In the order they are applied: later ones build on the root and the user.
std::span<const Isolator> AllIsolators();

// The lowest layer of every root, in a folder of its own: empty files and folders for what all
// containers have mounted over them, so that no place to mount on has to be made on the disk for
// each. Nothing of it is ever seen: what an image has there itself hides it, and so do the mounts.
// May be repeated.
Result<void> MakePlaces(const std::string& folder);
// rootfs.cpp: the overlay, unless one that was made ahead is there (ContainerContext::root_ahead).
Result<void> PrepareRootfs(const ContainerContext& context, Draft* draft);
// A root of these layers, the lowest first, and of a writable one in `folder`, which is made. With
// a pod's user namespace and its mappings, or -1 and null; with a label, or "".
Result<kernel::Mount> MountRoot(std::span<const std::string> layers, const std::string& folder,
                                int user_namespace, const cri::UserNamespace* mappings,
                                const std::string& selinux_label);
// Gives layers the label that all containers may read, where containers have labels.
Result<void> LabelLayers(const ContainerContext& context, std::span<const std::string> layers);
// The places (MakePlaces), then the image's.
std::vector<std::string> LayersOf(const std::string& places, const image::ImageInfo& image);
// user.cpp: user, group, supplementary groups, home.
Result<void> PrepareUser(const ContainerContext& context, Draft* draft);
// process.cpp: arguments, environment, working directory, limits, oom_score_adj.
Result<void> PrepareProcess(const ContainerContext& context, Draft* draft);
// mounts.cpp: /proc, /sys, /dev and what the configuration mounts, in the order of their depth.
Result<void> PrepareMounts(const ContainerContext& context, Draft* draft);
// image_volumes.cpp: the image's own VOLUMEs as mounts of folders that belong to the container.
// Called by PrepareMounts.
Result<std::vector<cri::Mount>> ImageVolumes(const ContainerContext& context, Draft* draft);
// devices.cpp
Result<void> PrepareDevices(const ContainerContext& context, Draft* draft);
// masks.cpp: masked and read-only paths, the read-only root.
Result<void> PrepareMasks(const ContainerContext& context, Draft* draft);
// capabilities.cpp: capabilities and no_new_privs.
Result<void> PrepareCapabilities(const ContainerContext& context, Draft* draft);
// seccomp.cpp
Result<void> PrepareSeccomp(const ContainerContext& context, Draft* draft);
// apparmor.cpp
Result<void> PrepareApparmor(const ContainerContext& context, Draft* draft);
// selinux.cpp
Result<void> PrepareSelinux(const ContainerContext& context, Draft* draft);
// cgroups.cpp: limits; whether the container sees a cgroup namespace of its own.
Result<void> PrepareCgroups(const ContainerContext& context, Draft* draft);
// namespaces.cpp: whether it has a pid namespace of its own.
Result<void> PrepareNamespaces(const ContainerContext& context, Draft* draft);

// CRI's resources in the words of cgroups. For containers, and for pods.
kernel::CgroupLimits LimitsOf(const cri::LinuxContainerResources& resources);

}  // namespace podium::runtime
