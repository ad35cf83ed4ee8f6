// The names in Facts::list_map_keys: the members of an element that tell it from the others of its
// list.
//
// They stand in one text, as in "containerPort protocol", and a property of a custom resource may
// have any name, also one with a space, or none but "". So ' ', '~' and NUL are written as "~1",
// "~0" and "~2", and the name without letters as "~". Names of the API's own types have none of
// these.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "reflect/type.h"

namespace podium::reflect {

// In the order of the text.
std::vector<std::string> ListMapKeysOf(const Facts& facts);

// The text for these names.
std::string ListMapKeysText(std::span<const std::string> names);

}  // namespace podium::reflect
