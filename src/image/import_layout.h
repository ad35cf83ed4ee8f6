// Images by an OCI index whose blobs are at hand; for the files of import.h.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/byte_source.h"
#include "image/image_store.h"
#include "image/import.h"

namespace podium::image {

// Puts the blob into the store unless it is there, and holds it. kNotFound, kDataLoss.
using BringBlob = std::function<Result<void>(const Descriptor& descriptor)>;

// Names that another document of the archive has, by the image's id.
using NamesById = std::map<Digest, std::vector<std::string>>;

// Adds the images of index.json that are for the platform.
Result<std::vector<ImageInfo>> ImportIndex(ImageStore& store, std::string_view index_json,
                                           const NamesById& names, const BringBlob& bring,
                                           const ImportOptions& options);

// Puts bytes that should have this digest into the store; kDataLoss when they have another.
Result<void> PutBlob(ImageStore& store, const Digest& digest, ByteSource& source);

// Refuses what is no OCI layout of a version that we know.
Result<void> CheckLayout(std::string_view oci_layout_json);

}  // namespace podium::image
