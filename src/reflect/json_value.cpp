#include "reflect/json_value.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "reflect/json_writer.h"
#include "reflect/number_text.h"

namespace podium::reflect {

void JsonValue::CopyFrom(const JsonValue& other) {
  switch (other.kind_) {
    case Kind::kNull:
      return;
    case Kind::kBool:
      boolean_ = other.boolean_;
      break;
    case Kind::kNumber:
    case Kind::kString:
      std::construct_at(&text_, other.text_);
      break;
    case Kind::kArray:
      std::construct_at(&array_, other.array_);
      break;
    case Kind::kObject:
      std::construct_at(&object_, other.object_);
      break;
  }
  kind_ = other.kind_;
}

// What is assigned may be a part of what goes, which therefore goes last.
JsonValue& JsonValue::operator=(JsonValue&& other) noexcept {
  if (this == &other) return *this;
  const JsonValue old(std::move(*this));
  MoveFrom(&other);
  return *this;
}

JsonValue& JsonValue::operator=(const JsonValue& other) { return *this = JsonValue(other); }

JsonValue JsonValue::Bool(bool value) {
  JsonValue out;
  out.boolean_ = value;
  out.kind_ = Kind::kBool;
  return out;
}
JsonValue JsonValue::Number(std::string text) {
  JsonValue out;
  std::construct_at(&out.text_, std::move(text));
  out.kind_ = Kind::kNumber;
  return out;
}
JsonValue JsonValue::String(std::string text) {
  JsonValue out;
  std::construct_at(&out.text_, std::move(text));
  out.kind_ = Kind::kString;
  return out;
}
JsonValue JsonValue::Of(Array elements) {
  JsonValue out;
  std::construct_at(&out.array_, std::move(elements));
  out.kind_ = Kind::kArray;
  return out;
}
JsonValue JsonValue::Of(Object members) {
  JsonValue out;
  std::construct_at(&out.object_, std::move(members));
  out.kind_ = Kind::kObject;
  return out;
}

bool operator==(const JsonValue& a, const JsonValue& b) {
  if (a.kind_ != b.kind_) return false;
  switch (a.kind_) {
    case JsonValue::Kind::kNull:
      return true;
    case JsonValue::Kind::kBool:
      return a.boolean_ == b.boolean_;
    case JsonValue::Kind::kNumber:
    case JsonValue::Kind::kString:
      return a.text_ == b.text_;
    case JsonValue::Kind::kArray:
      return a.array_ == b.array_;
    case JsonValue::Kind::kObject:
      return a.object_ == b.object_;
  }
  return false;
}

const JsonValue* JsonValue::Find(std::string_view key) const {
  if (!is_object()) return nullptr;
  for (const Member& member : object()) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

JsonValue* JsonValue::Find(std::string_view key) {
  return const_cast<JsonValue*>(std::as_const(*this).Find(key));
}

JsonValue& JsonValue::Set(std::string_view key, JsonValue value) {
  if (JsonValue* found = Find(key)) return *found = std::move(value);
  return object().emplace_back(Member{std::string(key), std::move(value)}).value;
}

bool JsonValue::Erase(std::string_view key) {
  return std::erase_if(object(), [&](const Member& member) { return member.key == key; }) > 0;
}

namespace {

using JsonKind = JsonValue::Kind;

std::vector<const JsonValue::Member*> SortedMembers(const JsonValue::Object& object) {
  std::vector<const JsonValue::Member*> members;
  members.reserve(object.size());
  for (const auto& member : object) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](auto* a, auto* b) { return a->key < b->key; });
  return members;
}

bool SameNumber(const std::string& a, const std::string& b) {
  if (a == b) return true;
  const Number x = ReadJsonNumber(a);
  const Number y = ReadJsonNumber(b);
  if (x.is_integer && y.is_integer) return x.integer == y.integer;
  return x.AsDouble() == y.AsDouble();
}

}  // namespace

