// The release of the API that this is, as servers and nodes say it.
#pragma once

#include <string_view>

namespace podium::api {

inline constexpr std::string_view kRelease = "v1.36.0";
// Of servers and kubelets: kubectl reads the release and shows the rest.
inline constexpr std::string_view kGitVersion = "v1.36.0+podium";

}  // namespace podium::api
