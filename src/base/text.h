// Small work on text, byte by byte: letters are those of ASCII, whatever the locale. White space
// and case by Unicode, as Go has them, are in reflect/go_text.h.
//
// Pure; what is returned as a view is part of what was given.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace podium {

// What `text_of` (a function or a member) makes of each part, with the separator between each two:
// Go's strings.Join, empty parts too.
template <class Parts, class TextOf = std::identity>
std::string Join(const Parts& parts, std::string_view separator, TextOf text_of = {}) {
  std::string out;
  bool first = true;
  for (const auto& part : parts) {
    if (!first) out += separator;
    first = false;
    out += std::invoke(text_of, part);
  }
  return out;
}

// The parts between separators, empty ones too; one at least: Go's strings.Split.
std::vector<std::string_view> Split(std::string_view text, char separator);
// The parts between runs of separators, empty ones left out.
std::vector<std::string_view> Words(std::string_view text, std::string_view separators);

std::string LowerCase(std::string_view text);
std::string UpperCase(std::string_view text);
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

}  // namespace podium
