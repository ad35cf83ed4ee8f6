#include "node/eviction/node_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "linux/path.h"
#include "node/labels.h"
#include "node/local_storage.h"

namespace podium::node {
namespace {

namespace cri = wire::cri;
using api::Quantity;

constexpr size_t kMaxProcFile = 16384;

Quantity Bytes(uint64_t bytes) {
  return Quantity::FromInt(static_cast<int64_t>(bytes), Quantity::Format::kBinarySI);
}

Quantity Pieces(uint64_t count) { return Quantity::FromInt(static_cast<int64_t>(count)); }

std::optional<uint64_t> NumberIn(std::string_view text) {
  text = text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
  uint64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc()) return std::nullopt;
  return value;
}

std::string ReadProc(const std::string& path) {
  auto text = kernel::ReadFile(AT_FDCWD, path, kMaxProcFile);
  return text.ok() ? *std::move(text) : std::string();
}

// Bytes of one line of /proc/meminfo.
std::optional<uint64_t> LineOf(std::string_view text, std::string_view name) {
  for (const std::string_view line : Split(text, '\n')) {
    if (!line.starts_with(name) || line.substr(name.size(), 1) != ":") continue;
    const auto kibibytes = NumberIn(line.substr(name.size() + 1));
    return kibibytes ? std::optional(*kibibytes * 1024) : std::nullopt;
  }
  return std::nullopt;
}

// What is free, and file pages that were not used lately: all but the working set.
void ObserveMemory(const std::string& root, Observations* out) {
  const std::string text = ReadProc(root + "/proc/meminfo");
  const auto total = LineOf(text, "MemTotal");
  const auto free = LineOf(text, "MemFree");
  const auto inactive = LineOf(text, "Inactive(file)");
  if (!total || !free || !inactive) return;
  (*out)["memory.available"] = {.available = Bytes(*free + *inactive), .capacity = Bytes(*total)};
}

void ObservePodsMemory(const std::optional<kernel::MemoryStats>& memory, Observations* out) {
  if (!memory || !memory->limit) return;
  const uint64_t limit = *memory->limit;
  const uint64_t used = std::min(memory->working_set, limit);
  (*out)["allocatableMemory.available"] = {.available = Bytes(limit - used),
                                           .capacity = Bytes(limit)};
}

void ObserveDisk(const std::string& path, const std::string& name, Observations* out) {
  struct statvfs disk{};
  if (statvfs(path.c_str(), &disk) != 0) return;
  (*out)[name + ".available"] = {.available = Bytes(disk.f_bavail * disk.f_frsize),
                                 .capacity = Bytes(disk.f_blocks * disk.f_frsize)};
  // Some file systems do not count them, and never run out.
  if (disk.f_files == 0) return;
  (*out)[name + ".inodesFree"] = {.available = Pieces(disk.f_ffree),
                                  .capacity = Pieces(disk.f_files)};
}

// Threads and processes, of which the kernel allows so many of both together.
void ObservePids(const std::string& root, Observations* out) {
  std::optional<uint64_t> most;
  for (const char* file : {"pid_max", "threads-max"}) {
    const auto value = NumberIn(ReadProc(root + "/proc/sys/kernel/" + file));
    if (value) most = most ? std::min(*most, *value) : *value;
  }
  // "0.20 0.18 0.12 1/80 11206": one of eighty runs now.
  const std::string load = ReadProc(root + "/proc/loadavg");
  const size_t slash = load.find('/');
  const auto running =
      slash == load.npos ? std::nullopt : NumberIn(std::string_view(load).substr(slash + 1));
  if (!most || !running) return;
  (*out)["pid.available"] = {.available = Pieces(*most - std::min(*most, *running)),
                             .capacity = Pieces(*most)};
}

std::string ImagesFolder(const NodeConfig& config) { return config.data_dir + "/images"; }

// Images may lie on a file system of their own; layers that containers write are pods' files.
bool HasOwnImageDisk(const NodeConfig& config) {
  struct stat pods{};
  struct stat images{};
  return stat(config.data_dir.c_str(), &pods) == 0 &&
         stat(ImagesFolder(config).c_str(), &images) == 0 && pods.st_dev != images.st_dev;
}

std::optional<int64_t> ValueOf(const auto& box) {
  if (!box) return std::nullopt;
  return static_cast<int64_t>(box->value);
}

void AddRuntimeUse(const cri::PodSandboxStats& stats, PodUse* use) {
  if (!stats.linux_) return;
  if (stats.linux_->memory) use->memory = ValueOf(stats.linux_->memory->working_set_bytes);
  if (stats.linux_->process) {
    use->processes = ValueOf(stats.linux_->process->process_count).value_or(0);
  }
  for (const cri::ContainerStats& each : stats.linux_->containers) {
    if (!each.attributes || !each.attributes->metadata) continue;
    ContainerUse& container = use->containers.emplace_back();
    container.name = each.attributes->metadata->name;
    if (each.memory) container.memory = ValueOf(each.memory->working_set_bytes);
  }
}

void AddDiskUse(const DiskUse& storage, PodUse* use) {
  use->disk = static_cast<int64_t>(storage.bytes);
  use->inodes = static_cast<int64_t>(storage.inodes);
  for (ContainerUse& each : use->containers) {
    const auto root = storage.layers.find(each.name);
    const auto logs = storage.logs.find(each.name);
    if (root != storage.layers.end()) each.root = static_cast<int64_t>(root->second);
    if (logs != storage.logs.end()) each.logs = static_cast<int64_t>(logs->second);
  }
}

}  // namespace

Observations NodeReader::Observe() const {
  Observations out;
  ObserveMemory(parts_.root, &out);
  ObservePodsMemory(parts_.pods_memory(), &out);
  ObserveDisk(parts_.config.data_dir, "nodefs", &out);
  ObserveDisk(ImagesFolder(parts_.config), "imagefs", &out);
  ObservePids(parts_.root, &out);
  return out;
}

PodUses NodeReader::Measure(std::string_view signal, const RankedPods& pods) const {
  PodUses uses;
  const auto all = parts_.runtime.ListPodSandboxStats({});
  if (all.ok()) {
    for (const cri::PodSandboxStats& each : *all) {
      if (!each.attributes || !each.attributes->metadata) continue;
      AddRuntimeUse(each, &uses[each.attributes->metadata->uid]);
    }
  }
  if (ConditionOfSignal(signal) != "DiskPressure") return uses;
  // Images are nobody's: of a disk that has nothing else no pod uses anything.
  if (signal.starts_with("imagefs.") && HasOwnImageDisk(parts_.config)) return uses;
  for (const auto& pod : pods) {
    const auto use = uses.find(pod->metadata.uid);
    if (use == uses.end()) continue;
    AddDiskUse(MeasureDiskUse(*pod, parts_.config, parts_.runtime), &use->second);
  }
  return uses;
}

}  // namespace podium::node
