// Members of JSON that may be anything: what is not there, or of another type, is empty.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reflect/json_value.h"

namespace podium::cli {

// The member's text; "" where it is no string.
std::string_view TextOf(const reflect::JsonValue& object, std::string_view key);
bool TruthOf(const reflect::JsonValue& object, std::string_view key);
// The elements of an array; none where it is none.
const reflect::JsonValue::Array& ElementsOf(const reflect::JsonValue& object, std::string_view key);
std::vector<std::string> TextsOf(const reflect::JsonValue& object, std::string_view key);
// {"metadata", "name"}: the value at the end, or null.
const reflect::JsonValue* ValueAt(const reflect::JsonValue& object,
                                  std::initializer_list<std::string_view> way);
std::string_view TextAt(const reflect::JsonValue& object,
                        std::initializer_list<std::string_view> way);

}  // namespace podium::cli
