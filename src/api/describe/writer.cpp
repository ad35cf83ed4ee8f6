#include "api/describe/writer.h"

namespace podium::api {
namespace {

constexpr size_t kSpacesPerLevel = 2;

// What could steer a terminal is written as upstream does (cli-runtime's WriteEscaped).
void AppendEscaped(std::string_view text, std::string* out) {
  while (true) {
    const size_t at = text.find_first_of("\x1b\r");
    *out += text.substr(0, at);
    if (at == std::string_view::npos) return;
    *out += text[at] == '\r' ? "\\r" : "^[";
    text.remove_prefix(at + 1);
  }
}

}  // namespace

void Piece::AppendTo(std::string* out) const {
  if (is_number_) {
    *out += std::to_string(number_);
  } else {
    AppendEscaped(text_, out);
  }
}

void DescribeWriter::WritePieces(int level, std::initializer_list<Piece> pieces) {
  text_->append(static_cast<size_t>(level) * kSpacesPerLevel, ' ');
  for (const Piece& piece : pieces) piece.AppendTo(text_);
}

}  // namespace podium::api
