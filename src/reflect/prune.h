// Dropping what need not be there.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "reflect/json_value.h"
#include "reflect/type.h"

namespace podium::reflect {

struct PruneOptions {
  // Paths that are returned at most; everything is dropped in any case.
  size_t max_paths = 100;
};

// Drops from a JSON tree the members that the type does not know, at every depth, and returns their
// paths as FieldPath writes them. Values are not checked: where the JSON is of another form than
// the type says, it stays as it is for the decoder to name. Untyped fields keep everything. Depth
// is that of the tree.
std::vector<std::string> PruneUnknown(const Type& type, JsonValue* value,
                                      const PruneOptions& options = {});

// Drops from an object what holds nothing, from the inside out: empty lists and maps that are told
// from absent ones become absent, and boxes whose object is as default-made become empty. Elements
// stay, whatever they hold, and so does the one value of a type whose JSON is that of one field.
void ResetEmpty(const Type& type, void* object);

}  // namespace podium::reflect
