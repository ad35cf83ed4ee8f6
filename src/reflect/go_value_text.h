// How Go's fmt prints untyped values.
#pragma once

#include <string>

#include "reflect/json_value.h"

namespace podium::reflect {

// With %v: map[a:1 b:[x y]], members in the order of their keys, null as <nil>.
std::string GoText(const JsonValue& value);

}  // namespace podium::reflect
