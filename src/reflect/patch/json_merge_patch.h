// JSON merge patch, RFC 7386: a document in the shape of what it changes, where null removes.
#pragma once

#include "reflect/json_value.h"

namespace podium::reflect {

// Section 2, MergePatch(target, patch). Members keep their places; new ones come last. Takes time
// linear in both, but for objects of many members that the patch names too: there n log n.
// Arrays are taken as they are, where upstream's library (json-patch v4) drops the nulls of objects
// in them.
void ApplyMergePatch(const JsonValue& patch, JsonValue* target);

// The smallest patch that makes `to` from `from`. What a merge patch cannot say is not in it: a
// member of `to` whose value is null, at any depth outside of arrays, becomes a member that is
// absent.
JsonValue MakeMergePatch(const JsonValue& from, const JsonValue& to);

}  // namespace podium::reflect
