// What server-side apply knows of a value by its descriptor. Private to reflect/apply.
//
// Follows upstream's conversion of OpenAPI into schemas (kube-openapi, schemaconv): lists are
// atomic unless their list type, or else their patch strategy, says otherwise; maps and structs are
// granular unless they say that they are atomic; quantities, times and IntOrStrings are scalars; of
// JSON without a type, objects are granular and lists atomic; RawExtension is one value.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "reflect/apply/field_set.h"
#include "reflect/json_value.h"
#include "reflect/type.h"

namespace podium::reflect {

struct ValueSchema {
  enum class Sort : uint8_t {
    kNumber,
    kText,
    kBool,
    kAnyScalar,
    kStruct,   // members are the fields of `type`
    kMap,      // members are all alike: elements of `field`
    kList,     // of elements of `field`
    kDeduced,  // any JSON; the value says what it is
    kWhole,    // any JSON, taken as a whole
  };

  Sort sort = Sort::kDeduced;
  bool atomic = false;           // kStruct, kMap, kList
  const Type* type = nullptr;    // kStruct
  const Field* field = nullptr;  // kMap, kList
  const Facts* facts = nullptr;  // kList

  bool is_map() const { return sort == Sort::kStruct || sort == Sort::kMap; }
};

// Of a whole object; of any JSON when `type` is null.
ValueSchema SchemaOf(const Type* type);

struct ApplyMember {
  ValueSchema schema{};
  bool named = false;     // a field of a struct, not an entry of a map
  bool declared = false;  // otherwise the struct has no such field
};
ApplyMember MemberOf(const ValueSchema& schema, std::string_view key);
// Of a list's elements.
ValueSchema ElementOf(const ValueSchema& list);

// How ownership takes a value. One that is absent is taken as the schema alone says.
enum class Grain : uint8_t {
  kLeaf,  // by one path: scalars, and what is atomic
  kMap,   // member by member
  kList,  // element by element
};
Grain GrainOf(const ValueSchema& schema, const JsonValue* value);

// The members of a value, or the elements; null when it has none.
inline const JsonValue::Object* MembersOf(const JsonValue* value) {
  return value && value->is_object() && !value->object().empty() ? &value->object() : nullptr;
}
inline const JsonValue::Array* ElementsOf(const JsonValue* value) {
  return value && value->is_array() && !value->array().empty() ? &value->array() : nullptr;
}

// By key, which is the order of sets: what is put into one in order is appended.
std::vector<const JsonValue::Member*> SortedMembers(const JsonValue::Object& members);

// Steps to the elements of one list that is not atomic.
class ListItems {
 public:
  explicit ListItems(const ValueSchema& list);

  // Whether there is a step to the element. Upstream's error when it has no key, or cannot be one
  // of a set.
  Result<void> Check(const JsonValue& element) const;
  Result<PathElement> StepOf(const JsonValue& element) const;
  // What of the element its step is made of.
  JsonValue KeysOf(const JsonValue& element) const;

 private:
  Result<void> CheckKeys(const JsonValue& element) const;
  // Of a key that elements may omit; null when there is none.
  const char* DefaultOf(std::string_view key) const;

  std::vector<std::string> keys_;  // none: a set
  const Type* element_ = nullptr;  // of structs, for the defaults of keys
};

// The elements of a list by their steps, sorted by these; elements without a step are left out.
// Equal steps stand in the order of the list.
struct ListItem {
  PathElement step;
  size_t place = 0;  // in the list
};
std::vector<ListItem> SortedItems(const ValueSchema& list, const JsonValue::Array& elements);

}  // namespace podium::reflect
