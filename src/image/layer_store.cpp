#include "image/layer_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "base/unique_fd.h"
#include "image/byte_source.h"
#include "image/disk.h"
#include "image/layer_digest.h"
#include "image/unpack.h"
#include "linux/path.h"
#include "reflect/json_value.h"

namespace podium::image {
namespace {

constexpr uint64_t kMaxInfoSize = 4096;
constexpr uint64_t kInodeSize = 256;
constexpr const char* kCheckedName = "checked";
// Of one layer, at a time.
constexpr size_t kMaxDamaged = 1000;
// Of the disk, what unpacking leaves to others: 2 %, but no more than a GiB.
constexpr uint64_t kReservePercent = 2;
constexpr uint64_t kMaxReserve = uint64_t{1} << 30;

Error Failed(const std::string& what) { return Error::FromErrno(errno, what); }

std::string FolderName(const Digest& digest) { return digest.algorithm + '-' + digest.hex; }

std::string InfoText(const LayerInfo& info) {
  using reflect::JsonValue;
  JsonValue::Object members;
  members.push_back({"bytes", JsonValue::Number(std::to_string(info.bytes))});
  members.push_back({"inodes", JsonValue::Number(std::to_string(info.inodes))});
  members.push_back({"opaqueRoot", JsonValue::Bool(info.opaque_root)});
  members.push_back({"rootTime", JsonValue::Number(std::to_string(info.root_time))});
  members.push_back({"entries", JsonValue::String(info.entries.String())});
  members.push_back({"contents", JsonValue::String(info.contents.String())});
  return reflect::ToText(reflect::JsonValue::Of(std::move(members))) + '\n';
}

uint64_t NumberOf(const reflect::JsonValue& value, std::string_view key) {
  const auto* member = value.Find(key);
  if (!member || !member->is_number()) return 0;
  return std::strtoull(member->number().c_str(), nullptr, 10);
}

int64_t SignedNumberOf(const reflect::JsonValue& value, std::string_view key) {
  const auto* member = value.Find(key);
  if (!member || !member->is_number()) return 0;
  return std::strtoll(member->number().c_str(), nullptr, 10);
}

Result<Digest> DigestAt(const reflect::JsonValue& value, std::string_view key) {
  const auto* member = value.Find(key);
  return Digest::Parse(member && member->is_string() ? member->string() : "");
}

int64_t RootTimeOf(const struct stat& status) {
  return status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
}

Error Damaged(const LayerInfo& layer, const std::string& what) {
  return {Code::kDataLoss, "layer " + layer.diff_id.String() + " is damaged on disk: " + what};
}

// By its root folder alone.
Result<void> LookAt(const LayerInfo& layer) {
  struct stat status{};
  if (lstat(layer.folder.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) return Failed(layer.folder);
    return Damaged(layer, "its folder is gone");
  }
  if (S_ISDIR(status.st_mode) && RootTimeOf(status) == layer.root_time) return {};
  return Damaged(layer, "its root folder was changed");
}

// What cannot be read is damage as well, unless it is for want of something else than the disk.
Result<void> Compare(const LayerInfo& layer, const Digest& recorded, const Result<Digest>& found,
                     const std::string& what) {
  if (!found.ok()) {
    const Code code = found.error().code();
    if (code == Code::kCancelled || code == Code::kResourceExhausted) return found.error();
    return Damaged(layer, found.error().message());
  }
  return *found == recorded ? Result<void>() : Damaged(layer, what);
}

Result<void> CompareEntries(const LayerInfo& layer, int folder) {
  return Compare(layer, layer.entries, DigestOfEntries(folder),
                 "its files are not those that were unpacked");
}

UniqueFd OpenLayer(const LayerInfo& layer) {
  return UniqueFd(open(layer.folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// `place` is the folder that holds the layer's.
Result<void> WriteChecked(const std::string& place, const std::string& boot) {
  TRY(const UniqueFd folder, kernel::OpenPath(place, O_RDONLY | O_DIRECTORY));
  return kernel::ReplaceFile(folder.get(), kCheckedName, boot, 0600);
}

Result<LayerInfo> ReadInfo(const Digest& diff_id, const std::string& place) {
  TRY(const std::string text, kernel::ReadFile(AT_FDCWD, place + "/layer.json", kMaxInfoSize));
  TRY(const auto value, reflect::ParseJson(text));
  LayerInfo info;
  info.diff_id = diff_id;
  info.folder = place + "/fs";
  info.bytes = NumberOf(value, "bytes");
  info.inodes = NumberOf(value, "inodes");
  info.root_time = SignedNumberOf(value, "rootTime");
  TRY(info.entries, DigestAt(value, "entries"));
  TRY(info.contents, DigestAt(value, "contents"));
  if (const auto* opaque = value.Find("opaqueRoot"); opaque && opaque->is_bool()) {
    info.opaque_root = opaque->boolean();
  }
  TRY_VOID(LookAt(info));
  return info;
}

// Removes a layer's folder, wherever it stands. The layer goes first: its paths may be as long as
// the kernel takes, so they have to begin there.
Result<void> RemoveLayerFolder(const std::string& path) {
  const UniqueFd layer(
      open((path + "/fs").c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (layer) TRY_VOID(kernel::RemoveContents(layer.get()));
  return kernel::RemoveTree(AT_FDCWD, path);
}

// Removes what it names, unless released. What it fails to remove, the next start removes.
class WorkFolder {
 public:
  explicit WorkFolder(std::string path) : path_(std::move(path)) {}
  ~WorkFolder() {
    if (!path_.empty()) static_cast<void>(RemoveLayerFolder(path_));
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  void Release() { path_.clear(); }

 private:
  std::string path_;
};

// What may be unpacked without filling the disk.
Result<uint64_t> RoomOn(const std::string& path) {
  TRY(const DiskSpace space, SpaceOf(path));
  const uint64_t reserve = std::min(space.capacity_bytes / 100 * kReservePercent, kMaxReserve);
  return space.available_bytes > reserve ? space.available_bytes - reserve : 0;
}

std::string Size(uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

// From the blob to the folder: decompressed and hashed on one thread, written on another.
Result<UnpackStats> Extract(int blob, const Digest& diff_id, int folder, uint64_t room,
                            const std::function<bool(uint64_t done)>& progress) {
  FdSource file(blob);
  uint64_t done = 0;
  ObservedSource observed(file, [&](std::string_view piece) -> Result<void> {
    done += piece.size();
    if (progress && !progress(done)) return Error(Code::kCancelled, "unpacking was cancelled");
    return {};
  });
  const auto plain = MakeDecompressor(observed);
  LimitedSource limited(*plain, room, [room] {
    return Error(Code::kResourceExhausted,
                 "the layer unpacks to more than the " + Size(room) + " that are free on the disk");
  });
  Hasher hasher(diff_id.algorithm);
  ObservedSource hashed(limited, [&](std::string_view piece) -> Result<void> {
    hasher.Update(piece);
    return {};
  });
  UnpackStats stats;
  {
    const auto ahead = MakeReadAhead(hashed);
    TRY(stats, UnpackTar(*ahead, folder));
  }
  const Digest found = hasher.Finish();
  if (found != diff_id) {
    return Error(Code::kInvalidArgument,
                 "the layer is not what the image's config says: its diff_id is " + found.String() +
                     ", not " + diff_id.String());
  }
  return stats;
}

}  // namespace

Result<std::unique_ptr<LayerStore>> LayerStore::Open(const std::string& root) {
  std::unique_ptr<LayerStore> store(new LayerStore(root));
  TRY_VOID(MakePrivateFolder(root));
  TRY_VOID(MakePrivateFolder(root + "/layers"));
  TRY_VOID(MakePrivateFolder(root + "/damaged"));
  TRY_VOID(MakePrivateFolder(root + "/scratch"));
  // Without it every layer is looked at once by every process.
  auto boot = kernel::ReadFile(AT_FDCWD, "/proc/sys/kernel/random/boot_id", kMaxInfoSize);
  if (boot.ok()) store->boot_ = *std::move(boot);
  TRY_VOID(store->EmptyScratch());
  TRY_VOID(store->ReadLayers());
  return store;
}

Result<void> LayerStore::EmptyScratch() const {
  const std::string path = root_ + "/scratch";
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    TRY_VOID(RemoveLayerFolder(entry.path().string()));
  }
  if (error) return Error::FromErrno(error.value(), "reading " + path);
  return {};
}

Result<void> LayerStore::ReadLayers() {
  const std::string path = root_ + "/layers";
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    // What does not read as a digest is not ours.
    std::string name = entry.path().filename().string();
    const size_t dash = name.find('-');
    if (dash == std::string::npos) continue;
    name[dash] = ':';
    const auto diff_id = Digest::Parse(name);
    if (!diff_id.ok()) continue;
    // One without its description, or with another root folder, is not whole, whoever did it; it
    // can be unpacked again.
    auto info = ReadInfo(*diff_id, entry.path().string());
    if (!info.ok()) continue;
    const auto checked =
        kernel::ReadFile(AT_FDCWD, (entry.path() / kCheckedName).string(), kMaxInfoSize);
    info->checked = checked.ok() && !boot_.empty() && *checked == boot_;
    info->generation = next_generation_++;
    layers_.emplace(*diff_id, *std::move(info));
  }
  if (error) return Error::FromErrno(error.value(), "reading " + path);
  return {};
}

std::string LayerStore::Place(const Digest& diff_id) const {
  return root_ + "/layers/" + FolderName(diff_id);
}

std::string LayerStore::NewScratchPlace() {
  const std::lock_guard lock(mutex_);
  return root_ + "/scratch/" + std::to_string(next_scratch_++);
}

Result<LayerInfo> LayerStore::Find(const Digest& diff_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = layers_.find(diff_id);
  if (found == layers_.end()) {
    return Error(Code::kNotFound, "layer " + diff_id.String() + " is not unpacked");
  }
  return found->second;
}

std::vector<LayerInfo> LayerStore::List() const {
  const std::lock_guard lock(mutex_);
  std::vector<LayerInfo> list;
  list.reserve(layers_.size());
  for (const auto& [diff_id, info] : layers_) list.push_back(info);
  return list;
}

Result<LayerInfo> LayerStore::Unpack(int blob, const Digest& diff_id,
                                     const std::function<bool(uint64_t done)>& progress) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !busy_.contains(diff_id); });
    // Whoever was waited for may have failed; then it is our turn.
    if (const auto found = layers_.find(diff_id); found != layers_.end()) return found->second;
    busy_.insert(diff_id);
  }
  auto info = UnpackOnce(blob, diff_id, progress);
  {
    const std::lock_guard lock(mutex_);
    busy_.erase(diff_id);
    if (info.ok()) {
      info->generation = next_generation_++;
      layers_[diff_id] = *info;
    }
  }
  changed_.notify_all();
  return info;
}

Result<LayerInfo> LayerStore::UnpackOnce(int blob, const Digest& diff_id,
                                         const std::function<bool(uint64_t done)>& progress) {
  const std::string work = NewScratchPlace();
  TRY_VOID(MakePrivateFolder(work));
  WorkFolder cleanup(work);
  TRY(const uint64_t room, RoomOn(work));
  TRY_VOID(MakePrivateFolder(work + "/fs"));
  const UniqueFd folder(open((work + "/fs").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Of a layer that has no entry for its root.
  if (!folder || fchmod(folder.get(), 0755) != 0) return Failed("opening " + work + "/fs");
  if (lseek(blob, 0, SEEK_SET) != 0) return Failed("reading a layer");
  TRY(const UnpackStats stats, Extract(blob, diff_id, folder.get(), room, progress));
  LayerInfo info;
  info.diff_id = diff_id;
  info.bytes = stats.bytes + stats.inodes * kInodeSize;
  info.inodes = stats.inodes;
  info.opaque_root = stats.opaque_root;
  struct stat status{};
  if (fstat(folder.get(), &status) != 0) return Failed(work);
  info.root_time = RootTimeOf(status);
  TRY(info.entries, DigestOfEntries(folder.get()));
  TRY(info.contents, DigestOfContents(folder.get(), {}));
  info.checked = true;
  TRY_VOID(ReplaceFile(work + "/layer.json", InfoText(info)));
  TRY_VOID(WriteChecked(work, boot_));
  // Once for all of the layer, and before it has its name.
  if (syncfs(folder.get()) != 0) return Failed("writing a layer to disk");
  const std::string place = Place(diff_id);
  // What is not whole may stand there, and may be mounted.
  TRY_VOID(MoveAside(diff_id));
  if (rename(work.c_str(), place.c_str()) != 0) return Failed("renaming to " + place);
  cleanup.Release();
  TRY_VOID(SyncFolder(root_ + "/layers"));
  info.folder = place + "/fs";
  return info;
}

Result<void> LayerStore::CheckBeforeUse(const Digest& diff_id) {
  TRY(const LayerInfo layer, Find(diff_id));
  TRY_VOID(LookAt(layer));
  if (layer.checked) return {};
  const UniqueFd folder = OpenLayer(layer);
  if (!folder) return Failed(layer.folder);
  TRY_VOID(CompareEntries(layer, folder.get()));
  MarkChecked(layer);
  return {};
}

Result<void> LayerStore::Check(const LayerInfo& layer,
                               const std::function<bool(uint64_t done)>& progress) {
  TRY_VOID(LookAt(layer));
  const UniqueFd folder = OpenLayer(layer);
  if (!folder) return Failed(layer.folder);
  TRY_VOID(CompareEntries(layer, folder.get()));
  const ContentsOptions options{.from_disk = true, .progress = progress};
  TRY_VOID(Compare(layer, layer.contents, DigestOfContents(folder.get(), options),
                   "its files do not have the bytes that were unpacked"));
  MarkChecked(layer);
  return {};
}

void LayerStore::MarkChecked(const LayerInfo& layer) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = layers_.find(layer.diff_id);
    if (found == layers_.end() || found->second.generation != layer.generation) return;
    found->second.checked = true;
  }
  // Without it the layer is only looked at once more.
  static_cast<void>(WriteChecked(Place(layer.diff_id), boot_));
}

Result<void> LayerStore::Discard(const LayerInfo& layer) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !busy_.contains(layer.diff_id); });
    const auto found = layers_.find(layer.diff_id);
    if (found == layers_.end() || found->second.generation != layer.generation) return {};
    busy_.insert(layer.diff_id);
    layers_.erase(found);
  }
  auto moved = MoveAside(layer.diff_id);
  {
    const std::lock_guard lock(mutex_);
    busy_.erase(layer.diff_id);
  }
  changed_.notify_all();
  return moved;
}

