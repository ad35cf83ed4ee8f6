// What the image room does with folders of its own: making, syncing, writing small files whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace podium::image {

// Mode 0700; one that is there is no error.
Result<void> MakePrivateFolder(const std::string& path);

// Makes names in the folder durable.
Result<void> SyncFolder(const std::string& path);

// The file has the old bytes or the new ones after a crash, never others. Needs FOLDER/name.tmp.
Result<void> ReplaceFile(const std::string& path, std::string_view bytes);

struct DiskSpace {
  uint64_t capacity_bytes = 0;
  uint64_t available_bytes = 0;  // to those who are not root, as the kubelet counts
  uint64_t inodes = 0;           // 0 on file systems that make them as needed
  uint64_t inodes_free = 0;
};
Result<DiskSpace> SpaceOf(const std::string& path);

}  // namespace podium::image
