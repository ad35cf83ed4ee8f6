// The names of protobuf enums, kept in Facts::enum_values as "NAME=0 OTHER=1".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace podium::reflect {

std::optional<int32_t> EnumNumber(std::string_view values, std::string_view name);

// Empty when no name has the number.
std::string_view EnumName(std::string_view values, int32_t number);

}  // namespace podium::reflect
