#include "node/local_storage.h"

#include <sys/stat.h>

#include <algorithm>

#include "node/critical_pods.h"
#include "node/disk_use.h"
#include "node/resources.h"
#include "reflect/go_text.h"

namespace podium::node {
namespace {

constexpr std::string_view kResource = "ephemeral-storage";
constexpr const char* kReason = "Evicted";
// Of an eviction that cannot wait (immediateEvictionGracePeriodSeconds).
constexpr int64_t kGraceSeconds = 1;
constexpr int64_t kRestPerWork = 20;

bool OnDisk(const v1::Volume& volume) { return volume.emptyDir && volume.emptyDir->medium.empty(); }

bool Exceeds(uint64_t bytes, const api::Quantity& limit) {
  return limit.CmpInt(static_cast<int64_t>(std::min<uint64_t>(bytes, INT64_MAX))) < 0;
}

const api::Quantity* LimitOf(const v1::Container& container) {
  const auto limit = container.resources.limits.find(kResource);
  const bool none = limit == container.resources.limits.end() || limit->second.IsZero();
  return none ? nullptr : &limit->second;
}

uint64_t FolderSize(const std::string& path) { return FolderUse(path).bytes; }

uint64_t FileSize(const std::string& path) {
  struct stat status{};
  return lstat(path.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_blocks) * 512 : 0;
}

}  // namespace

bool HasStorageLimit(const v1::Pod& pod) {
  return PodLimit(pod, kResource) ||
         std::ranges::any_of(pod.spec.volumes, [](const v1::Volume& volume) {
           return OnDisk(volume) && volume.emptyDir->sizeLimit &&
                  volume.emptyDir->sizeLimit->Sign() > 0;
         });
}

StorageUsage MeasureStorage(const v1::Pod& pod, const NodeConfig& config,
                            runtime::Runtime& runtime) {
  StorageUsage usage;
  const std::string folder = PodFolder(config, pod.metadata.uid);
  const std::string volumes = folder + "/volumes/kubernetes.io~";
  for (const v1::Volume& volume : pod.spec.volumes) {
    if (OnDisk(volume)) {
      const uint64_t bytes = FolderSize(volumes + "empty-dir/" + volume.name);
      usage.volumes[volume.name] = bytes;
      usage.pod += bytes;
    } else if (volume.configMap) {
      usage.pod += FolderSize(volumes + "configmap/" + volume.name);
    }
  }
  // The rest is asked for by limits of containers alone.
  if (!PodLimit(pod, kResource)) return usage;
  const std::string logs =
      PodLogFolder(config, pod.metadata.namespace_, pod.metadata.name, pod.metadata.uid);
  for (const auto& [name, layer] : WritableLayers(pod, runtime)) {
    std::string log = logs;
    usage.containers[name] = layer.bytes + FolderSize(log.append("/").append(name));
    usage.pod += usage.containers[name];
  }
  usage.pod += FileSize(folder + "/etc-hosts") + FolderSize(folder + "/containers");
  return usage;
}

DiskUse MeasureDiskUse(const v1::Pod& pod, const NodeConfig& config, runtime::Runtime& runtime) {
  DiskUse use;
  const auto add = [&](const kernel::TreeUsage& tree) {
    use.bytes += tree.bytes;
    use.inodes += tree.inodes;
    return tree.bytes;
  };
  const std::string volumes = PodFolder(config, pod.metadata.uid) + "/volumes/kubernetes.io~";
  for (const v1::Volume& volume : pod.spec.volumes) {
    if (OnDisk(volume)) add(FolderUse(volumes + "empty-dir/" + volume.name));
    if (volume.configMap) add(FolderUse(volumes + "configmap/" + volume.name));
  }
  const std::string logs =
      PodLogFolder(config, pod.metadata.namespace_, pod.metadata.name, pod.metadata.uid);
  for (const auto& [name, layer] : WritableLayers(pod, runtime)) {
    use.layers[name] = add(layer);
    std::string log = logs;
    use.logs[name] = add(FolderUse(log.append("/").append(name)));
  }
  return use;
}

std::optional<StorageExcess> ExceededStorage(const v1::Pod& pod, const StorageUsage& usage) {
  for (const v1::Volume& volume : pod.spec.volumes) {
    const auto used = usage.volumes.find(volume.name);
    if (used == usage.volumes.end() || !OnDisk(volume) || !volume.emptyDir->sizeLimit) continue;
    const api::Quantity& limit = *volume.emptyDir->sizeLimit;
    if (limit.Sign() <= 0 || !Exceeds(used->second, limit)) continue;
    return StorageExcess{"Usage of EmptyDir volume " + reflect::GoQuoted(volume.name) +
                             " exceeds the limit " + reflect::GoQuoted(limit.String()) + ". ",
                         "emptydirfs.limit"};
  }
  const auto together = PodLimit(pod, kResource);
  if (together && Exceeds(usage.pod, *together)) {
    return StorageExcess{
        "Pod ephemeral local storage usage exceeds the total limit of containers " +
            together->String() + ". ",
        "ephemeralpodfs.limit"};
  }
  for (const v1::Container& container : pod.spec.containers) {
    const auto used = usage.containers.find(container.name);
    const api::Quantity* limit = LimitOf(container);
    if (used == usage.containers.end() || !limit || !Exceeds(used->second, *limit)) continue;
    return StorageExcess{"Container " + container.name +
                             " exceeded its local ephemeral storage limit " +
                             reflect::GoQuoted(limit->String()) + ". ",
                         "ephemeralcontainerfs.limit"};
  }
  return std::nullopt;
}

void StorageMonitor::Look() {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || posted_ || services_.clock.Now() < not_before_) return;
    posted_ = true;
  }
  services_.executor.Post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->LookAtAll();
  });
}

void StorageMonitor::Stop() {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  idle_.wait(lock, [this] { return !looking_; });
}

void StorageMonitor::LookAtAll() {
  {
    const std::lock_guard lock(mutex_);
    posted_ = false;
    if (stopped_) return;
    looking_ = true;
  }
  const int64_t begin = services_.clock.Now();
  for (const auto& pod : pods_()) {
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) break;
    }
    if (IsTerminalPhase(pod->status.phase) || IsCriticalPod(*pod) || !HasStorageLimit(*pod)) {
      continue;
    }
    const auto exceeded =
        ExceededStorage(*pod, MeasureStorage(*pod, services_.config, services_.runtime));
    if (!exceeded) continue;
    services_.events.Record(*pod, std::nullopt, EventType::kWarning, kReason, exceeded->message);
    evict_(
        pod->metadata.uid,
        {.reason = kReason, .message = exceeded->message, .signal = std::string(exceeded->signal)},
        kGraceSeconds);
  }
  const int64_t end = services_.clock.Now();
  const std::lock_guard lock(mutex_);
  looking_ = false;
  not_before_ = end + kRestPerWork * std::max<int64_t>(end - begin, 0);
  idle_.notify_all();
}

}  // namespace podium::node
