// strings.TrimSpace of Go's standard library.
#pragma once

#include <string_view>

namespace podium::reflect {

// Without white space, by Unicode (IsGoSpace), at either end.
std::string_view TrimGoSpace(std::string_view text);

}  // namespace podium::reflect
