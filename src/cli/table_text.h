// Rows of cells as kubectl aligns them (Go's text/tabwriter with kubectl's settings: cells of at
// least six characters, three spaces between).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace podium::cli {

// A cell's text as kubectl shows it: up to the first line break, "..." where it was cut, and
// without what could steer a terminal (\x1b is ^[).
std::string CellText(std::string_view text);
// Without the cut: for text that may have several lines.
std::string EscapedText(std::string_view text);

class TableText {
 public:
  void AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  // Appends the rows that were added since, as wide at least as those before.
  void Flush(std::string* out);
  // What comes next is a table of its own.
  void ForgetWidths() { widths_.clear(); }

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<size_t> widths_;
};

}  // namespace podium::cli
