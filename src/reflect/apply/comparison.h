// What differs between two objects, as sets of fields. Private to reflect/apply.
//
// Semantics are those of structured-merge-diff v6, TypedValue.Compare: a path is in one set at
// most; with a value that comes or goes, come and go the paths to what is in it.
#pragma once

#include "reflect/apply/apply_schema.h"
#include "reflect/apply/field_set.h"
#include "reflect/json_value.h"

namespace podium::reflect {

struct Comparison {
  FieldSet added;
  FieldSet modified;
  FieldSet removed;

  bool is_same() const { return added.empty() && modified.empty() && removed.empty(); }
};

Comparison Compare(const ValueSchema& schema, const JsonValue& before, const JsonValue& after);

}  // namespace podium::reflect
