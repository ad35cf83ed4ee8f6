#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <memory>
#include <numeric>
#include <vector>

#include "base/bulk_heap.h"
#include "reflect/json_scanner.h"
#include "reflect/json_value.h"

namespace podium::reflect {
namespace {

// Of few members those that look alike are compared; of many they are sorted.
constexpr size_t kFewMembers = 16;

bool HasDuplicates(const JsonValue::Object& members) {
  uint64_t seen = 0;  // a bit for what a key's size and last byte come to, of those before
  for (size_t i = 0; i < members.size(); ++i) {
    const std::string& key = members[i].key;
    const size_t last = key.empty() ? 0 : static_cast<unsigned char>(key.back());
    const uint64_t bit = uint64_t{1} << (key.size() * 7 + last) % 64;
    for (size_t k = 0; (seen & bit) != 0 && k < i; ++k) {
      if (members[k].key == key) return true;
    }
    seen |= bit;
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
  // Its key is a part of the text, or of escaped_.
  struct Member {
    std::string_view key;
    JsonValue value;
  };
  // What a container has so far, so that it gets its memory once, and no more than it needs.
  struct Level {
    JsonValue::Array elements;
    std::vector<Member> members;
  };

  // *out is null. `depth`: containers around the value.
  bool ParseValue(JsonValue* out, size_t depth) {
    switch (scanner_.Peek()) {
      case '{':
        return ParseObject(out, depth);
      case '[':
        return ParseArray(out, depth);
      case '"': {
        std::string_view text;
        if (!ReadString(&text)) return false;
        out->SetString(text);
        return true;
      }
      case 't':
        *out = JsonValue::Bool(true);
        return scanner_.ReadWord("true");
      case 'f':
        *out = JsonValue::Bool(false);
        return scanner_.ReadWord("false");
      case 'n':
        return scanner_.ReadWord("null");
      default: {
        std::string_view text;
        if (!scanner_.ReadNumber(&text)) return false;
        out->SetNumber(text);
        return true;
      }
    }
  }

  // Valid until the next string.
  bool ReadString(std::string_view* text) {
    bool clean = true;
    if (!scanner_.ReadString(text, &buffer_, &clean)) return false;
    return clean || scanner_.Fail("invalid UTF-8");
  }

  // Behind a value: true when another follows, false at the end or when failed.
  bool More(char close) {
    if (scanner_.Consume(',')) return true;
    if (!scanner_.Consume(close)) scanner_.Fail(JsonScanner::kExpectedCommaOrEnd);
    return false;
  }

  // Null when that is too deep.
  Level* Enter(size_t depth) {
    if (depth == options_.max_depth) {
      scanner_.FailTooDeep();
      return nullptr;
    }
    scanner_.Advance();
    if (depth == levels_.size()) levels_.push_back(std::make_unique<Level>());
    return levels_[depth].get();
  }

  bool ParseArray(JsonValue* out, size_t depth) {
    Level* level = Enter(depth);
    if (level == nullptr) return false;
    if (!scanner_.Consume(']')) {
      do {
        if (!ParseValue(&level->elements.emplace_back(), depth + 1)) return false;
      } while (More(']'));
      if (scanner_.failed()) return false;
    }
    JsonValue::Array& elements = level->elements;
    *out = JsonValue::Of(
        JsonValue::Array(std::move_iterator(elements.begin()), std::move_iterator(elements.end())));
    elements.clear();
    return true;
  }

  bool ParseObject(JsonValue* out, size_t depth) {
    Level* level = Enter(depth);
    if (level == nullptr) return false;
    if (!scanner_.Consume('}')) {
      do {
        if (scanner_.Peek() != '"') return scanner_.Fail("expected a key in quotes");
        Member& member = level->members.emplace_back();
        if (!ReadString(&member.key)) return false;
        if (member.key.data() == buffer_.data()) member.key = escaped_.emplace_front(member.key);
        if (!scanner_.Consume(':')) return scanner_.Fail("expected ':' after a key");
        if (!ParseValue(&member.value, depth + 1)) return false;
      } while (More('}'));
      if (scanner_.failed()) return false;
    }
    JsonValue::Object members;
    members.reserve(level->members.size());
    for (auto& [key, value] : level->members) {
      members.emplace_back(std::string(key), std::move(value));
    }
    level->members.clear();
    if (members.size() > 1) DropDuplicates(&members);
    *out = JsonValue::Of(std::move(members));
    return true;
  }

  JsonScanner scanner_;
  const JsonParseOptions& options_;
  std::string buffer_;
  std::forward_list<std::string> escaped_;      // keys with escapes
  std::vector<std::unique_ptr<Level>> levels_;  // by depth
};

}  // namespace

Result<JsonValue> ParseJson(std::string_view text, const JsonParseOptions& options) {
  const BulkAllocation bulk;
  return Parser(text, options).Parse();
}

}  // namespace podium::reflect
