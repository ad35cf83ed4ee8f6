#include <algorithm>

#include "reflect/apply/field_set.h"
#include "reflect/go_text.h"
#include "reflect/number_text.h"

namespace podium::reflect {
namespace {

// Of values of two kinds, the order of the kinds; numbers are one kind.
int Rank(const JsonValue& value) {
  switch (value.kind()) {
    case JsonValue::Kind::kNumber:
      return 0;
    case JsonValue::Kind::kString:
      return 1;
    case JsonValue::Kind::kBool:
      return 2;
    case JsonValue::Kind::kArray:
      return 3;
    case JsonValue::Kind::kObject:
      return 4;
    case JsonValue::Kind::kNull:
      return 5;
  }
  return 5;
}

std::weak_ordering Ordered(int order) { return order <=> 0; }

std::weak_ordering CompareNumbers(const std::string& a, const std::string& b) {
  const Number left = ReadJsonNumber(a);
  const Number right = ReadJsonNumber(b);
  if (left.is_integer && right.is_integer) return left.integer <=> right.integer;
  const double x = left.is_integer ? static_cast<double>(left.integer) : left.floating;
  const double y = right.is_integer ? static_cast<double>(right.integer) : right.floating;
  return x < y ? std::weak_ordering::less
               : (x > y ? std::weak_ordering::greater : std::weak_ordering::equivalent);
}

std::weak_ordering Compare(const JsonValue& a, const JsonValue& b);

std::weak_ordering Compare(const PathElement::Keys& a, const PathElement::Keys& b) {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (const auto order = a[i].first.compare(b[i].first); order != 0) return Ordered(order);
    if (const auto order = Compare(a[i].second, b[i].second); order != 0) return order;
  }
  return a.size() <=> b.size();
}

PathElement::Keys SortedMembers(const JsonValue& object) {
  PathElement::Keys members;
  for (const auto& [key, value] : object.object()) members.emplace_back(key, value);
  std::ranges::sort(members, {}, [](const auto& member) { return member.first; });
  return members;
}

std::weak_ordering Compare(const JsonValue& a, const JsonValue& b) {
  if (const auto order = Rank(a) <=> Rank(b); order != 0) return order;
  if (a.is_number()) return CompareNumbers(a.number(), b.number());
  if (a.is_string()) return Ordered(a.string().compare(b.string()));
  if (a.is_bool()) return a.boolean() <=> b.boolean();
  if (a.is_object()) return Compare(SortedMembers(a), SortedMembers(b));
  if (!a.is_array()) return std::weak_ordering::equivalent;
  for (size_t i = 0; i < std::min(a.array().size(), b.array().size()); ++i) {
    if (const auto order = Compare(a.array()[i], b.array()[i]); order != 0) return order;
  }
  return a.array().size() <=> b.array().size();
}

Error Invalid(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

std::string ShownValue(const JsonValue& value) {
  return value.is_string() ? GoQuoted(value.string())
                           : ToText(value, {.sort_keys = true, .canonical_numbers = true});
}

std::string JsonText(const JsonValue& value) {
  return ToText(value, {.sort_keys = true, .canonical_numbers = true});
}

}  // namespace

PathElement PathElement::Field(std::string name) {
  PathElement element;
  element.name_ = std::move(name);
  return element;
}

PathElement PathElement::Key(Keys keys) {
  PathElement element;
  element.kind_ = Kind::kKey;
  element.keys_ = std::move(keys);
  std::ranges::sort(element.keys_, {}, [](const auto& key) { return key.first; });
  return element;
}

PathElement PathElement::Value(JsonValue value) {
  PathElement element;
  element.kind_ = Kind::kValue;
  element.keys_.emplace_back("", std::move(value));
  return element;
}

PathElement PathElement::Index(int64_t index) {
  PathElement element;
  element.kind_ = Kind::kIndex;
  element.index_ = index;
  return element;
}

Result<PathElement> PathElement::Parse(std::string_view text) {
  if (text.size() < 2) return Invalid("key must be 2 characters long:");
  if (text[1] != ':') return Invalid("missing colon: " + std::string(text));
  const std::string_view rest = text.substr(2);
  switch (text[0]) {
    case 'f':
      return Field(std::string(rest));
    case 'v': {
      TRY(JsonValue value, ParseJson(rest));
      return Value(std::move(value));
    }
    case 'k': {
      TRY(const JsonValue keys, ParseJson(rest));
      if (!keys.is_object()) return Invalid("the keys of an element are no object");
      return Key(SortedMembers(keys));
    }
    case 'i': {
      TRY(const int64_t index, ParseGoInt(rest));
      return Index(index);
    }
    default:
      return Error(Code::kUnsupported, "unknown path element type");
  }
}

std::string PathElement::Text() const {
  switch (kind_) {
    case Kind::kField:
      return "f:" + name_;
    case Kind::kValue:
      return "v:" + JsonText(value());
    case Kind::kIndex:
      return "i:" + std::to_string(index_);
    case Kind::kKey:
      break;
  }
  JsonValue keys = JsonValue::Of(JsonValue::Object{});
  for (const auto& [key, value] : keys_) keys.object().push_back({key, value});
  return "k:" + JsonText(keys);
}

std::string PathElement::Shown() const {
  switch (kind_) {
    case Kind::kField:
      return '.' + name_;
    case Kind::kValue:
      return "[=" + ShownValue(value()) + ']';
    case Kind::kIndex:
      return '[' + std::to_string(index_) + ']';
    case Kind::kKey:
      break;
  }
  std::string out = "[";
  for (const auto& [key, value] : keys_) {
    if (out.size() > 1) out += ',';
    out += key;
    out += '=';
    out += ShownValue(value);
  }
  return out + ']';
}

std::weak_ordering operator<=>(const PathElement& a, const PathElement& b) {
  if (a.kind_ != b.kind_) return a.kind_ <=> b.kind_;
  if (a.kind_ == PathElement::Kind::kField) return Ordered(a.name_.compare(b.name_));
  if (a.kind_ == PathElement::Kind::kIndex) return a.index_ <=> b.index_;
  return Compare(a.keys_, b.keys_);
}

std::string Shown(const FieldPathElements& path) {
  std::string out;
  for (const PathElement& step : path) out += step.Shown();
  return out;
}

}  // namespace podium::reflect
