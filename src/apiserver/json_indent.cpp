#include "apiserver/json_indent.h"

namespace podium::apiserver {

void JsonIndenter::Append(std::string_view text, std::string* out) {
  for (const char c : text) {
    if (in_string_) {
      out->push_back(c);
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
      continue;
    }
    const bool closes = c == '}' || c == ']';
    if (closes) --depth_;
    if (closes != opened_) Break(out);
    opened_ = c == '{' || c == '[';
    out->push_back(c);
    if (opened_) ++depth_;
    if (c == ',') Break(out);
    if (c == ':') out->push_back(' ');
    in_string_ = c == '"';
  }
}

}  // namespace podium::apiserver
