// The public entry of the folder: whether an object may be stored, whatever its kind.
//
// Objects are decoded and have their defaults. Metadata is as the registry fills it in before: a
// name (generateName made into one), the namespace of the request; on update the resourceVersion,
// uid and creationTimestamp of the stored object. Errors are upstream's, release 1.36, in
// upstream's order; where upstream goes through a map in random order, key order is ours.
//
// Which kinds and subresources have rules of their own is in the tables of kind_rules.h; of others
// only the metadata is checked.
//
// Everything here is a pure function and may run on any thread.
#pragma once

#include <string_view>

#include "api/field_errors.h"
#include "reflect/type.h"

namespace podium::api {

// `object` is of `type`, a root kind.
field::ErrorList ValidateCreate(const reflect::Type& type, const void* object);

// The same of an object whose fields the registry has filled in from each other already: label keys
// are merged into the selectors of pods (MergeMatchLabelKeys), which is right to do only once.
field::ErrorList ValidatePreparedCreate(const reflect::Type& type, const void* object);

// Both are of `type`.
field::ErrorList ValidateUpdate(const reflect::Type& type, const void* new_object,
                                const void* old_object);

// The same through a subresource that changes a part of the object: "status", "finalize",
// "approval". The registry has taken everything else from the old object.
field::ErrorList ValidateSubresourceUpdate(const reflect::Type& type, std::string_view subresource,
                                           const void* new_object, const void* old_object);

template <class T>
field::ErrorList ValidateCreate(const T& object) {
  return ValidateCreate(reflect::TypeOf<T>(), &object);
}

template <class T>
field::ErrorList ValidateUpdate(const T& new_object, const T& old_object) {
  return ValidateUpdate(reflect::TypeOf<T>(), &new_object, &old_object);
}

template <class T>
field::ErrorList ValidateSubresourceUpdate(std::string_view subresource, const T& new_object,
                                           const T& old_object) {
  return ValidateSubresourceUpdate(reflect::TypeOf<T>(), subresource, &new_object, &old_object);
}

}  // namespace podium::api
