// YAML out, as go-yaml v2's emitter lays it out (emitterc.go, itself a port of libyaml's).
// libyaml's own emitter indents lists under their keys and knows no natural order of keys, so it
// cannot serve.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "reflect/number_text.h"
#include "reflect/utf8.h"
#include "reflect/yaml.h"
#include "reflect/yaml_scalar.h"

namespace podium::reflect {
namespace {

using JsonKind = JsonValue::Kind;

constexpr int kIndent = 2;
// Longer keys are written with "? ".
constexpr size_t kMaxSimpleKey = 128;

struct Character {
  uint32_t code;
  size_t length;
};

// The character at `at`; a byte that is no UTF-8 stands for itself.
Character At(std::string_view text, size_t at) {
  const std::string_view rest = text.substr(at);
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(rest[i]) & 0xFF; };
  const size_t length = Utf8Length(rest);
  if (length <= 1) return {byte(0), 1};
  uint32_t code = byte(0) & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i) code = code << 6 | (byte(i) & 0x3F);
  return {code, length};
}

// What stands as it is. Less than YAML allows: go-yaml escapes everything above U+FFFF, and U+0085,
// U+2028 and U+2029, which are line breaks to a reader, must be.
bool IsPlainCharacter(uint32_t c) {
  if (c < 0x80) return c == '\n' || (c >= 0x20 && c < 0x7F);
  return c >= 0xA0 && c <= 0xFFFD && c != 0xFEFF && c != 0x2028 && c != 0x2029;
}

// What styles a string may be written in.
struct Analysis {
  bool multiline = false;
  bool plain_allowed = true;
  bool single_quoted_allowed = true;
  bool block_allowed = true;
};

bool IsIndicatorAtStart(std::string_view text) {
  const bool alone = text.size() == 1 || text[1] == ' ' || text[1] == '\t';
  switch (text[0]) {
    case '#':
    case ',':
    case '[':
    case ']':
    case '{':
    case '}':
    case '&':
    case '*':
    case '!':
    case '|':
    case '>':
    case '\'':
    case '"':
    case '%':
    case '@':
    case '`':
      return true;
    case '?':
    case ':':
    case '-':
      return alone;
    default:
      return false;
  }
}

Analysis Analyze(std::string_view text) {
  Analysis analysis;
  if (text.empty()) {
    analysis.block_allowed = false;
    return analysis;
  }
  bool indicators = text.starts_with("---") || text.starts_with("...") || IsIndicatorAtStart(text);
  bool special = false;
  bool space_break = false;
  bool break_space = false;
  char previous = 0;
  for (size_t i = 0; i < text.size();) {
    const Character c = At(text, i);
    const size_t next = i + c.length;
    const bool before_space = next >= text.size() || text[next] == ' ' || text[next] == '\t';
    if (c.code == ':' && i > 0 && before_space) indicators = true;
    if (c.code == '#' && (previous == ' ' || previous == '\t' || previous == '\n'))
      indicators = true;
    if (!IsPlainCharacter(c.code)) special = true;
    if (c.code == ' ' && previous == '\n') break_space = true;
    if (c.code == '\n') {
      analysis.multiline = true;
      if (previous == ' ') space_break = true;
    }
    previous = c.length == 1 ? text[i] : '\0';
    i = next;
  }
  const auto is_blank = [](char c) { return c == ' ' || c == '\n'; };
  if (indicators || analysis.multiline || is_blank(text.front()) || is_blank(text.back())) {
    analysis.plain_allowed = false;
  }
  if (text.back() == ' ') analysis.block_allowed = false;
  if (break_space) analysis.plain_allowed = analysis.single_quoted_allowed = false;
  if (space_break || special) {
    analysis.plain_allowed = analysis.single_quoted_allowed = analysis.block_allowed = false;
  }
  return analysis;
}

bool IsDigit(uint32_t c) { return c >= '0' && c <= '9'; }

