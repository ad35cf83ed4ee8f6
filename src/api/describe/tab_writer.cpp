#include "api/describe/tab_writer.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace podium::api {
namespace {

constexpr size_t kPadding = 2;

struct Cell {
  std::string_view text;
  size_t column = 0;  // which of AlignedText's, if a tab ends the cell
};

// Of bad UTF-8 Go counts each byte; text that was JSON has none.
size_t WidthOf(std::string_view cell) {
  return static_cast<size_t>(std::ranges::count_if(
      cell, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// Lines whose cells know the column that they are in. A line that has the cells of a column has
// those of all columns to its left, so that columns end from the right.
class AlignedText {
 public:
  void Read(std::string_view text) {
    lines_.resize(1);
    while (true) {
      const size_t end = text.find_first_of("\t\v\n\f");
      const bool is_last = end == std::string_view::npos;
      // What neither a tab nor a line's end follows is a cell only where it holds something.
      if (!is_last || !text.empty()) lines_.back().push_back({.text = text.substr(0, end)});
      if (is_last || text[end] == '\n' || text[end] == '\f') PlaceLine();
      if (is_last) return;
      if (text[end] == '\n' || text[end] == '\f') lines_.emplace_back();
      if (text[end] == '\f') open_.clear();
      text.remove_prefix(end + 1);
    }
  }

  std::string String() const {
    std::string out;
    for (const std::vector<Cell>& line : lines_) {
      for (const Cell& cell : line) {
        out += cell.text;
        if (&cell != &line.back()) out.append(widths_[cell.column] - WidthOf(cell.text), ' ');
      }
      if (&line != &lines_.back()) out += '\n';
    }
    return out;
  }

 private:
  // Puts the cells of the last line into the columns of the line above, as far as that has them.
  void PlaceLine() {
    std::vector<Cell>& line = lines_.back();
    open_.resize(std::min(open_.size(), line.empty() ? 0 : line.size() - 1));
    for (size_t i = 0; i + 1 < line.size(); ++i) {
      if (i == open_.size()) {
        open_.push_back(widths_.size());
        widths_.push_back(0);
      }
      line[i].column = open_[i];
      widths_[open_[i]] = std::max(widths_[open_[i]], WidthOf(line[i].text) + kPadding);
    }
  }

  std::vector<std::vector<Cell>> lines_;
  std::vector<size_t> widths_;  // of each column
  std::vector<size_t> open_;    // the columns of the line above, from the left
};

}  // namespace

std::string AlignTabs(std::string_view text) {
  AlignedText aligned;
  aligned.Read(text);
  return aligned.String();
}

}  // namespace podium::api
