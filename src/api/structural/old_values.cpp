#include "api/structural/old_values.h"

#include <algorithm>

namespace podium::api {

using reflect::JsonValue;
using reflect::Structural;

namespace {

std::string_view KeyOfMember(const JsonValue::Member* member) { return member->key; }

}  // namespace

SortedMembers::SortedMembers(const JsonValue* object) {
  if (object == nullptr || !object->is_object()) return;
  members_.reserve(object->object().size());
  for (const JsonValue::Member& member : object->object()) members_.push_back(&member);
  std::ranges::sort(members_, {}, KeyOfMember);
}

const JsonValue* SortedMembers::Find(std::string_view key) const {
  const auto found = std::ranges::lower_bound(members_, key, {}, KeyOfMember);
  return found != members_.end() && (*found)->key == key ? &(*found)->value : nullptr;
}

OldElements::OldElements(const Structural& schema, const JsonValue* old) : schema_(schema) {
  if (!old || !old->is_array() || schema.list_type != "map") return;
  for (const JsonValue& element : old->array()) by_key_.try_emplace(KeyOf(element), &element);
}

const JsonValue* OldElements::Find(const JsonValue& element) const {
  if (by_key_.empty()) return nullptr;
  const auto found = by_key_.find(KeyOf(element));
  return found == by_key_.end() ? nullptr : found->second;
}

std::string OldElements::KeyOf(const JsonValue& element) const {
  std::string out;
  for (const std::string& key : schema_.list_map_keys) {
    const JsonValue* value = element.Find(key);
    if (value) out += ToText(*value, {.sort_keys = true, .canonical_numbers = true});
    out += ',';
  }
  return out;
}

}  // namespace podium::api
