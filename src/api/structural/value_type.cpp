#include "api/structural/value_type.h"

#include "api/structural/formats.h"
#include "reflect/number_text.h"

namespace podium::api {

using reflect::JsonValue;
using reflect::Structural;

ValueType TypeOfValue(const JsonValue& value) {
  switch (value.kind()) {
    case JsonValue::Kind::kNull:
      return {"null", ""};
    case JsonValue::Kind::kBool:
      return {"boolean", ""};
    case JsonValue::Kind::kNumber:
      if (reflect::ReadJsonNumber(value.number()).is_integer) return {"integer", "int64"};
      return {"number", "float64"};
    case JsonValue::Kind::kString:
      return {"string", ""};
    case JsonValue::Kind::kArray:
      return {"array", ""};
    case JsonValue::Kind::kObject:
      break;
  }
  return {"object", ""};
}

std::string TypeText(const Structural& schema) {
  return schema.int_or_string ? "integer,string" : schema.type;
}

bool AllowsType(const Structural& schema, std::string_view type) {
  if (schema.int_or_string) return type == "integer" || type == "string";
  return !schema.type.empty() && schema.type == type;
}

std::string_view FormatOf(const Structural& schema) {
  const std::string& format = schema.format;
  if (schema.int_or_string || schema.type.empty() || schema.type == "string") {
    return IsKnownFormat(format) ? std::string_view(format) : std::string_view();
  }
  const bool counts = (schema.type == "integer" && (format == "int32" || format == "int64")) ||
                      (schema.type == "number" && (format == "float" || format == "double"));
  return counts ? std::string_view(format) : std::string_view();
}

}  // namespace podium::api
