// A small family of described types with every kind and shape, for tests of the engine alone. What
// the generator writes for real types looks the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "reflect/ops.h"
#include "reflect/type.h"

namespace podium::reflect::testing {

// A leaf: a whole number of steps, written "<n>s" in JSON (numbers are taken too).
struct Steps {
  int64_t count = 0;
  bool IsZero() const { return count == 0; }
  friend bool operator==(const Steps&, const Steps&) = default;
};

struct Port {
  std::string name;
  int32_t containerPort = 0;
  std::optional<int32_t> hostPort;
};

// Inlined into Volume: a nested message for protobuf.
struct Source {
  std::optional<std::string> path;
};

enum class Color : int32_t { kRed = 0, kGreen = 1, kBlue = 5 };

// Schema-like recursion and the alternative form.
struct Schema;
struct SchemaOrBool {
  bool allows = false;
  Box<Schema> schema;
};
struct Schema {
  std::string title;
  Box<SchemaOrBool> additional;
  Map<Schema> properties;
};

struct Words {
  List<std::string> items;
};

struct Everything {
  std::string kind;
  std::string apiVersion;
  bool flag = false;
  std::optional<bool> maybe;
  int32_t small = 0;
  int64_t big = 0;
  uint32_t usmall = 0;
  uint64_t ubig = 0;
  double ratio = 0;
  std::string text;
  std::optional<std::string> optionalText;
  Bytes bytes;
  RawJson raw;
  std::optional<RawJson> optionalRaw;
  Steps steps;
  std::optional<Steps> optionalSteps;
  Color color = Color::kRed;
  Port port;
  Box<Port> boxedPort;
  List<Port> ports;
  Nullable<List<Port>> nullablePorts;
  List<std::string> words;
  List<int64_t> numbers;
  List<Bool> bools;
  Map<std::string> labels;
  Map<Steps> limits;
  Map<Port> portsByName;
  Map<Words> extra;
  Nullable<Map<std::string>> nullableMap;
  // Inlined Source, protobuf number 40.
  std::optional<std::string> path;
  Box<Schema> schema;
};

extern const Type kStepsType;

}  // namespace podium::reflect::testing

namespace podium::reflect {
template <>
const Type& TypeOf<testing::Port>();
template <>
const Type& TypeOf<testing::Schema>();
template <>
const Type& TypeOf<testing::SchemaOrBool>();
template <>
const Type& TypeOf<testing::Words>();
template <>
const Type& TypeOf<testing::Everything>();
}  // namespace podium::reflect
