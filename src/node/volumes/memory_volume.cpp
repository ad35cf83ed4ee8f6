#include "node/volumes/memory_volume.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string_view>

#include "linux/mounts.h"
#include "linux/path.h"
#include "node/resources.h"

namespace podium::node {
namespace {

constexpr std::string_view kHugePages = "hugepages-";

// Whether a file system of this type begins at the folder.
Result<bool> IsMounted(const std::string& path, int64_t type) {
  TRY(const UniqueFd folder, kernel::OpenPath(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  TRY(const UniqueFd above, kernel::OpenPath(path + "/..", O_RDONLY | O_DIRECTORY));
  struct stat own{};
  struct stat outer{};
  if (fstat(folder.get(), &own) != 0 || fstat(above.get(), &outer) != 0) {
    return Error::FromErrno(errno, path);
  }
  TRY(const int64_t found, kernel::FileSystemType(folder.get()));
  return own.st_dev != outer.st_dev && found == type;
}

Result<void> MountOn(const std::string& path, const std::string& type,
                     const kernel::MountOptions& options) {
  TRY(kernel::Mount mount, kernel::Mount::New(type, options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
  TRY(const UniqueFd folder, kernel::OpenPath(path, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  return mount.Attach(folder.get());
}

void AddHugePages(const v1::Container& container, std::set<std::string>* sizes) {
  for (const auto& [name, amount] : container.resources.requests) {
    if (name.starts_with(kHugePages)) sizes->insert(name.substr(kHugePages.size()));
  }
}

}  // namespace

Result<bool> MountTmpfs(const std::string& path, uint64_t bytes) {
  TRY(const bool mounted, IsMounted(path, TMPFS_MAGIC));
  if (mounted) return false;
  kernel::MountOptions options = {{"size", std::to_string(bytes)}, {"noswap", ""}};
  if (MountOn(path, "tmpfs", options).ok()) return true;
  options.pop_back();
  TRY_VOID(MountOn(path, "tmpfs", options));
  return true;
}

Result<bool> MountHugePages(const std::string& path, const std::string& page_size) {
  TRY(const bool mounted, IsMounted(path, HUGETLBFS_MAGIC));
  if (mounted) return false;
  TRY_VOID(MountOn(path, "hugetlbfs", {{"pagesize", page_size}}));
  return true;
}

uint64_t MemoryVolumeSize(const v1::Pod& pod, const v1::EmptyDirVolumeSource& source,
                          const NodeConfig& config) {
  int64_t size = config.memory_bytes;
  if (const int64_t limit = PodResources(pod, config).memory_limit_in_bytes; limit > 0) {
    size = std::min(size, limit);
  }
  if (source.sizeLimit && source.sizeLimit->Sign() > 0) {
    size = std::min(size, source.sizeLimit->Value());
  }
  return static_cast<uint64_t>(size);
}

Result<std::string> HugePageSize(const v1::Pod& pod, const std::string& medium) {
  std::set<std::string> sizes;
  for (const v1::Container& container : pod.spec.initContainers) AddHugePages(container, &sizes);
  for (const v1::Container& container : pod.spec.containers) AddHugePages(container, &sizes);
  const size_t dash = medium.find('-');
  if (dash == std::string::npos) {
    if (sizes.size() > 1) {
      return Error(Code::kInvalidArgument,
                   "medium HugePages can't be used if container(s) request multiple huge page "
                   "sizes");
    }
    if (sizes.empty()) {
      return Error(Code::kInvalidArgument,
                   "hugePages storage requested, but there is no resource request for huge pages.");
    }
    return *sizes.begin();
  }
  const std::string wanted = medium.substr(dash + 1);
  if (!sizes.contains(wanted)) {
    return Error(Code::kInvalidArgument, "medium " + medium +
                                             ": hugePages storage requested, but there is no "
                                             "resource request for huge pages of this size");
  }
  return wanted;
}

}  // namespace podium::node
