#include "reflect/position.h"

#include <gtest/gtest.h>

namespace podium::reflect {
namespace {

TEST(LineIndexTest, LinesAndColumnsCountFromOne) {
  const LineIndex index("ab\n\nc\xC3\xA9 d\n");
  EXPECT_EQ(index.At(0), (Position{1, 1}));
  EXPECT_EQ(index.At(1), (Position{1, 2}));
  EXPECT_EQ(index.At(2), (Position{1, 3}));
  EXPECT_EQ(index.At(3), (Position{2, 1}));
  EXPECT_EQ(index.At(4), (Position{3, 1}));
  EXPECT_EQ(index.At(7), (Position{3, 3})) << "a character of two bytes is one column";
  EXPECT_EQ(index.At(8), (Position{3, 4}));
  EXPECT_EQ(index.At(10), (Position{4, 1}));
  EXPECT_EQ(index.At(1000), (Position{4, 1})) << "past the end is the end";
}

TEST(LineIndexTest, EmptyText) { EXPECT_EQ(LineIndex("").At(0), (Position{1, 1})); }

TEST(PositionMapTest, FindsTheNodeAtOrBefore) {
  PositionMap map;
  EXPECT_EQ(map.At(5), Position());
  map.Add(2, {1, 3});
  map.Add(7, {2, 1});
  map.Add(7, {2, 5});
  map.Add(9, {4, 1});
  EXPECT_EQ(map.At(1), Position());
  EXPECT_EQ(map.At(2), (Position{1, 3}));
  EXPECT_EQ(map.At(6), (Position{1, 3}));
  EXPECT_EQ(map.At(7), (Position{2, 5}));
  EXPECT_EQ(map.At(100), (Position{4, 1}));
  EXPECT_EQ(map.size(), 4U);
}

}  // namespace
}  // namespace podium::reflect
