#include "reflect/json_scanner.h"

#include <array>
#include <bit>

#include "base/ascii.h"
#include "reflect/utf8.h"

namespace podium::reflect {
namespace {

// Bytes that end the fast run through a string: the quote, the backslash, control characters, and
// all that is not ASCII.
constexpr std::array<bool, 256> kSpecial = [] {
  std::array<bool, 256> table{};
  for (size_t c = 0; c < 256; ++c) table[c] = c < 0x20 || c >= 0x80 || c == '"' || c == '\\';
  return table;
}();

const char* FindSpecial(const char* at, const char* end) {
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16) {
    const unsigned special = SpecialBytes(at);
    if (special != 0) return at + std::countr_zero(special);
  }
#endif
  while (at < end && !kSpecial[static_cast<unsigned char>(*at)]) ++at;
  return at;
}

}  // namespace

void JsonScanner::SkipSpace() {
  while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
}

bool JsonScanner::ReadLongString(std::string_view* text, std::string* buffer, bool* clean) {
  const char* start = ++at_;
  at_ = FindSpecial(at_, end_);
  if (at_ < end_ && *at_ == '"') [[likely]] {
    *text = {start, static_cast<size_t>(at_ - start)};
    ++at_;
    return true;
  }
  return ReadStringSlow(start, text, buffer, clean);
}

bool JsonScanner::ReadStringSlow(const char* start, std::string_view* text, std::string* buffer,
                                 bool* clean) {
  buffer->assign(start, at_);
  while (true) {
    const char* run = at_;
    at_ = FindSpecial(at_, end_);
    buffer->append(run, at_);
    if (at_ >= end_) return FailAt("string is not closed", start - 1);
    const unsigned char c = static_cast<unsigned char>(*at_);
    if (c == '"') {
      ++at_;
      *text = *buffer;
      return true;
    }
    if (c == '\\') {
      if (!ReadEscape(buffer)) return false;
    } else if (c < 0x20) {
      return Fail("control character in string");
    } else if (size_t length = Utf8Length({at_, static_cast<size_t>(end_ - at_)}); length > 0) {
      buffer->append(at_, length);
      at_ += length;
    } else {
      *clean = false;
      buffer->append("\xEF\xBF\xBD");
      ++at_;
    }
  }
}

bool JsonScanner::ReadHex(unsigned* code) {
  if (end_ - at_ < 4) return Fail("escape is cut off");
  unsigned value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const int digit = HexValue(*at_);
    if (digit < 0) return Fail("escape \\u needs four hexadecimal digits");
    value = value << 4 | static_cast<unsigned>(digit);
  }
  *code = value;
  return true;
}

