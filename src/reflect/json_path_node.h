// The parsed form of a JSONPath template. Only json_path*.cpp use this.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reflect/json_value.h"

namespace podium::reflect {

struct JsonPathNode {
  enum class Kind {
    kList,        // one {..}; children one after another
    kText,        // text between the braces, or in quotes
    kLiteral,     // a number or boolean
    kField,       // name
    kIdentifier,  // name: range, end
    kArray,       // [from:to:step]
    kUnion,       // children are lists
    kFilter,      // name is the operator, or "exists"; children are the left and the right list
    kWildcard,
    kRecursive,
  };
  // One of the three numbers of a slice.
  struct Bound {
    bool known = false;
    bool derived = false;  // the end of a plain index, which is its start and one
    int64_t value = 0;
  };

  Kind kind = Kind::kList;
  std::string name;
  JsonValue literal;
  std::array<Bound, 3> bounds;
  std::vector<JsonPathNode> children;
};

// Parses a whole template: a list of texts and lists.
Result<JsonPathNode> ParseJsonPath(std::string_view text);

// The text in single or double quotes, with Go's escapes. False when it is not right.
bool UnquoteGoText(std::string_view quoted, std::string* out);

}  // namespace podium::reflect
