#include "cli/overrides.h"

#include <string>
#include <utility>

#include "api/scheme.h"
#include "cli/json_members.h"
#include "reflect/go_text.h"
#include "reflect/json.h"
#include "reflect/patch/json_merge_patch.h"
#include "reflect/patch/json_patch.h"
#include "reflect/patch/strategic_patch.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;
using reflect::Type;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

Result<JsonValue> PatchOf(std::string_view text, const char* otherwise) {
  auto patch = reflect::ParseJson(text);
  if (!patch.ok() || patch->is_null()) return Usage(otherwise);
  return patch;
}

Result<void> Patch(std::string_view how, std::string_view text, const Type& type,
                   JsonValue* object) {
  if (how == "json") {
    TRY(const reflect::JsonPatch patch, reflect::JsonPatch::Parse(text));
    return patch.Apply(object);
  }
  if (how == "strategic") {
    TRY(JsonValue patch, PatchOf(text, "invalid JSON document"));
    return reflect::ApplyStrategicPatch(type, std::move(patch), object);
  }
  TRY(const JsonValue patch, PatchOf(text, "Invalid JSON Patch"));
  reflect::ApplyMergePatch(patch, object);
  return {};
}

}  // namespace

Result<Overridden> Override(const Invocation& invocation, const Type& type, JsonValue object) {
  const std::string_view text = invocation.Get("overrides");
  if (text.empty()) return Overridden{&type, std::move(object)};
  const std::string_view how = invocation.Get("override-type", "merge");
  if (how != "json" && how != "merge" && how != "strategic") {
    return Usage("invalid override type: " + std::string(how));
  }
  TRY_VOID(Patch(how, text, type, &object));
  const std::string_view version = TextOf(object, "apiVersion");
  const std::string kind(TextOf(object, "kind"));
  const Type* named = api::FindType(version, kind);
  if (named == nullptr) {
    return Usage("no kind " + reflect::GoQuoted(kind) + " is registered for version " +
                 reflect::GoQuoted(version));
  }
  return Overridden{named, std::move(object)};
}

}  // namespace podium::cli