bool JsonScanner::ReadEscape(std::string* buffer) {
  ++at_;
  if (at_ >= end_) return Fail("escape is cut off");
  switch (*at_++) {
    case '"':
      buffer->push_back('"');
      return true;
    case '\\':
      buffer->push_back('\\');
      return true;
    case '/':
      buffer->push_back('/');
      return true;
    case 'b':
      buffer->push_back('\b');
      return true;
    case 'f':
      buffer->push_back('\f');
      return true;
    case 'n':
      buffer->push_back('\n');
      return true;
    case 'r':
      buffer->push_back('\r');
      return true;
    case 't':
      buffer->push_back('\t');
      return true;
    case 'u':
      break;
    default:
      --at_;
      return Fail("unknown escape in string");
  }
  unsigned code = 0;
  if (!ReadHex(&code)) return false;
  const bool high = code >= 0xD800 && code < 0xDC00;
  if (high && end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u') {
    const char* before = at_;
    at_ += 2;
    unsigned low = 0;
    if (!ReadHex(&low)) return false;
    if (low >= 0xDC00 && low < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else {
      at_ = before;
    }
  }
  // A surrogate without its half, as upstream's decoder takes it.
  if (code >= 0xD800 && code < 0xE000) code = 0xFFFD;
  AppendUtf8(code, buffer);
  return true;
}

bool JsonScanner::ReadNumber(std::string_view* text) {
  const char* start = at_;
  if (at_ < end_ && *at_ == '-') ++at_;
  if (at_ >= end_ || !IsDigit(*at_)) return FailAt("not a JSON value", start);
  if (*at_ == '0') {
    ++at_;
  } else {
    while (at_ < end_ && IsDigit(*at_)) ++at_;
  }
  if (at_ < end_ && *at_ == '.') {
    ++at_;
    if (at_ >= end_ || !IsDigit(*at_)) return FailAt("number ends after its point", start);
    while (at_ < end_ && IsDigit(*at_)) ++at_;
  }
  if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    if (at_ < end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    if (at_ >= end_ || !IsDigit(*at_)) return FailAt("number ends in its exponent", start);
    while (at_ < end_ && IsDigit(*at_)) ++at_;
  }
  *text = {start, static_cast<size_t>(at_ - start)};
  return true;
}

bool JsonScanner::ReadWord(std::string_view word) {
  if (std::string_view(at_, static_cast<size_t>(end_ - at_)).starts_with(word)) {
    at_ += word.size();
    return true;
  }
  return Fail("not a JSON value");
}

bool JsonScanner::SkipString() {
  const char* start = at_++;
  while (true) {
    at_ = FindSpecial(at_, end_);
    if (at_ >= end_) return FailAt("string is not closed", start);
    const unsigned char c = static_cast<unsigned char>(*at_);
    if (c == '"') {
      ++at_;
      return true;
    }
    if (c == '\\') {
      ++at_;
      if (at_ >= end_) return Fail("escape is cut off");
      const char escaped = *at_++;
      if (escaped == 'u') {
        unsigned code = 0;
        if (!ReadHex(&code)) return false;
      } else if (std::string_view("\"\\/bfnrt").find(escaped) == std::string_view::npos) {
        --at_;
        return Fail("unknown escape in string");
      }
    } else if (c < 0x20) {
      return Fail("control character in string");
    } else {
      ++at_;
    }
  }
}

// An object's key with its colon.
template <class Sink>
bool JsonScanner::ScanKey(Sink& sink) {
  if (Peek() != '"') return Fail("expected a key in quotes");
  const char* start = at_;
  if (!SkipString()) return false;
  sink(start, at_);
  if (Peek() != ':') return Fail("expected ':' after a key");
  sink(at_, at_ + 1);
  ++at_;
  return true;
}

template <class Sink>
bool JsonScanner::ScanScalar(Sink& sink) {
  const char c = Peek();
  const char* start = at_;
  std::string_view number;
  if (c == '"') {
    if (!SkipString()) return false;
  } else if (c == 't' || c == 'f' || c == 'n') {
    if (!ReadWord(c == 't' ? "true" : c == 'f' ? "false" : "null")) return false;
  } else if (!ReadNumber(&number)) {
    return false;
  }
  sink(start, at_);
  return true;
}

// Walks one value; the sink gets each token's text. The open containers are kept as their closing
// characters, so hostile depth costs a byte a level.
template <class Sink>
bool JsonScanner::ScanValue(size_t max_depth, Sink& sink) {
  std::string open;
  while (true) {
    const char first = Peek();
    if (first == '{' || first == '[') {
      if (open.size() >= max_depth) return FailTooDeep();
      open.push_back(first == '{' ? '}' : ']');
      sink(at_, at_ + 1);
      ++at_;
      if (Peek() != open.back()) {
        if (first == '{' && !ScanKey(sink)) return false;
        continue;
      }
    } else if (!ScanScalar(sink)) {
      return false;
    }
    // A value has ended: close what ends with it, up to the next value.
    while (true) {
      if (open.empty()) return true;
      const char c = Peek();
      const bool closes = c == open.back();
      if (!closes && c != ',') return Fail(kExpectedCommaOrEnd);
      sink(at_, at_ + 1);
      ++at_;
      if (!closes) break;
      open.pop_back();
    }
    if (open.back() == '}' && !ScanKey(sink)) return false;
  }
}

bool JsonScanner::SkipValue(size_t max_depth) {
  auto sink = [](const char*, const char*) {};
  return ScanValue(max_depth, sink);
}

bool JsonScanner::CopyValue(size_t max_depth, std::string* out) {
  // Tokens that follow each other, all of them in compact text, are appended at once.
  const char* run = at_;
  const char* run_end = at_;
  auto sink = [&](const char* from, const char* to) {
    if (from != run_end) {
      out->append(run, run_end);
      run = from;
    }
    run_end = to;
  };
  if (!ScanValue(max_depth, sink)) return false;
  out->append(run, run_end);
  return true;
}

bool JsonScanner::ExpectEnd() {
  SkipSpace();
  return at_ == end_ || Fail("text after the value");
}

}  // namespace podium::reflect
