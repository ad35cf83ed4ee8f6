// Merging an applied configuration into an object. Private to reflect/apply.
#pragma once

#include "reflect/apply/apply_schema.h"
#include "reflect/json_value.h"

namespace podium::reflect {

// Semantics of structured-merge-diff v6, TypedValue.Merge: nothing goes; leaves are the
// configuration's; elements of lists stand as in the configuration, those that it does not have
// where they were among the others. Both values have passed CheckValue, the configuration without
// duplicates; of what *live has twice, one that the configuration has takes the place of all.
void MergeValue(const ValueSchema& schema, const JsonValue& config, JsonValue* live);

}  // namespace podium::reflect
