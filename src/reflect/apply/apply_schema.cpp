#include "reflect/apply/apply_schema.h"

#include <algorithm>
#include <utility>

#include "reflect/go_text.h"
#include "reflect/list_map_keys.h"
#include "reflect/runtime_storage.h"
#include "reflect/unknown_members.h"

namespace podium::reflect {
namespace {

using Sort = ValueSchema::Sort;

constexpr Facts kNoFacts;

bool SaysNothing(const Facts& facts) {
  return facts.list_type == ListType::kNone && facts.map_type == MapType::kNone &&
         !facts.patch_merge && !facts.struct_atomic;
}

bool IsAtomicList(const Facts& facts) {
  return facts.list_type == ListType::kAtomic ||
         (facts.list_type == ListType::kNone && !facts.patch_merge);
}

ValueSchema FieldSchema(const Field& field, const Facts& facts, bool is_element);

ValueSchema StructSchema(const Type& type, const Facts& facts, bool is_element) {
  switch (type.form) {
    case Form::kTransparent: {
      const Field& inner = type.fields[0];
      return FieldSchema(inner, SaysNothing(*inner.facts) ? facts : *inner.facts, is_element);
    }
    case Form::kAlternatives:
      return {.sort = Sort::kDeduced};
    default:
      return {.sort = Sort::kStruct,
              .atomic = is_element ? type.has(kAtomic) : facts.struct_atomic,
              .type = &type};
  }
}

ValueSchema ScalarSchema(const Field& field, const Facts& facts, bool is_element) {
  switch (field.kind) {
    case Kind::kBool:
      return {.sort = Sort::kBool};
    case Kind::kInt32:
    case Kind::kInt64:
    case Kind::kUint32:
    case Kind::kUint64:
    case Kind::kDouble:
      return {.sort = Sort::kNumber};
    case Kind::kString:
    case Kind::kEnum:
    case Kind::kBytes:
      return {.sort = Sort::kText};
    case Kind::kRaw:
      return {.sort = facts.extension ? Sort::kWhole : Sort::kDeduced};
    case Kind::kLeaf: {
      const bool number = field.type == &kRuntimeInteger || field.type == &kRuntimeNumber;
      return {.sort = number ? Sort::kNumber : Sort::kAnyScalar};
    }
    case Kind::kStruct:
      return StructSchema(*field.type, facts, is_element);
  }
  return {};
}

ValueSchema FieldSchema(const Field& field, const Facts& facts, bool is_element) {
  if (field.shape == Shape::kList) {
    return {.sort = Sort::kList, .atomic = IsAtomicList(facts), .field = &field, .facts = &facts};
  }
  if (field.shape == Shape::kMap) {
    return {.sort = Sort::kMap, .atomic = facts.map_type == MapType::kAtomic, .field = &field};
  }
  return ScalarSchema(field, facts, is_element);
}

// Of what stands in a list or map.
ValueSchema ContentSchema(const Field& field) {
  static constexpr Facts kExtension = {.extension = true};
  return ScalarSchema(field, field.facts->extension ? kExtension : kNoFacts, true);
}

}  // namespace

ValueSchema SchemaOf(const Type* type) {
  if (type == nullptr) return {.sort = Sort::kDeduced};
  return {.sort = Sort::kStruct, .type = type};
}

ApplyMember MemberOf(const ValueSchema& schema, std::string_view key) {
  if (schema.sort == Sort::kMap) return {.schema = ContentSchema(*schema.field), .declared = true};
  if (schema.sort != Sort::kStruct) return {.declared = true};
  const Type& type = *schema.type;
  const Field* field = type.Find(key);
  if (field != nullptr && !field->has(kUnknown)) {
    return {FieldSchema(*field, *field->facts, false), true, true};
  }
  return {.declared = type.fields.empty() || UnknownField(type) != nullptr};
}

ValueSchema ElementOf(const ValueSchema& list) { return ContentSchema(*list.field); }

Grain GrainOf(const ValueSchema& schema, const JsonValue* value) {
  switch (schema.sort) {
    case Sort::kStruct:
    case Sort::kMap:
      return schema.atomic ? Grain::kLeaf : Grain::kMap;
    case Sort::kList:
      return schema.atomic ? Grain::kLeaf : Grain::kList;
    case Sort::kDeduced:
      return !value || value->is_null() || value->is_object() ? Grain::kMap : Grain::kLeaf;
    default:
      return Grain::kLeaf;
  }
}

std::vector<const JsonValue::Member*> SortedMembers(const JsonValue::Object& members) {
  std::vector<const JsonValue::Member*> sorted;
  sorted.reserve(members.size());
  for (const JsonValue::Member& member : members) sorted.push_back(&member);
  std::ranges::sort(sorted, {}, [](const auto* member) { return std::string_view(member->key); });
  return sorted;
}

ListItems::ListItems(const ValueSchema& list) {
  const Facts& facts = *list.facts;
  if (facts.list_type == ListType::kMap) keys_ = ListMapKeysOf(facts);
  if (facts.list_type == ListType::kNone && facts.merge_key[0] != '\0') {
    keys_.emplace_back(facts.merge_key);
  }
  const ValueSchema element = ElementOf(list);
  if (element.sort == Sort::kStruct) element_ = element.type;
}

const char* ListItems::DefaultOf(std::string_view key) const {
  const Field* field = element_ ? element_->Find(key) : nullptr;
  return field && field->facts->default_value[0] != '\0' ? field->facts->default_value : nullptr;
}

Result<void> ListItems::CheckKeys(const JsonValue& element) const {
  if (element.is_null()) {
    return Error(Code::kInvalidArgument, "associative list with keys may not have a null element");
  }
  if (!element.is_object()) {
    return Error(Code::kInvalidArgument,
                 "associative list with keys may not have non-map elements");
  }
  for (const std::string& key : keys_) {
    if (element.Find(key) || DefaultOf(key)) continue;
    return Error(Code::kInvalidArgument,
                 "associative list with keys has an element that omits key field " + GoQuoted(key) +
                     " (and doesn't have default value)");
  }
  return {};
}

Result<void> ListItems::Check(const JsonValue& element) const {
  if (!keys_.empty()) return CheckKeys(element);
  if (element.is_object()) {
    return Error(Code::kInvalidArgument,
                 "associative list without keys has an element that's a map type");
  }
  if (element.is_array()) {
    return Error(Code::kInvalidArgument, "not supported: associative list with lists as elements");
  }
  if (element.is_null()) {
    return Error(Code::kInvalidArgument,
                 "associative list without keys has an element that's an explicit null");
  }
  return {};
}

Result<PathElement> ListItems::StepOf(const JsonValue& element) const {
  TRY_VOID(Check(element));
  if (keys_.empty()) return PathElement::Value(element);
  PathElement::Keys keys;
  keys.reserve(keys_.size());
  for (const std::string& key : keys_) {
    if (const JsonValue* value = element.Find(key)) {
      keys.emplace_back(key, *value);
      continue;
    }
    TRY(JsonValue value, ParseJson(DefaultOf(key)));
    keys.emplace_back(key, std::move(value));
  }
  return PathElement::Key(std::move(keys));
}

JsonValue ListItems::KeysOf(const JsonValue& element) const {
  if (keys_.empty() || !element.is_object()) return element;
  JsonValue::Object keys;
  for (const std::string& key : keys_) {
    if (const JsonValue* value = element.Find(key)) keys.push_back({std::string(key), *value});
  }
  return JsonValue::Of(std::move(keys));
}

std::vector<ListItem> SortedItems(const ValueSchema& list, const JsonValue::Array& elements) {
  const ListItems steps(list);
  std::vector<ListItem> items;
  items.reserve(elements.size());
  for (size_t i = 0; i < elements.size(); ++i) {
    Result<PathElement> step = steps.StepOf(elements[i]);
    if (step.ok()) items.push_back({*std::move(step), i});
  }
  std::ranges::sort(items, [](const ListItem& a, const ListItem& b) {
    const auto order = a.step <=> b.step;
    return order != 0 ? order < 0 : a.place < b.place;
  });
  return items;
}

}  // namespace podium::reflect
