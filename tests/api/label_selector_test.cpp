// Label selectors as objects carry them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/labels.h"
#include "api/types/meta_v1.h"
#include "reflect/json.h"

namespace podium::api {
namespace {

using labels::LabelSelectorAsSelector;
using meta::v1::LabelSelector;

constexpr const char* kNamePart =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr const char* kLabelValue =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

LabelSelector Read(std::string_view json) { return *reflect::FromJson<LabelSelector>(json); }

std::vector<std::string> Errors(std::string_view json, const LabelSelectorOptions& options = {}) {
  std::vector<std::string> texts;
  for (const field::Error& error :
       ValidateLabelSelector(Read(json), field::Path("selector"), options)) {
    texts.push_back(error.Text());
  }
  return texts;
}

TEST(LabelSelectorAsSelectorTest, Text) {
  struct Case {
    const char* json;
    const char* want;
  };
  const Case cases[] = {
      {"{}", ""},
      {R"({"matchLabels":{"b":"2","a":"1"}})", "a=1,b=2"},
      {R"({"matchExpressions":[{"key":"k","operator":"In","values":["y","x"]}]})", "k in (x,y)"},
      {R"({"matchExpressions":[{"key":"k","operator":"NotIn","values":["x"]}]})", "k notin (x)"},
      {R"({"matchExpressions":[{"key":"k","operator":"Exists"}]})", "k"},
      {R"({"matchExpressions":[{"key":"k","operator":"DoesNotExist"}]})", "!k"},
      {R"({"matchLabels":{"b":"2"},"matchExpressions":[{"key":"a","operator":"Exists"}]})",
       "a,b=2"},
  };
  for (const Case& c : cases) {
    const LabelSelector selector = Read(c.json);
    Result<labels::Selector> result = LabelSelectorAsSelector(&selector);
    ASSERT_TRUE(result.ok()) << c.json;
    EXPECT_EQ(result->String(), c.want);
    EXPECT_FALSE(result->MatchesNothing());
  }
  EXPECT_TRUE(LabelSelectorAsSelector(nullptr)->MatchesNothing());
}

TEST(LabelSelectorAsSelectorTest, Errors) {
  struct Case {
    const char* json;
    std::string want;
  };
  const Case cases[] = {
      {R"({"matchLabels":{"a":"-"}})",
       std::string("values[0][a]: Invalid value: \"-\": ") + kLabelValue},
      {R"({"matchExpressions":[{"key":"k","operator":"in","values":["x"]}]})",
       "\"in\" is not a valid label selector operator"},
      {R"({"matchExpressions":[{"key":"k","operator":"In"}]})",
       "values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty"},
  };
  for (const Case& c : cases) {
    const LabelSelector selector = Read(c.json);
    Result<labels::Selector> result = LabelSelectorAsSelector(&selector);
    ASSERT_FALSE(result.ok()) << c.json;
    EXPECT_EQ(result.error().message(), c.want);
  }
}

TEST(ValidateLabelSelectorTest, Rules) {
  struct Case {
    const char* json;
    std::vector<std::string> want;
  };
  const Case cases[] = {
      {R"({"matchLabels":{"a":"b"},"matchExpressions":[
           {"key":"k","operator":"In","values":["x",""]},{"key":"k","operator":"Exists"}]})",
       {}},
      {R"({"matchLabels":{"-":"_"}})",
       {std::string("selector.matchLabels: Invalid value: \"-\": ") + kNamePart,
        std::string("selector.matchLabels: Invalid value: \"_\": ") + kLabelValue}},
      {R"({"matchExpressions":[{"key":"k","operator":"NotIn"},
           {"key":"k","operator":"DoesNotExist","values":["x"]},
           {"key":"-","operator":"Gt","values":["x","-"]}]})",
       {std::string("selector.matchExpressions[0].values: Required value: must be specified when "
                    "`operator` is 'In' or 'NotIn'"),
        std::string("selector.matchExpressions[1].values: Forbidden: may not be specified when "
                    "`operator` is 'Exists' or 'DoesNotExist'"),
        std::string("selector.matchExpressions[2].operator: Invalid value: \"Gt\": not a valid "
                    "selector operator"),
        std::string("selector.matchExpressions[2].key: Invalid value: \"-\": ") + kNamePart,
        std::string("selector.matchExpressions[2].values[1]: Invalid value: \"-\": ") +
            kLabelValue}},
  };
  for (const Case& c : cases) EXPECT_THAT(Errors(c.json), ::testing::ElementsAreArray(c.want));
}

TEST(ValidateLabelSelectorTest, Options) {
  const char* bad = R"({"matchExpressions":[{"key":"k","operator":"x","values":["-"]}]})";
  EXPECT_EQ(Errors(bad).size(), 2u);
  EXPECT_EQ(Errors(bad, {.allow_invalid_label_values = true}).size(), 1u);
  EXPECT_THAT(Errors(bad, {.allow_invalid_label_values = true, .allow_unknown_operator = true}),
              ::testing::IsEmpty());
  EXPECT_TRUE(HasInvalidLabelValue(Read(bad)));
  // Labels of matchLabels are not looked at.
  EXPECT_FALSE(HasInvalidLabelValue(Read(R"({"matchLabels":{"a":"-"}})")));
}

}  // namespace
}  // namespace podium::api
