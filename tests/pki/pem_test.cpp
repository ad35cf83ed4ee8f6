// What Go's encoding/pem makes of PEM text, by its tests (TestDecode, TestBadDecode) and RFC 7468.
#include "pki/pem.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace podium::pki {
namespace {

// Each block as "TYPE:bytes", with a + behind the type where there are headers, and what is left.
std::vector<std::string> Blocks(std::string_view text) {
  std::vector<std::string> blocks;
  while (const auto block = TakePemBlock(&text)) {
    blocks.push_back(block->type + (block->has_headers ? "+:" : ":") + block->bytes);
  }
  blocks.emplace_back(text);
  return blocks;
}

using Texts = std::vector<std::string>;

TEST(Pem, Blocks) {
  const std::string a = "-----BEGIN A-----\nYWJj\n-----END A-----\n";
  EXPECT_EQ(Blocks(a), (Texts{"A:abc", ""}));
  EXPECT_EQ(Blocks("text\n" + a + "between\n" + a + "rest"), (Texts{"A:abc", "A:abc", "rest"}));
  EXPECT_EQ(Blocks("-----BEGIN A B-----\r\nYW \tJj\r\nYWJj\r\n-----END A B----- \r\nrest"),
            (Texts{"A B:abcabc", "rest"}));
  EXPECT_EQ(Blocks("-----BEGIN A-----\nYWJj\n-----END A-----"), (Texts{"A:abc", ""}));
  EXPECT_EQ(Blocks("-----BEGIN A-----\nk: v\nk2:v\n\nYWJj\n-----END A-----\n"),
            (Texts{"A+:abc", ""}));
  EXPECT_EQ(Blocks("-----BEGIN A-----\n-----END A-----\n"), (Texts{"A:", ""}));
  EXPECT_EQ(Blocks("-----BEGIN A-----\nk: v\n\n-----END A-----\n"), (Texts{"A+:", ""}));
}

TEST(Pem, TextThatHoldsNone) {
  for (const std::string text : {
           "",
           "YWJj",
           "-----BEGIN A-----\nYWJj\n",
           "-----BEGIN A-----\nYWJj\n-----END B-----\n",
           "-----BEGIN A-----\nYWJj\n-----END A----\n",
           "-----BEGIN A-----\nYWJj\n-----END A-----x\n",
           "-----BEGIN A\nYWJj\n-----END A-----\n",
           "-----BEGIN A-----\nYW\n-----END A-----\n",
           "-----BEGIN A-----\nY*Jj\n-----END A-----\n",
           "-----BEGIN A-----YWJj-----END A-----\n",
           "x-----BEGIN A-----\nYWJj\n-----END A-----\n",
           "-----BEGIN A-----\nk: v\n-----END A-----\n",
           "-----BEGIN \n-----END ",
           "\n-----END A-----\n",
       }) {
    EXPECT_EQ(Blocks(text), (Texts{text})) << text;
  }
}

TEST(Pem, BlocksThatAreNotWholeArePassedOver) {
  const std::string a = "-----BEGIN A-----\nYWJj\n-----END A-----\n";
  EXPECT_EQ(Blocks("-----BEGIN B-----\nYWJj\n" + a), (Texts{"A:abc", ""}));
  EXPECT_EQ(Blocks("-----BEGIN B-----\nYWJj\n-----END C-----\n" + a), (Texts{"A:abc", ""}));
  EXPECT_EQ(Blocks("-----BEGIN B-----\n!\n-----END B-----\n" + a), (Texts{"A:abc", ""}));
}

}  // namespace
}  // namespace podium::pki
