// The documents that say what an image is made of: indexes (one manifest for each platform),
// manifests (a configuration and layers) and configurations, OCI's and Docker's.
//
// They come from outside. Sizes, counts and the nesting of indexes are bounded, and digests and
// sizes in them are checked before anybody uses them; what is returned from here is fit for use.
// Source: OCI image specification 1.1; Docker image manifest version 2, schema 2.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "image/digest.h"
#include "image/platform.h"
#include "wire/types/oci_image.h"

namespace podium::image {

using wire::oci_image::Descriptor;
using wire::oci_image::Index;
using wire::oci_image::Manifest;
using ImageDocument = wire::oci_image::Image;  // what "config" of a manifest points at

// What registries accept, and more than any image needs.
inline constexpr uint64_t kMaxManifestSize = uint64_t{4} << 20;
inline constexpr uint64_t kMaxConfigSize = uint64_t{8} << 20;
// The kernel stacks no more lower folders in one overlay (OVL_MAX_STACK).
inline constexpr size_t kMaxLayers = 500;
inline constexpr size_t kMaxIndexEntries = 4096;
inline constexpr int kMaxIndexDepth = 4;

// Media types, as a registry is told that we take them (the Accept header), most wanted first.
std::vector<std::string_view> AcceptedManifestTypes();

bool IsIndexType(std::string_view media_type);
bool IsManifestType(std::string_view media_type);

enum class Compression { kNone, kGzip, kZstd };
// Of a layer. kUnsupported: foreign layers, encrypted ones, and whatever is no tar.
Result<Compression> LayerCompression(std::string_view media_type);

// Reads an index or a manifest. `media_type` is what the transport said, or empty; the document's
// own word wins, and what has neither is told by its fields. kInvalidArgument; kUnsupported for
// Docker's schema 1 and for artifacts that are no images.
using ManifestDocument = std::variant<Index, Manifest>;
Result<ManifestDocument> ReadManifest(std::string_view json, std::string_view media_type = {});

// Reads a configuration. kInvalidArgument when it is not as many diff_ids as `layers`.
Result<ImageDocument> ReadImageDocument(std::string_view json, size_t layers);

// The digest and size of a descriptor that was read by ReadManifest: never fails for those.
Result<Digest> DigestOfDescriptor(const Descriptor& descriptor);

// Brings a document by its descriptor; checks its digest. No more than max_size bytes.
using FetchDocument =
    std::function<Result<std::string>(const Descriptor& descriptor, uint64_t max_size)>;

struct FoundManifest {
  Descriptor descriptor;
  Manifest manifest;
};

// Follows `root`, which is an index or already a manifest, to the manifest for the machine. A root
// that is a manifest is taken whatever its platform, as containerd does. kNotFound: none for this
// machine; the message lists those that there are.
Result<FoundManifest> FindManifest(const Descriptor& root, const PlatformMatcher& matcher,
                                   const FetchDocument& fetch);

}  // namespace podium::image
