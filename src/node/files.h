// Small files of the room's own: written whole, read whole.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "linux/path.h"

namespace podium::node {

// Puts the content there under a name of its own first, so that nobody reads half of it; parents
// must exist. Survives the process, not the machine.
Result<void> WriteFile(const std::string& path, std::string_view content, mode_t mode);
// Changes a file that is mounted elsewhere: in place, and only when something changes.
Result<void> WriteInPlace(const std::string& path, std::string_view content, mode_t mode);
// kNotFound; kResourceExhausted when there is more than max_size.
Result<std::string> ReadSmallFile(const std::string& path, size_t max_size);
// With its parents; there already is fine.
Result<void> MakeFolders(const std::string& path, mode_t mode);
// Whatever is below it, of any depth (linux/path.h). Not there is fine. Links are not followed, and
// other file systems not entered. `go_on`: kCancelled as soon as it says no.
Result<void> RemoveTree(const std::string& path, const kernel::GoOn& go_on = {});

}  // namespace podium::node
