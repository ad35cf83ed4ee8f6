// A part of a volume, resolved into a descriptor so that a container which swaps folders and links
// of the volume meanwhile gains nothing: CVE-2017-1002101, CVE-2021-25741.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::node {

// The file or folder `path` (relative, without "..") below `volume`, O_PATH. Links are followed
// while they stay inside the volume; a link out of it is kPermissionDenied. What is missing is made
// as folders with the volume's own permissions.
Result<UniqueFd> OpenSubPath(int volume, const std::string& path);

}  // namespace podium::node