// unicode.IsLetter, as far as blocks go: whole blocks of symbols and punctuation are none.
bool IsLetter(uint32_t c) {
  if (c < 0x80) return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
  if (c < 0xC0) return c == 0xAA || c == 0xB5 || c == 0xBA;
  if (c == 0xD7 || c == 0xF7) return false;
  constexpr std::pair<uint32_t, uint32_t> kOthers[] = {
      {0x0300, 0x036F},   {0x2000, 0x2070},   {0x20A0, 0x20FF}, {0x2190, 0x2BFF},
      {0x2E00, 0x3004},   {0xD800, 0xF8FF},   {0xFE00, 0xFE6F}, {0x1D000, 0x1D3FF},
      {0x1F000, 0x1FBFF}, {0xE0000, 0x10FFFF}};
  return std::ranges::none_of(kOthers,
                              [c](auto block) { return c >= block.first && c <= block.second; });
}

// go-yaml's order of keys (sorter.go): letters by code, digits by the number they write, other
// characters before letters.
bool KeyLess(const std::string& a, const std::string& b) {
  size_t i = 0;
  while (i < a.size() && i < b.size() && a[i] == b[i]) ++i;
  while (i > 0 && i < a.size() && (a[i] & 0xC0) == 0x80) --i;
  if (i >= a.size() || i >= b.size()) return a.size() < b.size();
  const uint32_t x = At(a, i).code;
  const uint32_t y = At(b, i).code;
  if (IsLetter(x) && IsLetter(y)) return x < y;
  if (IsLetter(x) || IsLetter(y)) return IsLetter(y);
  uint64_t x_number = 0;
  uint64_t y_number = 0;
  if (x == '0' || y == '0') {
    // Zeros inside a number count, those in front of it do not.
    for (size_t k = i; k > 0 && IsDigit(static_cast<unsigned char>(a[k - 1])); --k) {
      if (a[k - 1] != '0') {
        x_number = y_number = 1;
        break;
      }
    }
  }
  const auto read = [i](const std::string& text, uint64_t* number) {
    size_t k = i;
    for (; k < text.size() && IsDigit(static_cast<unsigned char>(text[k])); ++k) {
      *number = *number * 10 + static_cast<uint64_t>(text[k] - '0');
    }
    return k;
  };
  const size_t x_end = read(a, &x_number);
  const size_t y_end = read(b, &y_number);
  if (x_number != y_number) return static_cast<int64_t>(x_number) < static_cast<int64_t>(y_number);
  if (x_end != y_end) return x_end < y_end;
  return x < y;
}

// The emitter keeps the state that decides between "on this line" and "on the next": how far the
// line is, and whether it holds only white space and indicators so far.
class Emitter {
 public:
  Emitter(const YamlWriteOptions& options, std::string* out) : options_(options), out_(*out) {}

  void Document(const JsonValue& value) {
    Node(value, Context::kRoot);
    indent_ = 0;
    WriteIndent();
  }

 private:
  enum class Context { kRoot, kElement, kValue };

  void Node(const JsonValue& value, Context context);
  void Sequence(const JsonValue::Array& elements, Context context);
  void Mapping(const JsonValue::Object& members);
  void Member(const JsonValue::Member& member);
  void Scalar(std::string_view text, bool is_string, bool is_key);
  void Number(const std::string& text);

  void Plain(std::string_view text, bool may_fold);
  void SingleQuoted(std::string_view text, bool may_fold);
  void DoubleQuoted(std::string_view text, bool may_fold);
  void Literal(std::string_view text);
  void Escape(uint32_t code);

  void Put(std::string_view text) {
    out_ += text;
    ++column_;
  }
  void Break() {
    out_ += '\n';
    column_ = 0;
  }
  void WriteIndent();
  void Indicator(std::string_view text, bool needs_space, bool is_space, bool is_indention);
  bool PastWidth() const { return options_.fold_width > 0 && column_ > options_.fold_width; }

  const YamlWriteOptions& options_;
  std::string& out_;
  int indent_ = -1;
  int column_ = 0;
  bool whitespace_ = true;  // the last character was white space
  bool indention_ = true;   // the line holds only indentation and "-", "?", ":"
};

void Emitter::WriteIndent() {
  const int indent = std::max(indent_, 0);
  if (!indention_ || column_ > indent || (column_ == indent && !whitespace_)) Break();
  while (column_ < indent) Put(" ");
  whitespace_ = true;
  indention_ = true;
}

void Emitter::Indicator(std::string_view text, bool needs_space, bool is_space, bool is_indention) {
  if (needs_space && !whitespace_) Put(" ");
  for (char c : text) Put({&c, 1});
  whitespace_ = is_space;
  indention_ = indention_ && is_indention;
}

