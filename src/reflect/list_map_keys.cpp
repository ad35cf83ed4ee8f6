#include "reflect/list_map_keys.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace podium::reflect {
namespace {

constexpr std::pair<char, char> kEscapes[] = {{'~', '0'}, {' ', '1'}, {'\0', '2'}};

std::string Escaped(std::string_view name) {
  if (name.empty()) return "~";
  std::string out;
  for (const char c : name) {
    char sign = '\0';
    for (const auto& [plain, escape] : kEscapes) {
      if (c == plain) sign = escape;
    }
    if (sign == '\0') {
      out += c;
    } else {
      out += {'~', sign};
    }
  }
  return out;
}

std::string Unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '~') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) break;
    for (const auto& [plain, escape] : kEscapes) {
      if (text[i] == escape) out += plain;
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> ListMapKeysOf(const Facts& facts) {
  std::vector<std::string> names;
  std::string_view rest = facts.list_map_keys;
  while (!rest.empty()) {
    const std::string_view name = rest.substr(0, rest.find(' '));
    names.push_back(Unescaped(name));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
  }
  return names;
}

std::string ListMapKeysText(std::span<const std::string> names) {
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out += ' ';
    out += Escaped(name);
  }
  return out;
}

}  // namespace podium::reflect
