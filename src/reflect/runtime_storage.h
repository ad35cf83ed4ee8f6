// How objects of run-time types are stored: the value types that generated code has no need of, and
// construction in raw memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "reflect/number_text.h"
#include "reflect/type.h"

namespace podium::reflect {

// type: integer and number.
struct RuntimeNumber {
  Number number{.is_integer = true};

  bool IsZero() const { return number.AsDouble() == 0; }
  friend bool operator==(const RuntimeNumber& a, const RuntimeNumber& b) {
    if (a.number.is_integer && b.number.is_integer) return a.number.integer == b.number.integer;
    return a.number.AsDouble() == b.number.AsDouble();
  }
};

// x-kubernetes-int-or-string.
struct RuntimeIntOrString {
  bool is_string = false;
  RuntimeNumber number;
  std::string text;

  bool IsZero() const { return is_string ? text.empty() : number.IsZero(); }
  friend bool operator==(const RuntimeIntOrString&, const RuntimeIntOrString&) = default;
};

// The first number in `json`, a valid JSON text, that is too large for a double; empty when there
// is none. Upstream reads all of a custom resource into int64 and float64 and refuses these.
std::string_view NumberBeyondDouble(std::string_view json);
// What is wrong with such a number.
std::string BeyondDoubleText(std::string_view number);

extern const Type kRuntimeInteger;
extern const Type kRuntimeNumber;
extern const Type kRuntimeIntOrString;

// Lists and maps of boxes. Their `element` is a transparent type whose one field is the box.
extern const ListOps kBoxListOps;
extern const MapOps kBoxMapOps;

// Construction and destruction of one field's storage. Destruction is of storage that
// ResetField has emptied.
struct StorageOps {
  uint32_t size;
  uint32_t align;
  void (*construct)(void* at);
  void (*destroy)(void* at);
};

template <class T>
inline constexpr StorageOps kStorageOps{
    .size = sizeof(T),
    .align = alignof(T),
    .construct = [](void* at) { new (at) T(); },
    .destroy = [](void* at) { static_cast<T*>(at)->~T(); },
};

// A struct or transparent type; `storage` goes with `fields`.
struct RuntimeType : Type {
  std::vector<Field> own_fields;
  std::vector<const StorageOps*> storage;
  std::vector<uint8_t> slots;  // of the index
};

// Type::create and destroy of a RuntimeType.
void* CreateRuntimeObject(const Type& type);
void DestroyRuntimeObject(const Type& type, void* object);

}  // namespace podium::reflect