Result<void> LayerStore::MoveAside(const Digest& diff_id) {
  const std::string place = Place(diff_id);
  const std::string prefix = root_ + "/damaged/" + FolderName(diff_id) + '.';
  for (size_t number = 0; number < kMaxDamaged; ++number) {
    if (rename(place.c_str(), (prefix + std::to_string(number)).c_str()) == 0 || errno == ENOENT) {
      return {};
    }
    if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) return Failed(place);
  }
  return Error(Code::kResourceExhausted, prefix + "*: too many of them");
}

Result<void> LayerStore::RemoveDiscarded(const std::function<bool(const Digest& diff_id)>& in_use) {
  const std::string path = root_ + "/damaged";
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    std::string name = entry.path().filename().string();
    name.resize(std::min(name.rfind('.'), name.size()));
    if (const size_t dash = name.find('-'); dash != std::string::npos) name[dash] = ':';
    const auto diff_id = Digest::Parse(name);
    if (!diff_id.ok() || in_use(*diff_id)) continue;
    TRY_VOID(MoveAwayAndRemove(entry.path().string()));
  }
  if (error) return Error::FromErrno(error.value(), "reading " + path);
  return {};
}

// It loses its name first: what is left half-removed by a crash stands in work/.
Result<void> LayerStore::MoveAwayAndRemove(const std::string& place) {
  const std::string work = NewScratchPlace();
  if (rename(place.c_str(), work.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return Failed("removing " + place);
  }
  return RemoveLayerFolder(work);
}

Result<void> LayerStore::Remove(const Digest& diff_id) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !busy_.contains(diff_id); });
    busy_.insert(diff_id);
    layers_.erase(diff_id);
  }
  auto removed = MoveAwayAndRemove(Place(diff_id));
  {
    const std::lock_guard lock(mutex_);
    busy_.erase(diff_id);
  }
  changed_.notify_all();
  return removed;
}

}  // namespace podium::image
