// Whether text is JSON, with the errors of Go's encoding/json, which upstream's users see.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "reflect/json_value.h"

namespace podium::api {

// Why `text` is no JSON. Nothing when it is.
std::optional<std::string> GoJsonSyntaxProblem(std::string_view text);

// Why Go cannot read `text` into a map[string]interface{}: it is no JSON, or a value other than an
// object or null. Nothing when it can.
std::optional<std::string> GoJsonObjectProblem(std::string_view text);

// What Go calls the kind of a value in its errors: "object", "number".
std::string_view GoKindOf(const reflect::JsonValue& value);

}  // namespace podium::api
