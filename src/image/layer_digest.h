// Digests by which an unpacked layer is recognised: taken when it has been unpacked, and again when
// one wants to know whether it is still the same. They depend on what a container sees, not on how
// the file system keeps it (inode numbers, holes, times of access).
//
// Nobody may change the folder meanwhile.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "image/digest.h"

namespace podium::image {

// Of the folder itself and every entry below: path, type, mode, owner, time of change; of what is
// no folder its size, number of links, device or target; and the xattrs that layers have. A few
// system calls for each entry.
Result<Digest> DigestOfEntries(int folder);

struct ContentsOptions {
  // Drops what is in memory first, so that the disk is read (pages in use stay).
  bool from_disk = false;
  // Gets the bytes that are read; false: kCancelled.
  std::function<bool(uint64_t done)> progress = {};
};
// Of the bytes of every regular file; those with several names once.
Result<Digest> DigestOfContents(int folder, const ContentsOptions& options);

}  // namespace podium::image
