#include "image/manifest.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "reflect/json.h"
#include "reflect/json_value.h"

namespace podium::image {
namespace {

namespace oci = wire::oci_image;

constexpr size_t kMaxDepth = 64;
constexpr std::string_view kSchema1 = "application/vnd.docker.distribution.manifest.v1";
constexpr std::string_view kDockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
constexpr std::string_view kDockerLayerZstd = "application/vnd.docker.image.rootfs.diff.tar.zstd";

Error Invalid(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

Error Schema1() {
  return {
      Code::kUnsupported,
      "the manifest is Docker's schema 1, which is no longer supported; please rebuild the image "
      "as \"" +
          std::string(oci::kDockerManifest) + "\" or \"" + std::string(oci::kMediaTypeManifest) +
          '"'};
}

// Without parameters: "application/json; charset=utf-8" is what some registries say.
std::string_view Plain(std::string_view media_type) {
  media_type = media_type.substr(0, media_type.find(';'));
  while (media_type.ends_with(' ')) media_type.remove_suffix(1);
  return media_type;
}

template <class T>
Result<T> Decode(std::string_view json) {
  return reflect::FromJson<T>(json, {.strict = false, .max_depth = kMaxDepth});
}

Result<void> CheckDescriptor(const Descriptor& descriptor, const char* what) {
  TRY_VOID(DigestOfDescriptor(descriptor));
  if (descriptor.size < 0) return Invalid(std::string(what) + " has a negative size");
  return {};
}

Result<ManifestDocument> ReadIndex(std::string_view json) {
  TRY(Index index, Decode<Index>(json));
  if (index.manifests.size() > kMaxIndexEntries) {
    return Error(Code::kResourceExhausted,
                 "the index has " + std::to_string(index.manifests.size()) +
                     " manifests, more than " + std::to_string(kMaxIndexEntries));
  }
  for (const Descriptor& entry : index.manifests) {
    TRY_VOID(CheckDescriptor(entry, "a manifest of the index"));
  }
  return ManifestDocument(std::move(index));
}

Result<ManifestDocument> ReadImageManifest(std::string_view json) {
  TRY(Manifest manifest, Decode<Manifest>(json));
  const std::string_view config = manifest.config.mediaType;
  if (!config.empty() && config != oci::kMediaTypeConfig && config != oci::kDockerConfig) {
    return Error(Code::kUnsupported,
                 "the manifest is of an artifact, not of an image: its config "
                 "has the media type \"" +
                     std::string(config) + '"');
  }
  TRY_VOID(CheckDescriptor(manifest.config, "the config"));
  if (manifest.layers.size() > kMaxLayers) {
    return Error(Code::kResourceExhausted,
                 "the manifest has " + std::to_string(manifest.layers.size()) +
                     " layers, more than the " + std::to_string(kMaxLayers) +
                     " that the kernel can stack");
  }
  for (const Descriptor& layer : manifest.layers) TRY_VOID(CheckDescriptor(layer, "a layer"));
  return ManifestDocument(std::move(manifest));
}

// A document that reads as two kinds would be one image to whoever checked it and another to us
// (CVE-2021-41190).
Result<bool> TellIndex(const reflect::JsonValue& document, std::string_view media_type) {
  auto has = [&](std::string_view key) { return document.Find(key) != nullptr; };
  if (has("fsLayers") || media_type.starts_with(kSchema1)) return Schema1();
  if (const auto* version = document.Find("schemaVersion"); version && version->is_number()) {
    if (version->number() == "1") return Schema1();
    if (version->number() != "2") {
      return Error(Code::kUnsupported, "the manifest has schema version " + version->number());
    }
  }
  if (has("manifests") && (has("layers") || has("config"))) {
    return Invalid(
        "the manifest is ambiguous: it has both \"manifests\" and \"layers\" or "
        "\"config\"");
  }
  if (IsIndexType(media_type)) {
    if (has("layers") || has("config")) return Invalid("the index has the fields of a manifest");
    return true;
  }
  if (IsManifestType(media_type)) {
    if (has("manifests")) return Invalid("the manifest has the fields of an index");
    return false;
  }
  return has("manifests");
}

// In this order: of the same rank, that which stands first in the index.
struct Candidate {
  size_t rank;
  const Descriptor* descriptor;
  friend auto operator<=>(const Candidate&, const Candidate&) = default;
};

// Those that may be for the machine, the best first; those that do not say come last.
std::vector<Candidate> Candidates(const Index& index, const PlatformMatcher& matcher) {
  constexpr size_t kUnsaid = SIZE_MAX;
  std::vector<Candidate> candidates;
  for (const Descriptor& entry : index.manifests) {
    if (!IsIndexType(entry.mediaType) && !IsManifestType(entry.mediaType)) continue;
    if (!entry.platform) {
      candidates.push_back({kUnsaid, &entry});
    } else if (const auto rank = matcher.Rank(*entry.platform)) {
      candidates.push_back({*rank, &entry});
    }
  }
  std::ranges::sort(candidates);
  return candidates;
}

std::string PlatformsOf(const Index& index) {
  std::string text;
  for (const Descriptor& entry : index.manifests) {
    // What build tools attach to an image says that it is for no machine.
    if (!entry.platform || entry.platform->os == "unknown") continue;
    if (!text.empty()) text += ", ";
    text += PlatformText(*entry.platform);
    if (text.size() > 500) return text + ", …";
  }
  return text;
}

class Finder {
 public:
  Finder(const PlatformMatcher& matcher, const FetchDocument& fetch)
      : matcher_(matcher), fetch_(fetch) {}

  // Nothing: none for the machine.
  Result<std::optional<FoundManifest>> Find(const Descriptor& descriptor, int depth) {
    // Bounded, however the indexes refer to one another.
    if (++documents_ > kMaxIndexEntries || depth > kMaxIndexDepth) {
      return Error(Code::kResourceExhausted, "the image's indexes are nested too deep");
    }
    TRY(const std::string json, fetch_(descriptor, kMaxManifestSize));
    TRY(ManifestDocument document, ReadManifest(json, descriptor.mediaType));
    if (Manifest* manifest = std::get_if<Manifest>(&document)) {
      TRY(const bool fits,
          depth == 0 || descriptor.platform ? Result<bool>(true) : ConfigFits(*manifest));
      if (!fits) return std::optional<FoundManifest>();
      return std::optional<FoundManifest>({descriptor, std::move(*manifest)});
    }
    const Index& index = *std::get_if<Index>(&document);
    for (const Candidate& candidate : Candidates(index, matcher_)) {
      TRY(auto found, Find(*candidate.descriptor, depth + 1));
      if (found) return found;
    }
    if (const std::string has = PlatformsOf(index); !has.empty() && seen_.empty()) seen_ = has;
    return std::optional<FoundManifest>();
  }

  const std::string& seen() const { return seen_; }

 private:
  Result<bool> ConfigFits(const Manifest& manifest) {
    TRY(const std::string json, fetch_(manifest.config, kMaxConfigSize));
    TRY(const ImageDocument document, ReadImageDocument(json, manifest.layers.size()));
    Platform platform;
    platform.os = document.os;
    platform.architecture = document.architecture;
    platform.variant = document.variant;
    return matcher_.Rank(platform).has_value();
  }

  const PlatformMatcher& matcher_;
  const FetchDocument& fetch_;
  size_t documents_ = 0;
  std::string seen_;  // the platforms that the image is for
};

}  // namespace

std::vector<std::string_view> AcceptedManifestTypes() {
  return {oci::kMediaTypeIndex, oci::kDockerManifestList, oci::kMediaTypeManifest,
          oci::kDockerManifest};
}

bool IsIndexType(std::string_view media_type) {
  media_type = Plain(media_type);
  return media_type == oci::kMediaTypeIndex || media_type == oci::kDockerManifestList;
}

bool IsManifestType(std::string_view media_type) {
  media_type = Plain(media_type);
  return media_type == oci::kMediaTypeManifest || media_type == oci::kDockerManifest;
}

Result<Compression> LayerCompression(std::string_view media_type) {
  media_type = Plain(media_type);
  if (media_type == oci::kMediaTypeLayer || media_type == kDockerLayer) return Compression::kNone;
  if (media_type == oci::kMediaTypeLayerGzip || media_type == oci::kDockerLayerGzip) {
    return Compression::kGzip;
  }
  if (media_type == oci::kMediaTypeLayerZstd || media_type == kDockerLayerZstd) {
    return Compression::kZstd;
  }
  // Of images that may not be given away, which OCI has given up; some registries do have them.
  constexpr std::string_view kNotForAll = "nondistributable.v1.tar";
  if (const size_t at = media_type.find(kNotForAll); at != std::string_view::npos) {
    const std::string_view end = media_type.substr(at + kNotForAll.size());
    if (end.empty()) return Compression::kNone;
    if (end == "+gzip") return Compression::kGzip;
    if (end == "+zstd") return Compression::kZstd;
  }
  return Error(Code::kUnsupported,
               "layers of media type \"" + std::string(media_type) + "\" are not supported");
}

Result<ManifestDocument> ReadManifest(std::string_view json, std::string_view media_type) {
  if (json.size() > kMaxManifestSize) {
    return Error(Code::kResourceExhausted, "the manifest has " + std::to_string(json.size()) +
                                               " bytes, more than " +
                                               std::to_string(kMaxManifestSize));
  }
  auto document = reflect::ParseJson(json, {.max_depth = kMaxDepth});
  if (!document.ok()) return std::move(document).error().WithContext("reading a manifest");
  if (!document->is_object()) return Invalid("the manifest is no JSON object");
  std::string_view said = Plain(media_type);
  if (const auto* own = document->Find("mediaType"); own && own->is_string()) {
    if (!own->string().empty()) said = own->string();
  }
  TRY(const bool is_index, TellIndex(*document, said));
  auto read = is_index ? ReadIndex(json) : ReadImageManifest(json);
  if (!read.ok()) return std::move(read).error().WithContext("reading a manifest");
  return read;
}

Result<ImageDocument> ReadImageDocument(std::string_view json, size_t layers) {
  if (json.size() > kMaxConfigSize) {
    return Error(Code::kResourceExhausted, "the image's config has " + std::to_string(json.size()) +
                                               " bytes, more than " +
                                               std::to_string(kMaxConfigSize));
  }
  auto document = Decode<ImageDocument>(json);
  if (!document.ok()) return std::move(document).error().WithContext("reading an image's config");
  const auto& diff_ids = document->rootfs.diff_ids;
  if (diff_ids.size() != layers) {
    return Invalid("the image's config has " + std::to_string(diff_ids.size()) +
                   " diff_ids, but its manifest has " + std::to_string(layers) + " layers");
  }
  for (const std::string& diff_id : diff_ids) {
    auto digest = Digest::Parse(diff_id);
    if (!digest.ok()) return std::move(digest).error().WithContext("diff_id \"" + diff_id + '"');
  }
  return document;
}

Result<Digest> DigestOfDescriptor(const Descriptor& descriptor) {
  auto digest = Digest::Parse(descriptor.digest);
  if (!digest.ok()) {
    return std::move(digest).error().WithContext("digest \"" + descriptor.digest + '"');
  }
  return digest;
}

Result<FoundManifest> FindManifest(const Descriptor& root, const PlatformMatcher& matcher,
                                   const FetchDocument& fetch) {
  Finder finder(matcher, fetch);
  TRY(auto found, finder.Find(root, 0));
  if (found) return *std::move(found);
  std::string message = "no match for platform in manifest " + root.digest + ": this machine is " +
                        PlatformText(matcher.machine());
  if (!finder.seen().empty()) message += ", the image is for " + finder.seen();
  return Error(Code::kNotFound, std::move(message));
}

}  // namespace podium::image
