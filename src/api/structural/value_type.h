// The types of values and those that schemas allow, as the validation of custom resources sees
// them.
#pragma once

#include <string>
#include <string_view>

#include "reflect/json_value.h"
#include "reflect/schema/structural.h"

namespace podium::api {

// The type and the format of a JSON value, as upstream's untyped objects have them.
struct ValueType {
  std::string_view type;
  std::string_view format;
};
ValueType TypeOfValue(const reflect::JsonValue& value);

// The type as messages name it.
std::string TypeText(const reflect::Structural& schema);

bool AllowsType(const reflect::Structural& schema, std::string_view type);

// The schema's format: where it is known, and for the types that it is for. Else empty.
std::string_view FormatOf(const reflect::Structural& schema);

}  // namespace podium::api
