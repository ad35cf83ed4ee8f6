#include "api/expansion.h"

namespace podium::api {

std::string Expand(std::string_view text, const VariableLookup& lookup) {
  std::string out;
  while (!text.empty()) {
    size_t dollar = text.find('$');
    out += text.substr(0, dollar);
    if (dollar == text.npos) break;
    text.remove_prefix(dollar + 1);
    size_t close = text.starts_with('(') ? text.find(')') : text.npos;
    if (close != text.npos) {
      const std::string* value = lookup(text.substr(1, close - 1));
      out += value ? std::string_view(*value) : std::string("$").append(text.substr(0, close + 1));
      text.remove_prefix(close + 1);
    } else {
      out += '$';
      if (text.starts_with('$')) text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace podium::api
