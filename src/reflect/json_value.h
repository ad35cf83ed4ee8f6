// JsonValue: any JSON value as a tree, for work on data whose type is not known: JSONPath, patches,
// YAML output. Described types have faster ways (reflect/json.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace podium::reflect {

class JsonValue {
 public:
  enum class Kind : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };
  struct Member;
  using Array = std::vector<JsonValue>;
  // In the order of the text; no key comes twice.
  using Object = std::vector<Member>;

  JsonValue() {}  // null
  JsonValue(const JsonValue& other) { CopyFrom(other); }
  // What is moved from is null.
  JsonValue(JsonValue&& other) noexcept { MoveFrom(&other); }
  JsonValue& operator=(const JsonValue& other);
  JsonValue& operator=(JsonValue&& other) noexcept;
  ~JsonValue() { Destroy(); }

  static JsonValue Bool(bool value);
  // `text` is a JSON number and is kept as it is.
  static JsonValue Number(std::string text);
  static JsonValue String(std::string text);
  static JsonValue Of(Array elements);
  static JsonValue Of(Object members);
  // Makes this the same, without anything that would have to be moved here.
  void SetNumber(std::string_view text) { SetText(Kind::kNumber, text); }
  void SetString(std::string_view text) { SetText(Kind::kString, text); }

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_bool() const { return kind_ == Kind::kBool; }
  bool is_number() const { return kind_ == Kind::kNumber; }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_array() const { return kind_ == Kind::kArray; }
  bool is_object() const { return kind_ == Kind::kObject; }

  // Each only for values of its kind.
  bool boolean() const { return boolean_; }
  const std::string& number() const { return text_; }
  const std::string& string() const { return text_; }
  const Array& array() const { return array_; }
  Array& array() { return array_; }
  const Object& object() const { return object_; }
  Object& object() { return object_; }

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
  // These two only of a value that is null.
  void CopyFrom(const JsonValue& other);
  void MoveFrom(JsonValue* other) noexcept;
  // What it holds; the kind stays.
  void Destroy() noexcept;
  void SetText(Kind kind, std::string_view text) {
    if (is_null()) {
      std::construct_at(&text_, text);
      kind_ = kind;
    } else {
      *this = kind == Kind::kNumber ? Number(std::string(text)) : String(std::string(text));
    }
  }

  // A union of its own instead of a std::variant: trees are mostly built, moved and destroyed, and
  // what these cost is in the header.
  union {
    bool boolean_ = false;
    std::string text_;  // of numbers too
    Array array_;
    Object object_;
  };
  Kind kind_ = Kind::kNull;
};

struct JsonValue::Member {
  std::string key;
  JsonValue value;
  friend bool operator==(const Member&, const Member&) = default;
};

inline void JsonValue::Destroy() noexcept {
  switch (kind_) {
    case Kind::kNull:
    case Kind::kBool:
      return;
    case Kind::kNumber:
    case Kind::kString:
      return std::destroy_at(&text_);
    case Kind::kArray:
      return std::destroy_at(&array_);
    case Kind::kObject:
      return std::destroy_at(&object_);
  }
}

inline void JsonValue::MoveFrom(JsonValue* other) noexcept {
  switch (other->kind_) {
    case Kind::kNull:
      return;
    case Kind::kBool:
      boolean_ = other->boolean_;
      break;
    case Kind::kNumber:
    case Kind::kString:
      std::construct_at(&text_, std::move(other->text_));
      break;
    case Kind::kArray:
      std::construct_at(&array_, std::move(other->array_));
      break;
    case Kind::kObject:
      std::construct_at(&object_, std::move(other->object_));
      break;
  }
  // A string or vector that was moved from holds nothing that would have to be let go.
  kind_ = std::exchange(other->kind_, Kind::kNull);
}

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
