#include "cli/last_applied.h"

#include <utility>

#include "cli/json_members.h"
#include "reflect/patch/json_merge_patch.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

JsonValue* MemberObject(JsonValue* object, std::string_view key) {
  const JsonValue* member = object->Find(key);
  if (!member || !member->is_object()) object->Set(key, JsonValue::Of(JsonValue::Object()));
  return object->Find(key);
}

// Of a merge patch: what it takes away, or what it sets. Lists are values.
JsonValue PartOf(const JsonValue& patch, bool nulls) {
  JsonValue part = JsonValue::Of(JsonValue::Object());
  if (!patch.is_object()) return part;
  for (const auto& [key, value] : patch.object()) {
    if (value.is_object()) {
      JsonValue inner = PartOf(value, nulls);
      // An empty object that is set is one; elsewhere it says nothing.
      if (!inner.object().empty() || (!nulls && value.object().empty())) {
        part.Set(key, std::move(inner));
      }
    } else if (value.is_null() == nulls) {
      part.Set(key, value);
    }
  }
  return part;
}

}  // namespace

std::string CanonicalText(const JsonValue& object) {
  return reflect::ToText(object, {.sort_keys = true, .canonical_numbers = true}) + '\n';
}

std::optional<std::string> LastApplied(const JsonValue& object) {
  const JsonValue* text = ValueAt(object, {"metadata", "annotations", kLastAppliedAnnotation});
  if (!text || !text->is_string()) return {};
  return text->string();
}

JsonValue WithoutLastApplied(JsonValue object) {
  (void)MemberObject(MemberObject(&object, "metadata"), "annotations")
      ->Erase(kLastAppliedAnnotation);
  return object;
}

JsonValue WithLastApplied(JsonValue object, MemberOrder order) {
  object = WithoutLastApplied(std::move(object));
  JsonValue* metadata = object.Find("metadata");
  std::string text;
  if (order == MemberOrder::kSorted) {
    text = CanonicalText(object);
  } else {
    // Upstream's structs leave out what is empty.
    if (metadata->Find("annotations")->object().empty()) (void)metadata->Erase("annotations");
    text = reflect::ToText(object, {.canonical_numbers = true}) + '\n';
  }
  MemberObject(metadata, "annotations")
      ->Set(kLastAppliedAnnotation, JsonValue::String(std::move(text)));
  return object;
}

JsonValue WithLastAppliedIf(bool save, JsonValue object, MemberOrder order) {
  if (!save && !LastApplied(object)) return object;
  return WithLastApplied(std::move(object), order);
}

JsonValue OnlyLastApplied(const JsonValue& object, std::string text) {
  JsonValue only = JsonValue::Of(JsonValue::Object());
  for (const char* key : {"apiVersion", "kind"}) {
    only.Set(key, JsonValue::String(std::string(TextOf(object, key))));
  }
  JsonValue* metadata = MemberObject(&only, "metadata");
  for (const char* key : {"name", "namespace"}) {
    const std::string_view value = TextAt(object, {"metadata", key});
    if (!value.empty()) metadata->Set(key, JsonValue::String(std::string(value)));
  }
  MemberObject(metadata, "annotations")
      ->Set(kLastAppliedAnnotation, JsonValue::String(std::move(text)));
  return only;
}

std::string LastAppliedPatch(std::string text) {
  JsonValue patch = JsonValue::Of(JsonValue::Object());
  MemberObject(MemberObject(&patch, "metadata"), "annotations")
      ->Set(kLastAppliedAnnotation, JsonValue::String(std::move(text)));
  return reflect::ToText(patch);
}

void PruneNulls(JsonValue* value) {
  if (value->is_array()) {
    for (JsonValue& element : value->array()) PruneNulls(&element);
  }
  if (!value->is_object()) return;
  std::erase_if(value->object(), [](const auto& member) { return member.value.is_null(); });
  for (auto& member : value->object()) PruneNulls(&member.value);
}

JsonValue ThreeWayMergePatch(const JsonValue& original, const JsonValue& modified,
                             const JsonValue& current) {
  JsonValue patch = PartOf(reflect::MakeMergePatch(original, modified), true);
  const JsonValue set = PartOf(reflect::MakeMergePatch(current, modified), false);
  // The nulls of the one stay where the other says nothing: both are objects, neither is a document
  // in which null would mean absent.
  reflect::ApplyMergePatch(set, &patch);
  return patch;
}

}  // namespace podium::cli
