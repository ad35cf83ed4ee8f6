// For tests of objects as large as a request may be, of the forms for which checks could take time
// or memory that grows with more than their size.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "api/validation/kind_cases.h"
#include "support/cpu_time.h"

namespace podium::api {

// `item` so many times, with commas between. A '#' in it becomes the number of the item.
inline std::string Repeated(std::string_view item, size_t count) {
  std::string list;
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) list += ',';
    for (const char c : item) {
      if (c == '#') {
        list += std::to_string(i);
      } else {
        list += c;
      }
    }
  }
  return list;
}

// Validation, which must end within a time that is far too long for what it has to do, and far too
// short for the square of that.
template <class Validate>
field::ErrorList InTime(Validate validate, std::chrono::seconds limit = std::chrono::seconds(20)) {
  const auto start = podium::testing::CpuTime();
  field::ErrorList errors = validate();
  EXPECT_LT(podium::testing::CpuTime() - start, limit);
  EXPECT_LE(errors.size(), 10'001U);
  return errors;
}

template <class T>
size_t CountOfCreate(const std::string& json,
                     std::chrono::seconds limit = std::chrono::seconds(20)) {
  const T object = Load<T>(json);
  return InTime([&] { return ValidateCreate(object); }, limit).size();
}

template <class T>
size_t CountOfUpdate(const std::string& json, const std::string& old_json,
                     std::chrono::seconds limit = std::chrono::seconds(20)) {
  const T object = Load<T>(json);
  const T old_object = Load<T>(old_json);
  return InTime([&] { return ValidateUpdate(object, old_object); }, limit).size();
}

}  // namespace podium::api
