// Field paths and JSONPath templates from any bytes: both end in bounded time, paths read back, and
// what a template prints does not depend on how often it is asked. The input is a template, a zero
// byte, and JSON for it.
#include <cstdint>
#include <string_view>

#include "fuzz/require.h"
#include "reflect/field_path.h"
#include "reflect/json_locator.h"
#include "reflect/json_path.h"

using namespace podium::reflect;  // NOLINT: a fuzz target
using podium::fuzz::Require;

namespace {

void CheckFieldPath(std::string_view text) {
  const auto path = FieldPath::Parse(text);
  if (!path.ok()) return;
  const auto again = FieldPath::Parse(path->Text());
  Require(again.ok() && *again == *path);
}

void CheckLocator(std::string_view json) {
  const JsonLocator locator(json);
  for (size_t offset = 0; offset < json.size(); offset += 1 + json.size() / 16) {
    Require(locator.Locate(locator.PathAt(offset)).exact);
  }
}

void CheckTemplate(std::string_view text, const JsonValue& data) {
  const auto path = JsonPath::Parse(text);
  if (!path.ok()) {
    Require(!path.error().message().empty());
    return;
  }
  for (const bool allow : {false, true}) {
    const JsonPathOptions options{.allow_missing_keys = allow, .max_values = 100'000};
    std::string first;
    std::string second;
    const bool good = path->Execute(data, &first, options).ok();
    Require(path->Execute(data, &second, options).ok() == good && first == second);
    Require(good || first.empty());
    std::string json;
    if (good) Require(path->ExecuteAsJson(data, &json, options).ok());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 8192) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t zero = input.find('\0');
  const std::string_view text = input.substr(0, zero);
  const std::string_view json = zero == input.npos ? "null" : input.substr(zero + 1);
  CheckFieldPath(text);
  (void)RelaxedJsonPath(text);
  const auto value = ParseJson(json, {.max_depth = 100});
  if (value.ok()) {
    CheckLocator(json);
    CheckTemplate(text, *value);
  } else {
    CheckTemplate(text, JsonValue());
  }
  return 0;
}
