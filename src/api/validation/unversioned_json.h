// Values as upstream's errors show them: validation there works on unversioned types, whose JSON
// has Go's field names, leaves nothing out, and keeps some fields in other places. Internal to the
// folder.
#pragma once

#include <string>

#include "api/field_errors.h"
#include "api/types/core_v1.h"

namespace podium::api {

// The value in one line, for Invalid.
field::BadValue UnversionedValueOf(const reflect::Type& type, const void* object);

template <class T>
field::BadValue UnversionedValue(const T& object) {
  return UnversionedValueOf(reflect::TypeOf<T>(), &object);
}

template <class T>
field::BadValue UnversionedValue(const reflect::List<T>& list) {
  if (list.empty()) return field::BadValue(nullptr);
  std::string json = "[";
  for (const T& element : list) {
    if (json.size() > 1) json += ',';
    json += UnversionedValue(element).text();
  }
  return field::BadValue::Json(json + "]");
}

// Bytes as base64, or null.
field::BadValue BytesValue(const reflect::Bytes& bytes);

// The value over many lines, each level indented by one space: what upstream compares line by line
// when an update changes what it may not.
std::string LinesOf(const field::BadValue& value);

std::string UnifiedDiff(const std::string& before, const std::string& after);

// How two objects, or lists of such, differ: those lines in unified form, with three lines around
// each change.
template <class T>
std::string UnversionedDiff(const T& before, const T& after) {
  return UnifiedDiff(LinesOf(UnversionedValue(before)), LinesOf(UnversionedValue(after)));
}

}  // namespace podium::api
