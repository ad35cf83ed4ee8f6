// The value types that generated structs are made of, beside the standard ones.
//
//   Box<T>          a struct that may be absent and lives on the heap: Go's *T
//   Nullable<C>     a list or map that tells null from empty: one whose JSON is never omitted
//   Bytes           raw octets; base64 in JSON
//   RawJson         a JSON value kept as text; empty means null
//
// All are ordinary values: they copy deeply, move in constant time, and own what they hold. None is
// safe to change from two threads; reading from many is.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace podium::reflect {

struct Type;

// The descriptor of a generated struct. Specialised in the generated headers.
template <class T>
const Type& TypeOf();

// What a Box stores, as the engine sees it: the address of an object made by its type, or null.
struct BoxStorage {
  void* object = nullptr;
};

// What Boxes do, through the descriptor, so that copying or destroying a struct does not
// instantiate code for every type below it. All in copy.cpp. NewCopy never returns null.
void* NewCopy(const Type& type, const void* object);
void DeleteObject(const Type& type, void* object);
bool EqualObjects(const Type& type, const void* a, const void* b);

template <class T>
class Box : private BoxStorage {
 public:
  Box() = default;
  Box(std::nullptr_t) {}  // NOLINT: an absent box, as with std::optional and nullopt
  Box(T value) { object = new T(std::move(value)); }  // NOLINT: implicit, so that braces work
  Box(const Box& other) { object = other.object ? NewCopy(TypeOf<T>(), other.object) : nullptr; }
  Box(Box&& other) noexcept { object = std::exchange(other.object, nullptr); }
  Box& operator=(Box other) noexcept {
    std::swap(object, other.object);
    return *this;
  }
  ~Box() { Delete(); }

  explicit operator bool() const { return object != nullptr; }
  bool has_value() const { return object != nullptr; }
  // Only when it has a value.
  T& operator*() { return *get(); }
  const T& operator*() const { return *get(); }
  T* operator->() { return get(); }
  const T* operator->() const { return get(); }
  // Null when absent.
  T* get() { return static_cast<T*>(object); }
  const T* get() const { return static_cast<const T*>(object); }

  // Drops what was there and makes a default value.
  T& emplace() {
    Delete();
    object = new T();
    return *get();
  }
  // The value, made first if absent.
  T& ensure() { return object ? *get() : emplace(); }
  void reset() {
    Delete();
    object = nullptr;
  }

  friend bool operator==(const Box& a, const Box& b) {
    if (!a.object || !b.object) return a.object == b.object;
    return EqualObjects(TypeOf<T>(), a.object, b.object);
  }

 private:
  void Delete() {
    if (object) DeleteObject(TypeOf<T>(), object);
  }
};

// `present` tells an empty list ([]) from an absent one (null); a list with elements is there in
// any case. The engine sets it; code that builds objects needs it only to write an empty list.
template <class Container>
struct Nullable : Container {
  using Container::Container;
  Nullable() = default;
  Nullable(Container other) : Container(std::move(other)) {}  // NOLINT: same values

  bool present = false;

  bool is_null() const { return this->empty() && !present; }
};

template <class T>
using List = std::vector<T>;
template <class T>
using Map = std::map<std::string, T, std::less<>>;

// An element of a list of booleans; std::vector<bool> has no addressable elements.
struct Bool {
  bool value = false;
  Bool() = default;
  Bool(bool v) : value(v) {}  // NOLINT: stands for a bool
  operator bool() const { return value; }
};

struct Bytes {
  std::string data;
  // As in Nullable: tells "" from null where JSON does not omit the field.
  bool present = false;

  bool empty() const { return data.empty(); }
  friend bool operator==(const Bytes& a, const Bytes& b) { return a.data == b.data; }
};

// Compact JSON text (no white space between tokens), checked when it was read. From protobuf it may
// be other bytes (an enveloped object); encoding those as JSON is an error.
struct RawJson {
  std::string text;

  bool is_null() const { return text.empty(); }
  friend bool operator==(const RawJson&, const RawJson&) = default;
};

}  // namespace podium::reflect
