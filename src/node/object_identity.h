// What a registry gives an object that is new.
#pragma once

#include <string>

namespace podium::node {

// Random, in the form of RFC 9562, version 4.
std::string NewUid();

// `prefix` and five letters that make no words, as upstream's SimpleNameGenerator; the prefix is
// cut so that the name is one that may be.
std::string GeneratedName(const std::string& prefix);

}  // namespace podium::node
