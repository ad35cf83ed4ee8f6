#include "reflect/go_text.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <system_error>

namespace podium::reflect {
namespace {

// Code points at and above U+00A0 that Go does not print as they are: spaces, format characters,
// private use, and blocks where nothing is assigned. Ranges are inclusive and sorted. Unassigned
// points inside assigned blocks are not listed; they print as they are here.
struct Range {
  char32_t first;
  char32_t last;
};
constexpr Range kUnprintable[] = {
    {0xa0, 0xa0},       {0xad, 0xad},       {0x600, 0x605},      {0x61c, 0x61c},
    {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x1680, 0x1680},    {0x180e, 0x180e},
    {0x2000, 0x200f},   {0x2028, 0x202f},   {0x205f, 0x206f},    {0x3000, 0x3000},
    {0xd800, 0xf8ff},   {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},    {0xfff0, 0xfffb},
    {0xfffe, 0xffff},   {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},  {0x1fffe, 0x1ffff},
    {0x2fffe, 0x2ffff}, {0x323b0, 0xe00ff}, {0xe01f0, 0x10ffff},
};

void AppendHex(std::string_view prefix, char32_t value, int digits, std::string* out) {
  out->append(prefix);
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out->push_back("0123456789abcdef"[value >> shift & 0xf]);
  }
}

void AppendEscaped(char32_t rune, std::string* out) {
  // \a \b \t \n \v \f \r are 7 to 13.
  if (rune >= 7 && rune <= 13) {
    out->push_back('\\');
    out->push_back("abtnvfr"[rune - 7]);
  } else if (rune < 0x80) {
    AppendHex("\\x", rune, 2, out);
  } else if (rune < 0x10000) {
    AppendHex("\\u", rune, 4, out);
  } else {
    AppendHex("\\U", rune, 8, out);
  }
}

// Success, result_out_of_range or invalid_argument. As Go: the first byte at fault decides which,
// and a magnitude of 64 bits is read before it is too much for 63.
std::errc ScanInt(std::string_view text, int64_t* value) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative || text.starts_with('+') ? 1 : 0);
  if (digits.empty()) return std::errc::invalid_argument;
  uint64_t magnitude = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') return std::errc::invalid_argument;
    const auto digit = static_cast<uint64_t>(c - '0');
    if (magnitude > (std::numeric_limits<uint64_t>::max() - digit) / 10) {
      return std::errc::result_out_of_range;
    }
    magnitude = magnitude * 10 + digit;
  }
  constexpr uint64_t kLimit = uint64_t{1} << 63;
  if (magnitude > kLimit || (magnitude == kLimit && !negative)) {
    return std::errc::result_out_of_range;
  }
  // In two's complement.
  *value = static_cast<int64_t>(negative ? ~magnitude + 1 : magnitude);
  return {};
}

}  // namespace

char32_t DecodeRune(std::string_view sequence) {
  auto first = static_cast<uint8_t>(sequence[0]);
  if (sequence.size() == 1) return first;
  char32_t rune = first & (0xff >> (sequence.size() + 1));
  for (char c : sequence.substr(1)) rune = rune << 6 | (static_cast<uint8_t>(c) & 0x3f);
  return rune;
}

bool IsGoPrintable(char32_t rune) {
  if (rune < 0x7f) return rune >= 0x20;
  if (rune < 0xa0) return false;
  auto after = std::ranges::upper_bound(kUnprintable, rune, {}, &Range::first);
  return after == std::begin(kUnprintable) || std::prev(after)->last < rune;
}

void AppendGoQuoted(std::string_view text, std::string* out) {
  out->push_back('"');
  while (!text.empty()) {
    size_t size = Utf8Length(text);
    if (size == 0) {
      AppendHex("\\x", static_cast<uint8_t>(text[0]), 2, out);
      text.remove_prefix(1);
      continue;
    }
    char32_t rune = DecodeRune(text.substr(0, size));
    if (rune == '"' || rune == '\\') {
      out->push_back('\\');
      out->push_back(text[0]);
    } else if (IsGoPrintable(rune)) {
      out->append(text.substr(0, size));
    } else {
      AppendEscaped(rune, out);
    }
    text.remove_prefix(size);
  }
  out->push_back('"');
}

std::string GoQuoted(std::string_view text) {
  std::string out;
  AppendGoQuoted(text, &out);
  return out;
}

Result<int64_t> ParseGoInt(std::string_view text) {
  int64_t value = 0;
  const std::errc error = ScanInt(text, &value);
  if (error == std::errc()) return value;
  return Error(
      Code::kInvalidArgument,
      "strconv.Atoi: parsing " + GoQuoted(text) + ": " +
          (error == std::errc::result_out_of_range ? "value out of range" : "invalid syntax"));
}

int64_t GoIntOrNearest(std::string_view text) {
  int64_t value = 0;
  const std::errc error = ScanInt(text, &value);
  if (error == std::errc()) return value;
  if (error != std::errc::result_out_of_range) return 0;
  using Limits = std::numeric_limits<int64_t>;
  return text.starts_with('-') ? Limits::min() : Limits::max();
}

bool IsGoSpace(char32_t rune) {
  return (rune >= U'\t' && rune <= U'\r') || rune == U' ' || rune == U'\u0085' ||
         rune == U'\u00a0' || rune == U'\u1680' || (rune >= U'\u2000' && rune <= U'\u200a') ||
         rune == U'\u2028' || rune == U'\u2029' || rune == U'\u202f' || rune == U'\u205f' ||
         rune == U'\u3000';
}

std::string GoJsonTypeError(JsonScalar::Form form, std::string_view go_type) {
  using Form = JsonScalar::Form;
  std::string_view json = form == Form::kString      ? "string"
                          : form == Form::kNumber    ? "number"
                          : form == Form::kContainer ? "object"
                                                     : "bool";
  return "json: cannot unmarshal " + std::string(json) + " into Go value of type " +
         std::string(go_type);
}

}  // namespace podium::reflect
