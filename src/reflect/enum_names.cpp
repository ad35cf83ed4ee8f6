#include "reflect/enum_names.h"

#include <charconv>

namespace podium::reflect {
namespace {

// Takes "NAME=7" off the front of `values`; false when there is none left.
bool NextValue(std::string_view* values, std::string_view* name, int32_t* number) {
  if (values->empty()) return false;
  const std::string_view entry = values->substr(0, values->find(' '));
  values->remove_prefix(std::min(entry.size() + 1, values->size()));
  const size_t equals = entry.find('=');
  *name = entry.substr(0, equals);
  *number = 0;
  std::from_chars(entry.data() + equals + 1, entry.data() + entry.size(), *number);
  return true;
}

}  // namespace

std::optional<int32_t> EnumNumber(std::string_view values, std::string_view name) {
  std::string_view candidate;
  int32_t number = 0;
  while (NextValue(&values, &candidate, &number)) {
    if (candidate == name) return number;
  }
  return std::nullopt;
}

std::string_view EnumName(std::string_view values, int32_t number) {
  std::string_view name;
  int32_t candidate = 0;
  while (NextValue(&values, &name, &candidate)) {
    if (candidate == number) return name;
  }
  return {};
}

}  // namespace podium::reflect
