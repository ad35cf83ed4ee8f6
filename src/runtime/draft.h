// A container in the making: what is known about it, and the plan that grows from isolator to
// isolator (isolators/all.h) until it can be handed to the pod's shim. Private to this room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "image/image_store.h"
#include "linux/capabilities.h"
#include "linux/cgroup.h"
#include "linux/mounts.h"
#include "linux/seccomp_filter.h"
#include "runtime/default_apparmor.h"
#include "runtime/plan.h"
#include "runtime/runtime.h"
#include "runtime/selinux.h"

namespace podium::runtime {

// What this machine can do; found once, at start.
struct HostFacts {
  kernel::CapabilityMask capabilities = 0;  // that can be given away
  bool apparmor = false;
  bool selinux = false;
  std::optional<SelinuxContexts> selinux_contexts;  // where the policy knows containers
  kernel::CgroupMode cgroups = kernel::CgroupMode::kV2;
  uint64_t max_open_files = 0;  // the hard limit that can be given away
  // Mounted hierarchies of version 1: the folder's name ("cpu,cpuacct"), and the options to mount
  // it again ("cpu", "cpuacct").
  struct Hierarchy {
    std::string folder;
    std::vector<std::string> options;
  };
  std::vector<Hierarchy> v1_hierarchies;
  bool has_v2_hierarchy = false;  // beside those
  // Cgroups decide which devices a container may use. Where they do not, nodes of an image or a
  // volume are no devices for containers that are not privileged, and none can be made.
  bool limits_devices = true;
};

// All that a container is made from. References live as long as the making.
struct ContainerContext {
  const std::string& id;
  const cri::ContainerConfig& config;
  const cri::PodSandboxConfig& sandbox;
  const image::ImageInfo& image;
  image::ImageStore& images;
  const HostFacts& host;
  kernel::DefaultSeccomp& default_seccomp;
  const DefaultApparmor& default_apparmor;
  std::vector<MountSource>& sources;
  std::string sandbox_folder;    // RUN/sandboxes/<id>: hostname, hosts, resolv.conf
  std::string container_folder;  // DATA/containers/<id>: upper, work, volumes
  std::string places;            // DATA/places: MakePlaces (isolators/all.h)
  std::string seccomp_folder;    // what a relative localhost_ref is below
  int user_namespace = -1;       // the pod's, or -1
  SelinuxLabels labels = {};
  // A root of the image that was made ahead, in the container's folder (roots_ahead.h); it is
  // taken. Null or empty: there is none.
  kernel::Mount* root_ahead = nullptr;
};

struct Draft {
  shim::Plan plan;
  // The plan's descriptors, in order.
  std::vector<UniqueFd> descriptors;
  kernel::CgroupLimits limits;
  cri::LinuxContainerUser user;
  kernel::Mount root;
  // Images that are mounted as volumes stay as long as the container.
  std::vector<image::ImagePin> pins;
  // The user's home, from the image; for HOME.
  std::string home = "/";

  // What goes into a /dev of the container's own, behind its mount.
  std::vector<shim::MountStep> device_steps;

  // The number by which the plan knows the descriptor.
  int32_t Add(UniqueFd fd) {
    descriptors.push_back(std::move(fd));
    return static_cast<int32_t>(descriptors.size() - 1);
  }
};

// The security context, or an empty one.
const cri::LinuxContainerSecurityContext& SecurityOf(const cri::ContainerConfig& config);
const cri::LinuxContainerResources& ResourcesOf(const cri::ContainerConfig& config);
const cri::NamespaceOption& NamespacesOf(const cri::ContainerConfig& config);
const cri::LinuxSandboxSecurityContext& SecurityOf(const cri::PodSandboxConfig& config);
const cri::NamespaceOption& NamespacesOf(const cri::PodSandboxConfig& config);

// "/a//b/./../c/" as "/a/c". By its words, as containerd does: ".." never leads out of the root,
// and where links are in between the kernel decides, inside the root.
std::string CleanPath(const std::string& path);

// Whether the pod has a user namespace of its own.
bool HasUserNamespace(const cri::PodSandboxConfig& config);

}  // namespace podium::runtime
