// The image room as the agent's ImageService.
#pragma once

#include <functional>

#include "image/image_store.h"
#include "image/keyring.h"
#include "image/puller.h"
#include "node/image_service.h"

namespace podium::node {

// The machine's own credentials, as they are at the time: who logs in to a registry need not start
// the agent again. Any thread.
using MachineKeyring = std::function<Result<image::Keyring>()>;

// Store and puller outlive it. Threads: any.
class EmbeddedImages : public ImageService {
 public:
  EmbeddedImages(image::ImageStore& store, image::Puller& puller, MachineKeyring machine)
      : store_(store), puller_(puller), machine_(std::move(machine)) {}

  Result<NodeImage> Find(std::string_view image) override;
  std::optional<std::string> IdOf(std::string_view image) override;
  Result<NodeImage> Pull(std::string_view image, const PullSecrets& secrets,
                         const http::Cancellation* cancellation,
                         std::optional<ImageSecret>* used) override;
  std::vector<ImageSecret> SecretsFor(std::string_view image, const PullSecrets& secrets) override;
  Result<NodeImage> PullWithProgress(std::string_view image, const image::PullObserver& observer,
                                     const http::Cancellation* cancellation) override;

 private:
  image::ImageStore& store_;
  image::Puller& puller_;
  const MachineKeyring machine_;
};

}  // namespace podium::node
