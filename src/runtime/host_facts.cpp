#include "runtime/host_facts.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include "base/text.h"
#include "linux/capabilities.h"
#include "linux/path.h"
#include "runtime/selinux.h"

namespace podium::runtime {
namespace {

constexpr size_t kMaxMountInfo = size_t{32} << 20;
constexpr int kSysAdmin = 21;
constexpr int kSysResource = 24;

bool IsController(std::string_view option) {
  return option != "rw" && option != "ro" && option != "xattr" && option != "clone_children" &&
         option != "noprefix" && option != "cpuset_v2_mode" && option != "favordynmods" &&
         !option.starts_with("release_agent=");
}

void AddHierarchy(std::string_view mount_point, std::string_view options, HostFacts* facts) {
  HostFacts::Hierarchy hierarchy;
  hierarchy.folder = mount_point.substr(mount_point.rfind('/') + 1);
  bool named = false;
  for (const std::string_view option : Split(options, ',')) {
    if (!IsController(option)) continue;
    named = named || option.starts_with("name=");
    hierarchy.options.emplace_back(option);
  }
  if (hierarchy.options.empty()) return;
  if (named && hierarchy.options.size() == 1)
    hierarchy.options.insert(hierarchy.options.begin(), "none");
  facts->v1_hierarchies.push_back(std::move(hierarchy));
}

Result<void> FindHierarchies(HostFacts* facts) {
  TRY(const std::string table,
      kernel::ReadFile(AT_FDCWD, "/proc/thread-self/mountinfo", kMaxMountInfo));
  for (const std::string_view line : Split(table, '\n')) {
    const size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    // Behind the dash: type, source, options of the file system.
    const std::vector<std::string_view> left = Split(line.substr(0, dash), ' ');
    const std::vector<std::string_view> right = Split(line.substr(dash + 3), ' ');
    // Elsewhere than under /sys/fs/cgroup they are somebody's own business.
    if (left.size() < 5 || right.size() < 3 || !left[4].starts_with("/sys/fs/cgroup")) continue;
    if (right[0] == "cgroup") AddHierarchy(left[4], right[2], facts);
    if (right[0] == "cgroup2") facts->has_v2_hierarchy = true;
  }
  return {};
}

// pivot_root, by which a process leaves the machine's files behind, takes a root that is a mount's
// (Linux 5.8 tells); shims would end without a word.
bool IsRootOfAMount() {
  struct statx status{};
  if (statx(AT_FDCWD, "/", 0, 0, &status) != 0) return true;
  constexpr uint64_t kMountRoot = STATX_ATTR_MOUNT_ROOT;
  return (status.stx_attributes_mask & kMountRoot) == 0 ||
         (status.stx_attributes & kMountRoot) != 0;
}

}  // namespace

Result<HostFacts> FindHostFacts(kernel::CgroupMode mode) {
  HostFacts facts;
  facts.cgroups = mode;
  if (!IsRootOfAMount()) {
    return Error(Code::kUnsupported,
                 "the root folder is a chroot that nothing is mounted on, and containers cannot "
                 "leave it: mount it on itself first (mount --bind DIR DIR), then chroot to it");
  }
  TRY(const kernel::CapabilitySets own, kernel::CurrentCapabilities());
  facts.capabilities = own.bounding & own.permitted;
  if ((facts.capabilities & kernel::CapabilityBit(kSysAdmin)) == 0 || geteuid() != 0) {
    return Error(Code::kPermissionDenied, "running pods needs root (CAP_SYS_ADMIN)");
  }
  for (const char* kind : {"ipc", "mnt", "net", "pid", "uts", "cgroup"}) {
    if (access((std::string("/proc/self/ns/") + kind).c_str(), F_OK) != 0) {
      return Error(Code::kUnsupported, std::string("the kernel has no ") + kind + " namespaces");
    }
  }
  const auto apparmor = kernel::ReadFile(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 16);
  facts.apparmor = apparmor.ok() && apparmor->starts_with('Y');
  facts.selinux = MachineHasSelinux();
  if (facts.selinux) facts.selinux_contexts = FindSelinuxContexts();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return Error::FromErrno(errno, "getrlimit");
  facts.max_open_files = limit.rlim_max;
  TRY_VOID(FindHierarchies(&facts));
  return facts;
}

std::vector<std::string> HostWarnings() {
  const auto own = kernel::CurrentCapabilities();
  std::vector<std::string> warnings;
  if (own.ok() && (own->effective & kernel::CapabilityBit(kSysResource)) == 0) {
    warnings.emplace_back(
        "no CAP_SYS_RESOURCE: oom_score_adj is not lowered and hard limits are not raised");
  }
  return warnings;
}

std::string NewId() {
  unsigned char bytes[32];
  // Cannot fail for so few bytes once the machine has started.
  if (getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) std::abort();
  constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  for (const unsigned char byte : bytes) {
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

int64_t Now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace podium::runtime