void Emitter::Node(const JsonValue& value, Context context) {
  switch (value.kind()) {
    case JsonKind::kNull:
      return Scalar("null", false, false);
    case JsonKind::kBool:
      return Scalar(value.boolean() ? "true" : "false", false, false);
    case JsonKind::kNumber:
      return Number(value.number());
    case JsonKind::kString:
      return Scalar(value.string(), true, false);
    case JsonKind::kArray:
      return Sequence(value.array(), context);
    case JsonKind::kObject:
      return Mapping(value.object());
  }
}

// Numbers as go-yaml has them after reading the JSON text.
void Emitter::Number(const std::string& text) {
  YamlTag found = YamlTag::kNone;
  const YamlScalar scalar = *ResolveYamlScalar(YamlTag::kNone, text, &found);
  std::string out;
  if (scalar.type == YamlScalar::Type::kInt) {
    out = std::to_string(scalar.integer);
  } else if (scalar.type == YamlScalar::Type::kUint) {
    out = std::to_string(scalar.unsigned_integer);
  } else if (scalar.type == YamlScalar::Type::kFloat) {
    AppendFloatGeneral(scalar.floating, &out);
  } else {
    out = text;  // beyond double: a string to every reader
  }
  Scalar(out, false, false);
}

void Emitter::Sequence(const JsonValue::Array& elements, Context context) {
  if (elements.empty()) {
    Indicator("[", true, true, false);
    return Indicator("]", false, false, false);
  }
  const int outer = indent_;
  // A list under a key stands no deeper than the key.
  if (indent_ < 0) {
    indent_ = 0;
  } else if (context != Context::kValue || indention_) {
    indent_ += kIndent;
  }
  for (const JsonValue& element : elements) {
    WriteIndent();
    Indicator("-", true, false, true);
    Node(element, Context::kElement);
  }
  indent_ = outer;
}

void Emitter::Mapping(const JsonValue::Object& members) {
  if (members.empty()) {
    Indicator("{", true, true, false);
    return Indicator("}", false, false, false);
  }
  const int outer = indent_;
  indent_ = indent_ < 0 ? 0 : indent_ + kIndent;
  if (options_.sort_keys) {
    std::vector<const JsonValue::Member*> sorted;
    sorted.reserve(members.size());
    for (const auto& member : members) sorted.push_back(&member);
    // KeyLess is no strict order for every set of keys, which std::sort would not survive.
    const auto less = [](auto* a, auto* b) { return KeyLess(a->key, b->key); };
    std::make_heap(sorted.begin(), sorted.end(), less);
    std::sort_heap(sorted.begin(), sorted.end(), less);
    for (const auto* member : sorted) Member(*member);
  } else {
    for (const auto& member : members) Member(member);
  }
  indent_ = outer;
}

void Emitter::Member(const JsonValue::Member& member) {
  WriteIndent();
  if (member.key.size() <= kMaxSimpleKey && member.key.find_first_of("\n\r") == std::string::npos) {
    Scalar(member.key, true, true);
    Indicator(":", false, false, false);
  } else {
    Indicator("?", true, false, true);
    Scalar(member.key, true, false);
    WriteIndent();
    Indicator(":", true, false, true);
  }
  Node(member.value, Context::kValue);
}

void Emitter::Scalar(std::string_view text, bool is_string, bool is_key) {
  const int outer = indent_;
  indent_ = indent_ < 0 ? kIndent : indent_ + kIndent;
  const bool may_fold = !is_key;
  const Analysis analysis = Analyze(text);
  const bool block = is_string && text.find('\n') != text.npos && analysis.block_allowed;
  const bool must_quote =
      is_string && (analysis.multiline || NeedsYamlQuotes(text) || (is_key && text == "<<"));
  if (block && !is_key) {
    Literal(text);
  } else if (must_quote || !(analysis.plain_allowed || analysis.single_quoted_allowed)) {
    DoubleQuoted(text, may_fold);
  } else if (analysis.plain_allowed) {
    Plain(text, may_fold);
  } else {
    SingleQuoted(text, may_fold);
  }
  indent_ = outer;
}

