// Lists in strategic merge patches: telling elements apart, and their order. Private to
// reflect/patch and reflect/apply.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "reflect/json_value.h"

namespace podium::reflect {

inline constexpr std::string_view kDirective = "$patch";
inline constexpr std::string_view kDelete = "delete";
inline constexpr std::string_view kReplace = "replace";
inline constexpr std::string_view kMerge = "merge";
inline constexpr std::string_view kDeleteFromPrimitiveList = "$deleteFromPrimitiveList";
inline constexpr std::string_view kSetElementOrder = "$setElementOrder";
inline constexpr std::string_view kRetainKeys = "$retainKeys";

// The Go type of an untyped JSON value: integers and other numbers are two. What differs in it
// replaces instead of being merged.
enum class GoType { kNil, kBool, kInt64, kFloat64, kString, kSlice, kMap };
GoType GoTypeOf(const JsonValue& value);
// "map[string]interface {}"; "%!s(<nil>)" of null, as fmt prints a type that there is not.
std::string_view GoTypeName(GoType type);

// Upstream's errors.
Error NoMergeKey(const JsonValue& object, std::string_view merge_key);
Error BadArgument(GoType expected, const JsonValue& actual);
Error BadPatchType(const JsonValue& directive, const JsonValue& object);

// A text that equal scalars share, and no others.
std::string KeyOf(const JsonValue& scalar);
// That of an element's merge key; of the element itself when there is no merge key.
Result<std::string> ElementKey(const JsonValue& element, std::string_view merge_key);

// True when the element is an object with "$patch": "delete".
bool IsDeletion(const JsonValue& element);

// What all elements of the lists are. kUnsupported for lists of lists; kInternal when they differ
// or there is none.
Result<GoType> ElementType(const std::vector<const JsonValue::Array*>& lists);

// Where each key comes first in a list.
class KeyIndex {
 public:
  static Result<KeyIndex> Of(const JsonValue::Array& list, std::string_view merge_key);
  // -1 when it is not there.
  ptrdiff_t Find(const std::string& key) const {
    const auto found = places_.find(key);
    return found == places_.end() ? -1 : static_cast<ptrdiff_t>(found->second);
  }
  bool Add(std::string key, size_t place) { return places_.emplace(std::move(key), place).second; }
  bool empty() const { return places_.empty(); }

 private:
  std::unordered_map<std::string, size_t> places_;
};

// Puts the elements of a merged list into order: those named by `order` stand as there, the others
// as in `live`, and both together as `live` would have them, as far as that goes.
Result<JsonValue::Array> InOrder(JsonValue::Array merged, const KeyIndex& order,
                                 const KeyIndex& live, std::string_view merge_key);

// Elements in the order of another list; deletions come last.
Result<void> SortLike(const KeyIndex& order, std::string_view merge_key, JsonValue::Array* list);

}  // namespace podium::reflect
