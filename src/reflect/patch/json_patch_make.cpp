#include <string>
#include <utility>

#include "reflect/patch/json_patch.h"
#include "reflect/patch/members.h"

namespace podium::reflect {
namespace {

// Section 3 of RFC 6901.
std::string Escaped(std::string_view key) {
  std::string out;
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

JsonValue Operation(std::string_view op, const std::string& path, const JsonValue* value) {
  JsonValue out = JsonValue::Of(JsonValue::Object{});
  out.Set("op", JsonValue::String(std::string(op)));
  out.Set("path", JsonValue::String(path));
  if (value != nullptr) out.Set("value", *value);
  return out;
}

void Differences(const JsonValue& from, const JsonValue& to, const std::string& path,
                 JsonValue::Array* out) {
  if (!from.is_object() || !to.is_object()) {
    if (!Equivalent(from, to)) out->push_back(Operation("replace", path, &to));
    return;
  }
  Members before = Members::Of(from);
  Members after = Members::Of(to);
  for (const auto& [key, value] : from.object()) {
    if (after.Find(key) == nullptr) {
      out->push_back(Operation("remove", path + '/' + Escaped(key), nullptr));
    }
  }
  for (const auto& [key, value] : to.object()) {
    const std::string inner = path + '/' + Escaped(key);
    const JsonValue* old = before.Find(key);
    if (old != nullptr) {
      Differences(*old, value, inner, out);
    } else {
      out->push_back(Operation("add", inner, &value));
    }
  }
}

}  // namespace

JsonValue JsonPatch::Make(const JsonValue& from, const JsonValue& to) {
  JsonValue::Array out;
  Differences(from, to, "", &out);
  return JsonValue::Of(std::move(out));
}

}  // namespace podium::reflect
