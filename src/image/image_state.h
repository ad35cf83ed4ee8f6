// What an ImageStore has in memory; for its own files only.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "image/image_index.h"
#include "image/image_store.h"
#include "image/layer_store.h"

namespace podium::image {

struct ImageStore::State {
  std::string root;
  UniqueFd lock;
  std::unique_ptr<LayerStore> layers;

  // Held by whoever changes names or removes content, for as long as that takes. Before `mutex`.
  std::mutex changing;

  // Guards what follows; held for moments.
  mutable std::mutex mutex;
  ImageSnapshot snapshot;
  struct Use {
    size_t pins = 0;
    ImageTime last_used;
  };
  std::map<Digest, Use> uses;
  std::set<Digest> erasing;  // images on their way out: nobody can pin them
  std::set<Digest> missing;  // blobs that are not there or were damaged
  std::map<Digest, size_t> held;
  std::optional<Digest> removing;  // content that is being collected now
  std::condition_variable removed;

  ImageSnapshot Snapshot() const {
    const std::lock_guard guard(mutex);
    return snapshot;
  }

  // Writes the next snapshot and puts it in place. kConflict when an image that would go is in use;
  // after an error nothing has changed. With `changing` held.
  Result<void> Commit(ImageSnapshot next);

  // Removes blobs and layers that no image and no hold needs. With `changing` held.
  Result<uint64_t> Collect(ContentStore* content);
  // Removes what is left of damaged layers that no container has mounted. With `changing` held.
  Result<void> RemoveDiscarded();

  // With `mutex` held.
  ImageInfo InfoOf(const StoredImage& image) const;
  // Nothing when there is no such image; kInvalidArgument.
  Result<std::shared_ptr<const StoredImage>> Find(std::string_view reference) const;
};

}  // namespace podium::image
