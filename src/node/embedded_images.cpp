#include "node/embedded_images.h"

#include "base/image_reference.h"
#include "image/docker_config.h"
#include "image/keyring.h"

namespace podium::node {
namespace {

namespace v1 = api::core::v1;

NodeImage NodeImageOf(const image::ImageInfo& info) {
  NodeImage out;
  out.id = info.id.String();
  out.user = info.document.config.User;
  out.size = info.size;
  return out;
}

// Secrets of another type, and those that read as nothing, have no credentials; upstream passes
// over them as well.
image::DockerConfig ConfigOf(const v1::Secret& secret) {
  Result<image::DockerConfig> config = image::DockerConfig();
  if (auto json = secret.data.find(".dockerconfigjson"); json != secret.data.end()) {
    config = image::ReadDockerConfigJson(json->second.data);
  } else if (auto old = secret.data.find(".dockercfg"); old != secret.data.end()) {
    config = image::ReadDockercfg(old->second.data);
  }
  return config.ok() ? *std::move(config) : image::DockerConfig();
}

image::Keyring KeyringOf(const PullSecrets& secrets) {
  image::Keyring out;
  for (const auto& secret : secrets) out.Add(ConfigOf(*secret));
  return out;
}

ImageSecret SecretOf(const v1::Secret& secret, const image::Credentials& credentials) {
  // None of them can have a NUL in it that means anything.
  std::string text;
  for (const std::string* part : {&credentials.username, &credentials.password,
                                  &credentials.identity_token, &credentials.registry_token}) {
    text.append(*part).push_back('\0');
  }
  return {.uid = secret.metadata.uid,
          .name_space = secret.metadata.namespace_,
          .name = secret.metadata.name,
          .hash = image::DigestOf(text).hex};
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

std::optional<std::string> EmbeddedImages::IdOf(std::string_view image) {
  const auto info = store_.Resolve(image);
  if (!info.ok()) return std::nullopt;
  return info->id.String();
}

std::vector<ImageSecret> EmbeddedImages::SecretsFor(std::string_view image,
                                                    const PullSecrets& secrets) {
  std::vector<ImageSecret> out;
  const auto reference = ImageReference::Parse(image);
  if (!reference.ok()) return out;
  for (const auto& secret : secrets) {
    const auto found = KeyringOf({secret}).Lookup(reference->Repository());
    if (!found.ok()) continue;
    for (const image::Credentials& each : *found) out.push_back(SecretOf(*secret, each));
  }
  return out;
}

Result<NodeImage> EmbeddedImages::Pull(std::string_view image, const PullSecrets& secrets,
                                       const http::Cancellation* cancellation,
                                       std::optional<ImageSecret>* used) {
  const image::Keyring keyring = KeyringOf(secrets);
  TRY(const image::Keyring machine, machine_());
  image::PullRequest request;
  request.image = image;
  request.keyring = &keyring;
  request.machine_keyring = &machine;
  request.cancellation = cancellation;
  std::optional<image::Credentials> taken;
  request.used = &taken;
  TRY(const image::ImageInfo info, puller_.Pull(request));
  if (used) used->reset();
  if (!used || !taken) return NodeImageOf(info);
  for (const auto& secret : secrets) {
    for (const auto& entry : ConfigOf(*secret).auths) {
      if (entry.credentials == *taken) *used = SecretOf(*secret, entry.credentials);
    }
  }
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
