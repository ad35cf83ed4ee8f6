// The metadata that every object has, of an object of any kind.
#pragma once

#include <string>

#include "api/types/meta_v1.h"
#include "reflect/type.h"

namespace podium::api {

// Null when the type has no ObjectMeta, or the object of a type made at run time does not have it.
inline const meta::v1::ObjectMeta* FindObjectMeta(const reflect::Type& type, const void* object) {
  const reflect::Field* field = type.Find("metadata");
  if (field == nullptr || field->type != &reflect::TypeOf<meta::v1::ObjectMeta>()) return nullptr;
  if (field->shape == reflect::Shape::kBox) {
    return static_cast<const reflect::Box<meta::v1::ObjectMeta>*>(field->at(object))->get();
  }
  return static_cast<const meta::v1::ObjectMeta*>(field->at(object));
}

// The same to change it, made where it is not there. Null only when the type has none.
inline meta::v1::ObjectMeta* EnsureObjectMeta(const reflect::Type& type, void* object) {
  const reflect::Field* field = type.Find("metadata");
  if (field == nullptr || field->type != &reflect::TypeOf<meta::v1::ObjectMeta>()) return nullptr;
  if (field->shape == reflect::Shape::kBox) {
    return &static_cast<reflect::Box<meta::v1::ObjectMeta>*>(field->at(object))->ensure();
  }
  return static_cast<meta::v1::ObjectMeta*>(field->at(object));
}

}  // namespace podium::api
