#include "reflect/base64.h"

#include <array>
#include <cstdint>

namespace podium::reflect {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint8_t kBad = 0xFF;

constexpr std::array<uint8_t, 256> kValues = [] {
  std::array<uint8_t, 256> values{};
  values.fill(kBad);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<uint8_t>(i);
  }
  return values;
}();

bool IsLineBreak(char c) { return c == '\n' || c == '\r'; }

// What may follow the digits: the padding that fills the last group of four, and line breaks.
std::optional<size_t> CheckPadding(std::string_view text, size_t at, size_t digits) {
  size_t padding = 0;
  const size_t wanted = digits % 4 == 0 ? 0 : 4 - digits % 4;
  for (; at < text.size(); ++at) {
    if (IsLineBreak(text[at])) continue;
    if (text[at] != '=' || padding == wanted || digits % 4 == 1) return at;
    ++padding;
  }
  if (padding != wanted) return text.size();
  return std::nullopt;
}

}  // namespace

std::optional<size_t> DecodeBase64(std::string_view text, std::string* out) {
  out->clear();
  out->reserve(text.size() / 4 * 3 + 3);
  uint32_t group = 0;
  size_t digits = 0;
  size_t at = 0;
  for (; at < text.size(); ++at) {
    const uint8_t value = kValues[static_cast<unsigned char>(text[at])];
    if (value == kBad) {
      if (IsLineBreak(text[at])) continue;
      break;
    }
    group = group << 6 | value;
    if (++digits % 4 == 0) {
      out->push_back(static_cast<char>(group >> 16));
      out->push_back(static_cast<char>(group >> 8));
      out->push_back(static_cast<char>(group));
      group = 0;
    }
  }
  if (digits % 4 == 2) {
    out->push_back(static_cast<char>(group >> 4));
  } else if (digits % 4 == 3) {
    out->push_back(static_cast<char>(group >> 10));
    out->push_back(static_cast<char>(group >> 2));
  }
  return CheckPadding(text, at, digits);
}

void AppendBase64(std::string_view bytes, std::string* out) {
  auto digit = [](uint32_t group, int shift) { return kAlphabet[group >> shift & 63]; };
  size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3) {
    const uint32_t group = static_cast<uint32_t>(static_cast<unsigned char>(bytes[at])) << 16 |
                           static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + 1])) << 8 |
                           static_cast<unsigned char>(bytes[at + 2]);
    const char four[] = {digit(group, 18), digit(group, 12), digit(group, 6), digit(group, 0)};
    out->append(four, 4);
  }
  if (const size_t rest = bytes.size() - at; rest > 0) {
    uint32_t group = static_cast<uint32_t>(static_cast<unsigned char>(bytes[at])) << 16;
    if (rest == 2) group |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + 1])) << 8;
    const char four[] = {digit(group, 18), digit(group, 12), rest == 2 ? digit(group, 6) : '=',
                         '='};
    out->append(four, 4);
  }
}

}  // namespace podium::reflect
