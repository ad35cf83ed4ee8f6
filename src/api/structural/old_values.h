// What the parts of a new value replace in the old one. Both outlive these.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "reflect/json_value.h"
#include "reflect/schema/structural.h"

namespace podium::api {

// The members of an object in the order of their names; none of null and of other values.
class SortedMembers {
 public:
  explicit SortedMembers(const reflect::JsonValue* object);

  auto begin() const { return members_.begin(); }
  auto end() const { return members_.end(); }
  // Null when there is none.
  const reflect::JsonValue* Find(std::string_view key) const;

 private:
  std::vector<const reflect::JsonValue::Member*> members_;
};

// The elements of the list that is replaced, as they go together with those of the new one.
class OldElements {
 public:
  // `old` may be null, or no list.
  OldElements(const reflect::Structural& schema, const reflect::JsonValue* old);

  // The element that this one replaces, or null. Those of sets and of atomic lists, which lists are
  // unless they say otherwise, replace none (k8s.io/apiserver/pkg/cel/common/equality.go).
  const reflect::JsonValue* Find(const reflect::JsonValue& element) const;

 private:
  std::string KeyOf(const reflect::JsonValue& element) const;

  const reflect::Structural& schema_;
  std::map<std::string, const reflect::JsonValue*> by_key_;
};

}  // namespace podium::api
