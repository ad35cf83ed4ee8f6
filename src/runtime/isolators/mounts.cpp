// What is mounted in a container: the kernel's file systems, the pod's files, and the volumes. All
// are put in the order of their depth, so that none hides another by accident; a volume at the
// place of one of ours replaces it.
#include "linux/mounts.h"

#include <fcntl.h>
#include <sys/mount.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "linux/path.h"
#include "runtime/isolators/all.h"

namespace podium::runtime {
namespace {

constexpr uint64_t kHarmless = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
constexpr uint32_t kPlace = shim::kMountMakeTarget;
// The kernel's own file systems go where they belong, never through a link of the image
// (CVE-2026-41579, CVE-2019-19921).
constexpr uint32_t kOwnPlace = shim::kMountMakeTarget | shim::kMountNoSymlinks;
constexpr size_t kMaxMountInfo = size_t{32} << 20;
constexpr uint32_t kMqueueMagic = 0x19800202;  // ipc/mqueue.c
constexpr const char* kCgroups = "/sys/fs/cgroup";

using Steps = std::vector<shim::MountStep>;

// For file systems that take the label of all their files as an option.
std::vector<std::string> WithContext(const ContainerContext& context,
                                     std::vector<std::string> options) {
  const std::string& label = context.labels.mount;
  if (!label.empty()) options.push_back("context=" + label);
  return options;
}

shim::MountStep New(const std::string& type, const std::string& target, uint64_t attributes,
                    std::vector<std::string> options = {}) {
  shim::MountStep step{.kind = shim::MountKind::kNew, .target = target, .source = type};
  step.options = std::move(options);
  step.flags = kOwnPlace;
  step.attr_set = attributes;
  return step;
}

shim::MountStep Attach(kernel::Mount mount, const std::string& target, Draft* draft) {
  shim::MountStep step{.kind = shim::MountKind::kAttach, .target = target};
  step.flags = kPlace;
  step.descriptor = draft->Add(std::move(mount).Release());
  return step;
}

void AddCgroups(const ContainerContext& context, bool read_only, Steps* steps) {
  const uint64_t attributes = kHarmless | (read_only ? MOUNT_ATTR_RDONLY : 0);
  if (context.host.cgroups == kernel::CgroupMode::kV2) {
    steps->push_back(New("cgroup2", kCgroups, attributes));
    return;
  }
  steps->push_back(
      New("tmpfs", kCgroups, kHarmless, WithContext(context, {"mode=755", "size=65536k"})));
  for (const HostFacts::Hierarchy& hierarchy : context.host.v1_hierarchies) {
    const std::string target = std::string(kCgroups) + '/' + hierarchy.folder;
    steps->push_back(New("cgroup", target, attributes, hierarchy.options));
    for (const std::string& name : hierarchy.options) {
      if (name == hierarchy.folder || name.find('=') != std::string::npos || name == "none") {
        continue;
      }
      steps->push_back({.kind = shim::MountKind::kSymlink,
                        .target = std::string(kCgroups) + '/' + name,
                        .source = hierarchy.folder});
    }
  }
  if (context.host.has_v2_hierarchy) {
    steps->push_back(New("cgroup2", std::string(kCgroups) + "/unified", attributes));
  }
  if (read_only) steps->push_back({.kind = shim::MountKind::kReadOnly, .target = kCgroups});
}

Result<kernel::Mount> CloneOf(const std::string& path) {
  TRY(const UniqueFd fd, kernel::OpenPath(path, O_PATH));
  return kernel::Mount::Clone(fd.get(), true);
}

Result<void> AddShm(const ContainerContext& context, Draft* draft, Steps* steps) {
  if (NamespacesOf(context.sandbox).ipc == cri::NamespaceMode::kNode) {
    TRY(kernel::Mount shm, CloneOf("/dev/shm"));
    TRY_VOID(shm.SetAttributes({.propagation = MS_PRIVATE, .recursive = true}));
    steps->push_back(Attach(std::move(shm), "/dev/shm", draft));
    return {};
  }
  shim::MountStep step{.kind = shim::MountKind::kPodShm, .target = "/dev/shm"};
  step.flags = kOwnPlace;
  step.attr_set = kHarmless;
  steps->push_back(std::move(step));
  return {};
}

// /etc/hostname and its like: files of the sandbox, shared by its containers.
Result<void> AddPodFiles(const ContainerContext& context, Draft* draft, Steps* steps) {
  for (const char* name : {"hostname", "hosts", "resolv.conf"}) {
    const std::string path = context.sandbox_folder + '/' + name;
    TRY(const UniqueFd source, kernel::OpenPath(path, O_PATH));
    if (!context.labels.mount.empty()) {
      TRY_VOID(Relabel(source.get(), path, context.labels.mount));
    }
    TRY(kernel::Mount file, kernel::Mount::Clone(source.get(), true));
    kernel::MountAttributes attributes{.propagation = MS_PRIVATE};
    if (SecurityOf(context.config).readonly_rootfs) attributes.set = MOUNT_ATTR_RDONLY;
    attributes.user_namespace = context.user_namespace;
    TRY_VOID(file.SetAttributes(attributes));
    steps->push_back(Attach(std::move(file), std::string("/etc/") + name, draft));
  }
  return {};
}

Result<Steps> SystemMounts(const ContainerContext& context, Draft* draft) {
  const bool privileged = SecurityOf(context.config).privileged;
  Steps steps;
  steps.push_back(New("proc", "/proc", kHarmless));
  steps.push_back(New("tmpfs", "/dev", MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME,
                      WithContext(context, {"mode=755", "size=65536k"})));
  steps.push_back(
      New("devpts", "/dev/pts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
          WithContext(context, {"newinstance", "ptmxmode=0666", "mode=0620", "gid=5"})));
  steps.push_back(New("mqueue", "/dev/mqueue", kHarmless));
  if (!context.labels.mount.empty()) {
    shim::MountStep label{.kind = shim::MountKind::kLabel, .target = "/dev/mqueue"};
    label.source = context.labels.mount;
    label.file_system = kMqueueMagic;
    steps.push_back(std::move(label));
  }
  TRY_VOID(AddShm(context, draft, &steps));
  steps.push_back(New("sysfs", "/sys", kHarmless | (privileged ? 0 : MOUNT_ATTR_RDONLY)));
  AddCgroups(context, !privileged, &steps);
  TRY_VOID(AddPodFiles(context, draft, &steps));
  return steps;
}

// Whether the mount that `fd` is on is shared, or shared or a slave (mountinfo's optional fields).
struct Propagation {
  bool shared = false;
  bool slave = false;
};
Result<Propagation> PropagationOf(int fd) {
  TRY(const std::string info,
      kernel::ReadFile(AT_FDCWD, "/proc/self/fdinfo/" + std::to_string(fd), 4096));
  const size_t at = info.find("mnt_id:");
  if (at == std::string::npos) return Error(Code::kInternal, "no mnt_id");
  const size_t number = info.find_first_of("0123456789", at);
  const std::string id = info.substr(number, info.find('\n', number) - number);
  TRY(const std::string table,
      kernel::ReadFile(AT_FDCWD, "/proc/thread-self/mountinfo", kMaxMountInfo));
  std::string_view rest = table;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (!line.starts_with(id + ' ')) continue;
    const std::string_view fields = line.substr(0, line.find(" - "));
    return Propagation{.shared = fields.find(" shared:") != std::string_view::npos,
                       .slave = fields.find(" master:") != std::string_view::npos};
  }
  return Error(Code::kNotFound, "the mount is not in this mount namespace");
}

Result<uint64_t> PropagationFlag(const cri::Mount& mount, int fd) {
  if (mount.propagation == cri::MountPropagation::kPropagationPrivate) return MS_PRIVATE;
  TRY(const Propagation is, PropagationOf(fd));
  if (mount.propagation == cri::MountPropagation::kPropagationHostToContainer) {
    if (!is.shared && !is.slave) {
      return Error(Code::kInvalidArgument,
                   "path \"" + mount.host_path + "\" is not on a shared or slave mount");
    }
    return MS_SLAVE;
  }
  if (!is.shared) {
    return Error(Code::kInvalidArgument,
                 "path \"" + mount.host_path + "\" is not on a shared mount");
  }
  return uint64_t{0};
}

// The source of a bind mount: given open, or a path that is made a folder if it is missing.
Result<UniqueFd> OpenSource(const ContainerContext& context, const cri::Mount& mount,
                            size_t index) {
  for (MountSource& source : context.sources) {
    if (source.index != index) continue;
    UniqueFd copy(fcntl(source.fd.get(), F_DUPFD_CLOEXEC, 3));
    if (!copy) return Error::FromErrno(errno, "fcntl");
    return copy;
  }
  if (!mount.host_path.starts_with('/')) {
    return Error(Code::kInvalidArgument, "failed to generate mounts: host path \"" +
                                             mount.host_path + "\" is not absolute");
  }
  auto opened = kernel::OpenPath(mount.host_path, O_PATH);
  if (opened.ok() || opened.error().code() != Code::kNotFound) return opened;
  return kernel::MakeFolders(mount.host_path, 0755);
}

Result<bool> IsMapped(const ContainerContext& context, const cri::Mount& mount) {
  if (mount.uidMappings.empty() && mount.gidMappings.empty()) return false;
  if (context.user_namespace < 0) {
    return Error(Code::kInvalidArgument,
                 "mount of " + mount.container_path + ": id mappings without a user namespace");
  }
  const auto& pod = *NamespacesOf(context.sandbox).userns_options;
  const auto same = [](const auto& a, const auto& b) {
    return std::ranges::equal(a, b, [](const cri::IDMapping& x, const cri::IDMapping& y) {
      return x.host_id == y.host_id && x.container_id == y.container_id && x.length == y.length;
    });
  };
  if (!same(mount.uidMappings, pod.uids) || !same(mount.gidMappings, pod.gids)) {
    return Error(Code::kInvalidArgument,
                 "mount of " + mount.container_path + ": id mappings that are not the pod's");
  }
  return true;
}

Result<shim::MountStep> BindMount(const ContainerContext& context, const cri::Mount& mount,
                                  size_t index, Draft* draft) {
  if (mount.recursive_read_only) {
    if (!mount.readonly) {
      return Error(Code::kInvalidArgument, "recursive_read_only requires readonly");
    }
    if (mount.propagation != cri::MountPropagation::kPropagationPrivate) {
      return Error(Code::kInvalidArgument,
                   "recursive_read_only requires private mount propagation");
    }
  }
  TRY(const UniqueFd source, OpenSource(context, mount, index));
  if (mount.selinux_relabel && !context.labels.mount.empty()) {
    TRY_VOID(Relabel(source.get(), CleanPath(mount.host_path), context.labels.mount));
  }
  TRY(const uint64_t propagation, PropagationFlag(mount, source.get()));
  TRY(const bool mapped, IsMapped(context, mount));
  TRY(kernel::Mount clone, kernel::Mount::Clone(source.get(), true));
  if (propagation != 0) {
    TRY_VOID(clone.SetAttributes({.propagation = propagation, .recursive = true}));
  }
  kernel::MountAttributes attributes;
  attributes.recursive = mount.recursive_read_only;
  if (mount.readonly) attributes.set = MOUNT_ATTR_RDONLY;
  if (attributes.set != 0) TRY_VOID(clone.SetAttributes(attributes));
  if (!context.host.limits_devices && !SecurityOf(context.config).privileged) {
    TRY_VOID(clone.SetAttributes({.set = MOUNT_ATTR_NODEV, .recursive = true}));
  }
  if (mapped) {
    auto done = clone.SetAttributes({.user_namespace = context.user_namespace});
    if (!done.ok()) {
      return std::move(done).error().WithContext("mapping the owners of " + mount.host_path);
    }
  }
  return Attach(std::move(clone), CleanPath(mount.container_path), draft);
}

// An image as a volume: read-only, and nothing in it can be executed (KEP-4639).
Result<shim::MountStep> ImageMount(const ContainerContext& context, const cri::Mount& mount,
                                   Draft* draft) {
  TRY(const image::ImageInfo named, context.images.Resolve(mount.image->image));
  TRY(image::ImagePin pin, context.images.Pin(named.id));
  // Only now: pinning unpacks again what was lost.
  TRY(const image::ImageInfo info, context.images.Resolve(named.id.String()));
  TRY_VOID(LabelLayers(context, info.layers));
  std::vector<UniqueFd> layers;
  kernel::Overlay overlay;
  for (const std::string& path : info.layers) {
    TRY(UniqueFd layer, kernel::OpenPath(path, O_PATH | O_DIRECTORY));
    overlay.layers.push_back(layer.get());
    layers.push_back(std::move(layer));
  }
  overlay.user_namespace = context.user_namespace;
  overlay.context = context.labels.mount;
  if (!overlay.context.empty() && layers.size() == 1) {
    // One layer alone makes no overlay, and takes no label.
    TRY(UniqueFd nothing, kernel::MakeFolders(context.container_folder + "/nothing", 0755));
    overlay.layers.insert(overlay.layers.begin(), nothing.get());
    layers.push_back(std::move(nothing));
  }
  TRY(kernel::Mount whole, kernel::MountOverlay(overlay));
  if (!mount.image_sub_path.empty()) {
    TRY(const UniqueFd part, kernel::OpenInRoot(whole.fd(), mount.image_sub_path, O_PATH));
    TRY(whole, kernel::Mount::Clone(part.get(), false));
  }
  TRY_VOID(whole.SetAttributes({.set = MOUNT_ATTR_RDONLY | kHarmless}));
  draft->pins.push_back(std::move(pin));
  return Attach(std::move(whole), CleanPath(mount.container_path), draft);
}

Result<void> CheckTarget(const std::string& path) {
  if (!path.starts_with('/') || CleanPath(path) == "/") {
    return Error(Code::kInvalidArgument, "cannot mount at container path \"" + path + '"');
  }
  return {};
}

}  // namespace

