// The objects of full_objects.h that hold no pods.
#pragma once

#include <string>
#include <vector>

namespace podium::api {

std::vector<std::string> FullObjectsOfOtherKinds();

}  // namespace podium::api
