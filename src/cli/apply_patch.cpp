#include "cli/apply_patch.h"

#include "api/scheme.h"
#include "cli/json_members.h"
#include "cli/last_applied.h"
#include "cli/server_writes.h"
#include "cli/text.h"
#include "reflect/go_text.h"
#include "reflect/patch/strategic_patch.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

// What kubectl prints of the object that a patch was for.
std::string Described(const Selected& item) {
  const ServerResource& resource = *item.resource;
  const std::string version = resource.group + "/" + resource.version;
  return "Resource: " + reflect::GoQuoted(version + ", Resource=" + resource.plural) +
         ", GroupVersionKind: " + reflect::GoQuoted(version + ", Kind=" + resource.kind) +
         "\nName: " + reflect::GoQuoted(item.name) +
         ", Namespace: " + reflect::GoQuoted(item.namespace_);
}

void RequireVersion(std::string_view version, JsonValue* patch) {
  if (!patch->Find("metadata")) patch->Set("metadata", JsonValue::Of(JsonValue::Object()));
  patch->Find("metadata")->Set("resourceVersion", JsonValue::String(std::string(version)));
}

}  // namespace

Result<ApplyPatch> MakeApplyPatch(const Selected& item, const JsonValue& modified,
                                  const JsonValue& live, const ApplyPatchRules& rules) {
  JsonValue original = JsonValue::Of(JsonValue::Object());
  if (const auto last = LastApplied(live); last && !last->empty()) {
    TRY(original, reflect::ParseJson(*last));
  }
  const reflect::Type* type = api::FindType(item.resource->ApiVersion(), item.resource->kind);
  JsonValue patch;
  if (type) {
    TRY(patch, reflect::MakeThreeWayPatch(*type, original, modified, live,
                                          {.overwrite = rules.overwrite}));
  } else {
    patch = ThreeWayMergePatch(original, modified, live);
  }
  if (!rules.resource_version.empty() && !patch.object().empty()) {
    RequireVersion(rules.resource_version, &patch);
  }
  return ApplyPatch{reflect::ToText(patch, {.sort_keys = true, .canonical_numbers = true}),
                    type ? kStrategicPatch : kMergePatch};
}

Error RetrievingError(const Selected& item, const Error& error) {
  return SourceError(
      item,
      "retrieving current configuration of:\n" + Described(item) + "\nfrom server for:", error);
}

Error PatchError(const Selected& item, const std::string& body, const Error& error) {
  return SourceError(item,
                     "applying patch:\n" + body + "\nto:\n" + Described(item) + "\nfor:", error);
}

void WarnIfGoing(const Streams& streams, const JsonValue& object) {
  if (!ValueAt(object, {"metadata", "deletionTimestamp"})) return;
  const std::string name(TextAt(object, {"metadata", "name"}));
  (void)streams.Err("Warning: Detected changes to resource " + Printable(name) +
                    " which is currently being deleted.\n");
}

}  // namespace podium::cli
