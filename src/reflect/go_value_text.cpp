#include "reflect/go_value_text.h"

#include <algorithm>
#include <vector>

#include "reflect/number_text.h"

namespace podium::reflect {
namespace {

void AppendGoText(const JsonValue& value, std::string* out) {
  switch (value.kind()) {
    case JsonValue::Kind::kNull:
      *out += "<nil>";
      break;
    case JsonValue::Kind::kBool:
      *out += value.boolean() ? "true" : "false";
      break;
    case JsonValue::Kind::kNumber:
      if (const Number number = ReadJsonNumber(value.number()); number.is_integer) {
        *out += std::to_string(number.integer);
      } else {
        AppendFloatGeneral(number.floating, out);
      }
      break;
    case JsonValue::Kind::kString:
      *out += value.string();
      break;
    case JsonValue::Kind::kArray:
      *out += '[';
      for (size_t i = 0; i < value.array().size(); ++i) {
        if (i > 0) *out += ' ';
        AppendGoText(value.array()[i], out);
      }
      *out += ']';
      break;
    case JsonValue::Kind::kObject: {
      std::vector<const JsonValue::Member*> members;
      for (const auto& member : value.object()) members.push_back(&member);
      std::ranges::sort(members, {},
                        [](const auto* member) -> const std::string& { return member->key; });
      *out += "map[";
      for (size_t i = 0; i < members.size(); ++i) {
        if (i > 0) *out += ' ';
        *out += members[i]->key + ':';
        AppendGoText(members[i]->value, out);
      }
      *out += ']';
      break;
    }
  }
}

}  // namespace

std::string GoText(const JsonValue& value) {
  std::string out;
  AppendGoText(value, &out);
  return out;
}

}  // namespace podium::reflect
