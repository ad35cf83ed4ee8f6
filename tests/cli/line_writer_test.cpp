#include "cli/line_writer.h"

#include <gtest/gtest.h>

#include <string>

namespace podium::cli {
namespace {

struct Written {
  std::string text;
  bool taken = true;

  LineWriter Writer(std::string prefix, bool escape) {
    return LineWriter(std::move(prefix), escape, [this](std::string_view more) {
      text += more;
      return taken;
    });
  }
};

TEST(LineWriter, PassesWholeLinesOn) {
  Written written;
  LineWriter lines = written.Writer("a | ", false);
  EXPECT_TRUE(lines.Write("one\ntw"));
  EXPECT_EQ(written.text, "a | one\n");
  EXPECT_TRUE(lines.Write("o\n\nlast"));
  EXPECT_EQ(written.text, "a | one\na | two\na | \n");
  EXPECT_TRUE(lines.Finish());
  EXPECT_EQ(written.text, "a | one\na | two\na | \na | last\n");
}

TEST(LineWriter, WithoutAPrefixTheEndStaysAsItIs) {
  Written written;
  LineWriter lines = written.Writer("", false);
  EXPECT_TRUE(lines.Write("$ "));
  EXPECT_TRUE(lines.Finish());
  EXPECT_EQ(written.text, "$ ");
}

// attacks.md, 'terminal escapes'.
TEST(LineWriter, TerminalEscapesAreShownNotObeyed) {
  Written written;
  LineWriter lines = written.Writer("", true);
  EXPECT_TRUE(lines.Write("\x1b[2J\x1b]0;title\x07 a\tb\r\n\xc3"));
  EXPECT_TRUE(lines.Write("\xa4\n"));
  EXPECT_EQ(written.text, "\\x1b[2J\\x1b]0;title\\x07 a\tb\n\xc3\xa4\n");
}

TEST(LineWriter, ALineWithoutEndIsPassedOnInPieces) {
  Written written;
  LineWriter lines = written.Writer("", false);
  const std::string much(200'000, 'x');
  EXPECT_TRUE(lines.Write(much));
  EXPECT_TRUE(lines.Finish());
  EXPECT_EQ(written.text, much);
}

TEST(LineWriter, SaysWhenNobodyReads) {
  Written written;
  LineWriter lines = written.Writer("", false);
  written.taken = false;
  EXPECT_FALSE(lines.Write("a\nb\n"));
  EXPECT_EQ(written.text, "a\n");
}

}  // namespace
}  // namespace podium::cli