bool Equivalent(const JsonValue& a, const JsonValue& b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case JsonKind::kNull:
      return true;
    case JsonKind::kBool:
      return a.boolean() == b.boolean();
    case JsonKind::kNumber:
      return SameNumber(a.number(), b.number());
    case JsonKind::kString:
      return a.string() == b.string();
    case JsonKind::kArray:
      return std::equal(a.array().begin(), a.array().end(), b.array().begin(), b.array().end(),
                        Equivalent);
    case JsonKind::kObject: {
      // First the sizes: sorting a large object takes long, and the other one may be small.
      if (a.object().size() != b.object().size()) return false;
      const auto x = SortedMembers(a.object());
      const auto y = SortedMembers(b.object());
      return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](auto* m, auto* n) {
        return m->key == n->key && Equivalent(m->value, n->value);
      });
    }
  }
  return false;
}

namespace {

class Printer {
 public:
  Printer(const JsonPrintOptions& options, JsonWriter* out) : options_(options), out_(*out) {}

  void Print(const JsonValue& value, int level);

 private:
  void PrintNumber(const std::string& text);
  void PrintArray(const JsonValue::Array& elements, int level);
  void PrintObject(const JsonValue::Object& members, int level);
  void NewLine(int level) {
    if (options_.indent <= 0) return;
    out_.Char('\n');
    for (int i = level * options_.indent; i > 0; --i) out_.Char(' ');
  }

  const JsonPrintOptions& options_;
  JsonWriter& out_;
};

void Printer::PrintNumber(const std::string& text) {
  if (options_.canonical_numbers) {
    const Number number = ReadJsonNumber(text);
    if (number.is_integer) return out_.Text(std::to_string(number.integer));
    if (std::isfinite(number.floating)) {
      std::string canonical;
      AppendFloatJson(number.floating, &canonical);
      return out_.Text(canonical);
    }
  }
  out_.Text(text);
}

void Printer::PrintArray(const JsonValue::Array& elements, int level) {
  out_.Char('[');
  bool first = true;
  for (const JsonValue& element : elements) {
    if (!std::exchange(first, false)) out_.Char(',');
    NewLine(level + 1);
    Print(element, level + 1);
  }
  if (!first) NewLine(level);
  out_.Char(']');
}

void Printer::PrintObject(const JsonValue::Object& members, int level) {
  out_.Char('{');
  bool first = true;
  const auto print = [&](const JsonValue::Member& member) {
    if (!std::exchange(first, false)) out_.Char(',');
    NewLine(level + 1);
    out_.String(member.key);
    out_.Char(':');
    if (options_.indent > 0) out_.Char(' ');
    if (member.value.is_string()) {
      out_.String(member.value.string());
    } else {
      Print(member.value, level + 1);
    }
  };
  if (options_.sort_keys) {
    for (const auto* member : SortedMembers(members)) print(*member);
  } else {
    for (const auto& member : members) print(member);
  }
  if (!first) NewLine(level);
  out_.Char('}');
}

void Printer::Print(const JsonValue& value, int level) {
  switch (value.kind()) {
    case JsonKind::kNull:
      return out_.Text("null");
    case JsonKind::kBool:
      return out_.Text(value.boolean() ? "true" : "false");
    case JsonKind::kNumber:
      return PrintNumber(value.number());
    case JsonKind::kString:
      return out_.String(value.string());
    case JsonKind::kArray:
      return PrintArray(value.array(), level);
    case JsonKind::kObject:
      return PrintObject(value.object(), level);
  }
}

}  // namespace

void PrintJson(const JsonValue& value, const JsonPrintOptions& options, std::string* out) {
  // What is small takes little room.
  const bool is_container = value.is_array() || value.is_object();
  JsonWriter writer(out, is_container ? 64 : 0);
  Printer(options, &writer).Print(value, 0);
}

std::string ToText(const JsonValue& value, const JsonPrintOptions& options) {
  std::string out;
  PrintJson(value, options, &out);
  return out;
}

}  // namespace podium::reflect
