#include "runtime/roots_ahead.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "linux/path.h"
#include "runtime/host_facts.h"
#include "runtime/isolators/all.h"

namespace podium::runtime {
namespace {

constexpr mode_t kPrivate = 0700;

}  // namespace

RootsAhead::RootsAhead(std::string folder, std::string places, image::ImageStore& images,
                       size_t most, Remover remover)
    : folder_(std::move(folder)),
      places_(std::move(places)),
      images_(images),
      remover_(std::move(remover)),
      most_(most) {}

Result<void> RootsAhead::Open() {
  TRY_VOID(kernel::MakeFolders(folder_, kPrivate));
  TRY(const UniqueFd folder, kernel::OpenPath(folder_, O_RDONLY | O_DIRECTORY));
  TRY(const std::vector<std::string> names, kernel::ListFolder(folder.get()));
  for (const std::string& name : names) remover_(folder_ + '/' + name);
  return {};
}

Result<std::vector<RootsAhead::Inode>> RootsAhead::InodesOf(
    const std::vector<std::string>& layers) {
  std::vector<Inode> inodes;
  inodes.reserve(layers.size());
  for (const std::string& layer : layers) {
    struct stat status{};
    if (lstat(layer.c_str(), &status) != 0) return Error::FromErrno(errno, layer);
    inodes.emplace_back(status.st_dev, status.st_ino);
  }
  return inodes;
}

bool RootsAhead::IsOf(const Root& root, const std::vector<std::string>& layers) {
  if (root.layers != layers) return false;
  const auto inodes = InodesOf(layers);
  return inodes.ok() && *inodes == root.inodes;
}

kernel::Mount RootsAhead::Take(const image::ImageInfo& image, const std::string& container_folder) {
  std::vector<Root> found;
  {
    const std::lock_guard lock(mutex_);
    if (most_ == 0) return {};
    recent_.push_front(image.id);
    if (recent_.size() > most_) recent_.pop_back();
    const auto at = std::ranges::find(roots_, image.id, &Root::image);
    if (at == roots_.end()) return {};
    found.push_back(std::move(*at));
    roots_.erase(at);
  }
  Root& root = found.front();
  if (IsOf(root, LayersOf(places_, image)) &&
      rename(root.folder.c_str(), container_folder.c_str()) == 0) {
    return std::move(root.mount);
  }
  Discard(std::move(found));
  return {};
}

// The caller's pin keeps the layers where they are only until it is done; what happens to them
// later is seen by who takes the root.
Result<RootsAhead::Root> RootsAhead::Make(const image::Digest& id) {
  TRY(const image::ImagePin pin, images_.Pin(id));
  TRY(const image::ImageInfo image, images_.Resolve(id.String()));
  Root root{.image = id,
            .folder = folder_ + '/' + NewId(),
            .layers = LayersOf(places_, image),
            .inodes = {},
            .mount = {}};
  TRY(root.inodes, InodesOf(root.layers));
  auto mount = MountRoot(root.layers, root.folder, -1, nullptr, "");
  if (!mount.ok()) {
    remover_(root.folder);
    return std::move(mount).error();
  }
  root.mount = *std::move(mount);
  return root;
}

void RootsAhead::Discard(std::vector<Root> roots) {
  for (Root& root : roots) {
    root.mount = {};
    remover_(root.folder);
  }
}

// With mutex_ held.
std::vector<RootsAhead::Root> RootsAhead::TakeUnwanted() {
  std::vector<Root> unwanted;
  for (size_t i = 0; i < roots_.size();) {
    const image::Digest& image = roots_[i].image;
    if (std::ranges::count(roots_, image, &Root::image) <= std::ranges::count(recent_, image)) {
      ++i;
      continue;
    }
    unwanted.push_back(std::move(roots_[i]));
    roots_.erase(roots_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return unwanted;
}

// With mutex_ held.
std::optional<image::Digest> RootsAhead::Missing() const {
  for (const image::Digest& image : recent_) {
    if (std::ranges::count(roots_, image, &Root::image) < std::ranges::count(recent_, image)) {
      return image;
    }
  }
  return std::nullopt;
}

bool RootsAhead::Refill() {
  std::optional<image::Digest> missing;
  std::vector<Root> unwanted;
  {
    const std::lock_guard lock(mutex_);
    unwanted = TakeUnwanted();
    missing = Missing();
  }
  Discard(std::move(unwanted));
  if (!missing) return false;
  auto made = Make(*missing);
  std::vector<Root> late;
  {
    const std::lock_guard lock(mutex_);
    if (!made.ok()) {
      // The image is gone, the disk is full: a container says it, when there is one.
      std::erase(recent_, *missing);
    } else if (most_ == 0) {
      late.push_back(*std::move(made));
    } else {
      roots_.push_back(*std::move(made));
    }
  }
  Discard(std::move(late));
  return true;
}

size_t RootsAhead::size() const {
  const std::lock_guard lock(mutex_);
  return roots_.size();
}

void RootsAhead::Clear() {
  std::vector<Root> all;
  {
    const std::lock_guard lock(mutex_);
    most_ = 0;
    recent_.clear();
    std::ranges::move(roots_, std::back_inserter(all));
    roots_.clear();
  }
  Discard(std::move(all));
}

}  // namespace podium::runtime
