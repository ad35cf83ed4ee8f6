// Images out of an archive that `docker save` wrote, or an OCI layout in a tar; for import.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/byte_source.h"
#include "image/image_store.h"
#include "image/import.h"

namespace podium::image {

// Reads the archive, compressed or not, to its end.
Result<std::vector<ImageInfo>> ImportImages(ImageStore& store, ByteSource& source,
                                            const ImportOptions& options);

// "./blobs//sha256/x" is "blobs/sha256/x".
std::string PlainPath(std::string_view path);

// The media type of a layer that is in the store, by its first bytes.
Result<std::string_view> LayerType(const ContentStore& content, const Digest& digest);

}  // namespace podium::image
