// Aligns cells that end in tabs, as Go's text/tabwriter does with the settings that upstream's
// printers of descriptions use: no least width, two spaces behind the widest cell, left-aligned.
#pragma once

#include <string>
#include <string_view>

namespace podium::api {

// A column is a run of lines that have a cell there: a cell is text that a tab ends, so that what
// stands behind a line's last tab aligns with nothing, and a line without that cell ends the
// column.
//   "a\tb\nlong\tc\n"  →  "a     b\nlong  c\n"
// Widths are counted in characters. '\v' ends a cell as '\t' does, '\f' a line as '\n' does; behind
// '\f' all columns begin anew.
std::string AlignTabs(std::string_view text);

}  // namespace podium::api
