// What a strategic merge patch knows of a value by its descriptor. Private to reflect/patch.
#pragma once

#include <string_view>

#include "base/result.h"
#include "reflect/type.h"

namespace podium::reflect {

// What the members of an object are: those of a struct, or all alike, of a map.
struct ObjectSchema {
  const Type* type = nullptr;  // a struct's, or that of a map's values; null: untyped
  bool is_map = false;         // of a map with values of `type`

  // As Go calls it.
  std::string_view kind() const { return is_map ? "map" : type ? "struct" : "interface"; }
};

struct MemberSchema {
  ObjectSchema object{};   // of the member, when it is an object
  ObjectSchema element{};  // of its elements, when it is a list
  bool merge = false;
  bool replace = false;
  bool retain_keys = false;
  std::string_view merge_key{};
};

// Of the member `key`. Upstream's words when there is no such member; kInternal, as it is nothing
// that a document of the type can have.
Result<MemberSchema> LookUp(const ObjectSchema& schema, std::string_view key);

}  // namespace podium::reflect
