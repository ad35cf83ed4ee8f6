#include "image/import.h"

#include <algorithm>
#include <ctime>

#include "image/import_archive.h"
#include "image/tar_reader.h"
#include "reflect/json.h"

namespace podium::image {
namespace {

namespace oci = wire::oci_image;

constexpr size_t kProbeSize = size_t{64} << 10;
constexpr size_t kProbeEntries = 5;

bool LooksLikeImages(std::string_view path) {
  const std::string plain = PlainPath(path);
  const std::string first = plain.substr(0, plain.find('/'));
  if (first == "blobs" || first == "oci-layout" || first == "index.json" ||
      first == "manifest.json" || first == "repositories") {
    return true;
  }
  // Folders and files of docker save: <64 digits>, .json and .tar of them.
  const size_t digits = first.find_first_not_of("0123456789abcdef");
  const std::string_view end =
      digits == std::string::npos ? "" : std::string_view(first).substr(digits);
  return first.size() - end.size() == 64 && (end.empty() || end == ".json" || end == ".tar");
}

// Gives what was read ahead once more, and then the rest.
class Rewound : public ByteSource {
 public:
  Rewound(std::string start, ByteSource& rest) : start_(std::move(start)), rest_(rest) {}
  Result<size_t> Read(std::span<char> buffer) override {
    if (at_ == start_.size()) return rest_.Read(buffer);
    const size_t count = std::min(buffer.size(), start_.size() - at_);
    start_.copy(buffer.data(), count, at_);
    at_ += count;
    return count;
  }

 private:
  std::string start_;
  size_t at_ = 0;
  ByteSource& rest_;
};

Result<std::string> ReadStart(ByteSource& source) {
  std::string start(kProbeSize, '\0');
  size_t size = 0;
  while (size < start.size()) {
    TRY(const size_t count, source.Read(std::span(start).subspan(size)));
    if (count == 0) break;
    size += count;
  }
  start.resize(size);
  return start;
}

// By what stands first: nothing else is there yet when it comes through a pipe.
bool HoldsImages(const std::string& start) {
  MemorySource compressed(start);
  const auto plain = MakeDecompressor(compressed);
  TarReader tar(*plain);
  TarEntry entry;
  for (size_t i = 0; i < kProbeEntries; ++i) {
    const auto more = tar.Next(&entry);
    if (!more.ok() || !*more) return false;
    if (LooksLikeImages(entry.path)) return true;
    // Of an archive made by `tar .`, the first is the folder itself.
    if (!PlainPath(entry.path).empty()) return false;
  }
  return false;
}

// RFC 3339, in UTC.
std::string TimeText(ImageTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

// Of the tar behind the blob's compression.
Result<Digest> DiffIdOf(const ContentStore& content, const Digest& blob) {
  TRY(const UniqueFd file, content.OpenBlob(blob));
  FdSource source(file.get());
  const auto plain = MakeDecompressor(source);
  Hasher hasher;
  ObservedSource hashed(*plain, [&](std::string_view piece) -> Result<void> {
    hasher.Update(piece);
    return {};
  });
  TRY_VOID(Drain(hashed));
  return hasher.Finish();
}

ImageDocument DocumentOf(const ImportOptions& options, const Digest& diff_id) {
  const Platform platform =
      NormalizePlatform(options.platform ? *options.platform : HostPlatform());
  ImageDocument document;
  document.created = TimeText(options.created);
  document.os = platform.os;
  document.architecture = platform.architecture;
  document.variant = platform.variant;
  document.config = options.config;
  document.rootfs.type = "layers";
  document.rootfs.diff_ids.push_back(diff_id.String());
  oci::History step;
  step.created = document.created;
  step.created_by = "podium import";
  step.comment = options.comment;
  document.history.push_back(std::move(step));
  return document;
}

Result<std::vector<ImageInfo>> ImportRootFileSystem(ImageStore& store, ByteSource& source,
                                                    const ImportOptions& options) {
  ContentHold hold = store.Hold();
  ContentStore& content = store.content();
  auto keep = [&](const Digest& digest) -> Result<void> {
    hold.Keep(digest);
    return {};
  };
  TRY(const BlobInfo layer, content.PutStream(source, keep));
  TRY(const std::string_view layer_type, LayerType(content, layer.digest));
  TRY(const Digest diff_id, DiffIdOf(content, layer.digest));
  TRY(const std::string document, reflect::ToJson(DocumentOf(options, diff_id)));
  TRY_VOID(keep(DigestOf(document)));
  TRY(const Digest config, content.Put(document));
  Manifest manifest;
  manifest.schemaVersion = 2;
  manifest.mediaType = oci::kMediaTypeManifest;
  manifest.config.mediaType = oci::kMediaTypeConfig;
  manifest.config.digest = config.String();
  manifest.config.size = static_cast<int64_t>(document.size());
  Descriptor descriptor;
  descriptor.mediaType = layer_type;
  descriptor.digest = layer.digest.String();
  descriptor.size = static_cast<int64_t>(layer.size);
  manifest.layers.push_back(std::move(descriptor));
  TRY(const std::string text, reflect::ToJson(manifest));
  TRY_VOID(keep(DigestOf(text)));
  TRY(const Digest digest, content.Put(text));
  TRY(ImageInfo info, store.AddManifest(digest, options.names));
  return std::vector<ImageInfo>{std::move(info)};
}

}  // namespace

Result<std::vector<ImageInfo>> ImportArchive(ImageStore& store, int fd,
                                             const ImportOptions& options) {
  FdSource file(fd);
  uint64_t done = 0;
  ObservedSource observed(file, [&](std::string_view piece) -> Result<void> {
    done += piece.size();
    if (!options.progress || options.progress(done)) return {};
    return Error(Code::kCancelled, "the import was cancelled");
  });
  TRY(std::string start, ReadStart(observed));
  if (start.empty()) return Error(Code::kInvalidArgument, "the archive is empty");
  using Kind = ImportOptions::Kind;
  const bool images =
      options.kind == Kind::kAuto ? HoldsImages(start) : options.kind == Kind::kImages;
  Rewound source(std::move(start), observed);
  auto imported =
      images ? ImportImages(store, source, options) : ImportRootFileSystem(store, source, options);
  // What the archive had besides its images, or all of it when it was no good: no image is removed.
  TRY_VOID(store.Prune({.all = false, .before = ImageTime()}));
  return imported;
}

}  // namespace podium::image
