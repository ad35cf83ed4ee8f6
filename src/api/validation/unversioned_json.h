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

// The same over many lines, each level indented by one space: what upstream compares line by line
// when an update changes what it may not.
std::string UnversionedLinesOf(const reflect::Type& type, const void* object);

// How two objects differ: those lines in unified form, with three lines around each change.
template <class T>
std::string UnversionedDiff(const T& before, const T& after);

std::string UnifiedDiff(const std::string& before, const std::string& after);

template <class T>
std::string UnversionedDiff(const T& before, const T& after) {
  return UnifiedDiff(UnversionedLinesOf(reflect::TypeOf<T>(), &before),
                     UnversionedLinesOf(reflect::TypeOf<T>(), &after));
}

}  // namespace podium::api
