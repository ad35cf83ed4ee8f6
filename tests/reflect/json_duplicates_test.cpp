#include "reflect/json_duplicates.h"

#include <gtest/gtest.h>

namespace podium::reflect {
namespace {

using Texts = std::vector<std::string>;

TEST(JsonDuplicatesTest, ByTheirPaths) {
  EXPECT_EQ(DuplicateFields(R"({"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]})"), Texts());
  EXPECT_EQ(DuplicateFields(R"({"a":{"b":1,"b":2,"b":3},"c":[[],[{"d":[],"d":{}}]],"a":null})"),
            (Texts{R"(duplicate field "a.b")", R"(duplicate field "c[1][0].d")",
                   R"(duplicate field "a")"}));
  EXPECT_EQ(DuplicateFields(R"([{"x":1, "\u0078" : 2}])"), Texts{R"(duplicate field "[0].x")"});
  EXPECT_EQ(DuplicateFields(R"({"":1,"":2,"a":{"":{},"":{}}})"),
            (Texts{R"(duplicate field "")", R"(duplicate field "a.")"}));
}

TEST(JsonDuplicatesTest, WhatIsNoJsonIsReadAsFarAsItGoes) {
  for (const std::string text :
       {"", "1", "{", "[", "{\"a\"", "{\"a\":", "[1,", "]", "{1:2}", "tru"}) {
    EXPECT_EQ(DuplicateFields(text), Texts()) << text;
  }
  EXPECT_EQ(DuplicateFields(R"({"a":1,"a":2,)"), Texts{R"(duplicate field "a")"});
  EXPECT_EQ(DuplicateFields(std::string(1'000'000, '[')), Texts());
}

TEST(JsonDuplicatesTest, Bounded) {
  std::string many = "{";
  for (int i = 0; i < 300; ++i) {
    const std::string name = "\"n" + std::to_string(i) + "\":0,";
    many += name + name;
  }
  EXPECT_EQ(DuplicateFields(many).size(), 100U);
  std::string lengthy = "{\"" + std::string(400'000, 'x') + "\":" + many;
  EXPECT_EQ(DuplicateFields(lengthy).size(), 3U);
}

}  // namespace
}  // namespace podium::reflect
