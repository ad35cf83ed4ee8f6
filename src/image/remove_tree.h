// Removes folders of any depth and width, without recursion and without following links.
#pragma once

#include <string>

#include "base/result.h"

namespace podium::image {

// Removes what is in a folder, of which no path is longer than PATH_MAX. Nobody else may change it
// meanwhile.
Result<void> RemoveContents(int folder);

// Removes whatever has this name in the folder; nothing there is no error.
Result<void> RemoveTree(int folder, const std::string& name);

}  // namespace podium::image
