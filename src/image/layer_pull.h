// The layers of one image, several at a time: fetched, verified, unpacked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/result.h"
#include "http/stream.h"
#include "image/blob_fetcher.h"
#include "image/digest.h"
#include "image/image_store.h"
#include "image/manifest.h"
#include "image/repository.h"

namespace podium::image {

struct PullProgress {
  enum class State {
    kWaiting,      // for its turn
    kDownloading,  // bytes are coming; also when another pull brings them
    kExtracting,   // being unpacked
    kDone,
    kExists,  // was there
  };
  size_t layer = 0;  // the lowest is 0
  size_t layers = 0;
  Digest digest;
  State state = State::kWaiting;
  uint64_t done = 0;   // bytes of the blob
  uint64_t total = 0;  // its size
};

using PullObserver = std::function<void(const PullProgress&)>;

struct LayerPull {
  ImageStore* store;
  BlobFetcher* blobs;
  Repository* repository;
  const Manifest* manifest;
  const ImageDocument* document;  // with as many diff_ids as the manifest has layers
  size_t parallel = 3;
  const PullObserver* observer;  // may be empty
  const http::Cancellation* cancellation;
};

// Blocks until all are unpacked, or one has failed and the others have stopped. The caller holds
// their content (ContentHold).
Result<void> PullLayers(const LayerPull& pull);

}  // namespace podium::image
