#include "image/import_archive.h"

#include <algorithm>
#include <map>
#include <optional>

#include "image/image_index.h"
#include "image/import_layout.h"
#include "image/tar_reader.h"
#include "reflect/json.h"
#include "reflect/json_value.h"

namespace podium::image {
namespace {

namespace oci = wire::oci_image;
using reflect::JsonValue;

constexpr size_t kMaxInMemory = size_t{64} << 20;  // of all documents of one archive
constexpr size_t kMaxFiles = 100'000;

Error Invalid(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// "a/layer.tar" and "../b/layer.tar" give "b/layer.tar"; links of docker save are like this.
std::string Follow(const std::string& from, std::string_view link) {
  std::string path = from.substr(0, from.rfind('/') == std::string::npos ? 0 : from.rfind('/'));
  while (!link.empty()) {
    const std::string_view part = link.substr(0, link.find('/'));
    link.remove_prefix(std::min(part.size() + 1, link.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
      continue;
    }
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

// "blobs/sha256/<hex>"
std::optional<Digest> DigestOfPath(std::string_view path) {
  if (!path.starts_with("blobs/")) return std::nullopt;
  std::string text(path.substr(6));
  if (const size_t slash = text.find('/'); slash != std::string::npos) text[slash] = ':';
  auto digest = Digest::Parse(text);
  return digest.ok() ? std::optional(*std::move(digest)) : std::nullopt;
}

// Data of a tar's current entry.
class EntrySource : public ByteSource {
 public:
  explicit EntrySource(TarReader& tar) : tar_(tar) {}
  Result<size_t> Read(std::span<char> buffer) override {
    if (piece_.bytes.empty()) {
      TRY(const bool more, tar_.NextPiece(&piece_));
      if (!more) return size_t{0};
    }
    const size_t count = std::min(buffer.size(), piece_.bytes.size());
    piece_.bytes.copy(buffer.data(), count);
    piece_.bytes.remove_prefix(count);
    return count;
  }

 private:
  TarReader& tar_;
  TarPiece piece_;
};

class ArchiveImport {
 public:
  ArchiveImport(ImageStore& store, const ImportOptions& options)
      : store_(store), options_(options), hold_(store.Hold()) {}

  Result<std::vector<ImageInfo>> Run(ByteSource& source) {
    const auto plain = MakeDecompressor(source);
    TarReader tar(*plain);
    TRY_VOID(ReadAll(tar));
    TRY_VOID(Drain(*plain));
    if (const auto layout = texts_.find("oci-layout"); layout != texts_.end()) {
      TRY_VOID(CheckLayout(layout->second));
    }
    TRY(const NamesById names, NamesOfDocker());
    if (const auto index = texts_.find("index.json"); index != texts_.end()) {
      const BringBlob bring = [this](const Descriptor& descriptor) { return Check(descriptor); };
      return ImportIndex(store_, index->second, names, bring, options_);
    }
    if (texts_.contains("manifest.json")) return AddDocker(names);
    if (texts_.contains("repositories")) {
      return Error(Code::kUnsupported,
                   "the archive was made by a Docker older than 1.10; save the image again");
    }
    return Invalid("the archive has neither index.json nor manifest.json: it is not one of images");
  }

 private:
  Result<void> ReadAll(TarReader& tar) {
    TarEntry entry;
    while (true) {
      TRY(const bool more, tar.Next(&entry));
      if (!more) return {};
      if (++files_ > kMaxFiles) {
        return Error(Code::kResourceExhausted, "the archive has too many files");
      }
      auto kept = Keep(tar, entry);
      if (!kept.ok()) return std::move(kept).error().WithContext(entry.path.substr(0, 200));
    }
  }

  Result<void> Keep(TarReader& tar, const TarEntry& entry) {
    const std::string path = PlainPath(entry.path);
    if (entry.type == TarEntry::Type::kSymlink) {
      links_[path] = Follow(path, entry.link);
      return {};
    }
    if (entry.type == TarEntry::Type::kHardLink) {
      links_[path] = PlainPath(entry.link);
      return {};
    }
    if (entry.type != TarEntry::Type::kFile) return {};
    EntrySource data(tar);
    if (const auto digest = DigestOfPath(path)) {
      hold_.Keep(*digest);
      files_by_path_[path] = {*digest, entry.size};
      if (store_.content().Contains(*digest)) return {};
      return PutBlob(store_, *digest, data);
    }
    // Of each layer Docker also writes two that nobody needs.
    if (path.ends_with("/json") || path.ends_with("/VERSION")) return {};
    const bool text = !path.contains('/') && !path.ends_with(".tar");
    if (text && entry.size <= kMaxConfigSize) return KeepText(data, path);
    TRY(const BlobInfo blob,
        store_.content().PutStream(data, [this](const Digest& digest) -> Result<void> {
          hold_.Keep(digest);
          return {};
        }));
    files_by_path_[path] = blob;
    return {};
  }

  Result<void> KeepText(ByteSource& data, const std::string& path) {
    std::string text;
    char buffer[16384];
    while (true) {
      TRY(const size_t count, data.Read(buffer));
      if (count == 0) break;
      text.append(buffer, count);
    }
    in_memory_ += text.size();
    if (in_memory_ > kMaxInMemory) {
      return Error(Code::kResourceExhausted, "the archive's documents are too large");
    }
    texts_[path] = std::move(text);
    return {};
  }

  // A blob that the archive should have had.
  Result<void> Check(const Descriptor& descriptor) {
    TRY(const Digest digest, DigestOfDescriptor(descriptor));
    hold_.Keep(digest);
    if (store_.content().Contains(digest)) return {};
    return Error(Code::kNotFound, "blob " + digest.String() + " is not in the archive");
  }

  Result<BlobInfo> FileOf(std::string path) {
    for (int i = 0; i < 10; ++i) {
      if (const auto file = files_by_path_.find(path); file != files_by_path_.end()) {
        return file->second;
      }
      if (const auto text = texts_.find(path); text != texts_.end()) {
        hold_.Keep(DigestOf(text->second));
        TRY(const Digest digest, store_.content().Put(text->second));
        return BlobInfo{digest, text->second.size()};
      }
      const auto link = links_.find(path);
      if (link == links_.end()) break;
      path = link->second;
    }
    return Error(Code::kNotFound, "the archive has no " + path);
  }

  // manifest.json: a list of Config, RepoTags and Layers.
  struct DockerImage {
    std::string config;
    std::vector<std::string> names;
    std::vector<std::string> layers;
  };
  Result<std::vector<DockerImage>> DockerImages() const {
    std::vector<DockerImage> images;
    const auto text = texts_.find("manifest.json");
    if (text == texts_.end()) return images;
    auto list = reflect::ParseJson(text->second, {.max_depth = 16});
    if (!list.ok()) return std::move(list).error().WithContext("manifest.json");
    if (!list->is_array()) return Invalid("manifest.json is no list");
    for (const JsonValue& entry : list->array()) {
      DockerImage image;
      const JsonValue* config = entry.Find("Config");
      if (!config || !config->is_string()) return Invalid("manifest.json names no Config");
      image.config = PlainPath(config->string());
      auto strings = [&](const char* key, std::vector<std::string>* out) {
        const JsonValue* value = entry.Find(key);
        if (!value || !value->is_array()) return;
        for (const JsonValue& element : value->array()) {
          if (element.is_string()) out->push_back(element.string());
        }
      };
      strings("RepoTags", &image.names);
      strings("Layers", &image.layers);
      if (image.layers.size() > kMaxLayers) return Invalid("manifest.json has too many layers");
      images.push_back(std::move(image));
    }
    return images;
  }

  Result<NamesById> NamesOfDocker() {
    NamesById names;
    TRY(const std::vector<DockerImage> images, DockerImages());
    for (const DockerImage& image : images) {
      TRY(const BlobInfo config, FileOf(image.config));
      auto& list = names[config.digest];
      for (const std::string& name : image.names) {
        if (CanonicalName(name).ok()) list.push_back(name);
      }
    }
    return names;
  }

  Result<std::vector<ImageInfo>> AddDocker(const NamesById& names) {
    TRY(const std::vector<DockerImage> images, DockerImages());
    const BringBlob bring = [this](const Descriptor& descriptor) { return Check(descriptor); };
    Index index;
    index.schemaVersion = 2;
    index.manifests.present = true;
    for (const DockerImage& image : images) {
      Manifest manifest;
      manifest.schemaVersion = 2;
      manifest.mediaType = oci::kMediaTypeManifest;
      manifest.layers.present = true;
      TRY(const BlobInfo config, FileOf(image.config));
      manifest.config.mediaType = oci::kMediaTypeConfig;
      manifest.config.digest = config.digest.String();
      manifest.config.size = static_cast<int64_t>(config.size);
      for (const std::string& path : image.layers) {
        TRY(const BlobInfo blob, FileOf(PlainPath(path)));
        Descriptor layer;
        TRY(layer.mediaType, LayerType(store_.content(), blob.digest));
        layer.digest = blob.digest.String();
        layer.size = static_cast<int64_t>(blob.size);
        manifest.layers.push_back(std::move(layer));
      }
      TRY(const std::string text, reflect::ToJson(manifest));
      hold_.Keep(DigestOf(text));
      TRY(const Digest digest, store_.content().Put(text));
      Descriptor entry;
      entry.mediaType = oci::kMediaTypeManifest;
      entry.digest = digest.String();
      entry.size = static_cast<int64_t>(text.size());
      index.manifests.push_back(std::move(entry));
    }
    TRY(const std::string text, reflect::ToJson(index));
    return ImportIndex(store_, text, names, bring, options_);
  }

  ImageStore& store_;
  const ImportOptions& options_;
  ContentHold hold_;
  std::map<std::string, BlobInfo> files_by_path_;
  std::map<std::string, std::string> texts_;
  std::map<std::string, std::string> links_;
  size_t files_ = 0;
  size_t in_memory_ = 0;
};

}  // namespace

std::string PlainPath(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (!out.empty()) out += '/';
    out += part;
  }
  return out;
}

Result<std::string_view> LayerType(const ContentStore& content, const Digest& digest) {
  TRY(const UniqueFd file, content.OpenBlob(digest));
  FdSource source(file.get());
  char magic[4] = {};
  TRY(const size_t count, source.Read(magic));
  const std::string_view start(magic, count);
  if (start.starts_with("\x1f\x8b")) return oci::kMediaTypeLayerGzip;
  if (start == "\x28\xb5\x2f\xfd") return oci::kMediaTypeLayerZstd;
  return oci::kMediaTypeLayer;
}

Result<std::vector<ImageInfo>> ImportImages(ImageStore& store, ByteSource& source,
                                            const ImportOptions& options) {
  ArchiveImport import(store, options);
  return import.Run(source);
}

}  // namespace podium::image
