#include "cli/table_text.h"

#include <algorithm>

#include "cli/text.h"

namespace podium::cli {
namespace {

constexpr size_t kMinWidth = 6;
constexpr size_t kPadding = 3;

// Characters, not bytes.
size_t WidthOf(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string EscapedText(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\x1b') {
      out += "^[";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      out += c;
    }
  }
  return Printable(out, true);
}

std::string CellText(std::string_view text) {
  const size_t end = text.find_first_of("\f\n\r");
  std::string out = EscapedText(text.substr(0, end));
  if (end != text.npos) out += "...";
  return out;
}

void TableText::Flush(std::string* out) {
  for (const auto& row : rows_) {
    // The last cell of a line is in no column.
    for (size_t i = 0; i + 1 < row.size(); ++i) {
      if (i == widths_.size()) widths_.push_back(kMinWidth);
      widths_[i] = std::max(widths_[i], WidthOf(row[i]) + kPadding);
    }
  }
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      *out += row[i];
      if (i + 1 < row.size()) out->append(widths_[i] - WidthOf(row[i]), ' ');
    }
    *out += '\n';
  }
  rows_.clear();
}

}  // namespace podium::cli
