// What the pod's worker needs of images (image/image_store.h and image/puller.h behind it).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
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

// One of the credentials of a pull secret.
struct ImageSecret {
  std::string uid;
  std::string name_space;
  std::string name;
  std::string hash;  // of what it says

  bool SameObject(const ImageSecret& other) const {
    return uid == other.uid && name_space == other.name_space && name == other.name;
  }
  friend bool operator==(const ImageSecret&, const ImageSecret&) = default;
};

using PullSecrets = std::vector<std::shared_ptr<const api::core::v1::Secret>>;

// Threads: any.
class ImageService {
 public:
  virtual ~ImageService() = default;
  // By name or id; kNotFound.
  virtual Result<NodeImage> Find(std::string_view image) = 0;
  // Whether it is there at all, by name or id: its id. Other than by Find, it is not used by that.
  virtual std::optional<std::string> IdOf(std::string_view image) = 0;
  // Blocks. `cancellation` may be null. `used`: told, if not null, whose credentials the registry
  // took; none: the machine's own, or nobody's.
  virtual Result<NodeImage> Pull(std::string_view image, const PullSecrets& secrets,
                                 const http::Cancellation* cancellation,
                                 std::optional<ImageSecret>* used) = 0;
  // Those of the secrets that are for this image.
  virtual std::vector<ImageSecret> SecretsFor(std::string_view image,
                                              const PullSecrets& secrets) = 0;
  // With the machine's own credentials, for who wants to see how far it is. Services that cannot
  // tell just pull.
  virtual Result<NodeImage> PullWithProgress(std::string_view image,
                                             const image::PullObserver& /*observer*/,
                                             const http::Cancellation* cancellation) {
    return Pull(image, {}, cancellation, nullptr);
  }
};

}  // namespace podium::node
