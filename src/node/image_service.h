// What the pod's worker needs of images (image/image_store.h and image/puller.h behind it).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/types/core_v1.h"
#include "base/result.h"
#include "http/stream.h"
#include "image/layer_pull.h"

namespace podium::node {

struct NodeImage {
  std::string id;    // by which the runtime finds it
  std::string user;  // USER of the image
  uint64_t size = 0;
};

using PullSecrets = std::vector<std::shared_ptr<const api::core::v1::Secret>>;

// Threads: any.
class ImageService {
 public:
  virtual ~ImageService() = default;
  // By name or id; kNotFound.
  virtual Result<NodeImage> Find(std::string_view image) = 0;
  // Blocks. `cancellation` may be null.
  virtual Result<NodeImage> Pull(std::string_view image, const PullSecrets& secrets,
                                 const http::Cancellation* cancellation) = 0;
  // With the machine's own credentials, for who wants to see how far it is. Services that cannot
  // tell just pull.
  virtual Result<NodeImage> PullWithProgress(std::string_view image,
                                             const image::PullObserver& /*observer*/,
                                             const http::Cancellation* cancellation) {
    return Pull(image, {}, cancellation);
  }
};

}  // namespace podium::node
