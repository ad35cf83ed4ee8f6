// The part of an object that an apply may change. Private to reflect/apply.
#pragma once

#include "reflect/apply/apply_schema.h"
#include "reflect/apply/field_set.h"
#include "reflect/json_value.h"

namespace podium::reflect {

// An apply, behind one step. Null what has nothing there.
struct Touch {
  const JsonValue* config = nullptr;  // what is merged into the object
  const FieldSet* last = nullptr;     // what the manager applied before
  const FieldSet* own = nullptr;      // what it owns from now on
};

// Of an object before or after `config` is merged into it and what is not applied any more is taken
// out: what may differ between the two. An apply of one field need not copy and compare the others.
//
// Members are left out that neither `config` nor `last` names, and elements shortened to their
// keys, which also tell the order. What may go as a whole, and what `config` and `last` end at, is
// there as a whole. Comparing the parts of before and after gives what comparing both objects
// gives, when all sets are of the object's version.
JsonValue TouchedPart(const ValueSchema& schema, const JsonValue& value, const Touch& touch);

}  // namespace podium::reflect
