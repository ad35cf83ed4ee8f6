#include "image/image_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "image/disk.h"
#include "image/image_state.h"
#include "linux/path.h"

namespace podium::image {
namespace {

constexpr uint64_t kMaxIndexSize = uint64_t{256} << 20;
constexpr std::string_view kLayout = "{\"imageLayoutVersion\":\"1.0.0\"}\n";
constexpr size_t kDigits = 64;

Error NotFound(std::string_view reference) {
  return {Code::kNotFound, "image \"" + std::string(reference) + "\" not found"};
}

bool IsHex(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<UniqueFd> LockStore(const std::string& root) {
  const std::string path = root + "/lock";
  UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return Error::FromErrno(errno, "opening " + path);
  if (flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
    const std::string pid = std::to_string(getpid()) + '\n';
    if (ftruncate(file.get(), 0) != 0) return Error::FromErrno(errno, "writing " + path);
    TRY_VOID(kernel::WriteAll(file.get(), pid));
    return file;
  }
  if (errno != EWOULDBLOCK) return Error::FromErrno(errno, "locking " + path);
  std::string holder = "another process";
  if (auto text = kernel::ReadFile(AT_FDCWD, path, 32); text.ok() && text->ends_with('\n')) {
    holder = "process " + text->substr(0, text->size() - 1);
  }
  return Error(Code::kUnavailable, "the images in " + root + " are in use by " + holder);
}

// What index.json of a podium that was never here says.
Result<ImageSnapshot> ReadIndexFile(const std::string& path) {
  auto text = kernel::ReadFile(AT_FDCWD, path, kMaxIndexSize);
  if (!text.ok()) {
    if (text.error().code() == Code::kNotFound) return ImageSnapshot();
    return std::move(text).error();
  }
  auto snapshot = ReadIndexText(*text);
  if (!snapshot.ok()) return std::move(snapshot).error().WithContext(path);
  return snapshot;
}

// Which of the image's blobs are not there, or not whole by their size.
void LookForBlobs(const StoredImage& image, const std::map<Digest, uint64_t>& sizes,
                  ContentStore* content, std::set<Digest>* missing) {
  for (const BlobInfo& blob : image.blobs) {
    const auto found = sizes.find(blob.digest);
    if (found != sizes.end() && found->second == blob.size) continue;
    // Removed, so that it can be fetched again.
    if (found != sizes.end()) static_cast<void>(content->Remove(blob.digest));
    missing->insert(blob.digest);
  }
}

// An image whose manifest or configuration cannot be read: as much as is known of it. Pulling it
// again brings the rest.
StoredImage Unread(const StoredImage& known, ContentStore* content, std::set<Digest>* missing) {
  bool found = false;
  for (const Digest& digest : {known.manifest.digest, known.id}) {
    if (content->Verify(digest).ok()) continue;
    missing->insert(digest);
    found = true;
  }
  // Whole, and nevertheless not the manifest of this image.
  if (!found) missing->insert(known.manifest.digest);
  StoredImage image = known;
  image.read = false;
  image.blobs = {known.manifest};
  return image;
}

}  // namespace

ImagePin::ImagePin(ImagePin&& other) noexcept
    : store_(std::exchange(other.store_, nullptr)), id_(std::move(other.id_)) {}

ImagePin& ImagePin::operator=(ImagePin&& other) noexcept {
  if (this != &other) {
    if (store_) store_->Unpin(id_);
    store_ = std::exchange(other.store_, nullptr);
    id_ = std::move(other.id_);
  }
  return *this;
}

ImagePin::~ImagePin() {
  if (store_) store_->Unpin(id_);
}

ContentHold::ContentHold(ContentHold&& other) noexcept
    : store_(std::exchange(other.store_, nullptr)), kept_(std::move(other.kept_)) {}

ContentHold::~ContentHold() {
  if (store_) store_->DropContent(kept_);
}

void ContentHold::Keep(const Digest& digest) {
  store_->KeepContent(digest);
  kept_.push_back(digest);
}

ImageStore::ImageStore(ContentStore content)
    : content_(std::move(content)), state_(std::make_unique<State>()) {}

ImageStore::~ImageStore() = default;

Result<std::unique_ptr<ImageStore>> ImageStore::Open(const std::string& root) {
  TRY_VOID(MakePrivateFolder(root));
  TRY(UniqueFd lock, LockStore(root));
  TRY(ContentStore content, ContentStore::Open(root));
  std::unique_ptr<ImageStore> store(new ImageStore(std::move(content)));
  State& state = *store->state_;
  state.root = root;
  state.lock = std::move(lock);
  TRY(state.layers, LayerStore::Open(root));
  TRY(const ImageSnapshot read, ReadIndexFile(root + "/index.json"));
  TRY_VOID(ReplaceFile(root + "/oci-layout", kLayout));

  std::map<Digest, uint64_t> sizes;
  TRY(const auto blobs, store->content_.List());
  for (const BlobInfo& blob : blobs) sizes[blob.digest] = blob.size;
  for (const auto& [id, image] : read.images) {
    StoredImage whole = *image;
    const bool fine = ReadImage(store->content_, &whole).ok() && whole.id == id;
    if (!fine) whole = Unread(*image, &store->content_, &state.missing);
    LookForBlobs(whole, sizes, &store->content_, &state.missing);
    state.snapshot.Put(std::move(whole));
  }
  return store;
}

ImageInfo ImageStore::State::InfoOf(const StoredImage& image) const {
  ImageInfo info;
  info.id = image.id;
  info.manifest = image.manifest.digest;
  for (const std::string& name : image.names) {
    (IsDigestName(name) ? info.repo_digests : info.names).push_back(name);
  }
  info.document = image.document;
  info.size = image.BlobBytes();
  info.added = image.added;
  info.last_used = image.last_used;
  info.pinned = image.pinned;
  if (const auto use = uses.find(image.id); use != uses.end()) {
    info.pins = use->second.pins;
    info.last_used = std::max(info.last_used, use->second.last_used);
  }
  for (const BlobInfo& blob : image.blobs) {
    if (missing.contains(blob.digest)) info.missing.push_back(blob.digest);
  }
  if (!image.read && missing.contains(image.id)) info.missing.push_back(image.id);
  info.runnable = image.read;
  for (size_t i = 0; i < image.diff_ids.size(); ++i) {
    auto layer = layers->Find(image.diff_ids[i]);
    if (!layer.ok()) {
      const auto digest = DigestOfDescriptor(image.layers[i]);
      if (!digest.ok() || missing.contains(*digest)) info.runnable = false;
      continue;
    }
    if (layer->opaque_root) info.layers.clear();
    info.unpacked_size += layer->bytes;
    info.layers.push_back(layer->folder);
  }
  return info;
}

Result<std::shared_ptr<const StoredImage>> ImageStore::State::Find(
    std::string_view reference) const {
  auto by_id = [&](const Digest& id) {
    const auto found = snapshot.images.find(id);
    return found == snapshot.images.end() ? nullptr : found->second;
  };
  if (const auto id = Digest::Parse(reference); id.ok()) return by_id(*id);
  if (reference.size() == kDigits && IsHex(reference)) {
    return by_id({"sha256", std::string(reference)});
  }
  std::string_view digits = reference;
  if (digits.starts_with("sha256:")) digits.remove_prefix(7);
  const auto name = CanonicalName(reference);
  if (name.ok()) {
    if (const auto found = snapshot.names.find(*name); found != snapshot.names.end()) {
      return by_id(found->second);
    }
  } else if (!IsHex(digits)) {
    return name.error();
  }
  if (!IsHex(digits)) return std::shared_ptr<const StoredImage>();
  std::shared_ptr<const StoredImage> match;
  for (const auto& [id, image] : snapshot.images) {
    if (!id.hex.starts_with(digits)) continue;
    if (match) {
      return Error(Code::kInvalidArgument,
                   "more than one image has an id that begins with " + std::string(digits));
    }
    match = image;
  }
  return match;
}

Result<ImageInfo> ImageStore::Resolve(std::string_view reference) const {
  const std::lock_guard guard(state_->mutex);
  TRY(const auto image, state_->Find(reference));
  if (!image) return NotFound(reference);
  return state_->InfoOf(*image);
}

std::vector<ImageInfo> ImageStore::List() const {
  const std::lock_guard guard(state_->mutex);
  std::vector<ImageInfo> list;
  for (const auto& [id, image] : state_->snapshot.images) list.push_back(state_->InfoOf(*image));
  return list;
}

Result<ImagePin> ImageStore::Pin(const Digest& id) {
  std::shared_ptr<const StoredImage> image;
  {
    const std::lock_guard guard(state_->mutex);
    const auto found = state_->snapshot.images.find(id);
    if (found == state_->snapshot.images.end() || state_->erasing.contains(id)) {
      return NotFound(id.String());
    }
    image = found->second;
    State::Use& use = state_->uses[id];
    ++use.pins;
    use.last_used = std::chrono::system_clock::now();
  }
  ImagePin pin(this, id);
  if (!image->read) {
    return Error(Code::kDataLoss, "image " + id.String() + " is damaged; pull it again");
  }
  for (size_t i = 0; i < image->diff_ids.size(); ++i) {
    TRY_VOID(EnsureLayer(image->layers[i], image->diff_ids[i]));
  }
  return pin;
}

void ImageStore::Unpin(const Digest& id) {
  const std::lock_guard guard(state_->mutex);
  State::Use& use = state_->uses[id];
  --use.pins;
  use.last_used = std::chrono::system_clock::now();
}

void ImageStore::KeepContent(const Digest& digest) {
  std::unique_lock guard(state_->mutex);
  state_->removed.wait(guard, [&] { return state_->removing != digest; });
  ++state_->held[digest];
}

void ImageStore::DropContent(std::span<const Digest> digests) {
  const std::lock_guard guard(state_->mutex);
  for (const Digest& digest : digests) {
    if (const auto found = state_->held.find(digest); --found->second == 0) {
      state_->held.erase(found);
    }
  }
}

bool ImageStore::IsUnpacked(const Digest& diff_id) const {
  return state_->layers->Contains(diff_id);
}

Result<void> ImageStore::Unpack(const Descriptor& layer, const Digest& diff_id,
                                const BlobProgress& progress) {
  TRY_VOID(LayerCompression(layer.mediaType));
  if (IsUnpacked(diff_id)) return {};
  TRY(const Digest digest, DigestOfDescriptor(layer));
  auto blob = content_.OpenBlob(digest);
  if (!blob.ok() && blob.error().code() == Code::kNotFound) {
    const std::lock_guard guard(state_->mutex);
    state_->missing.insert(digest);
  }
  if (!blob.ok()) return std::move(blob).error();
  auto unpacked = state_->layers->Unpack(blob->get(), diff_id, progress);
  if (unpacked.ok()) return {};
  Error error = std::move(unpacked).error().WithContext("unpacking layer " + digest.String());
  // Whose fault: the disk's, or that of whoever made the layer?
  if (error.code() != Code::kDataLoss && error.code() != Code::kInvalidArgument) return error;
  if (auto whole = content_.Verify(digest); !whole.ok()) {
    if (whole.error().code() != Code::kDataLoss) return std::move(whole).error();
    const std::lock_guard guard(state_->mutex);
    state_->missing.insert(digest);
    return std::move(whole).error();
  }
  return Error(Code::kInvalidArgument, error.message());
}

Result<void> ImageStore::State::Commit(ImageSnapshot next) {
  {
    const std::lock_guard guard(mutex);
    for (const auto& [id, image] : snapshot.images) {
      if (next.images.contains(id)) continue;
      const auto use = uses.find(id);
      if (use == uses.end() || use->second.pins == 0) continue;
      return Error(Code::kConflict, "image " + id.String() + " is in use by a container");
    }
    for (const auto& [id, image] : snapshot.images) {
      if (!next.images.contains(id)) erasing.insert(id);
    }
    for (auto& [id, image] : next.images) {
      const auto use = uses.find(id);
      if (use == uses.end() || use->second.last_used <= image->last_used) continue;
      StoredImage used = *image;
      used.last_used = use->second.last_used;
      image = std::make_shared<const StoredImage>(std::move(used));
    }
  }
  auto written = ReplaceFile(root + "/index.json", IndexText(next));
  const std::lock_guard guard(mutex);
  if (written.ok()) {
    snapshot = std::move(next);
    for (const Digest& id : erasing) uses.erase(id);
  }
  erasing.clear();
  return written;
}

Result<ImageInfo> ImageStore::AddManifest(const Digest& manifest,
                                          std::span<const std::string> names) {
  std::set<std::string> canonical;
  for (const std::string& name : names) {
    TRY(std::string text, CanonicalName(name));
    canonical.insert(std::move(text));
  }
  StoredImage image;
  image.manifest.digest = manifest;
  TRY_VOID(ReadImage(content_, &image));
  ContentHold hold = Hold();
  for (const BlobInfo& blob : image.blobs) hold.Keep(blob.digest);
  for (const Digest& diff_id : image.diff_ids) hold.Keep(diff_id);
  for (const BlobInfo& blob : image.blobs) {
    if (!content_.Contains(blob.digest)) {
      return Error(Code::kNotFound, "blob " + blob.digest.String() + " of the image is missing");
    }
  }
  for (size_t i = 0; i < image.diff_ids.size(); ++i) {
    TRY_VOID(EnsureLayer(image.layers[i], image.diff_ids[i]));
  }

  const std::lock_guard changing(state_->changing);
  ImageSnapshot next = state_->Snapshot();
  image.added = image.last_used = std::chrono::system_clock::now();
  if (const auto old = next.images.find(image.id); old != next.images.end()) {
    image.added = old->second->added;
    image.pinned = old->second->pinned;
    image.names = old->second->names;
  }
  for (const std::string& name : canonical) {
    const auto owner = next.names.find(name);
    if (owner != next.names.end() && owner->second != image.id) {
      StoredImage loser = *next.images.at(owner->second);
      loser.names.erase(name);
      next.Put(std::move(loser));
    }
    image.names.insert(name);
  }
  const std::vector<BlobInfo> blobs = image.blobs;
  const Digest id = image.id;
  next.Put(std::move(image));
  TRY_VOID(state_->Commit(std::move(next)));
  const std::lock_guard guard(state_->mutex);
  for (const BlobInfo& blob : blobs) state_->missing.erase(blob.digest);
  return state_->InfoOf(*state_->snapshot.images.at(id));
}

Result<void> ImageStore::Tag(std::string_view reference, std::string_view name) {
  TRY(const std::string canonical, CanonicalName(name));
  if (IsDigestName(canonical)) {
    return Error(Code::kInvalidArgument, "refusing to create a tag with a digest reference");
  }
  const std::lock_guard changing(state_->changing);
  ImageSnapshot next = state_->Snapshot();
  TRY(const ImageInfo target, Resolve(reference));
  if (const auto owner = next.names.find(canonical); owner != next.names.end()) {
    if (owner->second == target.id) return {};
    StoredImage loser = *next.images.at(owner->second);
    loser.names.erase(canonical);
    next.Put(std::move(loser));
  }
  StoredImage image = *next.images.at(target.id);
  image.names.insert(canonical);
  next.Put(std::move(image));
  return state_->Commit(std::move(next));
}

Result<void> ImageStore::SetPinned(std::string_view reference, bool pinned) {
  const std::lock_guard changing(state_->changing);
  ImageSnapshot next = state_->Snapshot();
  TRY(const ImageInfo target, Resolve(reference));
  StoredImage image = *next.images.at(target.id);
  image.pinned = pinned;
  next.Put(std::move(image));
  return state_->Commit(std::move(next));
}

}  // namespace podium::image
