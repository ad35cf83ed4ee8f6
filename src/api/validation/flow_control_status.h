// What the statuses of the kinds of flowcontrol.apiserver.k8s.io have in common. Private to them.
#pragma once

#include <set>
#include <string_view>

#include "api/field_errors.h"
#include "api/validation/common.h"

namespace podium::api {

// status.conditions: each has a type, and no two the same.
template <class Condition>
void CheckFlowConditions(const reflect::List<Condition>& conditions, field::ErrorList* errors) {
  const field::Path status("status");
  const field::Path path = status.Child("conditions");
  std::set<std::string_view> types;
  for (size_t i = 0; i < conditions.size(); ++i) {
    const std::string& type = conditions[i].type;
    const field::Path at = path.Index(i);
    if (!types.insert(type).second) {
      errors->Add(field::Duplicate(at.Child("type"), NamedString(type)));
    }
    if (type.empty()) errors->Add(field::Required(at.Child("type"), ""));
  }
}

}  // namespace podium::api
