// Rules for paths that must stay inside a volume or a folder (upstream's
// pkg/apis/core/validation, release 1.36). They look at the text alone.
#pragma once

#include <string_view>

#include "api/field_errors.h"

namespace podium::api {

// No element is "..".
field::ErrorList ValidatePathNoBacksteps(std::string_view target, const field::Path& path);

// Relative, and no element is "..": subPath and subPathExpr.
field::ErrorList ValidateLocalDescendingPath(std::string_view target, const field::Path& path);

// Relative, no element is "..", and the first does not start with "..": such names are reserved for
// the atomic swap of projected files.
field::ErrorList ValidateLocalNonReservedPath(std::string_view target, const field::Path& path);

}  // namespace podium::api
