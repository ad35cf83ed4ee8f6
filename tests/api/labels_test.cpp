#include "api/labels.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace podium::api {
namespace {

using labels::Operator;
using labels::Requirement;
using labels::Selector;
using labels::Set;

constexpr const char* kNamePart =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr const char* kLabelValue =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

TEST(LabelSelectorTest, ParseAndPrint) {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"", ""},
      {"  ", ""},
      {"a", "a"},
      {"!a", "!a"},
      {" ! a ", "!a"},
      {"a=b", "a=b"},
      {"a==b", "a==b"},
      {"a != b", "a!=b"},
      {"a=", "a="},
      {"a=,b", "a=,b"},
      {"a!=", "a!="},
      {"a>5", "a>5"},
      {"a<-5", nullptr},
      {"a < 5", "a<5"},
      {"a in (b)", "a in (b)"},
      {"a in (d,c,d)", "a in (c,d)"},
      {"a\tnotin\n(b , c)\r", "a notin (b,c)"},
      {"a in ()", "a in ()"},
      {"a in (,)", "a in ()"},
      {"a in (,b)", "a in (,b)"},
      {"a in (b,)", "a in (,b)"},
      {"a in (b,,c)", "a in (,b,c)"},
      {"b=1,a=2", "a=2,b=1"},
      {"a=2,a!=1,a", "a=2,a!=1,a"},
      {"in", "in"},
      {"notin in (in,notin)", "notin in (in,notin)"},
      {"in=in", "in=in"},
      {"x in (foo,,baz),y,z notin ()", "x in (,baz,foo),y,z notin ()"},
      {"example.com/a=b", "example.com/a=b"},
  };
  for (const Case& c : cases) {
    Result<Selector> selector = Selector::Parse(c.text);
    ASSERT_EQ(selector.ok(), c.want != nullptr) << c.text;
    if (!c.want) continue;
    EXPECT_EQ(selector->String(), c.want) << c.text;
    EXPECT_EQ(*Selector::Parse(c.want), *selector) << c.text;
  }
}

TEST(LabelSelectorTest, ParseErrors) {
  const std::string prefix = "unable to parse requirement: ";
  struct Case {
    const char* text;
    std::string want;
  };
  const Case cases[] = {
      {"=", "found '=', expected: !, identifier, or 'end of string'"},
      {",", "found ',', expected: !, identifier, or 'end of string'"},
      {"(a)", "found '(', expected: !, identifier, or 'end of string'"},
      {"a,", "found '', expected: identifier after ','"},
      {"a,,b", "found ',', expected: identifier after ','"},
      {"a=b c", "found 'c', expected: ',' or 'end of string'"},
      {"a=b)", "found ')', expected: ',' or 'end of string'"},
      {"!a in (b)", "found 'in', expected: ',' or 'end of string'"},
      {"!a=b", "found '=', expected: ',' or 'end of string'"},
      {"!", prefix + "found '', expected: identifier"},
      {"!=a", "found '!=', expected: !, identifier, or 'end of string'"},
      {"!!a", prefix + "found '!', expected: identifier"},
      {"a b", prefix + "found 'b', expected: in, notin, =, ==, !=, gt, lt"},
      {"a!b", prefix + "found '!', expected: in, notin, =, ==, !=, gt, lt"},
      {"a(b)", prefix + "found '(', expected: in, notin, =, ==, !=, gt, lt"},
      {"a===b", prefix + "found '=', expected: identifier"},
      {"a=!b", prefix + "found '!', expected: identifier"},
      {"a in b", prefix + "found 'b' expected: '('"},
      {"a in", prefix + "found '' expected: '('"},
      {"a in (", prefix + "found '', expected: ',', ')' or identifier"},
      {"a in (=)", prefix + "found '=', expected: ',', ')' or identifier"},
      {"a in (b", prefix + "found '', expected: ',' or ')'"},
      {"a in (b c)", prefix + "found 'c', expected: ',' or ')'"},
      {"a in (b,", prefix + "found '', expected: ',', or identifier"},
      {"a in (b,=)", prefix + "found '=', expected: ',', or identifier"},
      {"-a", prefix + "<nil>: Invalid value: \"-a\": " + kNamePart},
      {"a/=b", prefix + "<nil>: Invalid value: \"a/\": name part must be non-empty; " + kNamePart},
      {"a=-b", prefix + "values[0][a]: Invalid value: \"-b\": " + kLabelValue},
      {"a in (b,-c)", prefix + "values[0][a]: Invalid value: \"-c\": " + kLabelValue},
      {"a>b", prefix +
                  "values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an "
                  "integer"},
      {"a<-5", prefix + "values[0][a]: Invalid value: \"-5\": " + kLabelValue},
      {"a>", prefix +
                 "values[0]: Invalid value: \"\": for 'Gt', 'Lt' operators, the value must be an "
                 "integer"},
  };
  for (const Case& c : cases) {
    Result<Selector> selector = Selector::Parse(c.text);
    ASSERT_FALSE(selector.ok()) << c.text;
    EXPECT_EQ(selector.error().message(), c.want) << c.text;
    EXPECT_EQ(selector.error().code(), Code::kInvalidArgument);
  }
}

