#include "image/puller.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "image/registry_errors.h"

namespace podium::image {
namespace {

// A reference as it is asked for: with a tag or a digest.
Result<ImageReference> WithTag(std::string_view image) {
  TRY(ImageReference reference, ImageReference::Parse(image));
  if (reference.domain.empty()) {
    return Error(Code::kInvalidArgument,
                 "\"" + std::string(image) + "\" names no registry that can be asked");
  }
  if (reference.IsNameOnly()) reference.tag = "latest";
  return reference;
}

const std::string& Asked(const ImageReference& reference) {
  return reference.digest.empty() ? reference.tag : reference.digest;
}

std::string DigestName(const ImageReference& reference, const Digest& digest) {
  return reference.Repository() + '@' + digest.String();
}

// Errors that other credentials may not meet; registries hide what one may not see as not found.
bool IsRefusal(const Error& error) {
  return error.code() == Code::kUnauthenticated || error.code() == Code::kPermissionDenied ||
         error.code() == Code::kNotFound;
}

// Errors that another endpoint would not mend.
bool IsOurs(const Error& error) {
  return error.code() == Code::kCancelled || error.code() == Code::kResourceExhausted;
}

// Bytes that are here, under the digest they are asked for by.
Result<void> Store(ContentStore& content, const Digest& digest, std::string_view bytes) {
  if (digest.algorithm == "sha256") {
    TRY(const Digest stored, content.Put(bytes));
    return {};
  }
  auto writer = content.Begin({digest, bytes.size()});
  if (!writer.ok()) {
    if (writer.error().code() == Code::kAlreadyExists) return {};
    return std::move(writer).error();
  }
  const uint64_t there = writer->offset();
  TRY_VOID(writer->Write(bytes.substr(there)));
  return writer->Commit();
}

}  // namespace

struct Puller::Source {
  std::unique_ptr<Repository> repository;
  // The image, where it is here already; else what the reference stands for.
  std::optional<ImageInfo> present{};
  FetchedManifest root{};
};

Puller::Puller(ImageStore& store, RegistryOptions options, const Keyring* keyring)
    : store_(&store),
      registries_(std::move(options)),
      keyring_(keyring),
      blobs_(store.content(), registries_.options().retry) {}

Result<ImageInfo> Puller::Pull(const PullRequest& request) {
  TRY(const ImageReference reference, WithTag(request.image));
  auto image = PullNamed(reference, request);
  if (image.ok()) return image;
  return WithAdvice(std::move(image).error(), reference.domain)
      .WithContext("failed to pull and unpack image \"" + reference.String() + '"');
}

// A mirror that fails, at any time, is passed over; what it has brought stays.
Result<ImageInfo> Puller::PullNamed(const ImageReference& reference, const PullRequest& request) {
  TRY(const auto endpoints, registries_.EndpointsOf(reference.domain));
  std::string mirrors;
  for (const RegistryEndpoint& endpoint : endpoints) {
    auto image = PullFrom(endpoint, reference, request);
    if (image.ok() || IsOurs(image.error())) return image;
    if (!endpoint.mirrored.empty()) {
      mirrors.append("; mirror ").append(endpoint.host).append(": ");
      mirrors.append(image.error().message());
      continue;
    }
    return Error(image.error().code(), image.error().message() + mirrors, image.error().os_errno());
  }
  return Error(Code::kInternal, "no endpoint");
}

Result<ImageInfo> Puller::PullFrom(const RegistryEndpoint& endpoint,
                                   const ImageReference& reference, const PullRequest& request) {
  auto source = Resolve(endpoint, reference, request);
  if (!source.ok()) {
    std::string context = "failed to resolve reference \"" + reference.String() + '"';
    if (source.error().code() == Code::kNotFound && source.error().message() == "not found") {
      context += ": " + reference.String();
    }
    return std::move(source).error().WithContext(context);
  }
  if (source->present) return *std::move(source->present);
  return Bring(reference, *source, request);
}

Result<std::vector<Credentials>> Puller::CredentialsFor(const RegistryEndpoint& endpoint,
                                                        const ImageReference& reference,
                                                        const PullRequest& request,
                                                        size_t* own) const {
  const std::string name = endpoint.credentials_name + '/' + endpoint.prefix + reference.path;
  std::vector<Credentials> all;
  const Keyring* machine = request.machine_keyring ? request.machine_keyring : keyring_;
  for (const Keyring* keyring : {request.keyring, machine}) {
    if (!keyring) continue;
    TRY(auto found, keyring->Lookup(name));
    std::ranges::move(found, std::back_inserter(all));
    if (keyring == request.keyring) *own = all.size();
  }
  if (all.empty()) all.emplace_back();
  return all;
}

Result<Puller::Source> Puller::Resolve(const RegistryEndpoint& endpoint,
                                       const ImageReference& reference,
                                       const PullRequest& request) {
  size_t own = 0;
  TRY(const std::vector<Credentials> all, CredentialsFor(endpoint, reference, request, &own));
  std::optional<Error> refusal;
  for (size_t i = 0; i < all.size(); ++i) {
    auto source =
        ResolveWith(std::make_unique<Repository>(registries_, endpoint, reference.path, all[i]),
                    reference, request);
    if (source.ok() && request.used) {
      *request.used = i < own ? std::optional(all[i]) : std::nullopt;
    }
    if (source.ok() || !IsRefusal(source.error())) return source;
    refusal = std::move(source).error();
  }
  return *std::move(refusal);
}

Result<Puller::Source> Puller::ResolveWith(std::unique_ptr<Repository> repository,
                                           const ImageReference& reference,
                                           const PullRequest& request) {
  Source source{.repository = std::move(repository)};
  source.present = UpToDate(reference, *source.repository, request);
  if (source.present) return source;
  TRY(source.root, source.repository->Manifest(Asked(reference), request.cancellation));
  return source;
}

std::optional<ImageInfo> Puller::UpToDate(const ImageReference& reference, Repository& repository,
                                          const PullRequest& request) {
  auto image = store_->Resolve(reference.String());
  if (!image.ok() || !image->runnable || !image->missing.empty()) return std::nullopt;
  const PlatformMatcher matcher(request.platform);
  Platform platform;
  platform.architecture = image->document.architecture;
  platform.os = image->document.os;
  platform.variant = image->document.variant;
  if (!matcher.Rank(platform)) return std::nullopt;
  // Whatever is wrong, the request for the manifest says it better.
  const auto digest = repository.DigestOfTag(Asked(reference), request.cancellation);
  if (!digest.ok() || !digest->has_value()) return std::nullopt;
  const std::string name = DigestName(reference, **digest);
  if (std::ranges::find(image->repo_digests, name) == image->repo_digests.end()) {
    return std::nullopt;
  }
  return *std::move(image);
}

Result<ImageInfo> Puller::Bring(const ImageReference& reference, const Source& source,
                                const PullRequest& request) {
  ContentHold hold = store_->Hold();
  hold.Keep(source.root.digest);
  TRY_VOID(Store(store_->content(), source.root.digest, source.root.bytes));
  Descriptor root;
  root.mediaType = source.root.media_type;
  root.digest = source.root.digest.String();
  root.size = std::ssize(source.root.bytes);
  TRY(const FoundManifest found,
      FindManifest(root, PlatformMatcher(request.platform),
                   [&](const Descriptor& descriptor, uint64_t max_size) -> Result<std::string> {
                     TRY(const Digest digest, DigestOfDescriptor(descriptor));
                     hold.Keep(digest);
                     if (std::cmp_greater(descriptor.size, max_size)) {
                       return Error(Code::kResourceExhausted,
                                    "the manifest " + descriptor.digest + " is too large");
                     }
                     return ManifestBytes(descriptor, source, request);
                   }));
  TRY_VOID(CheckSizes(found.manifest));
  TRY(const Digest config_digest, DigestOfDescriptor(found.manifest.config));
  hold.Keep(config_digest);
  TRY(const std::string config, ConfigBytes(found.manifest.config, source, request));
  TRY(const ImageDocument document, ReadImageDocument(config, found.manifest.layers.size()));
  for (const Descriptor& layer : found.manifest.layers) {
    TRY(const Digest digest, DigestOfDescriptor(layer));
    hold.Keep(digest);
  }
  for (const std::string& text : document.rootfs.diff_ids) {
    TRY(const Digest diff_id, Digest::Parse(text));
    hold.Keep(diff_id);
  }
  TRY_VOID(PullLayers({.store = store_,
                       .blobs = &blobs_,
                       .repository = source.repository.get(),
                       .manifest = &found.manifest,
                       .document = &document,
                       .parallel = registries_.options().parallel_layers,
                       .observer = &request.progress,
                       .cancellation = request.cancellation}));
  std::vector<std::string> names = {DigestName(reference, source.root.digest)};
  if (reference.digest.empty()) names.push_back(reference.String());
  TRY(const Digest manifest, DigestOfDescriptor(found.descriptor));
  return store_->AddManifest(manifest, names);
}

Result<std::string> Puller::ManifestBytes(const Descriptor& descriptor, const Source& source,
                                          const PullRequest& request) {
  TRY(const Digest digest, DigestOfDescriptor(descriptor));
  ContentStore& content = store_->content();
  auto stored = content.Read(digest, kMaxManifestSize);
  if (stored.ok()) return stored;
  // Damaged: it is removed, and fetched again.
  if (stored.error().code() == Code::kDataLoss) (void)content.Verify(digest);
  TRY(FetchedManifest fetched,
      source.repository->Manifest(descriptor.digest, request.cancellation));
  TRY_VOID(Store(content, digest, fetched.bytes));
  return std::move(fetched.bytes);
}

Result<std::string> Puller::ConfigBytes(const Descriptor& descriptor, const Source& source,
                                        const PullRequest& request) {
  TRY(const Digest digest, DigestOfDescriptor(descriptor));
  if (std::cmp_greater(descriptor.size, kMaxConfigSize)) {
    return Error(Code::kResourceExhausted, "the image's configuration is too large");
  }
  ContentStore& content = store_->content();
  auto stored = content.Read(digest, kMaxConfigSize);
  if (stored.ok()) return stored;
  if (stored.error().code() == Code::kDataLoss) (void)content.Verify(digest);
  const auto open = [&](uint64_t offset) {
    return source.repository->OpenBlob(digest, offset, request.cancellation);
  };
  auto fetched = blobs_.Fetch(
      {digest, static_cast<uint64_t>(descriptor.size)}, open, [](uint64_t) {},
      request.cancellation);
  if (!fetched.ok()) return std::move(fetched).error();
  return content.Read(digest, kMaxConfigSize);
}

Result<void> Puller::CheckSizes(const Manifest& manifest) const {
  const RegistryOptions& options = registries_.options();
  uint64_t all = 0;
  for (const Descriptor& layer : manifest.layers) {
    if (auto form = LayerCompression(layer.mediaType); !form.ok()) return std::move(form).error();
    const auto size = static_cast<uint64_t>(layer.size);
    if (__builtin_add_overflow(all, size, &all)) all = UINT64_MAX;
    if (options.max_layer_size > 0 && size > options.max_layer_size) {
      return Error(Code::kResourceExhausted, "layer " + layer.digest + " has " +
                                                 std::to_string(size) + " bytes, more than the " +
                                                 std::to_string(options.max_layer_size) +
                                                 " allowed");
    }
  }
  if (options.max_image_size > 0 && all > options.max_image_size) {
    return Error(Code::kResourceExhausted, "the image has " + std::to_string(all) +
                                               " bytes, more than the " +
                                               std::to_string(options.max_image_size) + " allowed");
  }
  return {};
}

}  // namespace podium::image
