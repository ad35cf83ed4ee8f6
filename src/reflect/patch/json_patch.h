// JSON patch, RFC 6902: a list of operations on a document, each of which must succeed.
//
// The texts of errors, and what the RFC leaves open, are those of the library that upstream's API
// server uses (json-patch v4.13):
// - a negative index counts from the end, also for add;
// - replace of a member that is not there adds it, and copy of one that is not there adds null;
// - test passes for a member that is not there when the value is null or left out; an operation
//   without a value has the value null.
// Unlike there, strings are compared by what they say and numbers by value, as section 4.6 of the
// RFC asks, where that library compares the bytes of their JSON.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reflect/json_value.h"

namespace podium::reflect {

class JsonPatch {
 public:
  struct Limits {
    // Bytes of JSON that copy operations may add up to: a few of them double a document each time.
    size_t copied_bytes = size_t{3} << 20;
    // Of one patch. Beyond what one reading of the document takes, each takes time linear in its
    // own text, whatever the document: see patch_tree.h.
    size_t operations = 10'000;
    // Of the document at any time, as for ParseJson: moves and copies into what was moved and
    // copied double it.
    size_t depth = JsonParseOptions().max_depth;
  };

  // Reads the text of a patch: a list of objects. What an operation lacks is found when it is
  // applied, as upstream does. kInvalidArgument when it is not JSON or not a list of objects.
  static Result<JsonPatch> Parse(std::string_view text);
  static Result<JsonPatch> FromValue(JsonValue operations);
  // The operations that make `to` of `from`, each an object: remove, replace and add. Lists that
  // differ are replaced whole.
  static JsonValue Make(const JsonValue& from, const JsonValue& to);

  size_t size() const { return operations_.size(); }

  // Applies one operation after the other. On an error the document is null or as it was: of no
  // use. kInvalidArgument: an operation does not apply;
  // kResourceExhausted: beyond a limit.
  Result<void> Apply(JsonValue* document) const { return Apply(document, Limits()); }
  Result<void> Apply(JsonValue* document, const Limits& limits) const;

 private:
  explicit JsonPatch(std::vector<JsonValue> operations) : operations_(std::move(operations)) {}

  std::vector<JsonValue> operations_;  // objects and nulls
};

}  // namespace podium::reflect
