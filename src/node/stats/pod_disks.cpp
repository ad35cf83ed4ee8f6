#include "node/stats/pod_disks.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "node/disk_use.h"
#include "node/pod_status.h"
#include "node/stats/claim_use.h"

namespace podium::node {
namespace {

constexpr int64_t kPeriod = 60 * kNanosPerSecond;
constexpr int64_t kRestPerWork = 20;

// The folder's name below the pod's volumes; "" for one that is somebody else's.
std::string_view FolderOf(const v1::Volume& volume) {
  if (volume.emptyDir) return "kubernetes.io~empty-dir";
  if (volume.configMap) return "kubernetes.io~configmap";
  if (volume.secret) return "kubernetes.io~secret";
  if (volume.downwardAPI) return "kubernetes.io~downward-api";
  if (volume.projected) return "kubernetes.io~projected";
  return "";
}

std::optional<dev_t> DeviceOf(const std::string& path) {
  struct stat status{};
  if (lstat(path.c_str(), &status) != 0) return std::nullopt;
  return status.st_dev;
}

void Add(const kernel::TreeUsage& part, kernel::TreeUsage* sum) {
  sum->bytes += part.bytes;
  sum->inodes += part.inodes;
}

kernel::TreeUsage WholeOf(const FileSystemUse& use) {
  return {.bytes = use.used, .inodes = InodesUsed(use)};
}

// None where there is no such folder yet.
std::optional<VolumeUse> MeasureVolume(const std::string& path, const std::string& parent,
                                       const Clock& clock) {
  const auto device = DeviceOf(path);
  if (!device) return std::nullopt;
  VolumeUse use{.read_at = clock.Now(), .used = {}, .own = std::nullopt};
  if (device == DeviceOf(parent)) {
    use.used = FolderUse(path);
    return use;
  }
  use.own = ReadFileSystemUse(path);
  if (use.own) use.used = WholeOf(*use.own);
  return use;
}

kernel::TreeUsage FileUse(const std::string& path) {
  struct stat status{};
  if (lstat(path.c_str(), &status) != 0) return {};
  return {.bytes = static_cast<uint64_t>(status.st_blocks) * 512, .inodes = 1};
}

}  // namespace

PodDisk MeasurePodDisk(const v1::Pod& pod, const NodeConfig& config, runtime::Runtime& runtime,
                       const Clock& clock) {
  PodDisk disk;
  const std::string folder = PodFolder(config, pod.metadata.uid);
  for (const v1::Volume& volume : pod.spec.volumes) {
    const std::string_view kind = FolderOf(volume);
    if (kind.empty()) continue;
    std::string path = folder;
    path.append("/volumes/").append(kind).append("/").append(volume.name);
    auto use = MeasureVolume(path, folder, clock);
    if (!use) continue;
    if (!use->own) Add(use->used, &disk.together);
    disk.volumes.emplace(volume.name, *std::move(use));
  }
  for (const ClaimUse& claim : MeasureClaims(pod, config)) {
    disk.volumes.insert_or_assign(claim.volume, VolumeUse{.read_at = clock.Now(),
                                                          .used = WholeOf(claim.use),
                                                          .own = claim.use,
                                                          .claim = claim.claim});
  }
  const std::string logs =
      PodLogFolder(config, pod.metadata.namespace_, pod.metadata.name, pod.metadata.uid);
  for (const auto& [name, layer] : WritableLayers(pod, runtime)) {
    disk.layers.emplace(name, layer);
    std::string log_folder = logs;
    const kernel::TreeUsage log = FolderUse(log_folder.append("/").append(name));
    disk.logs.emplace(name, log);
    Add(layer, &disk.together);
    Add(log, &disk.together);
  }
  Add(FileUse(folder + "/etc-hosts"), &disk.together);
  Add(FolderUse(folder + "/containers"), &disk.together);
  disk.read_at = clock.Now();
  return disk;
}

PodDiskMap PodDisks::Ask() {
  const std::lock_guard lock(mutex_);
  if (!stopped_ && !posted_ && services_.clock.Now() >= not_before_) {
    posted_ = true;
    services_.executor.Post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->LookAtAll();
    });
  }
  return known_;
}

void PodDisks::Stop() {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  idle_.wait(lock, [this] { return !looking_; });
}

void PodDisks::LookAtAll() {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    looking_ = true;
  }
  const int64_t begin = services_.clock.Now();
  PodDiskMap now;
  for (const auto& pod : services_.pods()) {
    if (IsTerminalPhase(pod->status.phase)) continue;
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) break;
    }
    now.emplace(pod->metadata.uid,
                std::make_shared<const PodDisk>(
                    MeasurePodDisk(*pod, services_.config, services_.runtime, services_.clock)));
  }
  const int64_t end = services_.clock.Now();
  const std::lock_guard lock(mutex_);
  known_ = std::move(now);
  posted_ = false;
  looking_ = false;
  // Counted from the beginning as upstream's timers are.
  not_before_ = std::max(begin + kPeriod, end + (kRestPerWork * std::max<int64_t>(end - begin, 0)));
  idle_.notify_all();
}

}  // namespace podium::node
