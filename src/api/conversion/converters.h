// How one type becomes another. Private to conversion/.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "reflect/json.h"
#include "reflect/type.h"

namespace podium::api {

// Fills *to, a default-made object, from `from`.
using Convert = Result<void> (*)(const void* from, void* to);

struct Conversion {
  const reflect::Type* from;
  const reflect::Type* to;
  std::string_view api_version;  // of `to`
  Convert convert;
};

// What both have by name, as JSON has it.
Result<void> ConvertByName(const reflect::Type& from_type, const void* from,
                           const reflect::Type& to_type, void* to);

template <class To, class From>
Result<void> ByName(const From& from, To* to) {
  return ConvertByName(reflect::TypeOf<From>(), &from, reflect::TypeOf<To>(), to);
}

template <class From, class To, Result<void> (*convert)(const From&, To*) = ByName<To, From>>
Conversion ConversionOf(std::string_view api_version) {
  return {.from = &reflect::TypeOf<From>(),
          .to = &reflect::TypeOf<To>(),
          .api_version = api_version,
          .convert = [](const void* from, void* to) {
            return convert(*static_cast<const From*>(from), static_cast<To*>(to));
          }};
}

// Both ways, each.
std::span<const Conversion> ObjectConversions();
std::span<const Conversion> AutoscalerConversions();

}  // namespace podium::api
