// What the JSON of types made at run time has and that of others has not. Private to reflect.
//
// Members that no field names are kept where x-kubernetes-preserve-unknown-fields says so.
// Such a type has, as its last field, a map of RawJson flagged kUnknown, whose entries stand in the
// object's JSON beside the other fields. Copying, comparing and resetting take it for any field;
// its key is one that no JSON has.
#pragma once

#include "reflect/type.h"

namespace podium::reflect {

// The field that keeps unknown members, or null.
inline const Field* UnknownField(const Type& type) {
  return !type.fields.empty() && type.fields.back().has(kUnknown) ? &type.fields.back() : nullptr;
}

// A box flagged kNullable tells null from absent: it then holds an object of a transparent type
// without a value.
inline bool KeepsNull(const Field& field) {
  return field.shape == Shape::kBox && field.has(kNullable);
}

// A field whose key in JSON is not its name in quotes, because of escapes, or is empty. `quoted` is
// then the name between quotes all the same, and what reads and writes keys must not use it. (The
// flag is one that only fields of alternatives have otherwise.)
inline constexpr FieldFlags kEscapedKey = kFromOuter;

}  // namespace podium::reflect
