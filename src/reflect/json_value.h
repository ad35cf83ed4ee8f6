// JsonValue: any JSON value as a tree, for work on data whose type is not known: JSONPath, patches,
// YAML output. Described types have faster ways (reflect/json.h).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace podium::reflect {

class JsonValue {
 public:
  enum class Kind { kNull, kBool, kNumber, kString, kArray, kObject };
  struct Member;
  using Array = std::vector<JsonValue>;
  // In the order of the text; no key comes twice.
  using Object = std::vector<Member>;

  JsonValue();  // null
  JsonValue(const JsonValue&);
  JsonValue(JsonValue&&) noexcept;
  JsonValue& operator=(const JsonValue&);
  JsonValue& operator=(JsonValue&&) noexcept;
  ~JsonValue();

  static JsonValue Bool(bool value);
  // `text` is a JSON number and is kept as it is.
  static JsonValue Number(std::string text);
  static JsonValue String(std::string text);
  static JsonValue Of(Array elements);
  static JsonValue Of(Object members);

  Kind kind() const { return static_cast<Kind>(storage_.index()); }
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_bool() const { return kind() == Kind::kBool; }
  bool is_number() const { return kind() == Kind::kNumber; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_array() const { return kind() == Kind::kArray; }
  bool is_object() const { return kind() == Kind::kObject; }

  // Each only for values of its kind.
  bool boolean() const { return *std::get_if<bool>(&storage_); }
  const std::string& number() const { return std::get_if<Digits>(&storage_)->text; }
  const std::string& string() const { return *std::get_if<std::string>(&storage_); }
  const Array& array() const { return *std::get_if<Array>(&storage_); }
  Array& array() { return *std::get_if<Array>(&storage_); }
  const Object& object() const { return *std::get_if<Object>(&storage_); }
  Object& object() { return *std::get_if<Object>(&storage_); }

  // The member's value; null when this is no object or has no such member. Time is linear in the
  // number of members.
  const JsonValue* Find(std::string_view key) const;
  JsonValue* Find(std::string_view key);
  // Only for objects. Sets a member, in its place or at the end.
  JsonValue& Set(std::string_view key, JsonValue value);
  // Only for objects. False when there was no such member.
  bool Erase(std::string_view key);

  // The same text when printed: members in the same order, numbers in the same digits.
  friend bool operator==(const JsonValue& a, const JsonValue& b);

 private:
  struct Digits {
    std::string text;
    friend bool operator==(const Digits&, const Digits&) = default;
  };
  // In the order of Kind.
  using Storage = std::variant<std::monostate, bool, Digits, std::string, Array, Object>;

  explicit JsonValue(Storage storage);

  Storage storage_;
};

struct JsonValue::Member {
  std::string key;
  JsonValue value;
  friend bool operator==(const Member&, const Member&) = default;
};

// The same data: members in any order, numbers by value (1, 1.0 and 1e0 are one).
bool Equivalent(const JsonValue& a, const JsonValue& b);

struct JsonParseOptions {
  // Nesting of objects and arrays; also bounds the stack that every function over the tree uses.
  size_t max_depth = 1000;
};

// Parses RFC 8259 text: one value, UTF-8. Of a key that comes twice the last value counts, as
// upstream. The tree takes up to 20 times the memory of the text.
//
// The error says where: "offset 12: expected ':' after a key". kResourceExhausted when the text is
// too deep, else kInvalidArgument.
Result<JsonValue> ParseJson(std::string_view text, const JsonParseOptions& options = {});

struct JsonPrintOptions {
  // Spaces a level, each member and element on a line of its own, as kubectl -o json with 4;
  // 0: no white space at all.
  int indent = 0;
  // Members in byte order of their keys, as upstream prints untyped objects.
  bool sort_keys = false;
  // Numbers as encoding/json prints them after reading them into int64 or float64.
  bool canonical_numbers = false;
};

// Strings are printed with upstream's escapes: <, >, &, U+2028 and U+2029 as \uXXXX.
void PrintJson(const JsonValue& value, const JsonPrintOptions& options, std::string* out);
std::string ToText(const JsonValue& value, const JsonPrintOptions& options = {});

}  // namespace podium::reflect
