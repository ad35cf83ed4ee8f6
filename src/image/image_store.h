// The images of this machine: which there are, by which names, and their layers unpacked for use.
//
//   ROOT/oci-layout, index.json   ROOT is an OCI image layout: index.json names each image's
//   ROOT/blobs/…                  manifest, once for each of its names
//   ROOT/ingest/…                 blobs that are still coming (content_store.h)
//   ROOT/layers/<algo>-<hex>/fs   a layer unpacked, by its diff_id; shared by all images
//   ROOT/layers/<algo>-<hex>/layer.json
//   ROOT/damaged/…                a layer that was found damaged and may still be mounted
//   ROOT/scratch/…                what is being unpacked or removed; emptied at start
//   ROOT/lock                     held by the one process that has the store open
//
// Crash safety: an image is named in index.json after all that it needs is on disk, and a layer's
// folder gets its name after all that is in it is on disk. After a crash at any moment the names
// that were acknowledged are there and whole.
//
// Damage: what a disk or a person does to the store later is found at start (blobs by name and
// size, layers by their root folders), when an image is pinned (layers by their entries, once after
// each boot of the machine), and by Verify (every byte). A damaged layer is unpacked again from its
// blob; without a whole blob the image is not runnable until it is pulled or imported again.
//
// Use: whoever mounts an image's layers holds an ImagePin. Content that is pinned, or that a Hold
// keeps for an image on its way in, is never removed; names may be.
//
// Threads: everything may be called from any thread at any time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/content_store.h"
#include "image/digest.h"
#include "image/manifest.h"

namespace podium::image {

using ImageTime = std::chrono::system_clock::time_point;

struct ImageInfo {
  Digest id;                              // of the configuration; what Kubernetes calls imageRef
  Digest manifest;                        // of the manifest it is described by
  std::vector<std::string> names;         // "docker.io/library/nginx:1.25", in order
  std::vector<std::string> repo_digests;  // "docker.io/library/nginx@sha256:…", in order
  ImageDocument document;                 // architecture, entry point, environment, …
  std::vector<std::string> layers;        // absolute folders, the lowest first
  uint64_t size = 0;                      // of its blobs, in bytes, as containerd counts
  uint64_t unpacked_size = 0;             // of its layers unpacked, in bytes
  ImageTime added;                        // when this machine got it
  ImageTime last_used;                    // when a container last used it; `added` if none did
  size_t pins = 0;                        // who uses it now
  bool pinned = false;                    // never removed by garbage collection
  // Blobs that were found missing or damaged: pulling or importing the image again brings them.
  std::vector<Digest> missing;
  // Containers can be made of it, whatever is missing: its layers are unpacked, or can be from what
  // is here, which Pin does.
  bool runnable = false;
};

class ImageStore;

// While it lives, the image's layers stay where they are. Movable; must not outlive the store.
class ImagePin {
 public:
  ImagePin() = default;
  ImagePin(ImagePin&& other) noexcept;
  ImagePin& operator=(ImagePin&& other) noexcept;
  ~ImagePin();

  const Digest& id() const { return id_; }
  explicit operator bool() const { return store_ != nullptr; }

 private:
  friend class ImageStore;
  ImagePin(ImageStore* store, Digest id) : store_(store), id_(std::move(id)) {}

  ImageStore* store_ = nullptr;
  Digest id_;
};

// Content of an image on its way in. What was Kept before it was looked for in the store (blobs by
// their digest, layers by their diff_id) is not collected while the Hold lives. Movable; must not
// outlive the store. Not for two threads at once.
class ContentHold {
 public:
  ContentHold(ContentHold&& other) noexcept;
  ContentHold& operator=(ContentHold&&) = delete;
  ~ContentHold();

  void Keep(const Digest& digest);

 private:
  friend class ImageStore;
  explicit ContentHold(ImageStore* store) : store_(store) {}