Result<void> PrepareMounts(const ContainerContext& context, Draft* draft) {
  TRY(Steps system, SystemMounts(context, draft));
  std::map<std::string, shim::MountStep> volumes;
  for (size_t i = 0; i < context.config.mounts.size(); ++i) {
    const cri::Mount& mount = context.config.mounts[i];
    TRY_VOID(CheckTarget(mount.container_path));
    TRY(shim::MountStep step, mount.image && !mount.image->image.empty()
                                  ? ImageMount(context, mount, draft)
                                  : BindMount(context, mount, i, draft));
    std::string target = step.target;
    volumes.insert_or_assign(std::move(target), std::move(step));
  }
  TRY(const std::vector<cri::Mount> own, ImageVolumes(context, draft));
  for (const cri::Mount& mount : own) {
    std::string target = CleanPath(mount.container_path);
    if (volumes.contains(target)) continue;
    TRY(shim::MountStep step, BindMount(context, mount, SIZE_MAX, draft));
    volumes.emplace(std::move(target), std::move(step));
  }

  const bool own_dev = !volumes.contains("/dev");
  Steps all;
  for (shim::MountStep& step : system) {
    // With a volume in the place of one of ours, neither it nor what belongs to it is made.
    if (volumes.contains(step.target)) continue;
    if (step.target.starts_with(kCgroups) && volumes.contains(kCgroups)) continue;
    if (step.target.starts_with("/sys/") && volumes.contains("/sys")) continue;
    if (step.target.starts_with("/dev/") && !own_dev) continue;
    // A volume may be at a folder above a file of the pod.
    if (step.target.starts_with("/etc/")) {
      std::string target = step.target;
      volumes.emplace(std::move(target), std::move(step));
      continue;
    }
    const bool is_dev = step.target == "/dev";
    all.push_back(std::move(step));
    if (!is_dev) continue;
    std::ranges::move(draft->device_steps, std::back_inserter(all));
  }
  // In the order of a map a folder comes before what is in it, and never behind.
  for (auto& [target, step] : volumes) all.push_back(std::move(step));
  draft->device_steps.clear();
  draft->plan.mounts = std::move(all);
  return {};
}

}  // namespace podium::runtime