void Emitter::Plain(std::string_view text, bool may_fold) {
  if (!whitespace_) Put(" ");
  bool spaces = false;
  for (size_t i = 0; i < text.size();) {
    const size_t length = At(text, i).length;
    const bool is_space = text[i] == ' ';
    if (is_space && may_fold && !spaces && PastWidth() && text.substr(i + 1, 1) != " ") {
      WriteIndent();
    } else {
      Put(text.substr(i, length));
      if (!is_space) indention_ = false;
    }
    spaces = is_space;
    i += length;
  }
  whitespace_ = false;
  indention_ = false;
}

void Emitter::SingleQuoted(std::string_view text, bool may_fold) {
  Indicator("'", true, false, false);
  bool spaces = false;
  for (size_t i = 0; i < text.size();) {
    const size_t length = At(text, i).length;
    const bool is_space = text[i] == ' ';
    if (is_space && may_fold && !spaces && PastWidth() && i > 0 && i + 1 < text.size() &&
        text[i + 1] != ' ') {
      WriteIndent();
    } else {
      if (text[i] == '\'') Put("'");
      Put(text.substr(i, length));
      if (!is_space) indention_ = false;
    }
    spaces = is_space;
    i += length;
  }
  Indicator("'", false, false, false);
}

void Emitter::DoubleQuoted(std::string_view text, bool may_fold) {
  Indicator("\"", true, false, false);
  bool spaces = false;
  for (size_t i = 0; i < text.size();) {
    const Character c = At(text, i);
    if (c.code == ' ') {
      if (may_fold && !spaces && PastWidth() && i > 0 && i + 1 < text.size()) {
        WriteIndent();
        if (text[i + 1] == ' ') Put("\\");
      } else {
        Put(" ");
      }
      spaces = true;
    } else {
      if (!IsPlainCharacter(c.code) || c.code == '\n' || c.code == '"' || c.code == '\\') {
        Escape(c.code);
      } else {
        Put(text.substr(i, c.length));
      }
      spaces = false;
    }
    i += c.length;
  }
  Indicator("\"", false, false, false);
}

void Emitter::Escape(uint32_t code) {
  static constexpr std::pair<uint32_t, char> kShort[] = {
      {0, '0'},     {'\a', 'a'}, {'\b', 'b'},   {'\t', 't'},  {'\n', 'n'},
      {'\v', 'v'},  {'\f', 'f'}, {'\r', 'r'},   {0x1B, 'e'},  {'"', '"'},
      {'\\', '\\'}, {0x85, 'N'}, {0x2028, 'L'}, {0x2029, 'P'}};
  const auto* found = std::ranges::find(kShort, code, &std::pair<uint32_t, char>::first);
  std::string text;
  if (found != std::end(kShort)) {
    text = {'\\', found->second};
  } else if (code <= 0xFF) {
    text = fmt::format("\\x{:02X}", code);
  } else if (code <= 0xFFFF) {
    text = fmt::format("\\u{:04X}", code);
  } else {
    text = fmt::format("\\U{:08X}", code);
  }
  for (char c : text) Put({&c, 1});
}

void Emitter::Literal(std::string_view text) {
  std::string hints = "|";
  if (text[0] == ' ' || text[0] == '\n') hints += static_cast<char>('0' + kIndent);
  if (!text.ends_with('\n')) {
    hints += '-';
  } else if (text.size() == 1 || text[text.size() - 2] == '\n') {
    hints += '+';
  }
  Indicator(hints, true, false, false);
  Break();
  indention_ = true;
  whitespace_ = true;
  bool at_start = true;
  for (size_t i = 0; i < text.size();) {
    const size_t length = At(text, i).length;
    if (text[i] == '\n') {
      Break();
      indention_ = true;
      at_start = true;
    } else {
      if (at_start) WriteIndent();
      Put(text.substr(i, length));
      indention_ = false;
      at_start = false;
    }
    i += length;
  }
}

}  // namespace

void WriteYaml(const JsonValue& value, std::string* out, const YamlWriteOptions& options) {
  Emitter(options, out).Document(value);
}

Result<void> JsonToYaml(std::string_view json, std::string* out, const YamlWriteOptions& options) {
  TRY(const JsonValue value, ParseJson(json));
  WriteYaml(value, out, options);
  return {};
}

}  // namespace podium::reflect
