// Layers unpacked on disk, one folder each, by their diff_id (the digest of the uncompressed tar).
//
//   ROOT/layers/<algo>-<hex>/fs           the layer; never changed
//   ROOT/layers/<algo>-<hex>/layer.json   what is to be known about it
//   ROOT/work/<number>                    being unpacked or removed; emptied by Open
//
// A layer is unpacked in work/, its diff_id is checked, the file system is synced, and then it is
// renamed to its place: whatever stands in layers/ is whole, also after a crash at any moment.
//
// Everything may be called from any thread; one process at a time has the folder (image_store.h).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/digest.h"

namespace podium::image {

struct LayerInfo {
  Digest diff_id;
  std::string folder;  // absolute
  uint64_t bytes = 0;  // on disk
  uint64_t inodes = 0;
  bool opaque_root = false;  // hides all layers below it (unpack.h)
};

class LayerStore {
 public:
  // Makes the folders, empties work/ and reads what is there. `root` is an absolute path.
  static Result<std::unique_ptr<LayerStore>> Open(const std::string& root);

  // kNotFound.
  Result<LayerInfo> Find(const Digest& diff_id) const;
  bool Contains(const Digest& diff_id) const { return Find(diff_id).ok(); }
  // All, by diff_id.
  std::vector<LayerInfo> List() const;

  // Unpacks the blob that `blob` is open on, compressed or not, from its beginning, unless the
  // layer is there; waits for another thread that unpacks the same. `progress` gets the bytes of
  // the blob that are read; false cancels.
  //   kDataLoss            the compressed stream is damaged
  //   kInvalidArgument     no valid layer, or not that of the diff_id
  //   kResourceExhausted   the disk would be full
  // After an error nothing of it is left.
  Result<LayerInfo> Unpack(int blob, const Digest& diff_id,
                           const std::function<bool(uint64_t done)>& progress);

  // Nothing there is no error. Nobody may be using it.
  Result<void> Remove(const Digest& diff_id);

 private:
  explicit LayerStore(std::string root) : root_(std::move(root)) {}
  Result<void> ReadLayers();
  Result<void> EmptyWork() const;
  Result<LayerInfo> UnpackOnce(int blob, const Digest& diff_id,
                               const std::function<bool(uint64_t done)>& progress);
  Result<void> MoveAwayAndRemove(const std::string& place);
  std::string Place(const Digest& diff_id) const;
  std::string NewWorkPlace();

  std::string root_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Digest, LayerInfo> layers_;
  std::set<Digest> busy_;  // being unpacked or removed
  uint64_t next_work_ = 0;
};

}  // namespace podium::image
