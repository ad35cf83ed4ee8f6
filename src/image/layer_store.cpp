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
#include "image/unpack.h"
#include "linux/path.h"
#include "reflect/json_value.h"

namespace podium::image {
namespace {

constexpr uint64_t kMaxInfoSize = 4096;
constexpr uint64_t kInodeSize = 256;
// Of the disk, what unpacking leaves to others: 2 %, but no more than a GiB.
constexpr uint64_t kReservePercent = 2;
constexpr uint64_t kMaxReserve = uint64_t{1} << 30;

Error Failed(const std::string& what) { return Error::FromErrno(errno, what); }

std::string FolderName(const Digest& digest) { return digest.algorithm + '-' + digest.hex; }

std::string InfoText(const UnpackStats& stats) {
  reflect::JsonValue::Object members;
  members.push_back({"bytes", reflect::JsonValue::Number(std::to_string(stats.bytes))});
  members.push_back({"inodes", reflect::JsonValue::Number(std::to_string(stats.inodes))});
  members.push_back({"opaqueRoot", reflect::JsonValue::Bool(stats.opaque_root)});
  return reflect::ToText(reflect::JsonValue::Of(std::move(members))) + '\n';
}

uint64_t NumberOf(const reflect::JsonValue& value, std::string_view key) {
  const auto* member = value.Find(key);
  if (!member || !member->is_number()) return 0;
  return std::strtoull(member->number().c_str(), nullptr, 10);
}

Result<LayerInfo> ReadInfo(const Digest& diff_id, const std::string& place) {
  TRY(const std::string text, kernel::ReadFile(AT_FDCWD, place + "/layer.json", kMaxInfoSize));
  TRY(const auto value, reflect::ParseJson(text));
  LayerInfo info{diff_id, place + "/fs", NumberOf(value, "bytes"), NumberOf(value, "inodes"),
                 false};
  if (const auto* opaque = value.Find("opaqueRoot"); opaque && opaque->is_bool()) {
    info.opaque_root = opaque->boolean();
  }
  struct stat status{};
  if (stat(info.folder.c_str(), &status) != 0) return Failed(info.folder);
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
  TRY_VOID(MakePrivateFolder(root + "/work"));
  TRY_VOID(store->EmptyWork());
  TRY_VOID(store->ReadLayers());
  return store;
}

Result<void> LayerStore::EmptyWork() const {
  const std::string path = root_ + "/work";
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
    // One without its description is not whole, whoever did it; it can be unpacked again.
    auto info = ReadInfo(*diff_id, entry.path().string());
    if (info.ok()) layers_.emplace(*diff_id, *std::move(info));
  }
  if (error) return Error::FromErrno(error.value(), "reading " + path);
  return {};
}

std::string LayerStore::Place(const Digest& diff_id) const {
  return root_ + "/layers/" + FolderName(diff_id);
}

std::string LayerStore::NewWorkPlace() {
  const std::lock_guard lock(mutex_);
  return root_ + "/work/" + std::to_string(next_work_++);
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
    if (info.ok()) layers_[diff_id] = *info;
  }
  changed_.notify_all();
  return info;
}

Result<LayerInfo> LayerStore::UnpackOnce(int blob, const Digest& diff_id,
                                         const std::function<bool(uint64_t done)>& progress) {
  const std::string work = NewWorkPlace();
  TRY_VOID(MakePrivateFolder(work));
  WorkFolder cleanup(work);
  TRY(const uint64_t room, RoomOn(work));
  TRY_VOID(MakePrivateFolder(work + "/fs"));
  const UniqueFd folder(open((work + "/fs").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Of a layer that has no entry for its root.
  if (!folder || fchmod(folder.get(), 0755) != 0) return Failed("opening " + work + "/fs");
  if (lseek(blob, 0, SEEK_SET) != 0) return Failed("reading a layer");
  TRY(UnpackStats stats, Extract(blob, diff_id, folder.get(), room, progress));
  stats.bytes += stats.inodes * kInodeSize;
  TRY_VOID(ReplaceFile(work + "/layer.json", InfoText(stats)));
  // Once for all of the layer, and before it has its name.
  if (syncfs(folder.get()) != 0) return Failed("writing a layer to disk");
  const std::string place = Place(diff_id);
  // What is not whole may stand there.
  TRY_VOID(MoveAwayAndRemove(place));
  if (rename(work.c_str(), place.c_str()) != 0) return Failed("renaming to " + place);
  cleanup.Release();
  TRY_VOID(SyncFolder(root_ + "/layers"));
  return LayerInfo{diff_id, place + "/fs", stats.bytes, stats.inodes, stats.opaque_root};
}

// It loses its name first: what is left half-removed by a crash stands in work/.
Result<void> LayerStore::MoveAwayAndRemove(const std::string& place) {
  const std::string work = NewWorkPlace();
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
