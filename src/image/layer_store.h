// Layers unpacked on disk, one folder each, by their diff_id (the digest of the uncompressed tar).
//
//   ROOT/layers/<algo>-<hex>/fs           the layer; never changed
//   ROOT/layers/<algo>-<hex>/layer.json   what is to be known about it, digests of the folder too
//   ROOT/layers/<algo>-<hex>/checked      since which boot of the machine it is known to be whole
//   ROOT/damaged/<algo>-<hex>.<number>    was found damaged; containers may have it mounted still
//   ROOT/scratch/<number>                 being unpacked or removed; emptied by Open
//
// A layer is unpacked in work/, its diff_id is checked, the file system is synced, and then it is
// renamed to its place: whatever stands in layers/ was whole, also after a crash at any moment.
//
// What a disk or a person does to it later is looked for in three steps, because each costs ten
// times what the one before does (layer_digest.h):
//   Open and CheckBeforeUse   a system call: the layer's root folder is there and has the entries
//   it
//                             had
//   CheckBeforeUse            once after each boot of the machine: every entry's name, type, owner,
//                             mode, size, time, link and xattrs
//   Check                     on request: these and the data of every file
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
  // As it was unpacked.
  int64_t root_time = 0;  // when its root folder was last changed, nanoseconds since 1970
  Digest entries;         // layer_digest.h
  Digest contents;
  bool checked = false;     // since this machine was booted
  uint64_t generation = 0;  // tells it from one that was unpacked in its place
};

class LayerStore {
 public:
  // Makes the folders, empties work/ and reads what is there; what is not whole as far as that
  // shows is left out. `root` is an absolute path.
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

  // Whether it is what was unpacked, for whoever is about to use it. kNotFound when it is not
  // there; kDataLoss when it is damaged: Discard it.
  Result<void> CheckBeforeUse(const Digest& diff_id);
  // The same of all of it, from the disk. `progress` gets the bytes that are read; false cancels.
  Result<void> Check(const LayerInfo& layer, const std::function<bool(uint64_t done)>& progress);
  // It is there no more, and can be unpacked again. Its folder goes with RemoveDiscarded: a
  // container that has it mounted keeps what is left of it.
  Result<void> Discard(const LayerInfo& layer);
  // Those of layers that nobody uses.
  Result<void> RemoveDiscarded(const std::function<bool(const Digest& diff_id)>& in_use);

  // Nothing there is no error. Nobody may be using it.
  Result<void> Remove(const Digest& diff_id);

 private:
  explicit LayerStore(std::string root) : root_(std::move(root)) {}
  Result<void> ReadLayers();
  Result<void> EmptyScratch() const;
  Result<LayerInfo> UnpackOnce(int blob, const Digest& diff_id,
                               const std::function<bool(uint64_t done)>& progress);
  Result<void> MoveAwayAndRemove(const std::string& place);
  Result<void> MoveAside(const Digest& diff_id);
  void MarkChecked(const LayerInfo& layer);
  std::string Place(const Digest& diff_id) const;
  std::string NewScratchPlace();

  std::string root_;
  std::string boot_;  // the kernel's number of it
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Digest, LayerInfo> layers_;
  std::set<Digest> busy_;  // being unpacked or removed
  uint64_t next_scratch_ = 0;
  uint64_t next_generation_ = 1;
};

}  // namespace podium::image