TEST(LabelSelectorTest, Matches) {
  const Set labels = {{"a", "b"}, {"n", "5"}, {"e", ""}};
  struct Case {
    const char* selector;
    bool want;
  };
  const Case cases[] = {
      {"", true},
      {"a", true},
      {"z", false},
      {"!z", true},
      {"!a", false},
      {"a=b", true},
      {"a==b", true},
      {"a=c", false},
      {"z=b", false},
      {"a!=c", true},
      {"a!=b", false},
      {"z!=b", true},
      {"a in (b,c)", true},
      {"a in (c)", false},
      {"z in (b)", false},
      {"z in ()", false},
      {"e in ()", true},
      {"e=", true},
      {"a notin (c)", true},
      {"a notin (b)", false},
      {"z notin (b)", true},
      {"n>4", true},
      {"n>5", false},
      {"n<6", true},
      {"n<5", false},
      {"a>1", false},
      {"z>1", false},
      {"a=b,n=5", true},
      {"a=b,n=6", false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Selector::Parse(c.selector)->Matches(labels), c.want) << c.selector;
  }
  EXPECT_FALSE(Selector::Nothing().Matches(labels));
  EXPECT_FALSE(Selector::Nothing().Matches({}));
  EXPECT_TRUE(Selector::Everything().Matches({}));
}

TEST(LabelSelectorTest, Kinds) {
  EXPECT_TRUE(Selector::Everything().Empty());
  EXPECT_FALSE(Selector::Everything().MatchesNothing());
  EXPECT_FALSE(Selector::Nothing().Empty());
  EXPECT_TRUE(Selector::Nothing().MatchesNothing());
  EXPECT_NE(Selector::Nothing(), Selector::Everything());
  EXPECT_EQ(Selector::Nothing().String(), "");
  EXPECT_TRUE(Selector::FromSet({}).Empty());
  EXPECT_EQ(Selector::FromSet({{"b", "c"}, {"a", ""}}).String(), "a=,b=c");

  Selector nothing = Selector::Nothing();
  nothing.Add({*Requirement::Create("a", Operator::kExists, {})});
  EXPECT_TRUE(nothing.MatchesNothing());
  EXPECT_TRUE(nothing.requirements().empty());
  Selector selector = *Selector::Parse("b");
  selector.Add({*Requirement::Create("a", Operator::kExists, {}),
                *Requirement::Create("b", Operator::kIn, {"y", "x"})});
  EXPECT_EQ(selector.String(), "a,b,b in (x,y)");
}

TEST(LabelSelectorTest, RequiresExactMatch) {
  struct Case {
    const char* selector;
    std::optional<std::string> want;
  };
  const Case cases[] = {
      {"a=b", "b"}, {"a==b", "b"}, {"a in (b)", "b"},   {"a in (b,c)", {}}, {"a!=b", {}},
      {"a", {}},    {"b=c", {}},   {"a notin (b)", {}}, {"a=,b=c", ""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Selector::Parse(c.selector)->RequiresExactMatch("a"), c.want) << c.selector;
  }
  EXPECT_EQ(Selector::Nothing().RequiresExactMatch("a"), std::nullopt);
}

