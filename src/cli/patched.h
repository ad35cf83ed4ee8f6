// What a patch makes of an object, without a server. Pure.
#pragma once

#include <string_view>

#include "base/result.h"
#include "reflect/json_value.h"
#include "reflect/type.h"

namespace podium::cli {

// The one patch of this text, JSON or YAML.
Result<reflect::JsonValue> ReadPatch(std::string_view text);

// `patch_type` is "json", "merge" or "strategic", which needs the object's type.
Result<reflect::JsonValue> Patched(std::string_view patch_type, const reflect::JsonValue& patch,
                                   const reflect::Type* type, reflect::JsonValue object);

}  // namespace podium::cli
