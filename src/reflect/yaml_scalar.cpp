#include "reflect/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/ascii.h"
#include "reflect/number_text.h"

namespace podium::reflect {
namespace {

struct Word {
  std::string_view text;
  YamlTag tag;
  double value;  // of a boolean or a float
};

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

constexpr Word kWords[] = {
    {"y", YamlTag::kBool, 1},
    {"Y", YamlTag::kBool, 1},
    {"yes", YamlTag::kBool, 1},
    {"Yes", YamlTag::kBool, 1},
    {"YES", YamlTag::kBool, 1},
    {"true", YamlTag::kBool, 1},
    {"True", YamlTag::kBool, 1},
    {"TRUE", YamlTag::kBool, 1},
    {"on", YamlTag::kBool, 1},
    {"On", YamlTag::kBool, 1},
    {"ON", YamlTag::kBool, 1},
    {"n", YamlTag::kBool, 0},
    {"N", YamlTag::kBool, 0},
    {"no", YamlTag::kBool, 0},
    {"No", YamlTag::kBool, 0},
    {"NO", YamlTag::kBool, 0},
    {"false", YamlTag::kBool, 0},
    {"False", YamlTag::kBool, 0},
    {"FALSE", YamlTag::kBool, 0},
    {"off", YamlTag::kBool, 0},
    {"Off", YamlTag::kBool, 0},
    {"OFF", YamlTag::kBool, 0},
    {"", YamlTag::kNull, 0},
    {"~", YamlTag::kNull, 0},
    {"null", YamlTag::kNull, 0},
    {"Null", YamlTag::kNull, 0},
    {"NULL", YamlTag::kNull, 0},
    {".nan", YamlTag::kFloat, kNan},
    {".NaN", YamlTag::kFloat, kNan},
    {".NAN", YamlTag::kFloat, kNan},
    {".inf", YamlTag::kFloat, kInfinity},
    {".Inf", YamlTag::kFloat, kInfinity},
    {".INF", YamlTag::kFloat, kInfinity},
    {"+.inf", YamlTag::kFloat, kInfinity},
    {"+.Inf", YamlTag::kFloat, kInfinity},
    {"+.INF", YamlTag::kFloat, kInfinity},
    {"-.inf", YamlTag::kFloat, -kInfinity},
    {"-.Inf", YamlTag::kFloat, -kInfinity},
    {"-.INF", YamlTag::kFloat, -kInfinity},
};

constexpr std::pair<std::string_view, YamlTag> kTags[] = {
    {"null", YamlTag::kNull},     {"bool", YamlTag::kBool},   {"int", YamlTag::kInt},
    {"float", YamlTag::kFloat},   {"str", YamlTag::kString},  {"timestamp", YamlTag::kTimestamp},
    {"binary", YamlTag::kBinary}, {"merge", YamlTag::kMerge},
};

YamlScalar Null() { return {.type = YamlScalar::Type::kNull, .tag = YamlTag::kNull}; }
YamlScalar Boolean(bool value) {
  return {.type = YamlScalar::Type::kBool, .tag = YamlTag::kBool, .boolean = value};
}
YamlScalar Integer(int64_t value) {
  return {.type = YamlScalar::Type::kInt, .tag = YamlTag::kInt, .integer = value};
}
YamlScalar Unsigned(uint64_t value) {
  return {.type = YamlScalar::Type::kUint, .tag = YamlTag::kInt, .unsigned_integer = value};
}
YamlScalar Floating(double value) {
  return {.type = YamlScalar::Type::kFloat, .tag = YamlTag::kFloat, .floating = value};
}
YamlScalar Text(YamlTag tag = YamlTag::kString) {
  return {.type = YamlScalar::Type::kString, .tag = tag};
}

// Digits of a base, all of them; empty when they are not, or too large.
std::optional<uint64_t> ReadDigits(std::string_view digits, int base) {
  uint64_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return {};
  return value;
}

// strconv.ParseInt(text, 0, 64) and ParseUint: a sign, 0x, 0o, 0b or a leading zero for octal.
std::optional<YamlScalar> ReadInteger(std::string_view text) {
  bool negative = false;
  const bool is_signed = text.starts_with('+') || text.starts_with('-');
  if (is_signed) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char marker = static_cast<char>(text[1] | 0x20);
    base = marker == 'x' ? 16 : marker == 'b' ? 2 : 8;
    text.remove_prefix(marker == 'x' || marker == 'b' || marker == 'o' ? 2 : 1);
  }
  const std::optional<uint64_t> magnitude = ReadDigits(text, base);
  if (!magnitude) return {};
  constexpr uint64_t kLimit = uint64_t{1} << 63;
  if (negative) {
    if (*magnitude > kLimit) return {};
    return Integer(static_cast<int64_t>(0 - *magnitude));
  }
  if (*magnitude < kLimit) return Integer(static_cast<int64_t>(*magnitude));
  if (is_signed) return {};
  return Unsigned(*magnitude);
}

// "0b" and "-0b" with a sign behind them, which only go-yaml's second look at binary digits takes.
std::optional<YamlScalar> ReadOddBinary(std::string_view text) {
  if (!text.starts_with("0b") || text.size() < 4 || (text[2] != '+' && text[2] != '-')) return {};
  const std::optional<uint64_t> magnitude = ReadDigits(text.substr(3), 2);
  if (!magnitude || *magnitude >= uint64_t{1} << 63) return {};
  const auto value = static_cast<int64_t>(*magnitude);
  return Integer(text[2] == '-' ? -value : value);
}

// ^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$
bool IsYamlFloat(std::string_view text) {
  size_t i = 0;
  const auto digits = [&] {
    const size_t start = i;
    while (i < text.size() && IsDigit(text[i])) ++i;
    return i - start;
  };
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
  const size_t whole = digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0 && whole == 0) return false;
  } else if (whole == 0) {
    return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

// Takes out underscores that stand between digits, as in Go's literals; false when one does not.
bool DropUnderscores(std::string* text) {
  for (size_t i = 0; i < text->size(); ++i) {
    if ((*text)[i] != '_') continue;
    if (i == 0 || i + 1 == text->size() || !IsDigit((*text)[i - 1]) || !IsDigit((*text)[i + 1])) {
      return false;
    }
  }
  std::erase(*text, '_');
  return true;
}

YamlScalar ResolveNumber(YamlTag tag, std::string_view text) {
  if ((tag == YamlTag::kNone || tag == YamlTag::kTimestamp) && IsYamlTimestamp(text)) {
    return Text(YamlTag::kTimestamp);
  }
  std::string plain(text);
  std::erase(plain, '_');
  if (auto integer = ReadInteger(plain)) return *integer;
  if (IsYamlFloat(plain)) {
    if (auto value = ReadFloat(plain)) return Floating(*value);
  }
  if (auto integer = ReadOddBinary(plain)) return *integer;
  return Text();
}

// The text alone, as far as the tag lets it speak.
YamlScalar ResolveText(YamlTag tag, std::string_view text) {
  if (tag == YamlTag::kString) return Text();
  constexpr std::string_view kFirstOfWords = "yYnNtTfFoO~.+-";
  const bool is_number = !text.empty() && (IsDigit(text[0]) || text[0] == '+' || text[0] == '-');
  if (text.empty() || is_number || kFirstOfWords.find(text[0]) != std::string_view::npos) {
    const Word* word = std::ranges::find(kWords, text, &Word::text);
    if (word != std::end(kWords)) {
      if (word->tag == YamlTag::kNull) return Null();
      if (word->tag == YamlTag::kBool) return Boolean(word->value != 0);
      return Floating(word->value);
    }
  }
  if (is_number) return ResolveNumber(tag, text);
  if (text.starts_with('.')) {
    std::string plain(text);
    if (DropUnderscores(&plain) && IsYamlFloat(plain)) {
      if (auto value = ReadFloat(plain)) return Floating(*value);
    }
  }
  return Text();
}

// [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?
bool IsBase60(std::string_view text) {
  size_t i = 0;
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
  if (i == text.size() || !IsDigit(text[i])) return false;
  while (i < text.size() && (IsDigit(text[i]) || text[i] == '_')) ++i;
  size_t groups = 0;
  for (; i < text.size() && text[i] == ':'; ++groups) {
    ++i;
    if (i == text.size() || !IsDigit(text[i])) return false;
    if (i + 1 < text.size() && text[i] <= '5' && IsDigit(text[i + 1])) ++i;
    ++i;
  }
  if (groups == 0) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    while (i < text.size() && (IsDigit(text[i]) || text[i] == '_')) ++i;
  }
  return i == text.size();
}

