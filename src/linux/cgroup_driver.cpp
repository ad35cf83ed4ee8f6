// The driver over whatever trees there are. A controller is used in the tree that has it; killing,
// freezing and events are done in the v2 tree where there is one.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <functional>
#include <mutex>
#include <set>

#include "linux/cgroup_end.h"
#include "linux/cgroup_files.h"
#include "linux/cgroup_mounts.h"
#include "linux/cgroup_tree.h"
#include "linux/device_policy.h"

namespace podium::kernel {
namespace {

using Path = std::vector<std::string>;

// Trees of v1 in which every cgroup has a folder; in the others it has one when a limit asks for
// it, since each costs a new cgroup 0.1 ms, and a new process 0.03 ms.
constexpr std::array<std::string_view, 4> kAlways = {"cpu", "cpuacct", "memory", "pids"};

// What v2 offers of use for pods; the last two by CgroupLimits::unified alone.
constexpr std::array<std::string_view, 8> kUnifiedControllers = {
    "cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"};

struct ControllerLimits {
  const char* v1;
  const char* v2;
  const char* what;  // "… are not limited"
  bool (*wanted)(const CgroupLimits& limits);
  Result<void> (*set_v1)(int folder, const CgroupLimits& limits, CgroupWarnings* warnings);
  Result<void> (*set_v2)(int folder, const CgroupLimits& limits, CgroupWarnings* warnings);
};

template <auto set>
Result<void> WithoutWarnings(int folder, const CgroupLimits& limits, CgroupWarnings* /*warnings*/) {
  return set(folder, limits);
}

bool WantsCpu(const CgroupLimits& limits) {
  return limits.cpu_shares || limits.cpu_quota || limits.cpu_period || limits.cpu_burst ||
         limits.cpu_idle;
}
bool WantsCpuset(const CgroupLimits& limits) {
  return !limits.cpuset_cpus.empty() || !limits.cpuset_mems.empty();
}
bool WantsMemory(const CgroupLimits& limits) {
  return limits.memory_limit || limits.memory_swap || limits.memory_reservation ||
         limits.memory_min || limits.memory_high || limits.memory_swappiness ||
         limits.memory_oom_group;
}
bool WantsPids(const CgroupLimits& limits) { return limits.pids_limit.has_value(); }
bool WantsHugepages(const CgroupLimits& limits) { return !limits.hugepages.empty(); }
bool WantsIo(const CgroupLimits& limits) {
  return limits.io.weight || !limits.io.read_bps.empty() || !limits.io.write_bps.empty() ||
         !limits.io.read_iops.empty() || !limits.io.write_iops.empty();
}

constexpr std::array kControllerLimits = {
    ControllerLimits{"cpuset", "cpuset", "the processors to run on", &WantsCpuset,
                     &WithoutWarnings<&SetCpuset>, &WithoutWarnings<&SetCpuset>},
    ControllerLimits{"cpu", "cpu", "shares and quotas of processor time", &WantsCpu,
                     &cgroup_v1::SetCpu, &cgroup_v2::SetCpu},
    ControllerLimits{"memory", "memory", "uses of memory", &WantsMemory, &cgroup_v1::SetMemory,
                     &cgroup_v2::SetMemory},
    ControllerLimits{"pids", "pids", "numbers of processes", &WantsPids, &WithoutWarnings<&SetPids>,
                     &WithoutWarnings<&SetPids>},
    ControllerLimits{"hugetlb", "hugetlb", "huge pages", &WantsHugepages,
                     &WithoutWarnings<&cgroup_v1::SetHugepages>,
                     &WithoutWarnings<&cgroup_v2::SetHugepages>},
    ControllerLimits{"blkio", "io", "disk input and output", &WantsIo, &cgroup_v1::SetIo,
                     &cgroup_v2::SetIo},
};

Deadline After(std::chrono::milliseconds timeout) {
  return std::chrono::steady_clock::now() + timeout;
}

class HierarchyDriver : public CgroupDriver {
 public:
  HierarchyDriver(CgroupMode mode, std::vector<CgroupTree> trees)
      : mode_(mode), trees_(std::move(trees)) {
    for (const CgroupTree& tree : trees_) {
      if (tree.unified()) v2_ = &tree;
    }
    for (const CgroupTree& tree : trees_) {
      if (IsAlways(tree)) main_ = &tree;
    }
    if (v2_) main_ = v2_;
    if (!main_) main_ = &trees_.front();
  }
  HierarchyDriver(const HierarchyDriver&) = delete;
  HierarchyDriver& operator=(const HierarchyDriver&) = delete;

