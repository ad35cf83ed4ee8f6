// Rows of the table in which validation.cpp looks kinds up. Internal to the folder.
#pragma once

#include <span>
#include <string_view>

#include "api/field_errors.h"
#include "reflect/type.h"

namespace podium::api {

// The rules of one kind, or of one of its subresources, with the types of its objects taken off.
struct KindRules {
  const reflect::Type* type;
  std::string_view subresource;                    // "" for the object itself
  field::ErrorList (*create)(const void* object);  // null: of a subresource
  // Null for what is never changed: requests.
  field::ErrorList (*update)(const void* new_object, const void* old_object);
  // Of an object that the registry has prepared, where `create` does a part of that on a copy.
  field::ErrorList (*create_prepared)(const void* object) = nullptr;
};

template <class T, field::ErrorList (*update)(const T&, const T&)>
KindRules Subresource(std::string_view name) {
  return {.type = &reflect::TypeOf<T>(),
          .subresource = name,
          .create = nullptr,
          .update = [](const void* new_object, const void* old_object) {
            return update(*static_cast<const T*>(new_object), *static_cast<const T*>(old_object));
          }};
}

template <class T, field::ErrorList (*create)(const T&),
          field::ErrorList (*update)(const T&, const T&)>
KindRules Rules() {
  KindRules rules = Subresource<T, update>("");
  rules.create = [](const void* object) { return create(*static_cast<const T*>(object)); };
  return rules;
}

// A kind that is a question to the server.
template <class T, field::ErrorList (*create)(const T&)>
KindRules Request() {
  return {.type = &reflect::TypeOf<T>(),
          .subresource = "",
          .create = [](const void* object) { return create(*static_cast<const T*>(object)); },
          .update = nullptr};
}

// Each in a file of its own: core_rules.cpp, workload_rules.cpp, …
std::span<const KindRules> CoreRules();
std::span<const KindRules> WorkloadRules();
std::span<const KindRules> ClusterRules();
std::span<const KindRules> ServerRules();

}  // namespace podium::api
