// Values of described objects by path: what field selectors, the downward API and patches need.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "reflect/field_path.h"
#include "reflect/json.h"
#include "reflect/walk.h"

namespace podium::reflect {

// The value at a path. A step [3] is an element of a list, or the key "3" of a map; a name is a
// field, or a map's key. Paths do not lead into untyped values (RawJson).
//
// kInvalidArgument when the type has no such field (`no field "spec.nodeNam" in Pod`); kNotFound
// when it has, but an object, element or entry on the way is not there. A field that is itself
// absent is found: its get() is null, or its value the default.
Result<ValueRef> FindField(const Type& type, const void* object, const FieldPath& path);

// The value at a path as plain text: strings and texts of leaves (100m, 2026-03-14T09:26:53Z) as
// they are, numbers in decimal, true and false. Absent values are "". kInvalidArgument for no such
// field, and for objects, lists and maps.
Result<std::string> FieldText(const Type& type, const void* object, const FieldPath& path);

// Replaces the value at a path by what the JSON says, null being the default. Objects and map
// entries on the way are made; of a list, the element behind its last one is made as well.
//
// kInvalidArgument when there is no such field, when the element is further out, and for JSON that
// is not right for the field (one problem a line); kResourceExhausted at a limit of `options`. The
// object is then valid, but may hold a part of the value: work on a copy.
Result<void> SetField(const Type& type, void* object, const FieldPath& path, std::string_view json,
                      const DecodeOptions& options = {});

// Appends the value's JSON; null for an absent one. Errors as of EncodeJson.
Result<void> EncodeJsonValue(const ValueRef& value, std::string* out);

}  // namespace podium::reflect
