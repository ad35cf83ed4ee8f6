#include "node/volumes/volume_manager.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <utility>

#include "linux/mounts.h"
#include "linux/path.h"
#include "node/volumes/atomic_writer.h"
#include "node/volumes/host_path.h"
#include "node/volumes/memory_volume.h"
#include "node/volumes/payload.h"
#include "node/volumes/sub_path.h"
#include "reflect/go_text.h"
#include "reflect/walk.h"

namespace podium::node {
namespace {

namespace cri = wire::cri;

constexpr mode_t kOuterMode = 0750;
constexpr mode_t kEmptyDirMode = 0777;
constexpr mode_t kPayloadMode = 0777;
// What the pod's group may do in a volume that it writes to, and its folders' bits.
constexpr mode_t kGroupWrite = S_ISGID | 0770;
constexpr size_t kMaxFileBytes = size_t{1} << 20;
// Of a file beside an emptyDir: it is as it should be. No volume's name begins so.
constexpr char kReadyPrefix[] = ".ready~";

std::optional<int64_t> GroupOf(const v1::Pod& pod) {
  if (!pod.spec.securityContext.has_value()) return std::nullopt;
  return pod.spec.securityContext->fsGroup;
}

// The folder's name under volumes/, as kubelets have it; empty for volumes without one.
std::string_view PluginFolder(const v1::Volume& volume) {
  if (volume.emptyDir.has_value()) return "kubernetes.io~empty-dir";
  if (volume.configMap.has_value()) return "kubernetes.io~configmap";
  if (volume.secret.has_value()) return "kubernetes.io~secret";
  if (volume.downwardAPI.has_value()) return "kubernetes.io~downward-api";
  if (volume.projected.has_value()) return "kubernetes.io~projected";
  return {};
}

const v1::Volume* FindVolume(const v1::Pod& pod, std::string_view name) {
  const auto found = std::ranges::find(pod.spec.volumes, name, &v1::Volume::name);
  return found == pod.spec.volumes.end() ? nullptr : &*found;
}

// Nobody but us writes to them, or the pod says so itself.
bool IsReadOnly(const v1::Volume& volume) {
  return HasPayload(volume) || volume.image.has_value() ||
         (volume.persistentVolumeClaim.has_value() && volume.persistentVolumeClaim->readOnly);
}

bool HasClaim(const v1::Volume& volume) {
  return volume.persistentVolumeClaim.has_value() || volume.ephemeral.has_value();
}

// The field that says what it is: "csi"; empty when none does.
std::string KindOf(const v1::Volume& volume) {
  std::string kind;
  reflect::Walk(reflect::TypeOf<v1::Volume>(), &volume,
                [&](const reflect::WalkPath& path, const reflect::ValueRef& value) {
                  if (!value.field) return reflect::Next::kInside;
                  if (path.name() != "name") kind = path.name();
                  return reflect::Next::kPast;
                });
  return kind;
}

Result<cri::MountPropagation> PropagationOf(const v1::VolumeMount& mount) {
  const std::string mode = mount.mountPropagation.value_or("None");
  if (mode == "None") return cri::MountPropagation::kPropagationPrivate;
  if (mode == "HostToContainer") return cri::MountPropagation::kPropagationHostToContainer;
  if (mode == "Bidirectional") return cri::MountPropagation::kPropagationBidirectional;
  return Error(Code::kInvalidArgument, "invalid MountPropagation mode: " + reflect::GoQuoted(mode));
}

Result<bool> RecursiveReadOnlyOf(const v1::VolumeMount& mount) {
  const std::string mode = mount.recursiveReadOnly.value_or("Disabled");
  if (mode == "Disabled") return false;
  const bool propagates = mount.mountPropagation.value_or("None") != "None";
  if (mode == "IfPossible") return mount.readOnly && !propagates;
  if (mode != "Enabled") {
    return Error(Code::kInvalidArgument,
                 "unknown recursiveReadOnly mode " + reflect::GoQuoted(mode));
  }
  if (!mount.readOnly) {
    return Error(Code::kInvalidArgument, "volume " + reflect::GoQuoted(mount.name) +
                                             " requested recursive read-only mode, but it is not "
                                             "read-only");
  }
  if (propagates) {
    return Error(Code::kInvalidArgument,
                 "volume " + reflect::GoQuoted(mount.name) +
                     " requested recursive read-only mode, but it is not compatible with "
                     "propagation " +
                     *mount.mountPropagation);
  }
  return true;
}

// The path inside the volume that is mounted; empty for all of it.
Result<std::string> SubPathOf(const v1::VolumeMount& mount, const Environment& environment) {
  std::string path = mount.subPath;
  if (!mount.subPathExpr.empty()) {
    TRY(path, ExpandSubPath(mount, environment));
  }
  if (path.starts_with('/')) {
    return Error(Code::kInvalidArgument,
                 "error SubPath `" + path + "` must not be an absolute path");
  }
  const std::string slashed = "/" + path + "/";
  if (slashed.find("/../") != std::string::npos) {
    return Error(Code::kInvalidArgument,
                 "unable to provision SubPath `" + path + "`: must not contain '..'");
  }
  return path;
}

Error Blocking(const v1::Volume& volume, Error error) {
  return std::move(error).WithContext("MountVolume.SetUp failed for volume " +
                                      reflect::GoQuoted(volume.name) + " ");
}

}  // namespace

std::vector<Error> VolumeManager::SetUp(const v1::Pod& pod) {
  std::vector<Error> errors;
  std::optional<int64_t> refresh_at;
  for (const v1::Volume& volume : pod.spec.volumes) {
    auto done =
        HasClaim(volume) ? claims_.SetUp(pod, volume) : SetUpVolume(pod, volume, &refresh_at);
    if (done.ok()) continue;
    Error error = std::move(done).error();
    errors.push_back(HasClaim(volume) ? std::move(error) : Blocking(volume, std::move(error)));
  }
  const std::lock_guard lock(mutex_);
  if (refresh_at) {
    refresh_at_[pod.metadata.uid] = *refresh_at;
  } else {
    refresh_at_.erase(pod.metadata.uid);
  }
  return errors;
}

std::optional<int64_t> VolumeManager::RefreshAt(std::string_view uid) const {
  const std::lock_guard lock(mutex_);
  const auto found = refresh_at_.find(uid);
  if (found == refresh_at_.end()) return std::nullopt;
  return found->second;
}

Result<void> VolumeManager::SetUpVolume(const v1::Pod& pod, const v1::Volume& volume,
                                        std::optional<int64_t>* refresh_at) {
  if (volume.emptyDir.has_value()) return SetUpEmptyDir(pod, volume);
  if (HasPayload(volume)) return SetUpPayload(pod, volume, refresh_at);
  if (volume.hostPath.has_value()) {
    TRY(const UniqueFd there, OpenHostPath(*volume.hostPath));
    return {};
  }
  if (volume.image.has_value()) return {};  // pulled as the containers' images are
  if (volume.gitRepo.has_value()) {
    // CVE-2024-10220.
    return Error(Code::kUnsupported,
                 "git-repo volume plugin has been disabled; if necessary, it "
                 "may be re-enabled by enabling the feature-gate "
                 "`GitRepoVolumeDriver`");
  }
  if (volume.nfs.has_value()) {
    return Error(Code::kUnsupported, "NFS volumes are not offered here");
  }
  const std::string kind = KindOf(volume);
  return Error(
      Code::kUnsupported,
      "no volume plugin matched" + (kind.empty() ? kind : ": " + kind + " is not offered here"));
}

Result<UniqueFd> VolumeManager::MakeVolumeFolder(const v1::Pod& pod, const v1::Volume& volume,
                                                 uint32_t mode) {
  const std::string path = VolumePath(pod, volume);
  TRY(const UniqueFd outer, kernel::MakeFolders(path.substr(0, path.rfind('/')), kOuterMode));
  if (mkdirat(outer.get(), volume.name.c_str(), mode) != 0 && errno != EEXIST) {
    return Error::FromErrno(errno, "making " + path);
  }
  return kernel::OpenWithoutLinks(outer.get(), volume.name, O_RDONLY | O_DIRECTORY);
}

Result<bool> VolumeManager::MountMedium(const v1::Pod& pod, const v1::Volume& volume) {
  const v1::EmptyDirVolumeSource& source = *volume.emptyDir;
  const std::string path = VolumePath(pod, volume);
  if (source.medium.empty()) return false;
  if (source.medium == "Memory") return MountTmpfs(path, MemoryVolumeSize(pod, source, config_));
  if (source.medium.starts_with("HugePages")) {
    TRY(const std::string size, HugePageSize(pod, source.medium));
    return MountHugePages(path, size);
  }
  return Error(Code::kInvalidArgument,
               "unknown storage medium " + reflect::GoQuoted(source.medium));
}

Result<void> VolumeManager::SetUpEmptyDir(const v1::Pod& pod, const v1::Volume& volume) {
  TRY(UniqueFd folder, MakeVolumeFolder(pod, volume, kEmptyDirMode));
  TRY(const bool mounted, MountMedium(pod, volume));
  const std::string path = VolumePath(pod, volume);
  // Once it is ready it belongs to the containers, its mode too.
  const std::string ready = path.substr(0, path.rfind('/') + 1) + kReadyPrefix + volume.name;
  if (!mounted && kernel::OpenPath(ready, O_PATH | O_NOFOLLOW).ok()) return {};
  TRY(folder, kernel::OpenPath(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  mode_t mode = kEmptyDirMode;
  if (const auto group = GroupOf(pod)) {
    mode |= kGroupWrite;
    if (fchown(folder.get(), static_cast<uid_t>(-1), static_cast<gid_t>(*group)) != 0) {
      return Error::FromErrno(errno, "changing the group of " + path);
    }
  }
  if (fchmod(folder.get(), mode) != 0)
    return Error::FromErrno(errno, "changing the mode of " + path);
  TRY(const UniqueFd marker, kernel::OpenPath(ready, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600));
  return {};
}

Result<void> VolumeManager::SetUpPayload(const v1::Pod& pod, const v1::Volume& volume,
                                         std::optional<int64_t>* refresh_at) {
  TRY(const VolumeContent content, MakeContent(pod, volume, objects_, config_));
  if (content.refresh_at) {
    *refresh_at = std::min(refresh_at->value_or(*content.refresh_at), *content.refresh_at);
  }
  TRY(UniqueFd folder, MakeVolumeFolder(pod, volume, kPayloadMode));
  const std::string path = VolumePath(pod, volume);
  // What may be secret is kept in memory.
  if (!volume.configMap.has_value()) {
    TRY_VOID(MountTmpfs(path, MemoryVolumeSize(pod, {}, config_)));
    TRY(folder, kernel::OpenPath(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }
  if (fchmod(folder.get(), kPayloadMode) != 0) {
    return Error::FromErrno(errno, "changing the mode of " + path);
  }
  TRY_VOID(WriteAtomically(folder.get(), content.files, GroupOf(pod), clock_));
  return {};
}

std::string VolumeManager::VolumePath(const v1::Pod& pod, const v1::Volume& volume) const {
  std::string path = PodFolder(config_, pod.metadata.uid) + "/volumes/";
  return path.append(PluginFolder(volume)).append("/").append(volume.name);
}

Result<VolumeManager::OpenedVolume> VolumeManager::OpenVolume(const v1::Pod& pod,
                                                              const v1::Volume& volume) const {
  OpenedVolume out;
  if (HasClaim(volume)) {
    TRY(const v1::PersistentVolume found, claims_.Get(pod, volume));
    out.path = PathOfPersistentVolume(found);
    TRY(out.fd, OpenPersistentVolume(found));
  } else if (volume.hostPath.has_value()) {
    out.path = volume.hostPath->path;
    TRY(out.fd, OpenHostPath(*volume.hostPath));
  } else {
    out.path = VolumePath(pod, volume);
    TRY(out.fd, kernel::OpenPath(out.path, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  }
  return out;
}

Result<ContainerMount> VolumeManager::MountOf(const v1::Pod& pod, const v1::Container& container,
                                              const v1::VolumeMount& mount,
                                              const Environment& environment,
                                              const VolumeImages& images) const {
  const v1::Volume* volume = FindVolume(pod, mount.name);
  if (!volume) {
    return Error(Code::kInvalidArgument, "cannot find volume " + reflect::GoQuoted(mount.name) +
                                             " to mount into container " +
                                             reflect::GoQuoted(container.name));
  }
  ContainerMount out;
  cri::Mount& to = out.mount;
  const bool absolute = mount.mountPath.starts_with('/');
  to.container_path = absolute ? mount.mountPath : "/" + mount.mountPath;
  to.readonly = mount.readOnly || IsReadOnly(*volume);
  // What is the machine's own keeps its label.
  to.selinux_relabel = !volume->hostPath.has_value() && !HasClaim(*volume);
  TRY(to.propagation, PropagationOf(mount));
  TRY(to.recursive_read_only, RecursiveReadOnlyOf(mount));
  TRY(const std::string sub_path, SubPathOf(mount, environment));
  if (volume->image.has_value()) {
    const auto image = images.find(mount.name);
    if (image == images.end()) {
      return Error(Code::kUnavailable,
                   "the image of volume " + reflect::GoQuoted(mount.name) + " is not there yet");
    }
    to.image.ensure() = image->second;
    to.image_sub_path = sub_path;
    return out;
  }
  TRY(OpenedVolume opened, OpenVolume(pod, *volume));
  out.source = std::move(opened.fd);
  to.host_path = std::move(opened.path);
  if (!sub_path.empty()) {
    to.host_path += "/" + sub_path;
    auto part = OpenSubPath(out.source.get(), sub_path);
    if (!part.ok()) {
      // Not what is wrong: whoever makes pods would hear what the machine has beside the volume.
      return Error(part.error().code(), "failed to prepare subPath for volumeMount " +
                                            reflect::GoQuoted(mount.name) + " of container " +
                                            reflect::GoQuoted(container.name));
    }
    out.source = *std::move(part);
  }
  return out;
}

Result<std::vector<ContainerMount>> VolumeManager::MountsOf(const v1::Pod& pod,
                                                            const v1::Container& container,
                                                            const Environment& environment,
                                                            const VolumeImages& images) {
  std::vector<ContainerMount> mounts;
  for (const v1::VolumeMount& mount : container.volumeMounts) {
    TRY(ContainerMount one, MountOf(pod, container, mount, environment, images));
    mounts.push_back(std::move(one));
  }
  return mounts;
}

Result<std::string> VolumeManager::ReadFile(const v1::Pod& pod, std::string_view volume,
                                            std::string_view path) {
  const v1::Volume* found = FindVolume(pod, volume);
  if (!found) {
    return Error(Code::kNotFound, "cannot find volume " + reflect::GoQuoted(volume));
  }
  TRY(const OpenedVolume root, OpenVolume(pod, *found));
  // A container may have put a pipe there.
  TRY(const UniqueFd file,
      kernel::OpenBeneath(root.fd.get(), std::string(path), O_RDONLY | O_NONBLOCK | O_NOCTTY));
  struct stat status{};
  if (fstat(file.get(), &status) != 0) return Error::FromErrno(errno, path);
  if (!S_ISREG(status.st_mode)) {
    return Error(Code::kInvalidArgument, std::string(path) + " is not a regular file");
  }
  return kernel::ReadDescriptor(file.get(), kMaxFileBytes);
}

Result<void> VolumeManager::TearDown(std::string_view uid) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto kept = refresh_at_.find(uid); kept != refresh_at_.end()) {
      refresh_at_.erase(kept);
    }
  }
  const std::string volumes = PodFolder(config_, uid) + "/volumes";
  // What containers have mounted in them (mountPropagation Bidirectional), too.
  TRY_VOID(kernel::UnmountBelow(volumes));
  const std::string aside = RemovedVolumes(config_, uid);
  if (rename(volumes.c_str(), aside.c_str()) == 0 || errno == ENOENT) return {};
  return Error::FromErrno(errno, aside);
}

}  // namespace podium::node
