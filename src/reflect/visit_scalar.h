// The one switch from a Kind to the C++ type that holds it. Private to reflect.
#pragma once

#include <cstdint>
#include <type_traits>

#include "reflect/type.h"

namespace podium::reflect {

// Calls function(std::type_identity<T>()) with the T that holds values of `kind`; leaves and
// structs, whose T only their Type knows, are the caller's: for them nothing is called and
// `otherwise` returned.
template <class R, class F>
inline R VisitScalar(Kind kind, R otherwise, F&& function) {
  switch (kind) {
    case Kind::kBool:
      return function(std::type_identity<bool>());
    case Kind::kInt32:
    case Kind::kEnum:
      return function(std::type_identity<int32_t>());
    case Kind::kInt64:
      return function(std::type_identity<int64_t>());
    case Kind::kUint32:
      return function(std::type_identity<uint32_t>());
    case Kind::kUint64:
      return function(std::type_identity<uint64_t>());
    case Kind::kDouble:
      return function(std::type_identity<double>());
    case Kind::kString:
      return function(std::type_identity<std::string>());
    case Kind::kBytes:
      return function(std::type_identity<Bytes>());
    case Kind::kRaw:
      return function(std::type_identity<RawJson>());
    case Kind::kLeaf:
    case Kind::kStruct:
      break;
  }
  return otherwise;
}

// The value of an optional, or null when it is empty or a Box without an object.
const void* OptionalValue(const Field& field, const void* at);

}  // namespace podium::reflect
