// Images from registries into the image store.
//
//   Puller puller(store, options, machine_keyring);
//   TRY(ImageInfo image, puller.Pull({.image = "nginx:1.25", .keyring = &secrets}));
//
// Which images are pulled when is decided elsewhere (imagePullPolicy: node).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/image_reference.h"
#include "base/result.h"
#include "http/stream.h"
#include "image/blob_fetcher.h"
#include "image/image_store.h"
#include "image/keyring.h"
#include "image/layer_pull.h"
#include "image/platform.h"
#include "image/registry.h"
#include "image/repository.h"

namespace podium::image {

struct PullRequest {
  std::string image;  // as people write it
  // Of imagePullSecrets; looked into before the machine's own.
  const Keyring* keyring = nullptr;
  // The machine's own as it is now, instead of the one that the puller was made with.
  const Keyring* machine_keyring = nullptr;
  // Told, if not null: which of `keyring`'s credentials the registry took; none: the machine's own,
  // or none at all.
  std::optional<Credentials>* used = nullptr;
  Platform platform = HostPlatform();
  // Called from threads of the pull, one call at a time; bytes about ten times a second a layer.
  PullObserver progress = nullptr;
  const http::Cancellation* cancellation = nullptr;
};

// Threads: Pull may be called from any, at once; it blocks. Blobs that two pulls want are fetched
// once.
class Puller {
 public:
  // `store` and `keyring` (the machine's, or null) outlive this.
  Puller(ImageStore& store, RegistryOptions options, const Keyring* keyring);

  // Brings what is missing; when all is there, only asks what the tag stands for. The image gets
  // the name it was asked for by, and its digest: "docker.io/library/nginx:1.25" and "…@sha256:…".
  //
  // Errors begin like containerd's, "failed to pull and unpack image "…": ", and say what to do:
  //   kInvalidArgument   no reference, or no valid image
  //   kNotFound          no such repository, tag, digest, platform, or registry (name)
  //   kUnauthenticated, kPermissionDenied   not with these credentials; an untrusted certificate
  //   kUnavailable, kDeadlineExceeded       the registry cannot be reached, or is busy
  //   kUnsupported       the server is no registry, or the image of a form that is not supported
  //   kDataLoss          bytes are not what their digests say
  //   kResourceExhausted a limit, or the disk
  //   kCancelled
  Result<ImageInfo> Pull(const PullRequest& request);

 private:
  struct Source;

  Result<ImageInfo> PullNamed(const ImageReference& reference, const PullRequest& request);
  Result<ImageInfo> PullFrom(const RegistryEndpoint& endpoint, const ImageReference& reference,
                             const PullRequest& request);
  // `own`: how many of them are of request.keyring; they come first.
  Result<std::vector<Credentials>> CredentialsFor(const RegistryEndpoint& endpoint,
                                                  const ImageReference& reference,
                                                  const PullRequest& request, size_t* own) const;
  Result<Source> Resolve(const RegistryEndpoint& endpoint, const ImageReference& reference,
                         const PullRequest& request);
  Result<Source> ResolveWith(std::unique_ptr<Repository> repository,
                             const ImageReference& reference, const PullRequest& request);
  // The image, when all of it is here and the reference still stands for it.
  std::optional<ImageInfo> UpToDate(const ImageReference& reference, Repository& repository,
                                    const PullRequest& request);
  Result<ImageInfo> Bring(const ImageReference& reference, const Source& source,
                          const PullRequest& request);
  // From the store or else from the registry, into the store.
  Result<std::string> ManifestBytes(const Descriptor& descriptor, const Source& source,
                                    const PullRequest& request);
  Result<std::string> ConfigBytes(const Descriptor& descriptor, const Source& source,
                                  const PullRequest& request);
  Result<void> CheckSizes(const Manifest& manifest) const;

  ImageStore* const store_;
  Registries registries_;
  const Keyring* const keyring_;
  BlobFetcher blobs_;
};

}  // namespace podium::image
