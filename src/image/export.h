// Images out of the store, as one archive that others read.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "image/image_store.h"

namespace podium::image {

// Writes an OCI image layout as a tar archive (OCI image specification 1.1, image-layout.md) with
// Docker's manifest.json beside it: skopeo, podman and containerd read the one, `docker load` also
// the other. A reference that is a name exports that name alone; an id, all names of the image.
// Layers are as they came, compressed or not. Streams: `fd` may be a pipe.
//   kNotFound   no such image
//   kDataLoss   a blob of it is missing or damaged; pulling it again brings it
Result<void> ExportImages(ImageStore& store, std::span<const std::string> references, int fd);

}  // namespace podium::image
