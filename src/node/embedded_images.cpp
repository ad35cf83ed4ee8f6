#include "node/embedded_images.h"

#include "image/docker_config.h"
#include "image/keyring.h"

namespace podium::node {
namespace {

NodeImage NodeImageOf(const image::ImageInfo& info) {
  NodeImage out;
  out.id = info.id.String();
  out.user = info.document.config.User;
  out.size = info.size;
  return out;
}

// Secrets of another type, and those that read as nothing, have no credentials; upstream passes
// over them as well.
image::Keyring KeyringOf(const PullSecrets& secrets) {
  image::Keyring out;
  for (const auto& secret : secrets) {
    if (auto json = secret->data.find(".dockerconfigjson"); json != secret->data.end()) {
      auto config = image::ReadDockerConfigJson(json->second.data);
      if (config.ok()) out.Add(*config);
    } else if (auto old = secret->data.find(".dockercfg"); old != secret->data.end()) {
      auto config = image::ReadDockercfg(old->second.data);
      if (config.ok()) out.Add(*config);
    }
  }
  return out;
}

}  // namespace

Result<NodeImage> EmbeddedImages::Find(std::string_view image) {
  TRY(const image::ImageInfo info, store_.Resolve(image));
  // What is not all there is as good as not there: pulling brings the rest.
  if (!info.runnable) return Error(Code::kNotFound, "the image is not complete");
  // Layers that are lost or damaged are unpacked again here, or found to be past that: what is told
  // to be there can be used.
  const auto pinned = store_.Pin(info.id);
  if (pinned.ok()) return NodeImageOf(info);
  if (pinned.error().code() != Code::kDataLoss) return pinned.error();
  return Error(Code::kNotFound, pinned.error().message());
}

Result<NodeImage> EmbeddedImages::Pull(std::string_view image, const PullSecrets& secrets,
                                       const http::Cancellation* cancellation) {
  const image::Keyring keyring = KeyringOf(secrets);
  TRY(const image::Keyring machine, machine_());
  image::PullRequest request;
  request.image = image;
  request.keyring = &keyring;
  request.machine_keyring = &machine;
  request.cancellation = cancellation;
  TRY(const image::ImageInfo info, puller_.Pull(request));
  return NodeImageOf(info);
}

Result<NodeImage> EmbeddedImages::PullWithProgress(std::string_view image,
                                                   const image::PullObserver& observer,
                                                   const http::Cancellation* cancellation) {
  TRY(const image::Keyring machine, machine_());
  image::PullRequest request;
  request.image = image;
  request.machine_keyring = &machine;
  request.progress = observer;
  request.cancellation = cancellation;
  TRY(const image::ImageInfo info, puller_.Pull(request));
  return NodeImageOf(info);
}

}  // namespace podium::node
