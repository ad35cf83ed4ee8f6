// What differs between two documents of a type: field by field, with the elements of keyed lists
// told apart by their keys and sets compared as sets.
#pragma once

#include <string>
#include <vector>

#include "reflect/json_value.h"
#include "reflect/type.h"

namespace podium::reflect {

struct Difference {
  enum class Kind {
    kAdded,
    kRemoved,
    kChanged,
    kReordered,  // a keyed list has the elements of both in another order; the values are the keys
  };
  Kind kind;
  // As FieldPath writes it, with keys for the elements of keyed lists:
  // spec.containers[name="web"].image, and the value for those of sets: metadata.finalizers["a"].
  // Empty for the whole.
  std::string path;
  JsonValue before;  // null when added
  JsonValue after;   // null when removed
};

// The differences of two JSON trees, in the order of `from`, with what is new behind. Null for an
// untyped document; then, as where the JSON is of another form than the type says, objects are
// compared member by member and lists element by element. Numbers are compared by value. A list
// whose elements lack keys, or in which one comes twice, is compared by position.
//
// Documents that are to be compared by meaning (quantities, times, empty members) are decoded and
// encoded first. Takes time n log n in the documents' sizes.
std::vector<Difference> Differences(const Type* type, const JsonValue& from, const JsonValue& to);

}  // namespace podium::reflect
