// The tag of an image reference, as the default of imagePullPolicy needs it.
#pragma once

#include <string_view>

namespace podium::api {

// True when the reference names the tag "latest", in words or by naming neither tag nor digest.
// False for what is no reference (uppercase in the repository, a bare 64-digit identifier, ""):
// upstream ignores the parser's error and compares the empty tag.
//
//   "nginx", "nginx:latest", "reg:5000/nginx", "nginx:latest@sha256:<64 digits>"   true
//   "nginx:1.25", "nginx@sha256:<64 digits>", "Nginx", "nginx:", ""               false
bool HasLatestTag(std::string_view image);

}  // namespace podium::api
