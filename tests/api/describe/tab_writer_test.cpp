#include "api/describe/tab_writer.h"

#include <gtest/gtest.h>

#include <string>

namespace podium::api {
namespace {

struct Case {
  const char* text;
  const char* aligned;
};

// Go's text/tabwriter, with a padding of two spaces: a cell is what a tab ends, a column a run of
// lines that have the cell.
const Case kCases[] = {
    {"", ""},
    {"plain\n", "plain\n"},
    {"no end", "no end"},
    {"a\tb\nlong\tc\n", "a     b\nlong  c\n"},
    {"a\tb\n\nlong\tc\n", "a  b\n\nlong  c\n"},
    {"a\tb\nplain\nlong\tc\n", "a  b\nplain\nlong  c\n"},
    // What stands behind the last tab belongs to no column.
    {"a\tvery long\tx\nb\tc\n", "a  very long  x\nb  c\n"},
    {"a\tb\nc\tlonger\td\ne\tf\n", "a  b\nc  longer  d\ne  f\n"},
    {"a\tb\tc\nlong\td\te\n", "a     b  c\nlong  d  e\n"},
    // A column is of the lines that have it one after another, even where those to its left go on.
    {"a\twide\tc\nb\tx\nd\ty\tz\n", "a  wide  c\nb  x\nd  y  z\n"},
    // Empty cells.
    {"\tb\nlong\tc\n", "      b\nlong  c\n"},
    {"a\t\tb\nlong\t\tc\n", "a       b\nlong    c\n"},
    {"a\t\n", "a  \n"},
    {"\t\n", "  \n"},
    // Text that ends without an end of line: what is left is a cell where there is something.
    {"a\tb", "a  b"},
    {"a\t", "a"},
    {"ab\tc\na\t", "ab  c\na"},
    // Widths are of characters.
    {"\u00e9\u20ac\tx\nabcd\ty\n", "\u00e9\u20ac    x\nabcd  y\n"},
    // The other separators.
    {"a\vb\nlong\vc\n", "a     b\nlong  c\n"},
    {"a\tb\flong\tc\n", "a  b\nlong  c\n"},
    {"a\fb", "a\nb"},
};

TEST(TabWriterTest, Cases) {
  for (const Case& each : kCases) EXPECT_EQ(AlignTabs(each.text), each.aligned) << each.text;
}

// Go's writer calls itself once a column; this must not.
TEST(TabWriterTest, AsManyCellsAsOneLikes) {
  constexpr size_t kCells = 50'000;
  EXPECT_EQ(AlignTabs(std::string(kCells, '\t') + "\n").size(), 2 * kCells + 1);
  std::string column;
  for (size_t i = 0; i < kCells; ++i) column += "a\tb\n";
  EXPECT_EQ(AlignTabs(column).size(), 5 * kCells);
}

}  // namespace
}  // namespace podium::api
