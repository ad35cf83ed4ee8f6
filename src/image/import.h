// Images into the store from files: what `docker save` and `podman save` write, OCI layouts as an
// archive or a folder, and plain root file systems.
//
// Archives are read once and as a stream, so they may come through a pipe, compressed or not. What
// is in them is not trusted: digests are checked, sizes of what is kept in memory are bounded, and
// names in them never become names on disk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/image_store.h"
#include "image/platform.h"

namespace podium::image {

struct ImportOptions {
  enum class Kind {
    kAuto,            // by the names of the archive's first entries
    kImages,          // docker save, OCI layout
    kRootFileSystem,  // a tar of files
  };
  Kind kind = Kind::kAuto;
  // Given to the image; only when there is one. Otherwise images have the names that the archive
  // gives them.
  std::vector<std::string> names = {};
  // Which image of those for several platforms; of a root file system, what it says it is for.
  // Nothing: this machine.
  std::optional<Platform> platform = {};
  // Of a root file system: entry point, environment, working folder, user, labels, …
  wire::oci_image::ImageConfig config = {};
  // In the new image's configuration: when it was made, and what made it.
  ImageTime created = {};
  std::string comment = {};
  BlobProgress progress = {};  // with the bytes read of the input
};

// Reads one archive from `fd`, which stays the caller's. Returns the images that were added, at
// least one.
//   kInvalidArgument  no such archive, or one that contradicts itself
//   kNotFound         a blob is missing, or no image in it is for the platform
//   kDataLoss         a blob is not what its digest says
Result<std::vector<ImageInfo>> ImportArchive(ImageStore& store, int fd,
                                             const ImportOptions& options);

// The same from a folder that is an OCI layout. Links in it are not followed.
Result<std::vector<ImageInfo>> ImportLayout(ImageStore& store, const std::string& folder,
                                            const ImportOptions& options);

}  // namespace podium::image
