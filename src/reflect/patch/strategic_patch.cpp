#include "reflect/patch/strategic_patch.h"

#include <utility>

#include "reflect/patch/strategic_merge.h"

namespace podium::reflect {

Result<void> ApplyStrategicPatch(const Type& type, JsonValue patch, JsonValue* document) {
  if (!patch.is_object() || !document->is_object()) {
    return Error(Code::kInvalidArgument, "invalid JSON document");
  }
  return MergeStrategic({&type}, MergeInto::kDocument, std::move(patch), document);
}

}  // namespace podium::reflect
