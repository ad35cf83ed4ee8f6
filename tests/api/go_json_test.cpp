#include "api/go_json.h"

#include <gtest/gtest.h>

namespace podium::api {
namespace {

TEST(GoJson, Objects) {
  for (const char* text :
       {"{}", " {\"a\": [1, -2.5e+3, true, false, null, \"x\\u00e9\\n\\/\", {}], \"b\": {}} ",
        "null", "{\"a\":1,\"a\":2}", "{\"\":0}", "{\"a\":[[],[{}]]}", "{\"a\":1e-999}"}) {
    EXPECT_EQ(GoJsonObjectProblem(text), std::nullopt) << text;
  }
}

TEST(GoJson, Problems) {
  struct Case {
    std::string_view text;
    const char* problem;
  };
  for (const auto& [text, problem] : {
           Case{"", "unexpected end of JSON input"},
           Case{"  ", "unexpected end of JSON input"},
           Case{"{", "unexpected end of JSON input"},
           Case{"{\"a", "unexpected end of JSON input"},
           Case{"{\"a\"", "unexpected end of JSON input"},
           Case{"{\"a\":", "unexpected end of JSON input"},
           Case{"{\"a\":1", "unexpected end of JSON input"},
           Case{"{\"a\":1,", "unexpected end of JSON input"},
           Case{"[1,", "unexpected end of JSON input"},
           Case{"bad", "invalid character 'b' looking for beginning of value"},
           Case{"'a'", "invalid character '\\'' looking for beginning of value"},
           Case{"{a", "invalid character 'a' looking for beginning of object key string"},
           Case{"{\"a\":1,}", "invalid character '}' looking for beginning of object key string"},
           Case{"{\"a\" 1}", "invalid character '1' after object key"},
           Case{"{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair"},
           Case{"{\"a\":1]", "invalid character ']' after object key:value pair"},
           Case{"[1 2]", "invalid character '2' after array element"},
           Case{"[,]", "invalid character ',' looking for beginning of value"},
           Case{"{} x", "invalid character 'x' after top-level value"},
           Case{"\"a\nb\"", "invalid character '\\n' in string literal"},
           Case{"\"\\x\"", "invalid character 'x' in string escape code"},
           Case{"\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"},
           Case{"-", "invalid character ' ' in numeric literal"},
           Case{"-a", "invalid character 'a' in numeric literal"},
           Case{"01", "invalid character '1' after top-level value"},
           Case{"1.", "invalid character ' ' after decimal point in numeric literal"},
           Case{"1e+", "invalid character ' ' in exponent of numeric literal"},
           Case{"tru", "invalid character ' ' in literal true (expecting 'e')"},
           Case{"nul!", "invalid character '!' in literal null (expecting 'l')"},
           Case{"\xff", "invalid character '\xc3\xbf' looking for beginning of value"},
           Case{"[]", "json: cannot unmarshal array into Go value of type map[string]interface {}"},
           Case{" \"x\"",
                "json: cannot unmarshal string into Go value of type map[string]interface {}"},
           Case{"12",
                "json: cannot unmarshal number into Go value of type map[string]interface {}"},
           Case{"true",
                "json: cannot unmarshal bool into Go value of type map[string]interface {}"},
           Case{"{\"a\":[1e999]}",
                "json: cannot unmarshal number 1e999 into Go value of type float64"},
       }) {
    EXPECT_EQ(GoJsonObjectProblem(text).value_or("none"), problem) << text;
  }
  const std::string deep(10'001, '[');
  EXPECT_EQ(GoJsonObjectProblem(deep).value_or("none"), "exceeded max depth");
}

}  // namespace
}  // namespace podium::api
