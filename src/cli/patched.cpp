#include "cli/patched.h"

#include <string>

#include "cli/input.h"
#include "cli/json_members.h"
#include "reflect/patch/json_merge_patch.h"
#include "reflect/patch/json_patch.h"
#include "reflect/patch/strategic_patch.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

// As kubectl names the kind of an object in messages.
std::string KindText(const JsonValue& object) {
  const std::string version(TextOf(object, "apiVersion"));
  return (version.contains('/') ? version : '/' + version) +
         ", Kind=" + std::string(TextOf(object, "kind"));
}

}  // namespace

Result<JsonValue> ReadPatch(std::string_view text) {
  DocumentReader reader(text);
  Document document;
  if (!reader.Next(&document)) return Error(Code::kInvalidArgument, "there is no patch");
  if (!document.problem.empty()) return Error(Code::kInvalidArgument, document.problem);
  Document more;
  if (reader.Next(&more)) return Error(Code::kInvalidArgument, "there is more than one patch");
  return reflect::ParseJson(document.json);
}

Result<JsonValue> Patched(std::string_view patch_type, const JsonValue& patch,
                          const reflect::Type* type, JsonValue object) {
  if (patch_type == "json") {
    TRY(const reflect::JsonPatch operations, reflect::JsonPatch::FromValue(patch));
    TRY_VOID(operations.Apply(&object));
    return object;
  }
  if (!patch.is_object()) return Error(Code::kInvalidArgument, "the patch is no object");
  if (patch_type == "merge") {
    reflect::ApplyMergePatch(patch, &object);
    return object;
  }
  if (type == nullptr) {
    return Error(Code::kUnsupported, "strategic merge patch is not supported for " +
                                         KindText(object) + " locally, try --type merge");
  }
  TRY_VOID(reflect::ApplyStrategicPatch(*type, patch, &object));
  return object;
}

}  // namespace podium::cli
