#include "image/export.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "base/image_reference.h"
#include "image/image_index.h"
#include "image/tar_writer.h"
#include "reflect/json.h"
#include "reflect/json_value.h"

namespace podium::image {
namespace {

namespace oci = wire::oci_image;
using reflect::JsonValue;

constexpr std::string_view kContainerdName = "io.containerd.image.name";
constexpr std::string_view kLayout = R"({"imageLayoutVersion":"1.0.0"})";

// One image on its way out.
struct Exported {
  StoredImage image;
  std::set<std::string> names;  // with tags
};

std::string BlobPath(const Digest& digest) {
  return "blobs/" + digest.algorithm + '/' + digest.hex;
}

std::string TagOf(const std::string& name) {
  const auto reference = ImageReference::Parse(name);
  return reference.ok() ? reference->tag : std::string();
}

std::string IndexOf(const std::map<Digest, Exported>& images) {
  Index index;
  index.schemaVersion = 2;
  index.mediaType = oci::kMediaTypeIndex;
  index.manifests.present = true;
  for (const auto& [id, exported] : images) {
    const StoredImage& image = exported.image;
    Descriptor descriptor;
    descriptor.mediaType = image.media_type;
    descriptor.digest = image.manifest.digest.String();
    descriptor.size = static_cast<int64_t>(image.manifest.size);
    Platform& platform = descriptor.platform.emplace();
    platform.os = image.document.os;
    platform.architecture = image.document.architecture;
    platform.variant = image.document.variant;
    if (exported.names.empty()) index.manifests.push_back(descriptor);
    for (const std::string& name : exported.names) {
      descriptor.annotations.insert_or_assign(std::string(kContainerdName), name);
      descriptor.annotations.insert_or_assign(std::string(oci::kAnnotationRefName), TagOf(name));
      index.manifests.push_back(descriptor);
    }
  }
  // Strings and numbers only: it always has a JSON form.
  return reflect::ToJson(index).value();
}

// What `docker save` has written since Docker 1.10.
std::string DockerManifest(const std::map<Digest, Exported>& images) {
  JsonValue::Array list;
  for (const auto& [id, exported] : images) {
    JsonValue::Array tags;
    for (const std::string& name : exported.names) {
      const auto reference = ImageReference::Parse(name);
      tags.push_back(JsonValue::String(reference.ok() ? reference->Familiar() : name));
    }
    JsonValue::Array layers;
    for (const Descriptor& layer : exported.image.layers) {
      const auto digest = DigestOfDescriptor(layer);
      if (digest.ok()) layers.push_back(JsonValue::String(BlobPath(*digest)));
    }
    JsonValue entry = JsonValue::Of(JsonValue::Object());
    entry.Set("Config", JsonValue::String(BlobPath(id)));
    entry.Set("RepoTags", tags.empty() ? JsonValue() : JsonValue::Of(std::move(tags)));
    entry.Set("Layers", JsonValue::Of(std::move(layers)));
    list.push_back(std::move(entry));
  }
  return reflect::ToText(JsonValue::Of(std::move(list)));
}

Result<void> WriteBlob(ImageStore& store, const BlobInfo& blob, TarWriter* tar) {
  auto file = store.content().OpenBlob(blob.digest);
  if (!file.ok()) {
    if (file.error().code() != Code::kNotFound) return std::move(file).error();
    return Error(Code::kDataLoss,
                 "blob " + blob.digest.String() + " is missing; pull the image again");
  }
  FdSource source(file->get());
  Hasher hasher(blob.digest.algorithm);
  ObservedSource observed(source, [&](std::string_view piece) -> Result<void> {
    hasher.Update(piece);
    return {};
  });
  TRY_VOID(tar->File(BlobPath(blob.digest), blob.size, observed));
  // Too late to take it back, but whoever reads the archive does not trust it either.
  if (hasher.Finish() == blob.digest) return {};
  return Error(Code::kDataLoss, "blob " + blob.digest.String() + " is damaged");
}

Result<void> Gather(ImageStore& store, const std::string& reference,
                    std::map<Digest, Exported>* images, std::vector<ImagePin>* pins) {
  TRY(const ImageInfo info, store.Resolve(reference));
  if (!info.missing.empty()) {
    return Error(Code::kDataLoss, "image \"" + reference + "\" is not whole: blob " +
                                      info.missing.front().String() + " is missing; pull it again");
  }
  TRY(ImagePin pin, store.Pin(info.id));
  pins->push_back(std::move(pin));
  Exported& exported = (*images)[info.id];
  exported.image.manifest.digest = info.manifest;
  TRY_VOID(ReadImage(store.content(), &exported.image));
  const auto name = CanonicalName(reference);
  for (const std::string& tagged : info.names) {
    // By a name: that one. By an id, which reads as no name of the image: all.
    const bool by_name = name.ok() && std::ranges::find(info.names, *name) != info.names.end();
    if (!by_name || tagged == *name) exported.names.insert(tagged);
  }
  return {};
}

}  // namespace

Result<void> ExportImages(ImageStore& store, std::span<const std::string> references, int fd) {
  std::map<Digest, Exported> images;
  std::vector<ImagePin> pins;
  for (const std::string& reference : references) {
    TRY_VOID(Gather(store, reference, &images, &pins));
  }
  TarWriter tar(fd);
  TRY_VOID(tar.File("oci-layout", kLayout));
  TRY_VOID(tar.File("index.json", IndexOf(images)));
  TRY_VOID(tar.File("manifest.json", DockerManifest(images)));
  TRY_VOID(tar.Folder("blobs/"));
  std::map<Digest, BlobInfo> blobs;
  std::set<std::string> algorithms;
  for (const auto& [id, exported] : images) {
    for (const BlobInfo& blob : exported.image.blobs) {
      blobs.emplace(blob.digest, blob);
      algorithms.insert(blob.digest.algorithm);
    }
  }
  for (const std::string& algorithm : algorithms) TRY_VOID(tar.Folder("blobs/" + algorithm + '/'));
  for (const auto& [digest, blob] : blobs) TRY_VOID(WriteBlob(store, blob, &tar));
  return tar.Finish();
}

}  // namespace podium::image
