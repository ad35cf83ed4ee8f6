#include "reflect/json_writer.h"

#include <algorithm>
#include <array>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "reflect/json.h"
#include "reflect/utf8.h"

namespace podium::reflect {
namespace {

// Bytes that cannot stand in a string as they are: by JSON's rules, by upstream's escapes for HTML,
// and all that is not ASCII, which must be looked at.
constexpr std::array<bool, 256> kEscaped = [] {
  std::array<bool, 256> table{};
  for (size_t c = 0; c < 256; ++c) {
    table[c] = c < 0x20 || c >= 0x80 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&';
  }
  return table;
}();

constexpr std::string_view kHex = "0123456789abcdef";

// Copies the front of `text` up to the first escaped byte to `to`, which has room for all of it and
// 16 bytes more; returns how many bytes those are.
size_t CopyPlain(std::string_view text, char* to) {
  size_t at = 0;
#if defined(__SSE2__)
  while (text.size() - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + at), bytes);
    auto is = [&](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
    // Signed comparison: bytes from 0x80 on are negative and so below the space too.
    const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
    const __m128i quotes = _mm_or_si128(is('"'), is('\\'));
    const __m128i html = _mm_or_si128(_mm_or_si128(is('<'), is('>')), is('&'));
    const int mask = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, quotes), html));
    if (mask != 0) return at + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
    at += 16;
  }
#endif
  for (; at < text.size() && !kEscaped[static_cast<unsigned char>(text[at])]; ++at) {
    to[at] = text[at];
  }
  return at;
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

void AppendJsonString(std::string_view text, std::string* out) { JsonWriter(out).String(text); }

}  // namespace podium::reflect