TEST(LabelRequirementTest, Errors) {
  struct Case {
    Operator op;
    reflect::List<std::string> values;
    std::string want;
  };
  const Case cases[] = {
      {Operator::kIn, {}, "for 'in', 'notin' operators, values set can't be empty"},
      {Operator::kNotIn, {}, "for 'in', 'notin' operators, values set can't be empty"},
      {Operator::kEquals, {}, "exact-match compatibility requires one single value"},
      {Operator::kDoubleEquals, {}, "exact-match compatibility requires one single value"},
      {Operator::kNotEquals, {}, "exact-match compatibility requires one single value"},
      {Operator::kGreaterThan, {}, "for 'Gt', 'Lt' operators, exactly one value is required"},
      {Operator::kLessThan, {}, "for 'Gt', 'Lt' operators, exactly one value is required"},
  };
  for (const Case& c : cases) {
    auto requirement = Requirement::Create("a", c.op, c.values, field::Path("x"));
    ASSERT_FALSE(requirement.ok());
    EXPECT_EQ(requirement.error().message(), "x.values: Invalid value: null: " + c.want);
  }
  auto unary = Requirement::Create("a", Operator::kExists, {"b"});
  ASSERT_FALSE(unary.ok());
  EXPECT_EQ(unary.error().message(),
            "values: Invalid value: [\"b\"]: values set must be empty for exists and does not "
            "exist");
  auto several = Requirement::Create("a b", Operator::kEquals, {"c", "-"});
  ASSERT_FALSE(several.ok());
  EXPECT_EQ(several.error().message(),
            std::string("[key: Invalid value: \"a b\": ") + kNamePart +
                ", values: Invalid value: [\"c\",\"-\"]: exact-match compatibility requires one "
                "single value, values[1][a b]: Invalid value: \"-\": " +
                kLabelValue + "]");
}

TEST(LabelsValidationTest, Labels) {
  field::Path path("metadata.labels");
  EXPECT_TRUE(ValidateLabels({{"a", "b"}, {"example.com/c", ""}}, path).empty());
  EXPECT_EQ(ValidateLabels({{"-", "b"}, {"c", "-"}}, path).AggregateText(),
            std::string("[metadata.labels: Invalid value: \"-\": ") + kNamePart +
                ", metadata.labels: Invalid value: \"-\": " + kLabelValue + "]");
}

// Random requirements that are valid.
rc::Gen<Requirement> AnyRequirement() {
  return rc::gen::exec([] {
    auto key = *rc::gen::elementOf(std::vector<std::string>{"a", "b", "example.com/c", "in"});
    auto op =
        *rc::gen::element(Operator::kIn, Operator::kNotIn, Operator::kEquals,
                          Operator::kDoubleEquals, Operator::kNotEquals, Operator::kExists,
                          Operator::kDoesNotExist, Operator::kGreaterThan, Operator::kLessThan);
    const std::vector<std::string> words = {"", "7", "Y-1", "in", "notin", "x"};
    reflect::List<std::string> values;
    switch (op) {
      case Operator::kIn:
      case Operator::kNotIn:
        // Text holds a set: sorted, and each value once. At least one.
        for (uint32_t set = *rc::gen::inRange(1u, 1u << words.size()), i = 0; set != 0;
             set >>= 1, ++i) {
          if (set & 1) values.push_back(words[i]);
        }
        break;
      case Operator::kExists:
      case Operator::kDoesNotExist:
        break;
      case Operator::kGreaterThan:
      case Operator::kLessThan:
        values = {std::to_string(*rc::gen::inRange(0, 100))};
        break;
      default:
        values = {*rc::gen::elementOf(words)};
    }
    return *Requirement::Create(key, op, values);
  });
}

RC_GTEST_PROP(LabelSelectorProperty, ParseReadsWhatPrintWrites, ()) {
  Selector selector;
  selector.Add(*rc::gen::container<std::vector<Requirement>>(AnyRequirement()));
  RC_ASSERT(*Selector::Parse(selector.String()) == selector);
}

RC_GTEST_PROP(LabelSelectorProperty, AnythingParsedComesBack, ()) {
  auto pieces = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(
      std::vector<std::string>{"a", "b", "5", "in", "notin", " ", "(", ")", ",", "=", "!", ">"}));
  if (pieces.size() > 9) pieces.resize(9);
  std::string text;
  for (const std::string& piece : pieces) text += piece;
  Result<Selector> selector = Selector::Parse(text);
  RC_CLASSIFY(selector.ok());
  if (!selector.ok()) return;
  Result<Selector> again = Selector::Parse(selector->String());
  RC_ASSERT(again.ok());
  RC_ASSERT(*again == *selector);
}

}  // namespace
}  // namespace podium::api
