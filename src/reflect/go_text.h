// Texts that Go's standard library makes and upstream's users see: quoted strings, and the errors
// of strconv and encoding/json.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "reflect/type.h"
#include "reflect/utf8.h"

namespace podium::reflect {

// Appends `text` as Go's %q prints it: \n, \", \\, \x7f, \u00ad; bytes that are not UTF-8 as \xff.
void AppendGoQuoted(std::string_view text, std::string* out);
std::string GoQuoted(std::string_view text);

// The code point of one well-formed UTF-8 sequence.
char32_t DecodeRune(std::string_view sequence);
// Whether Go prints the code point as it is (unicode.IsPrint).
bool IsGoPrintable(char32_t rune);
// White space, by Unicode (unicode.IsSpace).
bool IsGoSpace(char32_t rune);

// Calls visit(size_t at, char32_t rune) for every code point, as Go's range over a string does: a
// byte that is not UTF-8 is U+FFFD.
template <class Visit>
void ForEachRune(std::string_view text, Visit visit) {
  for (size_t at = 0; at < text.size();) {
    size_t size = Utf8Length(text.substr(at));
    visit(at, size == 0 ? U'\ufffd' : DecodeRune(text.substr(at, size)));
    at += size == 0 ? 1 : size;
  }
}

// A decimal int64 with an optional sign; the error is that of strconv.Atoi:
// `strconv.Atoi: parsing "x": invalid syntax`.
Result<int64_t> ParseGoInt(std::string_view text);
// The number that strconv.Atoi hands out beside an error too: of numbers beyond an int64 the
// nearest one, of other texts 0.
int64_t GoIntOrNearest(std::string_view text);

// `json: cannot unmarshal bool into Go value of type string`.
std::string GoJsonTypeError(JsonScalar::Form form, std::string_view go_type);

}  // namespace podium::reflect
