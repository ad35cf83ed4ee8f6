#include <algorithm>
#include <cstddef>
#include <iterator>
#include <numeric>

#include "reflect/json_scanner.h"
#include "reflect/json_value.h"

namespace podium::reflect {
namespace {

// Of few members each with each is compared, which mostly is of two lengths; of many they are
// sorted.
constexpr size_t kFewMembers = 16;

bool HasDuplicates(const JsonValue::Object& members) {
  for (size_t i = 1; i < members.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (members[k].key == members[i].key) return true;
    }
  }
  return false;
}

// Keeps the last value of each key, at the place of its first.
void DropDuplicates(JsonValue::Object* members) {
  if (members->size() <= kFewMembers && !HasDuplicates(*members)) return;
  std::vector<uint32_t> order(members->size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const int compared = (*members)[a].key.compare((*members)[b].key);
    return compared != 0 ? compared < 0 : a < b;
  });
  std::vector<bool> drop(members->size());
  bool any = false;
  for (size_t i = 0; i < order.size();) {
    size_t end = i + 1;
    while (end < order.size() && (*members)[order[i]].key == (*members)[order[end]].key) ++end;
    if (end - i > 1) {
      (*members)[order[i]].value = std::move((*members)[order[end - 1]].value);
      for (size_t k = i + 1; k < end; ++k) drop[order[k]] = true;
      any = true;
    }
    i = end;
  }
  if (!any) return;
  size_t index = 0;
  std::erase_if(*members, [&](const JsonValue::Member&) { return drop[index++]; });
}

class Parser {
 public:
  Parser(std::string_view text, const JsonParseOptions& options)
      : scanner_(text), options_(options) {}

  Result<JsonValue> Parse() {
    JsonValue value;
    if (ParseValue(&value, 0) && scanner_.ExpectEnd()) return value;
    return Error(scanner_.too_deep() ? Code::kResourceExhausted : Code::kInvalidArgument,
                 "offset " + std::to_string(scanner_.error_offset()) + ": " + scanner_.error());
  }

 private:
  // `depth`: containers around the value.
  bool ParseValue(JsonValue* out, size_t depth) {
    switch (scanner_.Peek()) {
      case '{':
        return ParseObject(out, depth + 1);
      case '[':
        return ParseArray(out, depth + 1);
      case '"': {
        std::string text;
        if (!ParseString(&text)) return false;
        *out = JsonValue::String(std::move(text));
        return true;
      }
      case 't':
        *out = JsonValue::Bool(true);
        return scanner_.ReadWord("true");
      case 'f':
        *out = JsonValue::Bool(false);
        return scanner_.ReadWord("false");
      case 'n':
        *out = JsonValue();
        return scanner_.ReadWord("null");
      default: {
        std::string_view text;
        if (!scanner_.ReadNumber(&text)) return false;
        *out = JsonValue::Number(std::string(text));
        return true;
      }
    }
  }

  bool ParseString(std::string* out) {
    std::string_view text;
    bool clean = true;
    if (!scanner_.ReadString(&text, &buffer_, &clean)) return false;
    if (!clean) return scanner_.Fail("invalid UTF-8");
    *out = text;
    return true;
  }

  // Behind a value: true when another follows, false at the end or when failed.
  bool More(char close) {
    if (scanner_.Consume(',')) return true;
    if (!scanner_.Consume(close)) scanner_.Fail(JsonScanner::kExpectedCommaOrEnd);
    return false;
  }

  bool ParseArray(JsonValue* out, size_t depth) {
    if (depth > options_.max_depth) return scanner_.FailTooDeep();
    scanner_.Advance();
    const size_t first = elements_.size();
    if (!scanner_.Consume(']')) {
      do {
        JsonValue element;
        if (!ParseValue(&element, depth)) return false;
        elements_.push_back(std::move(element));
      } while (More(']'));
      if (scanner_.failed()) return false;
    }
    *out = JsonValue::Of(TakeFrom(first, &elements_));
    return true;
  }

  bool ParseObject(JsonValue* out, size_t depth) {
    if (depth > options_.max_depth) return scanner_.FailTooDeep();
    scanner_.Advance();
    const size_t first = members_.size();
    if (!scanner_.Consume('}')) {
      do {
        if (scanner_.Peek() != '"') return scanner_.Fail("expected a key in quotes");
        JsonValue::Member member;
        if (!ParseString(&member.key)) return false;
        if (!scanner_.Consume(':')) return scanner_.Fail("expected ':' after a key");
        if (!ParseValue(&member.value, depth)) return false;
        members_.push_back(std::move(member));
      } while (More('}'));
      if (scanner_.failed()) return false;
    }
    JsonValue::Object members = TakeFrom(first, &members_);
    if (members.size() > 1) DropDuplicates(&members);
    *out = JsonValue::Of(std::move(members));
    return true;
  }

  // What was put on the stack since it was `first` high.
  template <class T>
  static std::vector<T> TakeFrom(size_t first, std::vector<T>* stack) {
    const auto begin = stack->begin() + static_cast<ptrdiff_t>(first);
    std::vector<T> taken(std::move_iterator(begin), std::move_iterator(stack->end()));
    stack->erase(begin, stack->end());
    return taken;
  }

  JsonScanner scanner_;
  const JsonParseOptions& options_;
  std::string buffer_;
  // Of all containers that are open, so that each gets its memory once, and no more than it needs.
  JsonValue::Array elements_;
  JsonValue::Object members_;
};

}  // namespace

Result<JsonValue> ParseJson(std::string_view text, const JsonParseOptions& options) {
  return Parser(text, options).Parse();
}

}  // namespace podium::reflect
