#include "image/import_layout.h"

#include <fcntl.h>

#include <set>

#include "image/image_index.h"
#include "image/manifest.h"
#include "linux/path.h"
#include "reflect/json.h"

namespace podium::image {
namespace {

namespace oci = wire::oci_image;

constexpr uint64_t kMaxLayoutSize = 4096;
constexpr std::string_view kContainerdName = "io.containerd.image.name";

std::string_view Annotation(const Descriptor& descriptor, std::string_view key) {
  const auto found = descriptor.annotations.find(key);
  return found == descriptor.annotations.end() ? std::string_view() : found->second;
}

// The name that the index gives. "1.25" alone is a tag of nobody knows what.
std::vector<std::string> NamesOf(const Descriptor& descriptor) {
  std::string_view name = Annotation(descriptor, kContainerdName);
  if (name.empty()) {
    name = Annotation(descriptor, oci::kAnnotationRefName);
    if (name.find_first_of("/:") == std::string_view::npos) return {};
  }
  if (!CanonicalName(name).ok()) return {};
  return {std::string(name)};
}

class IndexImport {
 public:
  IndexImport(ImageStore& store, const NamesById& names, const BringBlob& bring,
              const ImportOptions& options)
      : store_(store),
        names_(names),
        bring_(bring),
        options_(options),
        matcher_(options.platform ? *options.platform : HostPlatform()) {}

  // The manifests, each with all names that it has.
  Result<void> Add(const Descriptor& entry) {
    if (!IsIndexType(entry.mediaType) && !IsManifestType(entry.mediaType)) return {};
    if (entry.platform && !matcher_.Rank(*entry.platform)) {
      others_ += (others_.empty() ? "" : ", ") + PlatformText(*entry.platform);
      return {};
    }
    const FetchDocument fetch = [this](const Descriptor& wanted,
                                       uint64_t max_size) -> Result<std::string> {
      TRY_VOID(bring_(wanted));
      TRY(const Digest digest, DigestOfDescriptor(wanted));
      return store_.content().Read(digest, max_size);
    };
    TRY(const FoundManifest found, FindManifest(entry, matcher_, fetch));
    TRY_VOID(bring_(found.manifest.config));
    for (const Descriptor& layer : found.manifest.layers) TRY_VOID(bring_(layer));
    TRY(const Digest manifest, DigestOfDescriptor(found.descriptor));
    TRY(const Digest id, DigestOfDescriptor(found.manifest.config));
    std::set<std::string>& names = found_[manifest];
    for (const std::string& name : NamesOf(entry)) names.insert(name);
    if (const auto more = names_.find(id); more != names_.end()) {
      names.insert(more->second.begin(), more->second.end());
    }
    return {};
  }

  Result<std::vector<ImageInfo>> Finish() {
    if (found_.empty()) {
      std::string message = "no image in it is for " + PlatformText(matcher_.machine());
      if (!others_.empty()) message += "; there are images for " + others_;
      return Error(Code::kNotFound, std::move(message));
    }
    if (!options_.names.empty() && found_.size() > 1) {
      return Error(Code::kInvalidArgument, "there are " + std::to_string(found_.size()) +
                                               " images in it, which cannot all have one name");
    }
    std::vector<ImageInfo> images;
    for (const auto& [manifest, names] : found_) {
      const std::vector<std::string> own(names.begin(), names.end());
      TRY(ImageInfo info,
          store_.AddManifest(manifest, options_.names.empty() ? own : options_.names));
      images.push_back(std::move(info));
    }
    return images;
  }

 private:
  ImageStore& store_;
  const NamesById& names_;
  const BringBlob& bring_;
  const ImportOptions& options_;
  const PlatformMatcher matcher_;
  std::map<Digest, std::set<std::string>> found_;
  std::string others_;  // platforms of what was passed over
};

}  // namespace

Result<void> PutBlob(ImageStore& store, const Digest& digest, ByteSource& source) {
  auto check = [&](const Digest& found) -> Result<void> {
    if (found == digest) return {};
    return Error(Code::kDataLoss,
                 "blob " + digest.String() + " is damaged: its bytes are " + found.String());
  };
  TRY_VOID(store.content().PutStream(source, check, digest.algorithm));
  return {};
}

Result<void> CheckLayout(std::string_view oci_layout_json) {
  auto layout = reflect::FromJson<oci::Layout>(oci_layout_json, {.strict = false});
  if (!layout.ok()) return std::move(layout).error().WithContext("oci-layout");
  if (layout->imageLayoutVersion.starts_with("1.")) return {};
  return Error(Code::kUnsupported,
               "oci-layout has version \"" + layout->imageLayoutVersion + "\", not 1.0.0");
}

Result<std::vector<ImageInfo>> ImportIndex(ImageStore& store, std::string_view index_json,
                                           const NamesById& names, const BringBlob& bring,
                                           const ImportOptions& options) {
  auto document = ReadManifest(index_json, oci::kMediaTypeIndex);
  if (!document.ok()) return std::move(document).error().WithContext("index.json");
  const auto* index = std::get_if<Index>(&*document);
  if (!index) return Error(Code::kInvalidArgument, "index.json is no index");
  IndexImport import(store, names, bring, options);
  for (const Descriptor& entry : index->manifests) TRY_VOID(import.Add(entry));
  return import.Finish();
}

Result<std::vector<ImageInfo>> ImportLayout(ImageStore& store, const std::string& folder,
                                            const ImportOptions& options) {
  TRY(const UniqueFd root, kernel::OpenPath(folder, O_PATH | O_DIRECTORY));
  auto read = [&](const char* name, uint64_t max_size) -> Result<std::string> {
    auto file = kernel::OpenWithoutLinks(root.get(), name, O_RDONLY);
    if (!file.ok() && file.error().code() == Code::kNotFound) {
      return Error(Code::kInvalidArgument, folder + " is no OCI image layout: it has no " + name);
    }
    TRY(const UniqueFd opened, std::move(file));
    return kernel::ReadDescriptor(opened.get(), max_size);
  };
  TRY(const std::string layout, read("oci-layout", kMaxLayoutSize));
  TRY_VOID(CheckLayout(layout));
  TRY(const std::string index, read("index.json", kMaxManifestSize));
  ContentHold hold = store.Hold();
  uint64_t done = 0;
  const BringBlob bring = [&](const Descriptor& descriptor) -> Result<void> {
    TRY(const Digest digest, DigestOfDescriptor(descriptor));
    hold.Keep(digest);
    if (store.content().Contains(digest)) return {};
    const std::string path = "blobs/" + digest.algorithm + '/' + digest.hex;
    TRY(const UniqueFd file, kernel::OpenWithoutLinks(root.get(), path, O_RDONLY));
    FdSource source(file.get());
    ObservedSource observed(source, [&](std::string_view piece) -> Result<void> {
      done += piece.size();
      if (!options.progress || options.progress(done)) return {};
      return Error(Code::kCancelled, "the import was cancelled");
    });
    return PutBlob(store, digest, observed);
  };
  return ImportIndex(store, index, {}, bring, options);
}

}  // namespace podium::image
