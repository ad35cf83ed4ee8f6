// What leaves an image store: names, images, and the blobs and layers that no image needs any more.
#include <algorithm>
#include <vector>

#include "base/image_reference.h"
#include "image/disk.h"
#include "image/image_state.h"
#include "image/image_store.h"

namespace podium::image {
namespace {

std::string RepositoryOf(const std::string& name) {
  const auto reference = ImageReference::Parse(name);
  return reference.ok() ? reference->Repository() : name;
}

void EraseImage(const StoredImage& image, ImageSnapshot* next, Removed* removed) {
  removed->names.insert(removed->names.end(), image.names.begin(), image.names.end());
  removed->images.push_back(image.id);
  next->Erase(image.id);
}

// Takes one name away, and with the last tag of a repository the digests that came with it. False
// when nothing would be left that somebody named.
bool EraseName(const StoredImage& image, const std::string& name, ImageSnapshot* next,
               Removed* removed) {
  StoredImage rest = image;
  const std::string repository = RepositoryOf(name);
  rest.names.erase(name);
  std::vector<std::string> gone{name};
  const bool repository_has_tag = std::ranges::any_of(rest.names, [&](const std::string& other) {
    return !IsDigestName(other) && RepositoryOf(other) == repository;
  });
  if (!repository_has_tag && !IsDigestName(name)) {
    for (const std::string& other : image.names) {
      if (IsDigestName(other) && RepositoryOf(other) == repository) {
        rest.names.erase(other);
        gone.push_back(other);
      }
    }
  }
  if (rest.names.empty()) return false;
  removed->names.insert(removed->names.end(), gone.begin(), gone.end());
  next->Put(std::move(rest));
  return true;
}

// The name that a reference stands for; empty when it is an id or the beginning of one.
std::string NameIn(const StoredImage& image, std::string_view reference) {
  const auto name = CanonicalName(reference);
  return name.ok() && image.names.contains(*name) ? *name : std::string();
}

int UsagePercent(const DiskSpace& space) {
  if (space.capacity_bytes == 0) return 0;
  return 100 - static_cast<int>(space.available_bytes * 100 / space.capacity_bytes);
}

}  // namespace

Result<uint64_t> ImageStore::State::Collect(ContentStore* content) {
  // Listed first: what comes while this runs is left alone. What is listed is wanted by an image,
  // or held by whoever brings it, before its image is there.
  TRY(const std::vector<BlobInfo> blobs, content->List());
  const std::vector<LayerInfo> unpacked = layers->List();
  std::set<Digest> needed;
  uint64_t freed = 0;
  const ImageSnapshot now = Snapshot();
  for (const auto& [id, image] : now.images) {
    needed.insert(id);
    needed.insert(image->manifest.digest);
    for (const BlobInfo& blob : image->blobs) needed.insert(blob.digest);
    needed.insert(image->diff_ids.begin(), image->diff_ids.end());
  }
  // Whoever holds it from now on waits until it is gone, and then does not find it.
  auto claim = [&](const Digest& digest) {
    if (needed.contains(digest)) return false;
    const std::lock_guard guard(mutex);
    if (held.contains(digest)) return false;
    removing = digest;
    return true;
  };
  auto release = [&] {
    {
      const std::lock_guard guard(mutex);
      removing.reset();
    }
    removed.notify_all();
  };
  for (const BlobInfo& blob : blobs) {
    if (!claim(blob.digest)) continue;
    auto gone = content->Remove(blob.digest);
    release();
    if (!gone.ok() && gone.error().code() != Code::kNotFound) return std::move(gone).error();
    freed += blob.size;
  }
  for (const LayerInfo& layer : unpacked) {
    if (!claim(layer.diff_id)) continue;
    auto gone = layers->Remove(layer.diff_id);
    release();
    TRY_VOID(std::move(gone));
    freed += layer.bytes;
  }
  TRY_VOID(RemoveDiscarded());
  return freed;
}

Result<void> ImageStore::State::RemoveDiscarded() {
  std::set<Digest> mounted;
  {
    const std::lock_guard guard(mutex);
    for (const auto& [id, use] : uses) {
      const auto image = snapshot.images.find(id);
      if (use.pins == 0 || image == snapshot.images.end()) continue;
      mounted.insert(image->second->diff_ids.begin(), image->second->diff_ids.end());
    }
  }
  return layers->RemoveDiscarded([&](const Digest& diff_id) { return mounted.contains(diff_id); });
}

Result<Removed> ImageStore::Remove(std::string_view reference, const RemoveOptions& options) {
  const std::lock_guard changing(state_->changing);
  ImageSnapshot next = state_->Snapshot();
  TRY(const ImageInfo info, Resolve(reference));
  const StoredImage image = *next.images.at(info.id);
  Removed removed;
  const std::string name = NameIn(image, reference);
  if (!name.empty() && EraseName(image, name, &next, &removed)) {
    TRY_VOID(state_->Commit(std::move(next)));
    return removed;
  }
  EraseImage(image, &next, &removed);
  auto committed = state_->Commit(next);
  if (!committed.ok() && committed.error().code() == Code::kConflict && options.force) {
    StoredImage nameless = image;
    nameless.names.clear();
    next.Put(std::move(nameless));
    removed.images.clear();
    committed = state_->Commit(std::move(next));
  }
  TRY_VOID(std::move(committed));
  TRY(removed.bytes, state_->Collect(&content_));
  return removed;
}

Result<Removed> ImageStore::Prune(const PruneOptions& options) {
  const std::lock_guard changing(state_->changing);
  ImageSnapshot next = state_->Snapshot();
  Removed removed;
  for (const ImageInfo& info : List()) {
    if (info.pins > 0 || info.pinned) continue;
    if (!options.all && !info.names.empty()) continue;
    if (options.before && info.added >= *options.before) continue;
    EraseImage(*next.images.at(info.id), &next, &removed);
  }
  if (!removed.images.empty()) TRY_VOID(state_->Commit(std::move(next)));
  TRY(removed.bytes, state_->Collect(&content_));
  return removed;
}

Result<GcResult> ImageStore::CollectGarbage(const GcPolicy& policy, ImageTime now) {
  const std::lock_guard changing(state_->changing);
  GcResult result;
  TRY_VOID(state_->RemoveDiscarded());
  TRY(const DiskSpace space, SpaceOf(state_->root));
  result.usage_percent = UsagePercent(space);
  if (policy.high_threshold_percent < 100 &&
      result.usage_percent >= policy.high_threshold_percent) {
    const auto low = static_cast<uint64_t>(100 - policy.low_threshold_percent);
    const uint64_t goal = space.capacity_bytes / 100 * low;
    result.wanted = goal > space.available_bytes ? goal - space.available_bytes : 0;
  }
  // What nobody needs goes before what somebody may need again.
  if (result.wanted > 0) {
    TRY(result.removed.bytes, state_->Collect(&content_));
  }

  std::vector<ImageInfo> images = List();
  std::ranges::sort(images, {},
                    [](const ImageInfo& info) { return std::pair(info.last_used, info.added); });
  for (const ImageInfo& info : images) {
    if (info.pins > 0 || info.pinned || info.last_used >= now) continue;
    const bool too_old =
        policy.maximum_age.count() > 0 && now - info.last_used > policy.maximum_age;
    const bool in_the_way = result.removed.bytes < result.wanted;
    if (!too_old && (!in_the_way || now - info.added < policy.minimum_age)) continue;
    ImageSnapshot next = state_->Snapshot();
    Removed one;
    EraseImage(*next.images.at(info.id), &next, &one);
    auto committed = state_->Commit(std::move(next));
    if (!committed.ok()) {
      // Pinned just now.
      if (committed.error().code() == Code::kConflict) continue;
      return std::move(committed).error();
    }
    Removed& all = result.removed;
    all.names.insert(all.names.end(), one.names.begin(), one.names.end());
    all.images.push_back(info.id);
    TRY(const uint64_t freed, state_->Collect(&content_));
    all.bytes += freed;
  }
  return result;
}

Result<ImageUsage> ImageStore::Usage() const {
  TRY(const DiskSpace space, SpaceOf(state_->root));
  ImageUsage usage;
  usage.capacity_bytes = space.capacity_bytes;
  usage.available_bytes = space.available_bytes;
  usage.inodes = space.inodes;
  usage.inodes_free = space.inodes_free;
  TRY(const std::vector<BlobInfo> blobs, content_.List());
  for (const BlobInfo& blob : blobs) usage.used_bytes += blob.size;
  usage.inodes_used = blobs.size();
  for (const LayerInfo& layer : state_->layers->List()) {
    usage.used_bytes += layer.bytes;
    usage.inodes_used += layer.inodes;
  }
  return usage;
}

}  // namespace podium::image
