// Small things about text that people read.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace podium::cli {

// The text with control characters, and bytes that are not UTF-8, as escapes (\x1b, \u009b), so
// that a file's content cannot steer the terminal. Line breaks become \n, unless `keep_lines`.
std::string Printable(std::string_view text, bool keep_lines = false);

// Among the candidates, the one that `word` was most likely meant to be; empty when none is near.
// Letter case counts little, one wrong, missing, extra or swapped letter in four is forgiven.
std::string_view Nearest(std::string_view word, std::span<const std::string_view> candidates);

// `; did you mean "x"?`; nothing when there is no such word.
std::string DidYouMean(std::string_view nearest);
std::string DidYouMean(std::string_view word, std::span<const std::string_view> candidates);

// Appends the text in lines of at most `width` columns, each after `indent` spaces; ends with a
// line break. Words that are longer stand alone. Columns are counted in characters.
void AppendWrapped(std::string_view text, size_t indent, size_t width, std::string* out);

// "1 problem", "2 problems".
std::string Count(size_t count, std::string_view singular, std::string_view plural = {});

}  // namespace podium::cli
