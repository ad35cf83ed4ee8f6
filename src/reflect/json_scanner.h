// The lowest layer of JSON decoding: tokens over a text in memory. Private to reflect.
//
// Syntax errors are kept in the scanner (the first one counts) and every function then returns
// false; the caller unwinds. Offsets are bytes from the beginning of the text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace podium::reflect {

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
  char Peek() {
    // Compact text, the usual case, has none to skip.
    if (at_ < end_ && static_cast<unsigned char>(*at_) > ' ') [[likely]]
      return *at_;
    SkipSpace();
    return at_ < end_ ? *at_ : '\0';
  }
  bool Consume(char c) {
    if (Peek() != c) return false;
    ++at_;
    return true;
  }
  void Advance() { ++at_; }

  // A string token, after Peek() gave '"'. *text is the unescaped text: a slice of the input where
  // nothing had to be changed, otherwise of *buffer. *clean is set to false when it was not UTF-8;
  // the bad bytes are then U+FFFD.
  bool ReadString(std::string_view* text, std::string* buffer, bool* clean);

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
  bool ReadStringSlow(const char* start, std::string_view* text, std::string* buffer, bool* clean);
  bool ReadEscape(std::string* buffer);
  bool ReadHex(unsigned* code);
  bool SkipString();
  template <class Sink>
  bool ScanKey(Sink& sink);
  template <class Sink>
  bool ScanScalar(Sink& sink);
  template <class Sink>
  bool ScanValue(size_t max_depth, Sink sink);

  const char* begin_;
  const char* at_;
  const char* end_;
  const char* error_ = nullptr;
  size_t error_offset_ = 0;
  bool too_deep_ = false;
};

}  // namespace podium::reflect
