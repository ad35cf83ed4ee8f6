#include "reflect/json_writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "reflect/json.h"
#include "reflect/utf8.h"

namespace podium::reflect {
namespace {

#if !defined(__SSE2__)
// Bytes that cannot stand in a string as they are: by JSON's rules, by upstream's escapes for HTML,
// and all that is not ASCII, which must be looked at.
constexpr std::array<bool, 256> kEscaped = [] {
  std::array<bool, 256> table{};
  for (size_t c = 0; c < 256; ++c) {
    table[c] = c < 0x20 || c >= 0x80 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&';
  }
  return table;
}();
#endif

constexpr std::string_view kHex = "0123456789abcdef";

#if defined(__SSE2__)
// One bit for each of the 16 bytes that is escaped. The comparison with the space is signed, so
// bytes from 0x80 on are below it too.
unsigned EscapedBytes(__m128i bytes) {
  auto is = [&](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
  const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
  const __m128i quotes = _mm_or_si128(is('"'), is('\\'));
  const __m128i html = _mm_or_si128(_mm_or_si128(is('<'), is('>')), is('&'));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, quotes), html)));
}

// The first `size` bytes at `from`, at most 15, in a register; nothing behind them is read.
__m128i LoadShort(const char* from, size_t size) {
  auto load = [](const char* at, auto word) { return std::memcpy(&word, at, sizeof word), word; };
  uint64_t low = 0;
  uint64_t high = 0;
  if (size >= 8) {
    low = load(from, uint64_t{});
    if (size > 8) high = load(from + size - 8, uint64_t{}) >> (16 - size) * 8;
  } else if (size >= 4) {
    low = load(from, uint32_t{}) | static_cast<uint64_t>(load(from + size - 4, uint32_t{}))
                                       << (size - 4) * 8;
  } else {
    for (size_t i = size; i-- > 0;) low = low << 8 | static_cast<unsigned char>(from[i]);
  }
  return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}
#endif

// Copies the front of `text` up to the first escaped byte to `to`, which has room for all of it and
// 16 bytes more; returns how many bytes those are.
size_t CopyPlain(std::string_view text, char* to) {
  size_t at = 0;
#if defined(__SSE2__)
  auto store = [to](size_t offset, __m128i bytes) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + offset), bytes);
  };
  for (; text.size() - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    store(at, bytes);
    const unsigned escaped = EscapedBytes(bytes);
    if (escaped != 0) return at + static_cast<size_t>(std::countr_zero(escaped));
  }
  const size_t rest = text.size() - at;
  const __m128i bytes = LoadShort(text.data() + at, rest);
  store(at, bytes);
  const unsigned escaped = EscapedBytes(bytes) | 1U << rest;
  return at + static_cast<size_t>(std::countr_zero(escaped));
#else
  for (; at < text.size() && !kEscaped[static_cast<unsigned char>(text[at])]; ++at) {
    to[at] = text[at];
  }
  return at;
#endif
}

}  // namespace

void JsonWriter::Grow(size_t more) {
  const size_t wanted = std::max(size_ + more, capacity_ * 2);
  // The bytes behind size_ are scratch: they are written before they count.
  out_->resize_and_overwrite(wanted, [](char*, size_t size) { return size; });
  data_ = out_->data();
  capacity_ = wanted;
}

void JsonWriter::String(std::string_view text) {
  char* to = Room(text.size() + 2 + 16);
  *to++ = '"';
  const size_t plain = CopyPlain(text, to);
  if (plain == text.size()) [[likely]] {
    to[plain] = '"';
    Advance(plain + 2);
    return;
  }
  Advance(1 + plain);
  text.remove_prefix(plain);
  while (!text.empty()) {
    Escape(&text);
    to = Room(text.size() + 16);
    const size_t run = CopyPlain(text, to);
    Advance(run);
    text.remove_prefix(run);
  }
  Char('"');
}

// Writes the first character, which cannot stand as it is, and takes it off.
void JsonWriter::Escape(std::string_view* text) {
  const unsigned char c = static_cast<unsigned char>(text->front());
  if (c >= 0x80) {
    const size_t length = Utf8Length(*text);
    const std::string_view character = text->substr(0, length);
    if (length == 0) {
      Text("\\ufffd");
    } else if (character == "\xE2\x80\xA8") {
      Text("\\u2028");
    } else if (character == "\xE2\x80\xA9") {
      Text("\\u2029");
    } else {
      Text(character);
    }
    text->remove_prefix(std::max<size_t>(length, 1));
    return;
  }
  text->remove_prefix(1);
  switch (c) {
    case '"':
      return Text("\\\"");
    case '\\':
      return Text("\\\\");
    case '\n':
      return Text("\\n");
    case '\r':
      return Text("\\r");
    case '\t':
      return Text("\\t");
    case '\b':
      return Text("\\b");
    case '\f':
      return Text("\\f");
    default:
      Text("\\u00");
      Char(kHex[c >> 4]);
      Char(kHex[c & 15]);
  }
}

void AppendJsonString(std::string_view text, std::string* out) { JsonWriter(out, 0).String(text); }

}  // namespace podium::reflect
