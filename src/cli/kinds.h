// Kinds and fields by the names that people give them, and what they may have meant.
#pragma once

#include <string>
#include <string_view>

#include "reflect/type.h"

namespace podium::cli {

// Whether any kind is of this apiVersion.
bool IsKnownApiVersion(std::string_view api_version);

// Upstream's words for a kind that is not there, and where there is one, or one of a similar name.
std::string UnknownKindMessage(std::string_view api_version, std::string_view kind);

// For an unknown field at `path`, from the root of `type`: the field of that place that was most
// likely meant, or empty.
std::string_view NearestField(const reflect::Type& type, std::string_view path);

// The same for a field of `owner` itself.
std::string_view NearestName(const reflect::Type& owner, std::string_view name);

}  // namespace podium::cli