  CgroupMode mode() const override { return mode_; }
  bool LimitsDevices() const override { return limits_devices_; }
  Result<void> Create(std::string_view path, const CgroupLimits& limits) override;
  Result<void> Update(std::string_view path, const CgroupLimits& limits) override;
  Result<void> Remove(std::string_view path, std::chrono::milliseconds timeout) override;
  Result<void> Kill(std::string_view path, std::chrono::milliseconds timeout) override;
  Result<void> Freeze(std::string_view path, std::chrono::milliseconds timeout) override;
  Result<void> Thaw(std::string_view path) override;
  Result<bool> Populated(std::string_view path) const override;
  Result<std::vector<pid_t>> Processes(std::string_view path) const override;
  Result<CgroupStats> Stats(std::string_view path, CgroupDetail detail) const override;
  Result<uint64_t> OomKills(std::string_view path) const override;
  Result<CgroupWatch> WatchOom(std::string_view path) const override;
  Result<CgroupWatch> WatchPopulated(std::string_view path) const override;
  Result<CgroupEntry> OpenForSpawn(std::string_view path) const override;
  Result<void> Join(std::string_view path, pid_t pid) override;
  std::vector<std::string> TakeWarnings() override { return warnings_.Take(); }

 private:
  // Without v2, kill and freeze need the freezer.
  bool IsAlways(const CgroupTree& tree) const {
    return tree.unified() || (!v2_ && tree.Has("freezer")) ||
           std::ranges::any_of(kAlways, [&](std::string_view name) { return tree.Has(name); });
  }
  bool IsNeeded(const CgroupTree& tree, const CgroupLimits& limits) const;
  const CgroupTree* V1TreeOf(std::string_view controller) const;
  // The folder of a v1 controller's tree; none where there is no such tree, or no folder in it.
  std::optional<UniqueFd> V1Folder(std::string_view controller, const Path& path) const;
  // The tree that kills and freezes where there is no v2.
  const CgroupTree& FreezerTree() const;

  Result<void> CheckOurs(const Path& segments) const;
  void NoteEntry(std::string_view path) const;
  Result<void> Apply(const Path& path, const CgroupLimits& limits);
  void ReadTheRest(int main, const Path& segments, CgroupStats* stats) const;
  Result<void> ApplyDevices(const Path& path, const std::vector<DeviceRule>& rules);

