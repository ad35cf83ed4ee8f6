#include "reflect/json_value.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "reflect/json.h"
#include "reflect/number_text.h"

namespace podium::reflect {

JsonValue::JsonValue() = default;
JsonValue::JsonValue(const JsonValue&) = default;
JsonValue::JsonValue(JsonValue&&) noexcept = default;
JsonValue& JsonValue::operator=(const JsonValue&) = default;
JsonValue& JsonValue::operator=(JsonValue&&) noexcept = default;
JsonValue::~JsonValue() = default;
JsonValue::JsonValue(Storage storage) : storage_(std::move(storage)) {}

JsonValue JsonValue::Bool(bool value) { return JsonValue(Storage(value)); }
JsonValue JsonValue::Number(std::string text) {
  return JsonValue(Storage(Digits{std::move(text)}));
}
JsonValue JsonValue::String(std::string text) { return JsonValue(Storage(std::move(text))); }
JsonValue JsonValue::Of(Array elements) { return JsonValue(Storage(std::move(elements))); }
JsonValue JsonValue::Of(Object members) { return JsonValue(Storage(std::move(members))); }

bool operator==(const JsonValue& a, const JsonValue& b) { return a.storage_ == b.storage_; }

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
  Printer(const JsonPrintOptions& options, std::string* out) : options_(options), out_(*out) {}

  void Print(const JsonValue& value, int level);

 private:
  void PrintNumber(const std::string& text);
  void PrintMember(const JsonValue::Member& member, int level) {
    AppendJsonString(member.key, &out_);
    out_ += options_.indent > 0 ? ": " : ":";
    Print(member.value, level);
  }
  void NewLine(int level) {
    if (options_.indent <= 0) return;
    out_ += '\n';
    out_.append(static_cast<size_t>(level) * static_cast<size_t>(options_.indent), ' ');
  }

  const JsonPrintOptions& options_;
  std::string& out_;
};

void Printer::PrintNumber(const std::string& text) {
  if (options_.canonical_numbers) {
    const Number number = ReadJsonNumber(text);
    if (number.is_integer) {
      out_ += std::to_string(number.integer);
      return;
    }
    if (std::isfinite(number.floating)) {
      AppendFloatJson(number.floating, &out_);
      return;
    }
  }
  out_ += text;
}

void Printer::Print(const JsonValue& value, int level) {
  switch (value.kind()) {
    case JsonKind::kNull:
      out_ += "null";
      return;
    case JsonKind::kBool:
      out_ += value.boolean() ? "true" : "false";
      return;
    case JsonKind::kNumber:
      PrintNumber(value.number());
      return;
    case JsonKind::kString:
      AppendJsonString(value.string(), &out_);
      return;
    case JsonKind::kArray: {
      out_ += '[';
      bool first = true;
      for (const JsonValue& element : value.array()) {
        if (!std::exchange(first, false)) out_ += ',';
        NewLine(level + 1);
        Print(element, level + 1);
      }
      if (!first) NewLine(level);
      out_ += ']';
      return;
    }
    case JsonKind::kObject: {
      out_ += '{';
      bool first = true;
      const auto print = [&](const JsonValue::Member& member) {
        if (!std::exchange(first, false)) out_ += ',';
        NewLine(level + 1);
        PrintMember(member, level + 1);
      };
      if (options_.sort_keys) {
        for (const auto* member : SortedMembers(value.object())) print(*member);
      } else {
        for (const auto& member : value.object()) print(member);
      }
      if (!first) NewLine(level);
      out_ += '}';
      return;
    }
  }
}

}  // namespace

void PrintJson(const JsonValue& value, const JsonPrintOptions& options, std::string* out) {
  Printer(options, out).Print(value, 0);
}

std::string ToText(const JsonValue& value, const JsonPrintOptions& options) {
  std::string out;
  PrintJson(value, options, &out);
  return out;
}

}  // namespace podium::reflect
