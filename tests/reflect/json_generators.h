// Random JSON values for properties.
#pragma once

#include <rapidcheck.h>

#include <set>
#include <string>

#include "reflect/json_value.h"

namespace podium::reflect::testing {

// Text rich in what formats trip over: quotes, colons, breaks, words that are no strings in YAML,
// characters of every UTF-8 length.
inline rc::Gen<std::string> GenText() {
  const auto piece = rc::gen::elementOf(
      std::vector<std::string>{"a",
                               "b",
                               "Z",
                               " ",
                               "  ",
                               "\n",
                               "\n\n",
                               "\t",
                               "\r",
                               ":",
                               ": ",
                               " #",
                               "#",
                               "-",
                               "- ",
                               "?",
                               "'",
                               "\"",
                               "\\",
                               "{",
                               "}",
                               "[",
                               "]",
                               ",",
                               "&",
                               "*",
                               "!",
                               "|",
                               ">",
                               "%",
                               "@",
                               "`",
                               "yes",
                               "null",
                               "~",
                               "0x1F",
                               "1_000",
                               "1.5",
                               "-",
                               "2001-01-01",
                               "12:30",
                               ".inf",
                               "<<",
                               "---",
                               "...",
                               "<",
                               "\x01",
                               "\x7F",
                               "\xC2\x85",
                               "\xC3\xA9",
                               "\xE2\x80\xA8",
                               "\xEF\xBB\xBF",
                               "\xEF\xBF\xBE",
                               "\xF0\x9F\x98\x80",
                               std::string(1, '\0'),
                               "some longer words that can be folded at a space "});
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece),
                      [](const std::vector<std::string>& pieces) {
                        std::string text;
                        for (const std::string& part : pieces) text += part;
                        return text;
                      });
}

inline rc::Gen<JsonValue> GenNumber() {
  return rc::gen::oneOf(
      rc::gen::map(rc::gen::arbitrary<int64_t>(),
                   [](int64_t n) { return JsonValue::Number(std::to_string(n)); }),
      rc::gen::map(rc::gen::elementOf(std::vector<std::string>{
                       "0", "1", "-1", "1.5", "1e21", "1e-7", "0.1", "123456789.25", "1E+2",
                       "18446744073709551615", "9223372036854775808", "1e100", "-2.5e-9"}),
                   [](const std::string& text) { return JsonValue::Number(text); }));
}

inline rc::Gen<JsonValue> GenJson(int depth = 4) {
  const auto scalar = rc::gen::oneOf(rc::gen::just(JsonValue()),
                                     rc::gen::map(rc::gen::arbitrary<bool>(), JsonValue::Bool),
                                     GenNumber(), rc::gen::map(GenText(), JsonValue::String));
  if (depth == 0) return scalar;
  const auto array = rc::gen::map(
      rc::gen::resize(4, rc::gen::container<std::vector<JsonValue>>(
                             rc::gen::lazy([depth] { return GenJson(depth - 1); }))),
      [](std::vector<JsonValue> elements) { return JsonValue::Of(std::move(elements)); });
  const auto object = rc::gen::map(
      rc::gen::resize(
          4, rc::gen::container<std::vector<std::pair<std::string, JsonValue>>>(
                 rc::gen::pair(GenText(), rc::gen::lazy([depth] { return GenJson(depth - 1); })))),
      [](std::vector<std::pair<std::string, JsonValue>> pairs) {
        JsonValue out = JsonValue::Of(JsonValue::Object{});
        for (auto& [key, value] : pairs) out.Set(key, std::move(value));
        return out;
      });
  return rc::gen::oneOf(scalar, array, object);
}

}  // namespace podium::reflect::testing

namespace rc {
template <>
struct Arbitrary<podium::reflect::JsonValue> {
  static Gen<podium::reflect::JsonValue> arbitrary() { return podium::reflect::testing::GenJson(); }
};
// Found by its name. NOLINTNEXTLINE(readability-identifier-naming)
inline void showValue(const podium::reflect::JsonValue& value, std::ostream& os) {
  os << podium::reflect::ToText(value);
}
}  // namespace rc
