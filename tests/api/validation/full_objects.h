// One valid object of each kind that has rules, with a good part of its fields set: where
// properties of validation start from.
#pragma once

#include <string>
#include <vector>

namespace podium::api {

// As JSON, with apiVersion and kind.
std::vector<std::string> FullObjects();

}  // namespace podium::api
