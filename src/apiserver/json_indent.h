// Compact JSON set out in lines, two spaces a level, as Go's json.MarshalIndent does for ?pretty.
// It is given the text piece by piece, cut anywhere, so that a list is set out while it is sent.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace podium::apiserver {

class JsonIndenter {
 public:
  // Appends what can be said so far. `text` goes on where the one before ended, and has no white
  // space between its tokens.
  void Append(std::string_view text, std::string* out);

 private:
  void Break(std::string* out) { out->append("\n").append(depth_ * 2, ' '); }

  size_t depth_ = 0;
  bool opened_ = false;  // a bracket whose first element has not come: it may be empty
  bool in_string_ = false;
  bool escaped_ = false;
};

inline std::string Indented(std::string_view json) {
  std::string out;
  out.reserve(json.size() * 2);
  JsonIndenter().Append(json, &out);
  return out;
}

}  // namespace podium::apiserver