// Reads timestamps part by part, as Go's time.Parse does.
class TimestampReader {
 public:
  explicit TimestampReader(std::string_view text) : text_(text) {}

  bool Read() {
    int year = 0;
    int month = 0;
    int day = 0;
    if (!Number(4, 4, &year) || !Literal('-') || !Number(1, 2, &month) || !Literal('-') ||
        !Number(1, 2, &day)) {
      return false;
    }
    if (month < 1 || month > 12 || day < 1 || day > DaysOf(year, month)) return false;
    if (text_.empty()) return true;
    const char separator = text_[0];
    text_.remove_prefix(1);
    if (separator == ' ') return TimeOfDay() && text_.empty();
    return (separator == 'T' || separator == 't') && TimeOfDay() && Zone() && text_.empty();
  }

 private:
  static int DaysOf(int year, int month) {
    constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return kDays[static_cast<size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
  }
  bool Literal(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool Number(size_t min, size_t max, int* value) {
    size_t count = 0;
    *value = 0;
    while (count < max && count < text_.size() && IsDigit(text_[count])) {
      *value = *value * 10 + (text_[count++] - '0');
    }
    text_.remove_prefix(count);
    return count >= min;
  }
  bool TimeOfDay() {
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (!Number(1, 2, &hour) || !Literal(':') || !Number(1, 2, &minute) || !Literal(':') ||
        !Number(1, 2, &second) || hour > 23 || minute > 59 || second > 59) {
      return false;
    }
    if (text_.size() > 1 && (text_[0] == '.' || text_[0] == ',') && IsDigit(text_[1])) {
      text_.remove_prefix(1);
      while (!text_.empty() && IsDigit(text_[0])) text_.remove_prefix(1);
    }
    return true;
  }
  bool Zone() {
    if (Literal('Z')) return true;
    int hours = 0;
    int minutes = 0;
    return (Literal('+') || Literal('-')) && Number(2, 2, &hours) && Literal(':') &&
           Number(2, 2, &minutes) && hours <= 24 && minutes <= 60;
  }

  std::string_view text_;
};

}  // namespace

YamlTag ReadYamlTag(std::string_view tag) {
  if (tag.empty()) return YamlTag::kNone;
  constexpr std::string_view kPrefix = "tag:yaml.org,2002:";
  if (!tag.starts_with(kPrefix)) return YamlTag::kOther;
  tag.remove_prefix(kPrefix.size());
  for (const auto& [name, value] : kTags) {
    if (name == tag) return value;
  }
  return YamlTag::kOther;
}

std::string_view YamlTagName(YamlTag tag) {
  switch (tag) {
    case YamlTag::kNull:
      return "!!null";
    case YamlTag::kBool:
      return "!!bool";
    case YamlTag::kInt:
      return "!!int";
    case YamlTag::kFloat:
      return "!!float";
    case YamlTag::kString:
      return "!!str";
    case YamlTag::kTimestamp:
      return "!!timestamp";
    case YamlTag::kBinary:
      return "!!binary";
    case YamlTag::kMerge:
      return "!!merge";
    case YamlTag::kNone:
    case YamlTag::kOther:
      break;
  }
  return "";
}

std::optional<YamlScalar> ResolveYamlScalar(YamlTag tag, std::string_view text, YamlTag* found) {
  if (tag == YamlTag::kBinary || tag == YamlTag::kMerge || tag == YamlTag::kOther) {
    return Text(tag);
  }
  YamlScalar scalar = ResolveText(tag, text);
  *found = scalar.tag;
  if (tag == YamlTag::kNone || tag == scalar.tag) return scalar;
  if (tag == YamlTag::kFloat && scalar.type == YamlScalar::Type::kInt) {
    return Floating(static_cast<double>(scalar.integer));
  }
  return {};
}

bool NeedsYamlQuotes(std::string_view text) {
  return ResolveText(YamlTag::kNone, text).tag != YamlTag::kString || IsBase60(text);
}

bool IsYamlTimestamp(std::string_view text) { return TimestampReader(text).Read(); }

}  // namespace podium::reflect
