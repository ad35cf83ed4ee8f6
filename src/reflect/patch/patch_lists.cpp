#include "reflect/patch/patch_lists.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "reflect/go_value_text.h"
#include "reflect/number_text.h"

namespace podium::reflect {
GoType GoTypeOf(const JsonValue& value) {
  switch (value.kind()) {
    case JsonValue::Kind::kNull:
      return GoType::kNil;
    case JsonValue::Kind::kBool:
      return GoType::kBool;
    case JsonValue::Kind::kNumber:
      return ReadJsonNumber(value.number()).is_integer ? GoType::kInt64 : GoType::kFloat64;
    case JsonValue::Kind::kString:
      return GoType::kString;
    case JsonValue::Kind::kArray:
      return GoType::kSlice;
    case JsonValue::Kind::kObject:
      return GoType::kMap;
  }
  return GoType::kNil;
}

std::string_view GoTypeName(GoType type) {
  switch (type) {
    case GoType::kNil:
      return "%!s(<nil>)";
    case GoType::kBool:
      return "bool";
    case GoType::kInt64:
      return "int64";
    case GoType::kFloat64:
      return "float64";
    case GoType::kString:
      return "string";
    case GoType::kSlice:
      return "[]interface {}";
    case GoType::kMap:
      return "map[string]interface {}";
  }
  return "";
}

Error NoMergeKey(const JsonValue& object, std::string_view merge_key) {
  return {Code::kInternal, fmt::format("map: {} does not contain declared merge key: {}",
                                       GoText(object), merge_key)};
}

Error BadArgument(GoType expected, const JsonValue& actual) {
  return {Code::kInternal, fmt::format("expected a {}, but received a {}", GoTypeName(expected),
                                       GoTypeName(GoTypeOf(actual)))};
}

namespace {

// As fmt prints an untyped scalar with %s.
std::string AsGoString(const JsonValue& value) {
  const GoType type = GoTypeOf(value);
  if (type == GoType::kNil) return "%!s(<nil>)";
  if (type == GoType::kString || type == GoType::kSlice || type == GoType::kMap) {
    return GoText(value);
  }
  return fmt::format("%!s({}={})", GoTypeName(type), GoText(value));
}

}  // namespace

Error BadPatchType(const JsonValue& directive, const JsonValue& object) {
  return {Code::kInternal,
          fmt::format("unknown patch type: {} in map: {}", AsGoString(directive), GoText(object))};
}

std::string KeyOf(const JsonValue& scalar) {
  // The type's number tells 1 from "1", and 1 from 1.0.
  return static_cast<char>('0' + static_cast<int>(GoTypeOf(scalar))) + GoText(scalar);
}

Result<std::string> ElementKey(const JsonValue& element, std::string_view merge_key) {
  if (merge_key.empty()) return KeyOf(element);
  if (!element.is_object()) return BadArgument(GoType::kMap, element);
  const JsonValue* key = element.Find(merge_key);
  if (key == nullptr) return NoMergeKey(element, merge_key);
  return KeyOf(*key);
}

bool IsDeletion(const JsonValue& element) {
  const JsonValue* directive = element.Find(kDirective);
  return directive != nullptr && directive->is_string() && directive->string() == kDelete;
}

Result<GoType> ElementType(const std::vector<const JsonValue::Array*>& lists) {
  GoType type = GoType::kNil;
  for (const JsonValue::Array* list : lists) {
    for (const JsonValue& element : *list) {
      const GoType its = GoTypeOf(element);
      if (type == GoType::kNil) type = its;
      if (type == GoType::kSlice) {
        return Error(Code::kUnsupported, "lists of lists are not supported");
      }
      if (its == GoType::kNil || its != type) {
        std::string shown;
        for (const JsonValue::Array* each : lists) {
          shown += (shown.empty() ? "" : " ") + GoText(JsonValue::Of(*each));
        }
        return Error(Code::kInternal,
                     fmt::format("list element types are not identical: [{}]", shown));
      }
    }
  }
  if (type == GoType::kNil) {
    return Error(Code::kInternal, "no elements in any of the given slices");
  }
  return type;
}

Result<KeyIndex> KeyIndex::Of(const JsonValue::Array& list, std::string_view merge_key) {
  KeyIndex index;
  for (size_t i = 0; i < list.size(); ++i) {
    TRY(std::string key, ElementKey(list[i], merge_key));
    index.Add(std::move(key), i);
  }
  return index;
}

namespace {

// An element and where it is to go.
struct Placed {
  Placed(JsonValue element, size_t at) : value(std::move(element)), index(at) {}

  JsonValue value;
  size_t index;          // where it stands
  ptrdiff_t order = -1;  // in the list that says the order; -1 when that does not know it
  ptrdiff_t live = -1;   // in the list as it was
  bool last = false;     // a deletion
};

// What the order does not know comes first, as upstream's comparison has it.
void Sort(std::vector<Placed>* elements, ptrdiff_t Placed::* place) {
  std::ranges::sort(*elements, {}, [&](const Placed& element) {
    return std::tuple(element.last, element.last ? 0 : element.*place, element.index);
  });
}

}  // namespace

Result<void> SortLike(const KeyIndex& order, std::string_view merge_key, JsonValue::Array* list) {
  std::vector<Placed> elements;
  elements.reserve(list->size());
  for (JsonValue& element : *list) {
    TRY(const std::string key, ElementKey(element, merge_key));
    const bool last = !merge_key.empty() && IsDeletion(element);
    Placed& placed = elements.emplace_back(std::move(element), elements.size());
    placed.order = order.Find(key);
    placed.last = last;
  }
  Sort(&elements, &Placed::order);
  for (size_t i = 0; i < elements.size(); ++i) (*list)[i] = std::move(elements[i].value);
  return {};
}

Result<JsonValue::Array> InOrder(JsonValue::Array merged, const KeyIndex& order,
                                 const KeyIndex& live, std::string_view merge_key) {
  std::vector<Placed> named;
  std::vector<Placed> others;
  for (JsonValue& element : merged) {
    TRY(const std::string key, ElementKey(element, merge_key));
    const bool last = !merge_key.empty() && IsDeletion(element);
    const ptrdiff_t place = order.Find(key);
    std::vector<Placed>& group = place >= 0 ? named : others;
    Placed& placed = group.emplace_back(std::move(element), group.size());
    placed.order = place;
    placed.live = live.Find(key);
    placed.last = last;
  }
  Sort(&named, &Placed::order);
  Sort(&others, &Placed::live);
  JsonValue::Array out;
  out.reserve(merged.size());
  size_t i = 0;
  size_t j = 0;
  while (i < others.size() && j < named.size()) {
    const ptrdiff_t left = others[i].live;
    const ptrdiff_t right = named[j].live;
    const bool other_first = left >= 0 && right >= 0 && left < right;
    out.push_back(std::move(other_first ? others[i++].value : named[j++].value));
  }
  while (i < others.size()) out.push_back(std::move(others[i++].value));
  while (j < named.size()) out.push_back(std::move(named[j++].value));
  return out;
}

}  // namespace podium::reflect