  const CgroupMode mode_;
  const std::vector<CgroupTree> trees_;
  const CgroupTree* v2_ = nullptr;
  const CgroupTree* main_ = nullptr;  // every cgroup has a folder here
  CgroupWarnings warnings_;
  std::atomic<bool> limits_devices_ = true;
  mutable std::mutex unentered_mutex_;
  // Made here, and nobody was given the means to enter them since: their memory is only that of the
  // cgroups in them. Under unentered_mutex_.
  mutable std::set<std::string, std::less<>> unentered_;
};

const CgroupTree* HierarchyDriver::V1TreeOf(std::string_view controller) const {
  for (const CgroupTree& tree : trees_) {
    if (!tree.unified() && tree.Has(controller)) return &tree;
  }
  return nullptr;
}

std::optional<UniqueFd> HierarchyDriver::V1Folder(std::string_view controller,
                                                  const Path& path) const {
  const CgroupTree* tree = V1TreeOf(controller);
  if (!tree) return std::nullopt;
  auto folder = tree->Open(path);
  if (!folder.ok()) return std::nullopt;
  return *std::move(folder);
}

const CgroupTree& HierarchyDriver::FreezerTree() const {
  const CgroupTree* freezer = V1TreeOf("freezer");
  return freezer ? *freezer : *main_;
}

bool HierarchyDriver::IsNeeded(const CgroupTree& tree, const CgroupLimits& limits) const {
  if (IsAlways(tree) || &tree == main_) return true;
  if (limits.devices && tree.Has("devices")) return true;
  return std::ranges::any_of(kControllerLimits, [&](const ControllerLimits& controller) {
    return tree.Has(controller.v1) && controller.wanted(limits);
  });
}

Result<void> HierarchyDriver::ApplyDevices(const Path& path, const std::vector<DeviceRule>& rules) {
  TRY(const DevicePolicy policy, MakeDevicePolicy(rules));
  if (const auto folder = V1Folder("devices", path)) {
    return WriteDevicePolicy(folder->get(), policy);
  }
  if (!v2_) {
    limits_devices_ = false;
    warnings_.Add(
        "the cgroup controller \"devices\" is not there: access to devices is not "
        "limited");
    return {};
  }
  TRY(const UniqueFd folder, v2_->Open(path));
  auto attached = AttachDevicePolicy(folder.get(), policy);
  if (attached.ok()) return {};
  const int reason = attached.error().os_errno();
  // The kernel is built without BPF for cgroups, or does not let this process use it.
  if (reason != EPERM && reason != ENOSYS && reason != EINVAL) return attached;
  limits_devices_ = false;
  warnings_.Add("access to devices is not limited: " + attached.error().message());
  return {};
}

Result<void> HierarchyDriver::Apply(const Path& path, const CgroupLimits& limits) {
  std::optional<UniqueFd> v2_folder;
  std::string v2_controllers;
  if (v2_) {
    TRY(v2_folder, v2_->Open(path));
    TRY(v2_controllers, ReadCgroupFile(v2_folder->get(), "cgroup.controllers"));
  }
  const std::vector<std::string_view> in_v2 = CgroupWords(v2_controllers);
  for (const ControllerLimits& controller : kControllerLimits) {
    if (!controller.wanted(limits)) continue;
    if (std::ranges::find(in_v2, controller.v2) != in_v2.end()) {
      TRY_VOID(controller.set_v2(v2_folder->get(), limits, &warnings_));
    } else if (const auto folder = V1Folder(controller.v1, path)) {
      TRY_VOID(controller.set_v1(folder->get(), limits, &warnings_));
    } else {
      const bool blocked = v2_ && v2_->Has(controller.v2);
      warnings_.Add("the cgroup controller \"" + std::string(controller.v2) + "\" is not there" +
                    (blocked ? " (a cgroup above has processes of its own)" : "") + ": " +
                    controller.what + " are not limited");
    }
  }
  if (limits.devices) TRY_VOID(ApplyDevices(path, *limits.devices));
  if (limits.unified.empty()) return {};
  if (mode_ != CgroupMode::kV2) {
    return Error(Code::kUnsupported, "unified resources need a machine with cgroups v2 alone");
  }
  return cgroup_v2::SetUnified(v2_folder->get(), limits);
}

Result<void> HierarchyDriver::Create(std::string_view path, const CgroupLimits& limits) {
  TRY(const Path segments, CgroupSegments(path));
  std::vector<const CgroupTree*> made;
  const auto create = [&]() -> Result<void> {
    for (const CgroupTree& tree : trees_) {
      if (!IsNeeded(tree, limits)) continue;
      TRY(const bool fresh, tree.Make(segments));
      if (fresh) made.push_back(&tree);
    }
    return Apply(segments, limits);
  };
  auto created = create();
  if (created.ok()) {
    const std::lock_guard lock(unentered_mutex_);
    if (!made.empty()) unentered_.emplace(path);
    return {};
  }
  for (const CgroupTree* tree : made) tree->RemoveEmpty(segments);
  return std::move(created).error().WithContext("making the cgroup " + std::string(path));
}

Result<void> HierarchyDriver::Update(std::string_view path, const CgroupLimits& limits) {
  TRY(const Path segments, CgroupSegments(path));
  TRY(const UniqueFd folder, main_->Open(segments));
  for (const CgroupTree& tree : trees_) {
    if (!IsNeeded(tree, limits)) continue;
    const auto there = tree.Open(segments);
    if (!there.ok()) TRY_VOID(tree.Adopt(segments, folder.get()));
  }
  auto applied = Apply(segments, limits);
  if (applied.ok()) return {};
  return std::move(applied).error().WithContext("changing the cgroup " + std::string(path));
}

Result<void> HierarchyDriver::CheckOurs(const Path& segments) const {
  if (!segments.empty() || !main_->whole()) return {};
  return Error(Code::kInvalidArgument, "the root of all cgroups is everybody's");
}

Result<void> HierarchyDriver::Remove(std::string_view path, std::chrono::milliseconds timeout) {
  TRY(const Path segments, CgroupSegments(path));
  TRY_VOID(CheckOurs(segments));
  const Deadline deadline = After(timeout);
  bool had_processes = true;
  {
    const std::lock_guard lock(unentered_mutex_);
    had_processes = unentered_.erase(std::string(path)) == 0;
  }
  for (const CgroupTree& tree : trees_) TRY_VOID(tree.Remove(segments, had_processes, deadline));
  return {};
}

Result<void> HierarchyDriver::Kill(std::string_view path, std::chrono::milliseconds timeout) {
  TRY(const Path segments, CgroupSegments(path));
  TRY_VOID(CheckOurs(segments));
  const Deadline deadline = After(timeout);
  if (v2_) {
    auto folder = v2_->Open(segments);
    if (folder.ok()) {
      TRY_VOID(KillUnified(folder->get(), deadline));
    } else if (folder.error().code() != Code::kNotFound) {
      return folder.error();
    }
  } else {
    const auto folder = FreezerTree().Open(segments);
    if (folder.ok()) TRY_VOID(KillBySignals(folder->get(), deadline));
  }
  // A process may have got into the tree of one controller alone.
  for (const CgroupTree& tree : trees_) {
    if (tree.unified()) continue;
    const auto folder = tree.Open(segments);
    if (folder.ok()) TRY_VOID(KillBySignals(folder->get(), deadline));
  }
  return {};
}

Result<void> HierarchyDriver::Freeze(std::string_view path, std::chrono::milliseconds timeout) {
  TRY(const Path segments, CgroupSegments(path));
  TRY_VOID(CheckOurs(segments));
  if (v2_) {
    TRY(const UniqueFd folder, v2_->Open(segments));
    return FreezeUnified(folder.get(), After(timeout));
  }
  TRY(const UniqueFd folder, FreezerTree().Open(segments));
  return FreezeV1(folder.get(), After(timeout));
}

Result<void> HierarchyDriver::Thaw(std::string_view path) {
  TRY(const Path segments, CgroupSegments(path));
  TRY(const UniqueFd folder, (v2_ ? *v2_ : FreezerTree()).Open(segments));
  if (v2_) return WriteCgroupFile(folder.get(), "cgroup.freeze", "0");
  return WriteCgroupFile(folder.get(), "freezer.state", "THAWED");
}

Result<bool> HierarchyDriver::Populated(std::string_view path) const {
  TRY(const Path segments, CgroupSegments(path));
  TRY(const UniqueFd folder, main_->Open(segments));
  if (v2_) {
    return TableValue(ReadCgroupTable(folder.get(), "cgroup.events"), "populated") != 0;
  }
  TRY(const std::vector<pid_t> pids, ProcessesBelow(folder.get()));
  return !pids.empty();
}

Result<std::vector<pid_t>> HierarchyDriver::Processes(std::string_view path) const {
  TRY(const Path segments, CgroupSegments(path));
  TRY(const UniqueFd folder, main_->Open(segments));
  return ProcessesBelow(folder.get());
}

Result<CgroupStats> HierarchyDriver::Stats(std::string_view path, CgroupDetail detail) const {
  TRY(const Path segments, CgroupSegments(path));
  TRY(const UniqueFd main, main_->Open(segments));
  const bool all = detail == CgroupDetail::kAll;
  CgroupStats stats;
  if (v2_) {
    stats.cpu = cgroup_v2::ReadCpu(main.get(), detail);
    stats.memory = cgroup_v2::ReadMemory(main.get(), detail);
    stats.cpu_pressure = cgroup_v2::ReadPressure(main.get(), "cpu.pressure");
    stats.memory_pressure = cgroup_v2::ReadPressure(main.get(), "memory.pressure");
    stats.io_pressure = cgroup_v2::ReadPressure(main.get(), "io.pressure");
  }
  // v1 counts in nanoseconds, and only for it does the v2 tree of a hybrid machine not know quotas.
  if (const auto cpuacct = V1Folder("cpuacct", segments)) {
    stats.cpu = cgroup_v1::ReadCpuUsage(cpuacct->get(), detail);
  }
  if (const auto memory = V1Folder("memory", segments)) {
    stats.memory = cgroup_v1::ReadMemory(memory->get(), detail);
  }
  if (all) ReadTheRest(main.get(), segments, &stats);
  return stats;
}

void HierarchyDriver::ReadTheRest(int main, const Path& segments, CgroupStats* stats) const {
  stats->processes = CountProcesses(main);
  if (v2_) {
    stats->pids = ReadPids(main);
    stats->hugepages = cgroup_v2::ReadHugepages(main);
    stats->io = cgroup_v2::ReadIo(main);
  }
  if (const auto cpu = V1Folder("cpu", segments); cpu && stats->cpu) {
    cgroup_v1::ReadCpuLimits(cpu->get(), &*stats->cpu);
  }
  if (const auto pids = V1Folder("pids", segments)) stats->pids = ReadPids(pids->get());
  if (const auto hugetlb = V1Folder("hugetlb", segments)) {
    stats->hugepages = cgroup_v1::ReadHugepages(hugetlb->get());
  }
  if (const auto blkio = V1Folder("blkio", segments)) stats->io = cgroup_v1::ReadIo(blkio->get());
}

Result<uint64_t> HierarchyDriver::OomKills(std::string_view path) const {
  TRY(const Path segments, CgroupSegments(path));
  TRY(const UniqueFd main, main_->Open(segments));
  if (const auto memory = V1Folder("memory", segments)) return cgroup_v1::OomKills(memory->get());
  return TableValue(ReadCgroupTable(main.get(), "memory.events"), "oom_kill");
}

Result<CgroupWatch> HierarchyDriver::WatchOom(std::string_view path) const {
  TRY(const Path segments, CgroupSegments(path));
  TRY(const UniqueFd main, main_->Open(segments));
  if (const auto memory = V1Folder("memory", segments)) return cgroup_v1::WatchOom(memory->get());
  if (!HasCgroupFile(main.get(), "memory.events")) {
    return Error(Code::kUnsupported, "no memory controller tells when memory runs out");
  }
  return WatchFile(main.get(), "memory.events");
}

Result<CgroupWatch> HierarchyDriver::WatchPopulated(std::string_view path) const {
  TRY(const Path segments, CgroupSegments(path));
  TRY(const UniqueFd main, main_->Open(segments));
  if (!v2_) return Error(Code::kUnsupported, "cgroups v1 do not tell when they become empty");
  return WatchFile(main.get(), "cgroup.events");
}

void HierarchyDriver::NoteEntry(std::string_view path) const {
  const std::lock_guard lock(unentered_mutex_);
  const auto found = unentered_.find(path);
  if (found != unentered_.end()) unentered_.erase(found);
}

Result<CgroupEntry> HierarchyDriver::OpenForSpawn(std::string_view path) const {
  TRY(const Path segments, CgroupSegments(path));
  NoteEntry(path);
  TRY(UniqueFd main, main_->Open(segments));
  CgroupEntry entry;
  for (const CgroupTree& tree : trees_) {
    if (tree.unified()) continue;
    auto folder = tree.OpenNearest(segments);
    // Nothing of ours is in this tree, so there is nothing to enter.
    if (!folder.ok() && folder.error().code() == Code::kNotFound) continue;
    TRY(const UniqueFd opened, std::move(folder));
    TRY(UniqueFd tasks, OpenCgroupFile(opened.get(), "tasks", O_WRONLY));
    entry.tasks.push_back(std::move(tasks));
  }
  if (v2_) {
    TRY(entry.directory_procs, OpenCgroupFile(main.get(), "cgroup.procs", O_WRONLY));
    entry.directory = std::move(main);
  }
  return entry;
}

Result<void> HierarchyDriver::Join(std::string_view path, pid_t pid) {
  TRY(const Path segments, CgroupSegments(path));
  NoteEntry(path);
  TRY_VOID(main_->Open(segments));
  const std::string text = std::to_string(pid);
  for (const CgroupTree& tree : trees_) {
    auto folder = tree.OpenNearest(segments);
    if (!folder.ok() && folder.error().code() == Code::kNotFound) continue;
    TRY(const UniqueFd opened, std::move(folder));
    TRY(const UniqueFd procs, OpenCgroupFile(opened.get(), "cgroup.procs", O_WRONLY));
    if (write(procs.get(), text.data(), text.size()) >= 0) continue;
    return Error::FromErrno(errno,
                            "moving process " + text + " to the cgroup " + std::string(path));
  }
  return {};
}

// v2: those of its controllers that are of use here.
Result<std::vector<std::string>> OfferedControllers(int mount) {
  TRY(const std::string text, ReadCgroupFile(mount, "cgroup.controllers"));
  std::vector<std::string> offered;
  for (const std::string_view word : CgroupWords(text)) {
    if (std::ranges::find(kUnifiedControllers, word) != kUnifiedControllers.end()) {
      offered.emplace_back(word);
    }
  }
  return offered;
}

}  // namespace

Result<std::unique_ptr<CgroupDriver>> CgroupDriver::Detect(const CgroupOptions& options) {
  TRY(const std::vector<std::string> root, CgroupSegments(options.root));
  if (root.empty() != options.whole) {
    return Error(Code::kInvalidArgument, "the root of cgroups has no name");
  }
  TRY(const std::vector<CgroupMount> mounts, CgroupMounts());
  std::vector<CgroupTree> trees;
  bool has_v1 = false;
  bool has_v2 = false;
  for (const CgroupMount& mount : mounts) {
    if (mount.unified ? !options.use_v2 : !options.use_v1) continue;
    auto opened = OpenCgroupMount(mount);
    if (!opened.ok() && opened.error().code() == Code::kNotFound) continue;
    TRY(UniqueFd folder, std::move(opened));
    std::vector<std::string> controllers = mount.controllers;
    if (mount.unified) {
      TRY(controllers, OfferedControllers(folder.get()));
    }
    trees.emplace_back(std::move(folder), mount.unified, root, std::move(controllers));
    (mount.unified ? has_v2 : has_v1) = true;
  }
  if (trees.empty()) {
    return Error(Code::kUnsupported,
                 "no cgroups are mounted: mount -t cgroup2 none /sys/fs/cgroup gives them");
  }
  const CgroupMode mode = has_v1 && has_v2 ? CgroupMode::kHybrid
                          : has_v2         ? CgroupMode::kV2
                                           : CgroupMode::kV1;
  return std::unique_ptr<CgroupDriver>(std::make_unique<HierarchyDriver>(mode, std::move(trees)));
}

}  // namespace podium::kernel
