// The image room as the agent's ImageService.
#pragma once

#include "image/image_store.h"
#include "image/puller.h"
#include "node/image_service.h"

namespace podium::node {

// Both outlive it. Threads: any.
class EmbeddedImages : public ImageService {
 public:
  EmbeddedImages(image::ImageStore& store, image::Puller& puller)
      : store_(store), puller_(puller) {}

  Result<NodeImage> Find(std::string_view image) override;
  Result<NodeImage> Pull(std::string_view image, const PullSecrets& secrets,
                         const http::Cancellation* cancellation) override;
  Result<NodeImage> PullWithProgress(std::string_view image, const image::PullObserver& observer,
                                     const http::Cancellation* cancellation) override;

 private:
  image::ImageStore& store_;
  image::Puller& puller_;
};

}  // namespace podium::node
