// The lowest layer of JSON decoding: tokens over a text in memory. Private to reflect.
//
// Syntax errors are kept in the scanner (the first one counts) and every function then returns
// false; the caller unwinds. Offsets are bytes from the beginning of the text.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace podium::reflect {

#if defined(__SSE2__)
// One bit for each of the 16 bytes that end a plain run through a string: the quote, the backslash,
// control characters, and all that is not ASCII. The comparison with the space is signed, so bytes
// from 0x80 on are below it too.
inline unsigned SpecialBytes(const char* at) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
  return static_cast<unsigned>(
      _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), low)));
}
#endif

class JsonScanner {
 public:
  // Shared by all that read containers.
  static constexpr const char* kExpectedCommaOrEnd = "expected ',' or the end of the container";

  explicit JsonScanner(std::string_view text)
      : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}

  size_t offset() const { return static_cast<size_t>(at_ - begin_); }
  bool failed() const { return error_ != nullptr; }
  // Static text; null unless failed().
  const char* error() const { return error_; }
  size_t error_offset() const { return error_offset_; }
  bool Fail(const char* error) { return FailAt(error, at_); }
  bool FailTooDeep() {
    too_deep_ = !failed();
    return Fail("nested too deep");
  }
  // The error is FailTooDeep's.
  bool too_deep() const { return too_deep_; }

  // The next byte that is no white space, not consumed; 0 at the end.
  [[gnu::always_inline]] char Peek() {
    // Compact text, the usual case, has none to skip.
    if (at_ < end_ && static_cast<unsigned char>(*at_) > ' ') [[likely]]
      return *at_;
    SkipSpace();
    return at_ < end_ ? *at_ : '\0';
  }
  [[gnu::always_inline]] bool Consume(char c) {
    if (Peek() != c) return false;
    ++at_;
    return true;
  }
  void Advance() { ++at_; }

  // A string token, after Peek() gave '"'. *text is the unescaped text: a slice of the input where
  // nothing had to be changed, otherwise of *buffer. *clean is set to false when it was not UTF-8;
  // the bad bytes are then U+FFFD.
  bool ReadString(std::string_view* text, std::string* buffer, bool* clean) {
    return ReadPlainString(text) || ReadLongString(text, buffer, clean);
  }
  // The same for a string that ends, unescaped, within the next 16 bytes, as most do; otherwise
  // consumes nothing.
  bool ReadPlainString(std::string_view* text) {
#if defined(__SSE2__)
    const char* const start = at_ + 1;
    if (end_ - start >= 16) [[likely]] {
      const unsigned special = SpecialBytes(start);
      const auto length = static_cast<size_t>(std::countr_zero(special));
      if (special != 0 && start[length] == '"') [[likely]] {
        *text = {start, length};
        at_ = start + length + 1;
        return true;
      }
    }
#endif
    return false;
  }

  // The text from here on, for a look ahead; Skip consumes what was taken.
  std::string_view Rest() const { return {at_, static_cast<size_t>(end_ - at_)}; }
  void Skip(size_t size) { at_ += size; }

  // The size of the key that begins here, with its quotes and colon; 0 when it is long, has an
  // escape, or the colon does not follow at once.
  size_t KeySize() const {
#if defined(__SSE2__)
    if (end_ - at_ > 34) [[likely]] {
      unsigned special = SpecialBytes(at_ + 1) | SpecialBytes(at_ + 17) << 16;
      if (special == 0) return 0;
      const auto length = static_cast<size_t>(std::countr_zero(special));
      const char* close = at_ + 1 + length;
      return close[0] == '"' && close[1] == ':' && length > 0 ? length + 3 : 0;
    }
#endif
    const char* close = at_ + 1;
    while (close < end_ && *close != '"' && *close != '\\') ++close;
    const bool whole = end_ - close >= 2 && close[0] == '"' && close[1] == ':' && close > at_ + 1;
    return whole ? static_cast<size_t>(close - at_) + 2 : 0;
  }

  // Reads an unsigned decimal of at most 9 digits that nothing but a comma or a closing bracket
  // follows; otherwise consumes nothing.
  bool ReadSmallNumber(uint32_t* value) {
    const char* at = at_;
    const char* const stop = end_ - at > 9 ? at + 9 : end_;
    uint32_t number = 0;
    while (at < stop && *at >= '0' && *at <= '9')
      number = number * 10 + static_cast<uint32_t>(*at++ - '0');
    if (at == at_ || at == end_ || (*at_ == '0' && at - at_ > 1)) return false;
    if (*at != ',' && *at != '}' && *at != ']') return false;
    *value = number;
    at_ = at;
    return true;
  }

  // A number token, checked against JSON's grammar.
  bool ReadNumber(std::string_view* text);

  // true, false or null, whole.
  bool ReadWord(std::string_view word);

  // Skips one value of any form. Iterative, so that depth costs no stack; gives up at max_depth.
  bool SkipValue(size_t max_depth);

  // Skips one value and appends it without the white space between its tokens.
  bool CopyValue(size_t max_depth, std::string* out);

  // Nothing but white space is left.
  bool ExpectEnd();

 private:
  bool FailAt(const char* error, const char* where) {
    if (!error_) {
      error_ = error;
      error_offset_ = static_cast<size_t>(where - begin_);
    }
    return false;
  }
  void SkipSpace();
  bool ReadLongString(std::string_view* text, std::string* buffer, bool* clean);
  bool ReadStringSlow(const char* start, std::string_view* text, std::string* buffer, bool* clean);
  bool ReadEscape(std::string* buffer);
  bool ReadHex(unsigned* code);
  bool SkipString();
  template <class Sink>
  bool ScanKey(Sink& sink);
  template <class Sink>
  bool ScanScalar(Sink& sink);
  template <class Sink>
  bool ScanValue(size_t max_depth, Sink& sink);

  const char* begin_;
  const char* at_;
  const char* end_;
  const char* error_ = nullptr;
  size_t error_offset_ = 0;
  bool too_deep_ = false;
};

}  // namespace podium::reflect
