#include "node/volumes/claimed_volumes.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "linux/path.h"
#include "node/files.h"
#include "node/volumes/volume_ownership.h"
#include "reflect/json.h"

namespace podium::node {
namespace {

constexpr mode_t kFolderMode = 0750;
constexpr mode_t kFileMode = 0600;
constexpr size_t kMaxFileBytes = size_t{1} << 20;

std::string FolderOf(const NodeConfig& config, std::string_view uid) {
  return PodFolder(config, uid) + "/volumes/podium~claim";
}

GroupChangePolicy PolicyOf(const v1::PodSecurityContext& context) {
  return context.fsGroupChangePolicy.value_or("Always") == "OnRootMismatch"
             ? GroupChangePolicy::kOnRootMismatch
             : GroupChangePolicy::kAlways;
}

}  // namespace

class ClaimedVolumes::Turn {
 public:
  Turn(ClaimedVolumes& volumes, std::string name) : volumes_(volumes), name_(std::move(name)) {
    std::unique_lock lock(volumes_.mutex_);
    volumes_.freed_.wait(lock, [&] { return !volumes_.taken_.contains(name_); });
    volumes_.taken_.insert(name_);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    const std::lock_guard lock(volumes_.mutex_);
    volumes_.taken_.erase(name_);
    volumes_.freed_.notify_all();
  }

 private:
  ClaimedVolumes& volumes_;
  const std::string name_;
};

Result<v1::PersistentVolume> ReadClaimedVolume(const NodeConfig& config, std::string_view uid,
                                               const std::string& volume) {
  const std::string path = FolderOf(config, uid) + "/" + volume + ".json";
  TRY(const std::string text, ReadSmallFile(path, kMaxFileBytes));
  return reflect::FromJson<v1::PersistentVolume>(text, {.strict = false});
}

Result<void> ClaimedVolumes::SetUp(const v1::Pod& pod, const v1::Volume& volume) {
  if (Get(pod, volume).ok()) return {};
  TRY(const auto found, FindVolumeOfClaim(pod, volume, objects_));
  TRY_VOID(CheckMountable(*found, objects_));
  const Turn turn(*this, found->metadata.name);
  TRY_VOID(Prepare(pod, volume, *found));
  TRY(const std::string text, reflect::ToJson(Essence(*found)));
  const std::string folder = FolderOf(config_, pod.metadata.uid);
  TRY_VOID(MakeFolders(folder, kFolderMode));
  return WriteFile(folder + "/" + volume.name + ".json", text, kFileMode);
}

Result<void> ClaimedVolumes::Prepare(const v1::Pod& pod, const v1::Volume& volume,
                                     const v1::PersistentVolume& found) const {
  const std::string& name = found.metadata.name;
  const bool elsewhere = IsUsedElsewhere(name, pod.metadata.uid);
  if (elsewhere && IsForOnePod(found)) {
    return VolumeError(Error(Code::kConflict,
                             "volume uses the ReadWriteOncePod access mode and is already in use "
                             "by another pod"),
                       "MountVolume.SetUp failed", name);
  }
  TRY(const UniqueFd root, OpenPersistentVolume(found));
  // A hostPath stays as the administrator has made it.
  const bool ours = found.spec.local.has_value() && !ClaimOf(pod, volume)->read_only;
  const auto& context = pod.spec.securityContext;
  if (!ours || elsewhere || !context || !context->fsGroup) return {};
  auto given = GiveToGroup(root.get(), *context->fsGroup, PolicyOf(*context));
  if (given.ok()) return {};
  return VolumeError(std::move(given).error(), "MountVolume.SetUp failed", name);
}

bool ClaimedVolumes::IsUsedElsewhere(const std::string& name, std::string_view uid) const {
  std::error_code error;
  const std::string pods = config_.data_dir + "/pods";
  for (const auto& pod : std::filesystem::directory_iterator(pods, error)) {
    const std::string other = pod.path().filename();
    if (other == uid) continue;
    for (const auto& file : std::filesystem::directory_iterator(FolderOf(config_, other), error)) {
      const auto text = ReadSmallFile(file.path(), kMaxFileBytes);
      if (!text.ok()) continue;
      const auto used = reflect::FromJson<v1::PersistentVolume>(*text, {.strict = false});
      if (used.ok() && used->metadata.name == name) return true;
    }
  }
  return false;
}

}  // namespace podium::node
