// Strategic merge patch: a merge patch that knows the type of what it changes, so that lists whose
// elements have a key are merged element by element. And the patch that `kubectl apply` makes of
// three documents.
//
// Semantics and texts are those of upstream's package strategicpatch (apimachinery v0.36):
//   "$patch": "replace" | "delete"      of an object or an element: instead of merging it
//   "$deleteFromPrimitiveList/KEY"      elements to take out of a list of scalars
//   "$setElementOrder/KEY"              the order of a list's elements, by merge key or value
//   "$retainKeys"                       the only members that stay
//   null                                the member goes
// What lists and objects are merged by stands in the descriptors: Facts::patch_merge, merge_key,
// patch_retain_keys, patch_replace.
//
// Unlike there:
// - maps of objects are merged entry by entry, and untyped values as by a JSON merge patch, where
//   upstream answers with an internal error;
// - no "$patch" stays in an element that is new in its list;
// - a patch does not name what is to be replaced as a whole and stays the same.
//
// Documents are trees of JSON; what a patch leaves is decoded into the type by the caller, which
// finds unknown fields and wrong types. Functions keep no state and may run on any thread. Time is
// linear in the documents' sizes, n log n for ordering lists.
//
// Errors, by what upstream's API server answers:
//   kInvalidArgument  400: the patch is malformed
//   kUnsupported      422: lists of lists
//   kInternal         500: what it does not expect, such as an element without its merge key
#pragma once

#include "base/result.h"
#include "reflect/json_value.h"
#include "reflect/type.h"

namespace podium::reflect {

// Applies `patch` to *document, both objects; the patch is used up. On an error the document is of
// no use any more.
Result<void> ApplyStrategicPatch(const Type& type, JsonValue patch, JsonValue* document);

// The patch that makes `to` of `from`, with the order of merged lists.
Result<JsonValue> MakeStrategicPatch(const Type& type, const JsonValue& from, const JsonValue& to);

struct ThreeWayOptions {
  // What was changed since in another way than the new configuration wants is overwritten;
  // otherwise it is a conflict (kConflict, which shows both patches).
  bool overwrite = true;
};

// The patch that brings `current` to what `modified` says, and takes away what `original`, the
// configuration that was applied last, said and `modified` does not. What others have added stays.
// An empty object stands for an original that is not known.
Result<JsonValue> MakeThreeWayPatch(const Type& type, const JsonValue& original,
                                    const JsonValue& modified, const JsonValue& current,
                                    const ThreeWayOptions& options = {});

}  // namespace podium::reflect
