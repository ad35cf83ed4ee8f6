#include "api/validation/toleration_annotation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace podium::api {
namespace {

using core::v1::Toleration;

TEST(TolerationAnnotation, Reads) {
  const auto read = [](std::string_view text) {
    Result<reflect::List<Toleration>> tolerations = TolerationsFromAnnotation(text);
    EXPECT_TRUE(tolerations.ok()) << tolerations.error().message();
    return tolerations.ok() ? *tolerations : reflect::List<Toleration>();
  };
  EXPECT_TRUE(read("null").empty());
  EXPECT_TRUE(read(" [ ] ").empty());
  const auto tolerations = read(
      R"([{"key":"k","operator":"Equal","value":"v","effect":"NoExecute","tolerationSeconds":-5,
          "other":[1]},
          {"KEY":"l","TolerationSeconds":7,"tolerationseconds":null,"effect":null},null])");
  ASSERT_EQ(tolerations.size(), 3u);
  EXPECT_EQ(tolerations[0].key, "k");
  EXPECT_EQ(tolerations[0].operator_, "Equal");
  EXPECT_EQ(tolerations[0].value, "v");
  EXPECT_EQ(tolerations[0].effect, "NoExecute");
  EXPECT_EQ(tolerations[0].tolerationSeconds, -5);
  EXPECT_EQ(tolerations[1].key, "l");
  EXPECT_EQ(tolerations[1].effect, "");
  EXPECT_EQ(tolerations[1].tolerationSeconds, std::nullopt);
  EXPECT_EQ(tolerations[2].key, "");
}

TEST(TolerationAnnotation, Problems) {
  struct Case {
    std::string_view text;
    const char* problem;
  };
  for (const auto& [text, problem] : {
           Case{"", "unexpected end of JSON input"},
           Case{"[{}", "unexpected end of JSON input"},
           Case{"x", "invalid character 'x' looking for beginning of value"},
           Case{"[] x", "invalid character 'x' after top-level value"},
           Case{"{}", "json: cannot unmarshal object into Go value of type []core.Toleration"},
           Case{"\"[]\"", "json: cannot unmarshal string into Go value of type []core.Toleration"},
           Case{"true", "json: cannot unmarshal bool into Go value of type []core.Toleration"},
           Case{"1", "json: cannot unmarshal number into Go value of type []core.Toleration"},
           Case{"[[]]", "json: cannot unmarshal array into Go value of type core.Toleration"},
           // The first one is told.
           Case{R"([{},"x",{"key":1}])",
                "json: cannot unmarshal string into Go value of type core.Toleration"},
           Case{R"([{"key":1}])",
                "json: cannot unmarshal number into Go struct field Toleration.Key of type string"},
           Case{R"([{"VALUE":{}}])",
                "json: cannot unmarshal object into Go struct field Toleration.Value of type "
                "string"},
           Case{R"([{"operator":[]}])",
                "json: cannot unmarshal array into Go struct field Toleration.Operator of type "
                "core.TolerationOperator"},
           Case{R"([{"effect":false}])",
                "json: cannot unmarshal bool into Go struct field Toleration.Effect of type "
                "core.TaintEffect"},
           Case{R"([{"tolerationSeconds":"1"}])",
                "json: cannot unmarshal string into Go struct field Toleration.TolerationSeconds "
                "of type int64"},
           Case{R"([{"tolerationSeconds":1.5}])",
                "json: cannot unmarshal number 1.5 into Go struct field "
                "Toleration.TolerationSeconds of type int64"},
           Case{R"([{"tolerationSeconds":9223372036854775808}])",
                "json: cannot unmarshal number 9223372036854775808 into Go struct field "
                "Toleration.TolerationSeconds of type int64"},
       }) {
    const Result<reflect::List<Toleration>> read = TolerationsFromAnnotation(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().message(), problem) << text;
  }
}

}  // namespace
}  // namespace podium::api