  ImageStore* store_;
  std::vector<Digest> kept_;
};

struct RemoveOptions {
  // The names go even when the image is in use; its layers then go with the last pin, at the next
  // collection.
  bool force = false;
};

// What a removal did, in the order it was done.
struct Removed {
  std::vector<std::string> names;  // that are gone
  std::vector<Digest> images;      // by id, that are gone altogether
  uint64_t bytes = 0;              // freed on disk: blobs and layers
};

struct PruneOptions {
  // Images without a tag are removed; with this, all that are not in use.
  bool all = false;
  // Only those that this machine got before.
  std::optional<ImageTime> before = {};
};

// The kubelet's image garbage collection; its names and defaults (KubeletConfiguration v1beta1).
struct GcPolicy {
  int high_threshold_percent = 85;  // 100: never
  int low_threshold_percent = 80;
  std::chrono::nanoseconds minimum_age = std::chrono::minutes(2);
  // Images not used for longer go, whatever the disk; zero: they stay.
  std::chrono::nanoseconds maximum_age = std::chrono::nanoseconds(0);
};

struct GcResult {
  Removed removed;
  uint64_t wanted = 0;    // bytes that had to be freed; 0 below the threshold
  int usage_percent = 0;  // before
};

// Of the file system that holds the store, as CRI's ImageFsInfo and the kubelet want it.
struct ImageUsage {
  uint64_t used_bytes = 0;  // by images: blobs and unpacked layers
  uint64_t inodes_used = 0;
  uint64_t capacity_bytes = 0;
  uint64_t available_bytes = 0;
  uint64_t inodes = 0;
  uint64_t inodes_free = 0;
};

struct Damage {
  Digest digest;               // a blob's digest or, of an unpacked layer, its diff_id
  std::vector<Digest> images;  // by id, that need it
  std::string what;            // what is wrong, for people
  bool mended = false;         // a layer, unpacked again; otherwise the images say what is missing
};

// Called now and then with the bytes of a blob that are done; false: stop, kCancelled.
using BlobProgress = std::function<bool(uint64_t done)>;

class ImageStore {
 public:
  // Makes the folders where they are missing, drops what a crash left half-made, and looks whether
  // what the images need is there (by name and size; Verify reads it). kUnavailable when another
  // process has it open. `root` is an absolute path on a file system that overlayfs can use.
  static Result<std::unique_ptr<ImageStore>> Open(const std::string& root);
  ~ImageStore();

  // By name as people write it ("nginx", "nginx:1.25", "nginx@sha256:…"), by id ("sha256:…" or its
  // digits) or by the first digits of an id that only one image has. A name comes before digits
  // that look like one. kNotFound; kInvalidArgument when it reads as neither or is ambiguous.
  Result<ImageInfo> Resolve(std::string_view reference) const;
  // All images, by id.
  std::vector<ImageInfo> List() const;

  // Before its layers are mounted; afterwards Resolve by its id says where they are. Layers that
  // are lost or damaged are unpacked again. kNotFound when the image is gone since it was resolved;
  // kDataLoss when it is not runnable.
  Result<ImagePin> Pin(const Digest& id);

  // Where blobs go before AddManifest. Blobs that nothing names are collected: hold them.
  ContentStore& content() { return content_; }
  ContentHold Hold() { return ContentHold(this); }

  // Unpacks a layer whose blob is in the store, unless that is done; waits while another thread
  // unpacks the same. For whoever brings layers one by one; AddManifest does what is left.
  //   kDataLoss         the blob is damaged and was removed: fetch it again
  //   kInvalidArgument  the layer is no valid tar, reaches outside, or is not what diff_id says
  //   kResourceExhausted  the disk is full, or would be
  Result<void> Unpack(const Descriptor& layer, const Digest& diff_id,
                      const BlobProgress& progress = {});
  // Whether the layer is unpacked.
  bool IsUnpacked(const Digest& diff_id) const;

  // Adds the image of a manifest that is in the store with all its blobs, gives it the names (which
  // may be none) and takes them away from the image that had them. A name is a reference with a tag
  // or a digest; without either the tag is "latest"; with both, the digest names it. Unpacks what
  // is not yet. kNotFound names the blob that is missing.
  Result<ImageInfo> AddManifest(const Digest& manifest, std::span<const std::string> names);

  // Gives an image one more name, which must have a tag or neither tag nor digest.
  Result<void> Tag(std::string_view reference, std::string_view name);
  // Never to be collected, or again to be. Kept over restarts.
  Result<void> SetPinned(std::string_view reference, bool pinned);

  // By name: that name goes, and the image with its last tag. By id: all of it. kConflict when the
  // image would go and is in use.
  Result<Removed> Remove(std::string_view reference, const RemoveOptions& options = {});
  // On request: images that are not wanted, then blobs and layers that no image needs.
  Result<Removed> Prune(const PruneOptions& options = {});
  // Under disk pressure: images not in use, the least recently used first, until the usage is below
  // the low threshold. To be called every few minutes, after whoever pins has done so.
  Result<GcResult> CollectGarbage(const GcPolicy& policy, ImageTime now);

  Result<ImageUsage> Usage() const;

  // Reads every blob and every unpacked layer that an image needs, and compares digests. What is
  // damaged is removed; layers are unpacked again from whole blobs, and of the rest the images say
  // that it is missing. Takes as long as reading the disk. False from `progress` (with all bytes
  // read so far) ends it early: kCancelled.
  Result<std::vector<Damage>> Verify(const BlobProgress& progress = {});

 private:
  friend class ImagePin;
  friend class ContentHold;
  struct State;
  explicit ImageStore(ContentStore content);

  // Unpacks a layer unless it is there and whole, as far as CheckBeforeUse tells.
  Result<void> EnsureLayer(const Descriptor& layer, const Digest& diff_id);
  Result<std::vector<Damage>> VerifyBlobs(const BlobProgress& progress, uint64_t* done);
  Result<std::vector<Damage>> VerifyLayers(const BlobProgress& progress, uint64_t done);
  void Unpin(const Digest& id);
  void KeepContent(const Digest& digest);
  void DropContent(std::span<const Digest> digests);

  ContentStore content_;
  std::unique_ptr<State> state_;
};

}  // namespace podium::image
