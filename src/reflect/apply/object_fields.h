// Sets of fields and objects: the fields that an object has, and an object without some of them.
// Private to reflect/apply.
//
// Semantics are those of structured-merge-diff v6, typed. Values are those of documents: what is
// null or empty in them is there.
#pragma once

#include <string>

#include "base/result.h"
#include "reflect/apply/apply_schema.h"
#include "reflect/apply/field_set.h"
#include "reflect/json_value.h"

namespace podium::reflect {

enum class Duplicates { kForbid, kAllow };

// Whether the value can be of the schema: kinds of values, fields that there are, elements that can
// be told apart. The error is upstream's: `.spec.replicas: expected numeric (int or float), got
// string`, or a list of several.
Result<void> CheckValue(const ValueSchema& schema, const JsonValue& value, Duplicates duplicates);

// Leaves, elements of lists, entries of maps, and what is null or an empty object. Of elements that
// are there twice only the step to them.
FieldSet FieldsOf(const ValueSchema& schema, const JsonValue& value);

// With the fields of structs on the way to what is in the set.
FieldSet WithNamedFields(const ValueSchema& schema, const FieldSet& set);

// Where the schema says that a value is atomic, but the set goes into it: the value itself instead.
FieldSet WithAtomicFields(const ValueSchema& schema, FieldSet set);

// Takes out of *value what the set names, with everything in it. What loses all its members or
// elements becomes null.
void RemoveFields(const ValueSchema& schema, const FieldSet& set, JsonValue* value);

}  // namespace podium::reflect
