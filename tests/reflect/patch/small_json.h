// Random JSON values that have much in common, for properties of patches: few keys, few values.
#pragma once

#include <rapidcheck.h>

#include <string>
#include <utility>
#include <vector>

#include "reflect/json_value.h"

namespace podium::reflect::testing {

// `nulls`: members of objects may be null. Elements of lists may be in any case.
inline rc::Gen<JsonValue> GenSmallJson(bool nulls, int depth = 3) {
  using Texts = std::vector<std::string>;
  const auto scalar =
      rc::gen::oneOf(rc::gen::map(rc::gen::elementOf(Texts{"1", "1.0", "2"}), JsonValue::Number),
                     rc::gen::map(rc::gen::elementOf(Texts{"", "x"}), JsonValue::String),
                     rc::gen::just(JsonValue::Bool(true)));
  if (depth == 0) return scalar;
  const auto value = rc::gen::lazy([=] { return GenSmallJson(nulls, depth - 1); });
  const auto member = nulls ? rc::gen::oneOf(value, rc::gen::just(JsonValue())) : value;
  const auto element = rc::gen::oneOf(value, rc::gen::just(JsonValue()));
  const auto key = rc::gen::elementOf(Texts{"a", "b", "c", "a/b", "m~n", ""});
  const auto object = rc::gen::map(
      rc::gen::resize(5, rc::gen::container<std::vector<std::pair<std::string, JsonValue>>>(
                             rc::gen::pair(key, member))),
      [](std::vector<std::pair<std::string, JsonValue>> members) {
        JsonValue out = JsonValue::Of(JsonValue::Object{});
        for (auto& [name, its] : members) out.Set(name, std::move(its));
        return out;
      });
  const auto array = rc::gen::map(
      rc::gen::resize(4, rc::gen::container<std::vector<JsonValue>>(element)),
      [](std::vector<JsonValue> elements) { return JsonValue::Of(std::move(elements)); });
  return rc::gen::oneOf(scalar, array, object, object);
}

inline JsonValue ParsedJson(std::string_view text) {
  auto value = ParseJson(text);
  return value.ok()
             ? *std::move(value)
             : JsonValue::String("not JSON: " + std::string(text) + ": " + value.error().message());
}

}  // namespace podium::reflect::testing
