// Merging a strategic merge patch into a document, or into another patch. Private to reflect/patch.
#pragma once

#include "base/result.h"
#include "reflect/json_value.h"
#include "reflect/patch/patch_schema.h"

namespace podium::reflect {

enum class MergeInto {
  // Directives are obeyed and do not stay, nulls neither.
  kDocument,
  // Directives and nulls stay, for whom the patch is sent to.
  kPatch,
};

// Both are objects; `patch` is used up.
Result<void> MergeStrategic(const ObjectSchema& schema, MergeInto into, JsonValue patch,
                            JsonValue* original);

}  // namespace podium::reflect
