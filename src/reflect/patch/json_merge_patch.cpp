#include "reflect/patch/json_merge_patch.h"

#include <utility>

#include "reflect/patch/members.h"

namespace podium::reflect {
namespace {

JsonValue EmptyObject() { return JsonValue::Of(JsonValue::Object{}); }

}  // namespace

void ApplyMergePatch(const JsonValue& patch, JsonValue* target) {
  if (!patch.is_object()) {
    *target = patch;
    return;
  }
  if (!target->is_object()) *target = EmptyObject();
  Members members(target);
  for (const auto& [key, value] : patch.object()) {
    if (value.is_null()) {
      members.Erase(key);
    } else if (JsonValue* there = members.Find(key)) {
      ApplyMergePatch(value, there);
    } else {
      // Also a value of its own is merged: nulls inside of it do not stay.
      ApplyMergePatch(value, &members.Set(key, JsonValue()));
    }
  }
}

JsonValue MakeMergePatch(const JsonValue& from, const JsonValue& to) {
  if (!to.is_object()) return to;
  JsonValue patch = EmptyObject();
  const JsonValue nothing = EmptyObject();
  const JsonValue& before = from.is_object() ? from : nothing;
  Members old_members = Members::Of(before);
  Members new_members = Members::Of(to);
  for (const auto& [key, value] : before.object()) {
    const JsonValue* now = new_members.Find(key);
    if (now == nullptr || (now->is_null() && !value.is_null())) {
      patch.object().push_back({key, JsonValue()});
    }
  }
  for (const auto& [key, value] : to.object()) {
    if (value.is_null()) continue;
    const JsonValue* old = old_members.Find(key);
    if (old != nullptr && Equivalent(*old, value)) continue;
    JsonValue change = MakeMergePatch(old ? *old : JsonValue(), value);
    patch.object().push_back({key, std::move(change)});
  }
  return patch;
}

}  // namespace podium::reflect
