#include "cli/json_members.h"

namespace podium::cli {

using reflect::JsonValue;

std::string_view TextOf(const JsonValue& object, std::string_view key) {
  const JsonValue* value = object.Find(key);
  return value && value->is_string() ? std::string_view(value->string()) : std::string_view();
}

bool TruthOf(const JsonValue& object, std::string_view key) {
  const JsonValue* value = object.Find(key);
  return value && value->is_bool() && value->boolean();
}

const JsonValue::Array& ElementsOf(const JsonValue& object, std::string_view key) {
  static const JsonValue::Array kNothing;
  const JsonValue* value = object.Find(key);
  return value && value->is_array() ? value->array() : kNothing;
}

std::vector<std::string> TextsOf(const JsonValue& object, std::string_view key) {
  std::vector<std::string> out;
  for (const JsonValue& element : ElementsOf(object, key)) {
    if (element.is_string()) out.push_back(element.string());
  }
  return out;
}

const JsonValue* ValueAt(const JsonValue& object, std::initializer_list<std::string_view> way) {
  const JsonValue* value = &object;
  for (const std::string_view key : way) {
    value = value->Find(key);
    if (!value) return nullptr;
  }
  return value;
}

std::string_view TextAt(const JsonValue& object, std::initializer_list<std::string_view> way) {
  const JsonValue* value = ValueAt(object, way);
  return value && value->is_string() ? std::string_view(value->string()) : std::string_view();
}

}  // namespace podium::cli
