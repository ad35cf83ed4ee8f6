#include "image/image_index.h"

#include <algorithm>
#include <charconv>

#include "base/image_reference.h"
#include "reflect/json.h"

namespace podium::image {
namespace {

namespace oci = wire::oci_image;

constexpr std::string_view kId = "podium.image.id";
constexpr std::string_view kAdded = "podium.image.added";         // nanoseconds since 1970
constexpr std::string_view kLastUsed = "podium.image.last-used";  // likewise
constexpr std::string_view kPinned = "podium.image.pinned";
constexpr std::string_view kDefaultTag = "latest";

std::string TimeText(ImageTime time) {
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch());
  return std::to_string(since.count());
}

ImageTime TimeOf(std::string_view text) {
  int64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return ImageTime(
      std::chrono::duration_cast<ImageTime::duration>(std::chrono::nanoseconds(count)));
}

std::string_view Annotation(const Descriptor& descriptor, std::string_view key) {
  const auto found = descriptor.annotations.find(key);
  return found == descriptor.annotations.end() ? std::string_view() : found->second;
}

Descriptor DescriptorOf(const StoredImage& image) {
  Descriptor descriptor;
  descriptor.mediaType = image.media_type;
  descriptor.digest = image.manifest.digest.String();
  descriptor.size = static_cast<int64_t>(image.manifest.size);
  descriptor.annotations.emplace(kId, image.id.String());
  descriptor.annotations.emplace(kAdded, TimeText(image.added));
  descriptor.annotations.emplace(kLastUsed, TimeText(image.last_used));
  if (image.pinned) descriptor.annotations.emplace(kPinned, "true");
  return descriptor;
}

// Each blob once, in the order of their first use.
void AddBlob(const Digest& digest, int64_t size, std::vector<BlobInfo>* blobs) {
  if (std::ranges::find(*blobs, digest, &BlobInfo::digest) != blobs->end()) return;
  blobs->push_back({digest, static_cast<uint64_t>(size)});
}

}  // namespace

uint64_t StoredImage::BlobBytes() const {
  uint64_t sum = 0;
  for (const BlobInfo& blob : blobs) sum += blob.size;
  return sum;
}

void ImageSnapshot::Put(StoredImage image) {
  const Digest id = image.id;
  Erase(id);
  for (const std::string& name : image.names) names[name] = id;
  images[id] = std::make_shared<const StoredImage>(std::move(image));
}

void ImageSnapshot::Erase(const Digest& id) {
  images.erase(id);
  std::erase_if(names, [&](const auto& entry) { return entry.second == id; });
}

bool IsDigestName(std::string_view name) { return name.contains('@'); }

Result<std::string> CanonicalName(std::string_view reference) {
  TRY(ImageReference name, ImageReference::Parse(reference));
  if (!name.digest.empty()) {
    name.tag.clear();
  } else if (name.tag.empty()) {
    name.tag = kDefaultTag;
  }
  return name.String();
}

Result<void> ReadImage(const ContentStore& content, StoredImage* image) {
  TRY(const std::string text, content.Read(image->manifest.digest, kMaxManifestSize));
  TRY(ManifestDocument document, ReadManifest(text, image->media_type));
  auto* manifest = std::get_if<Manifest>(&document);
  if (!manifest) {
    return Error(Code::kInvalidArgument,
                 image->manifest.digest.String() + " is an index, not the manifest of one image");
  }
  TRY(const Digest config, DigestOfDescriptor(manifest->config));
  TRY(const std::string config_text, content.Read(config, kMaxConfigSize));
  TRY(image->document, ReadImageDocument(config_text, manifest->layers.size()));
  image->id = config;
  image->manifest.size = text.size();
  image->media_type = manifest->mediaType.empty() ? oci::kMediaTypeManifest : manifest->mediaType;
  image->blobs.clear();
  image->diff_ids.clear();
  AddBlob(image->manifest.digest, static_cast<int64_t>(text.size()), &image->blobs);
  AddBlob(config, static_cast<int64_t>(config_text.size()), &image->blobs);
  for (const Descriptor& layer : manifest->layers) {
    TRY_VOID(LayerCompression(layer.mediaType));
    TRY(const Digest digest, DigestOfDescriptor(layer));
    AddBlob(digest, layer.size, &image->blobs);
  }
  for (const std::string& diff_id : image->document.rootfs.diff_ids) {
    TRY(Digest digest, Digest::Parse(diff_id));
    image->diff_ids.push_back(std::move(digest));
  }
  image->layers = std::move(manifest->layers);
  image->read = true;
  return {};
}

std::string IndexText(const ImageSnapshot& snapshot) {
  Index index;
  index.schemaVersion = 2;
  index.mediaType = oci::kMediaTypeIndex;
  index.manifests.present = true;
  for (const auto& [id, image] : snapshot.images) {
    Descriptor descriptor = DescriptorOf(*image);
    if (image->names.empty()) index.manifests.push_back(descriptor);
    for (const std::string& name : image->names) {
      descriptor.annotations.insert_or_assign(std::string(oci::kAnnotationRefName), name);
      index.manifests.push_back(descriptor);
    }
  }
  // Strings and numbers only: it always has a JSON form.
  return reflect::ToJson(index).value();
}

Result<ImageSnapshot> ReadIndexText(std::string_view text) {
  auto index = reflect::FromJson<Index>(text, {.strict = false});
  if (!index.ok()) return Error(Code::kDataLoss, index.error().message());
  std::map<Digest, StoredImage> images;
  for (const Descriptor& entry : index->manifests) {
    const auto id = Digest::Parse(Annotation(entry, kId));
    const auto manifest = Digest::Parse(entry.digest);
    if (!id.ok() || !manifest.ok()) {
      return Error(Code::kDataLoss, "a manifest of it has no digest or no id");
    }
    StoredImage& image = images[*id];
    image.id = *id;
    image.manifest = {*manifest, static_cast<uint64_t>(std::max<int64_t>(entry.size, 0))};
    image.media_type = entry.mediaType;
    image.added = TimeOf(Annotation(entry, kAdded));
    image.last_used = TimeOf(Annotation(entry, kLastUsed));
    image.pinned = Annotation(entry, kPinned) == "true";
    if (const auto name = Annotation(entry, oci::kAnnotationRefName); !name.empty()) {
      image.names.emplace(name);
    }
  }
  ImageSnapshot snapshot;
  for (auto& [id, image] : images) snapshot.Put(std::move(image));
  return snapshot;
}

}  // namespace podium::image
