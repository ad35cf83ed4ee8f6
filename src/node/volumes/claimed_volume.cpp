#include "node/volumes/claimed_volume.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

#include "api/node_selector.h"
#include "linux/path.h"
#include "node/volumes/host_path.h"
#include "reflect/go_text.h"

namespace podium::node {
namespace {

constexpr std::string_view kMountOptionsAnnotation = "volume.beta.kubernetes.io/mount-options";
constexpr std::string_view kFilesystem = "Filesystem";

enum class Use { kMounts, kDevices };

// Whether any container uses the volume so.
bool IsUsed(const v1::Pod& pod, const std::string& name, Use use) {
  const auto uses = [&](const auto& container) {
    return use == Use::kMounts
               ? std::ranges::find(container.volumeMounts, name, &v1::VolumeMount::name) !=
                     container.volumeMounts.end()
               : std::ranges::find(container.volumeDevices, name, &v1::VolumeDevice::name) !=
                     container.volumeDevices.end();
  };
  return std::ranges::any_of(pod.spec.initContainers, uses) ||
         std::ranges::any_of(pod.spec.containers, uses) ||
         std::ranges::any_of(pod.spec.ephemeralContainers, uses);
}

bool IsOwnedBy(const v1::PersistentVolumeClaim& claim, const v1::Pod& pod) {
  return std::ranges::any_of(claim.metadata.ownerReferences, [&](const auto& owner) {
    return owner.controller.value_or(false) && owner.uid == pod.metadata.uid;
  });
}

Error Unusable(std::string message) { return Error(Code::kInvalidArgument, std::move(message)); }

// That may be used.
Result<std::shared_ptr<const v1::PersistentVolumeClaim>> FindClaim(const std::string& name_space,
                                                                   const std::string& name,
                                                                   const ObjectSource& objects) {
  auto claim = objects.GetClaim(name_space, name);
  if (!claim.ok()) {
    return std::move(claim).error().WithContext("failed to fetch PVC from API server");
  }
  if ((*claim)->metadata.deletionTimestamp) return Unusable("PVC is being deleted");
  if ((*claim)->status.phase != "Bound") return Unusable("PVC is not bound");
  if ((*claim)->spec.volumeName.empty()) return Unusable("PVC has empty pvc.Spec.VolumeName");
  return claim;
}

Result<std::shared_ptr<const v1::PersistentVolume>> FindVolume(
    const v1::PersistentVolumeClaim& claim, const ObjectSource& objects) {
  const std::string& name = claim.spec.volumeName;
  auto volume = objects.GetPersistentVolume(name);
  if (!volume.ok()) {
    return std::move(volume).error().WithContext("failed to fetch PV " + name + " from API server");
  }
  const auto& reference = (*volume)->spec.claimRef;
  if (!reference) {
    return Unusable("found PV object " + name +
                    " but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the "
                    "claim");
  }
  if (reference->uid != claim.metadata.uid) {
    return Unusable("found PV object " + name + " but its pv.Spec.ClaimRef.UID " + reference->uid +
                    " does not point to claim.UID " + claim.metadata.uid);
  }
  return volume;
}

// Whether the containers use it as what it is.
Result<void> CheckMode(const v1::Pod& pod, const v1::Volume& volume,
                       const v1::PersistentVolume& found) {
  const std::string mode = found.spec.volumeMode.value_or(std::string(kFilesystem));
  const auto wrong = [&](const char* where) {
    return Unusable("volume " + volume.name + " has volumeMode " + mode + ", but is specified in " +
                    where);
  };
  if (IsUsed(pod, volume.name, Use::kMounts) && mode != kFilesystem) return wrong("volumeMounts");
  if (IsUsed(pod, volume.name, Use::kDevices) && mode == kFilesystem) {
    return wrong("volumeDevices");
  }
  return {};
}

Result<std::shared_ptr<const v1::PersistentVolume>> Find(const v1::Pod& pod,
                                                         const v1::Volume& volume,
                                                         const ObjectSource& objects) {
  const ClaimReference reference = *ClaimOf(pod, volume);
  const std::string& name_space = pod.metadata.namespace_;
  const std::string where = "error processing PVC " + name_space + "/" + reference.name;
  auto claim = FindClaim(name_space, reference.name, objects);
  if (!claim.ok()) return std::move(claim).error().WithContext(where);
  if (reference.of_the_pod && !IsOwnedBy(**claim, pod)) {
    return Unusable("PVC " + name_space + "/" + reference.name + " was not created for pod " +
                    name_space + "/" + pod.metadata.name + " (pod is not owner)");
  }
  auto found = FindVolume(**claim, objects);
  if (!found.ok()) return std::move(found).error().WithContext(where);
  TRY_VOID(CheckMode(pod, volume, **found));
  return found;
}

Result<void> CheckAffinity(const v1::PersistentVolume& volume, const ObjectSource& objects) {
  const auto& affinity = volume.spec.nodeAffinity;
  if (!affinity || !affinity->required) return {};
  TRY(const auto node, objects.GetNode());
  TRY(const bool matches, api::MatchNodeSelector(*affinity->required, *node));
  if (!matches) return Unusable("no matching NodeSelectorTerms");
  return {};
}

Result<UniqueFd> OpenLocal(const std::string& path) {
  auto folder = kernel::OpenPath(path, O_PATH);
  if (!folder.ok()) {
    if (folder.error().os_errno() != ENOENT) return std::move(folder).error();
    return Error(Code::kNotFound, "path " + reflect::GoQuoted(path) + " does not exist");
  }
  struct stat status{};
  if (fstat(folder->get(), &status) != 0) return Error::FromErrno(errno, path);
  if (S_ISDIR(status.st_mode)) return folder;
  if (S_ISBLK(status.st_mode)) {
    return Error(Code::kUnsupported, path + " is a block device, and those are not offered here");
  }
  return Unusable("only directory and block device are supported");
}

}  // namespace

Error VolumeError(Error error, const std::string& what, const std::string& volume) {
  return std::move(error).WithContext(what + " for volume " + reflect::GoQuoted(volume) + " ");
}

std::optional<ClaimReference> ClaimOf(const v1::Pod& pod, const v1::Volume& volume) {
  if (volume.persistentVolumeClaim) {
    return ClaimReference{.name = volume.persistentVolumeClaim->claimName,
                          .read_only = volume.persistentVolumeClaim->readOnly};
  }
  if (!volume.ephemeral) return std::nullopt;
  return ClaimReference{.name = pod.metadata.name + "-" + volume.name, .of_the_pod = true};
}

Result<std::shared_ptr<const v1::PersistentVolume>> FindVolumeOfClaim(const v1::Pod& pod,
                                                                      const v1::Volume& volume,
                                                                      const ObjectSource& objects) {
  auto found = Find(pod, volume, objects);
  if (found.ok()) return found;
  return std::move(found).error().WithContext(
      "Unable to attach or mount volumes: unmounted volumes=[" + volume.name +
      "], unattached volumes=[], failed to process volumes=[" + volume.name + "]");
}

Result<void> CheckMountable(const v1::PersistentVolume& volume, const ObjectSource& objects) {
  const std::string& name = volume.metadata.name;
  if (!volume.spec.hostPath && !volume.spec.local) {
    return VolumeError(Error(Code::kUnsupported,
                             volume.spec.nfs ? "NFS volumes are not offered here"
                                             : "only hostPath and local volumes are offered here"),
                       "MountVolume.FindPluginBySpec failed", name);
  }
  if (auto near = CheckAffinity(volume, objects); !near.ok()) {
    return VolumeError(std::move(near).error(), "MountVolume.NodeAffinity check failed", name);
  }
  if (volume.spec.volumeMode.value_or(std::string(kFilesystem)) != kFilesystem) {
    return VolumeError(Error(Code::kUnsupported, "block devices are not offered here"),
                       "MapVolume.MapPodDevice failed", name);
  }
  // Nothing is mounted that could take them.
  if (!volume.spec.mountOptions.empty() ||
      volume.metadata.annotations.contains(kMountOptionsAnnotation)) {
    return VolumeError(Error(Code::kUnsupported, "mount options are not supported"),
                       "MountVolume.MountOptionSupport check failed", name);
  }
  return {};
}

Result<UniqueFd> OpenPersistentVolume(const v1::PersistentVolume& volume) {
  const bool local = volume.spec.local.has_value();
  auto opened = local ? OpenLocal(volume.spec.local->path) : OpenHostPath(*volume.spec.hostPath);
  if (opened.ok()) return opened;
  return VolumeError(
      std::move(opened).error(),
      local ? "MountVolume.NewMounter initialization failed" : "MountVolume.SetUp failed",
      volume.metadata.name);
}

const std::string& PathOfPersistentVolume(const v1::PersistentVolume& volume) {
  return volume.spec.local ? volume.spec.local->path : volume.spec.hostPath->path;
}

v1::PersistentVolume Essence(const v1::PersistentVolume& volume) {
  v1::PersistentVolume out;
  out.metadata.name = volume.metadata.name;
  out.spec.hostPath = volume.spec.hostPath;
  out.spec.local = volume.spec.local;
  out.spec.accessModes = volume.spec.accessModes;
  return out;
}

bool IsForOnePod(const v1::PersistentVolume& volume) {
  return volume.spec.accessModes.size() == 1 &&
         volume.spec.accessModes.front() == "ReadWriteOncePod";
}

}  // namespace podium::node
