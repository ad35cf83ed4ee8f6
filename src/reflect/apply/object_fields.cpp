#include "reflect/apply/object_fields.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace podium::reflect {
namespace {

FieldSet FieldsIn(const ValueSchema& schema, const JsonValue& value, bool* is_leaf);

FieldSet MemberFields(const ValueSchema& schema, const JsonValue::Object& members) {
  FieldSet fields;
  for (const JsonValue::Member* each : SortedMembers(members)) {
    const auto& [key, value] = *each;
    const ApplyMember member = MemberOf(schema, key);
    bool is_member = false;
    FieldSet behind = FieldsIn(member.schema, value, &is_member);
    is_member |= !member.named || value.is_null() || (value.is_object() && value.object().empty());
    fields.Add(PathElement::Field(key), is_member, std::move(behind));
  }
  return fields;
}

FieldSet ElementFields(const ValueSchema& schema, const JsonValue::Array& elements) {
  FieldSet fields;
  const ValueSchema element = ElementOf(schema);
  const std::vector<ListItem> items = SortedItems(schema, elements);
  for (size_t i = 0; i < items.size();) {
    size_t end = i + 1;
    while (end < items.size() && items[end].step == items[i].step) ++end;
    bool is_leaf = false;
    FieldSet behind;
    if (end - i == 1) behind = FieldsIn(element, elements[items[i].place], &is_leaf);
    fields.Add(items[i].step, true, std::move(behind));
    i = end;
  }
  return fields;
}

FieldSet FieldsIn(const ValueSchema& schema, const JsonValue& value, bool* is_leaf) {
  switch (GrainOf(schema, &value)) {
    case Grain::kLeaf:
      *is_leaf = true;
      break;
    case Grain::kMap:
      if (const auto* members = MembersOf(&value)) return MemberFields(schema, *members);
      break;
    case Grain::kList:
      if (const auto* elements = ElementsOf(&value)) return ElementFields(schema, *elements);
      break;
  }
  return {};
}

// The schema behind a step, as far as one can tell without a value.
ApplyMember Behind(const ValueSchema& schema, const PathElement& step) {
  if (schema.sort == ValueSchema::Sort::kList) return {.schema = ElementOf(schema)};
  if (step.kind() == PathElement::Kind::kField) return MemberOf(schema, step.field());
  return {};
}

bool IsWhole(const ValueSchema& schema) {
  return schema.atomic || schema.sort == ValueSchema::Sort::kWhole;
}

bool IsKnown(const ValueSchema& owner, const ApplyMember& member) {
  return member.declared || owner.sort == ValueSchema::Sort::kList;
}

bool GoesIntoAtomic(const ValueSchema& schema, const FieldSet& set) {
  return std::ranges::any_of(set.nodes(), [&](const FieldSet::Node& node) {
    if (node.behind.empty()) return false;
    const ApplyMember member = Behind(schema, node.step);
    return IsKnown(schema, member) &&
           (IsWhole(member.schema) || GoesIntoAtomic(member.schema, node.behind));
  });
}

void RemoveMembers(const ValueSchema& schema, const FieldSet& set, JsonValue::Object* members) {
  std::erase_if(*members, [&](auto& member) {
    const FieldSet::Node* node = set.FindField(member.key);
    if (node == nullptr) return false;
    if (node->is_member) return true;
    RemoveFields(MemberOf(schema, member.key).schema, node->behind, &member.value);
    return false;
  });
}

void RemoveElements(const ValueSchema& schema, const FieldSet& set, JsonValue::Array* elements) {
  const ListItems steps(schema);
  const ValueSchema element_schema = ElementOf(schema);
  std::erase_if(*elements, [&](JsonValue& element) {
    const Result<PathElement> step = steps.StepOf(element);
    const FieldSet::Node* node = step.ok() ? set.Find(*step) : nullptr;
    if (node == nullptr) return false;
    if (node->is_member) return true;
    RemoveFields(element_schema, node->behind, &element);
    return false;
  });
}

}  // namespace

FieldSet FieldsOf(const ValueSchema& schema, const JsonValue& value) {
  bool is_leaf = false;
  return FieldsIn(schema, value, &is_leaf);
}

FieldSet WithNamedFields(const ValueSchema& schema, const FieldSet& set) {
  FieldSet out;
  for (const FieldSet::Node& node : set.nodes()) {
    const ApplyMember member = Behind(schema, node.step);
    out.Add(node.step, node.is_member || (member.named && !node.behind.empty()),
            WithNamedFields(member.schema, node.behind));
  }
  return out;
}

FieldSet WithAtomicFields(const ValueSchema& schema, FieldSet set) {
  // Mostly there is nothing to do.
  if (!GoesIntoAtomic(schema, set)) return set;
  FieldSet out;
  for (const FieldSet::Node& node : set.nodes()) {
    const ApplyMember member = Behind(schema, node.step);
    if (node.behind.empty() || !IsKnown(schema, member)) {
      out.Add(node.step, node.is_member, node.behind);
    } else if (IsWhole(member.schema)) {
      out.Add(node.step, true, {});
    } else {
      out.Add(node.step, node.is_member, WithAtomicFields(member.schema, node.behind));
    }
  }
  return out;
}

void RemoveFields(const ValueSchema& schema, const FieldSet& set, JsonValue* value) {
  if (set.empty()) return;
  switch (GrainOf(schema, value)) {
    case Grain::kLeaf:
      // What a set has in an atomic value is nothing that it can have.
      return;
    case Grain::kMap:
      if (!MembersOf(value)) return;
      RemoveMembers(schema, set, &value->object());
      if (value->object().empty()) *value = JsonValue();
      return;
    case Grain::kList:
      if (!ElementsOf(value)) return;
      RemoveElements(schema, set, &value->array());
      if (value->array().empty()) *value = JsonValue();
      return;
  }
}

}  // namespace podium::reflect
