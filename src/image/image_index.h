// The names of images, and what is known of each: the content of index.json, in memory and on disk.
//
// A snapshot is never changed: whoever changes the names makes the next snapshot, writes it, and
// puts it in the place of the last.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/image_store.h"

namespace podium::image {

struct StoredImage {
  Digest id;
  BlobInfo manifest;
  std::string media_type;       // of the manifest
  std::set<std::string> names;  // with tags and with digests, as ImageReference::String writes them
  ImageTime added;
  ImageTime last_used;  // when index.json was last written
  bool pinned = false;

  // From its blobs; empty while the manifest or the configuration is missing.
  bool read = false;
  ImageDocument document;
  std::vector<BlobInfo> blobs;  // manifest, configuration, layers; each once
  std::vector<Descriptor> layers;
  std::vector<Digest> diff_ids;

  uint64_t BlobBytes() const;
};

struct ImageSnapshot {
  std::map<Digest, std::shared_ptr<const StoredImage>> images;
  std::map<std::string, Digest, std::less<>> names;

  void Put(StoredImage image);
  void Erase(const Digest& id);
};

// True for "repo@sha256:…", false for "repo:tag".
bool IsDigestName(std::string_view name);

// A reference as it is kept: with a tag, or with a digest and without a tag. kInvalidArgument.
Result<std::string> CanonicalName(std::string_view reference);

// Reads the manifest and the configuration of an image from the store, and checks them against each
// other. Names and times are left as they are. kNotFound, kDataLoss, kInvalidArgument.
Result<void> ReadImage(const ContentStore& content, StoredImage* image);

// index.json as an OCI index: a manifest for each name, and for each image without names.
std::string IndexText(const ImageSnapshot& snapshot);
// What is in index.json; documents are not yet read. kDataLoss when it is none of ours.
Result<ImageSnapshot> ReadIndexText(std::string_view text);

}  // namespace podium::image
