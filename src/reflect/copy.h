// Deep copy and equality of described objects, written once over descriptors.
#pragma once

#include "reflect/type.h"

namespace podium::reflect {

// Copies every field. *to is a default-made object of the same type.
void CopyObject(const Type& type, const void* from, void* to);

// Equal field by field. As in the API's semantic equality, an absent list or map equals an empty
// one; an absent optional does not equal a zero one.
bool EqualObjects(const Type& type, const void* a, const void* b);

// True when the object equals a default-made one.
bool IsZeroObject(const Type& type, const void* object);

// True when the field's value is what a default-made object has. A list or map that is empty but
// there is not.
bool IsZeroField(const Field& field, const void* value);

// Sets the field's value back to what a default-made object has.
void ResetField(const Field& field, void* value);

// The same of one field; `a` and `b` are its values in two objects, as Field::at gives them.
bool EqualField(const Field& field, const void* a, const void* b);

// Makes the field's value in one object what it is in another, whatever was there before.
void ReplaceField(const Field& field, const void* from, void* to);

template <class T>
T Copy(const T& object) {
  T out;
  CopyObject(TypeOf<T>(), &object, &out);
  return out;
}

template <class T>
bool Equal(const T& a, const T& b) {
  return EqualObjects(TypeOf<T>(), &a, &b);
}

}  // namespace podium::reflect
