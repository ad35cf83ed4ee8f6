#include "api/field_errors.h"

#include <gtest/gtest.h>

namespace podium::api::field {
namespace {

TEST(PathTest, Prints) {
  Path root;
  Path spec("spec");
  Path metadata("metadata");
  EXPECT_EQ(root.String(), "<nil>");
  EXPECT_EQ(root.Child("spec").String(), "spec");
  EXPECT_EQ(spec.String(), "spec");
  EXPECT_EQ(spec.Child("containers").Index(0).Child("ports").Index(1).Child("hostPort").String(),
            "spec.containers[0].ports[1].hostPort");
  EXPECT_EQ(metadata.Child("annotations").Key("a/b").String(), "metadata.annotations[a/b]");
  EXPECT_EQ(spec.Key("").String(), "spec[]");
  EXPECT_EQ(root.Index(3).Child("a").String(), "[3].a");
}

TEST(ErrorTest, Texts) {
  Path path("x");
  struct Case {
    Error error;
    const char* reason;
    const char* want;
  };
  const Case cases[] = {
      {NotFound(path, "a"), "FieldValueNotFound", "x: Not found: \"a\""},
      {Required(path, ""), "FieldValueRequired", "x: Required value"},
      {Required(path, "why"), "FieldValueRequired", "x: Required value: why"},
      {Duplicate(path, "a"), "FieldValueDuplicate", "x: Duplicate value: \"a\""},
      {Invalid(path, "a", "why"), "FieldValueInvalid", "x: Invalid value: \"a\": why"},
      {Invalid(path, 5, ""), "FieldValueInvalid", "x: Invalid value: 5"},
      {NotSupported(path, "a", {"b", "c\n"}), "FieldValueNotSupported",
       "x: Unsupported value: \"a\": supported values: \"b\", \"c\\n\""},
      {NotSupported(path, "a", std::vector<std::string>{"b"}), "FieldValueNotSupported",
       "x: Unsupported value: \"a\": supported values: \"b\""},
      {NotSupported(path, "a", std::vector<std::string>{}), "FieldValueNotSupported",
       "x: Unsupported value: \"a\""},
      {Forbidden(path, "why"), "FieldValueForbidden", "x: Forbidden: why"},
      {TooLong(path, 63), "FieldValueTooLong", "x: Too long: may not be more than 63 bytes"},
      {TooLong(path, 1), "FieldValueTooLong", "x: Too long: may not be more than 1 byte"},
      {TooLong(path, -1), "FieldValueTooLong", "x: Too long: value is too long"},
      {TooMany(path, 3, 2), "FieldValueTooMany", "x: Too many: 3: must have at most 2 items"},
      {TooMany(path, 3, 1), "FieldValueTooMany", "x: Too many: 3: must have at most 1 item"},
      {TooMany(path, -1, -1), "FieldValueTooMany", "x: Too many: has too many items"},
      {InternalError(path, "why"), "InternalError", "x: Internal error: why"},
      {TypeInvalid(path, "a", "why"), "FieldValueTypeInvalid", "x: Invalid value: \"a\": why"},
      {Required(Path(), "why"), "FieldValueRequired", "<nil>: Required value: why"},
      {Required(Path(""), "why"), "FieldValueRequired", "[]: Required value: why"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(c.error.Text(), c.want);
    EXPECT_EQ(ErrorTypeReason(c.error.type), c.reason);
    EXPECT_EQ(c.error.Body(), std::string(c.want).substr(c.error.field.size() + 2));
  }
}

TEST(BadValueTest, Prints) {
  using reflect::List;
  using reflect::Map;
  using reflect::Nullable;
  EXPECT_EQ(BadValue("a\"<b>").text(), R"("a\"<b>")");
  EXPECT_EQ(BadValue(std::string("a")).text(), "\"a\"");
  EXPECT_EQ(BadValue(int32_t{-5}).text(), "-5");
  EXPECT_EQ(BadValue(int64_t{1} << 40).text(), "1099511627776");
  EXPECT_EQ(BadValue(true).text(), "true");
  EXPECT_EQ(BadValue(1.5).text(), "1.5");
  EXPECT_EQ(BadValue(nullptr).text(), "null");
  EXPECT_EQ(BadValue(std::optional<int32_t>()).text(), "null");
  EXPECT_EQ(BadValue(std::optional<int32_t>(7)).text(), "7");
  EXPECT_EQ(BadValue(std::optional<std::string>("a<")).text(), "\"a\\u003c\"");
  EXPECT_EQ(BadValue(List<std::string>{}).text(), "null");
  EXPECT_EQ(BadValue(List<std::string>{"a", "<"}).text(), R"(["a","\u003c"])");
  EXPECT_EQ(BadValue(Map<std::string>{}).text(), "null");
  EXPECT_EQ(BadValue(Map<std::string>{{"b", "c"}, {"a", "d"}}).text(), R"({"a":"d","b":"c"})");
  Nullable<List<std::string>> list;
  EXPECT_EQ(BadValue(list).text(), "null");
  list.present = true;
  EXPECT_EQ(BadValue(list).text(), "[]");
  Nullable<Map<std::string>> map;
  EXPECT_EQ(BadValue(map).text(), "null");
  map.present = true;
  EXPECT_EQ(BadValue(map).text(), "{}");
  EXPECT_EQ(BadValue(Quantity::Must("1.5")).text(), "\"1500m\"");
  EXPECT_EQ(BadValue(IntOrString::FromInt(80)).text(), "80");
  EXPECT_EQ(BadValue(IntOrString::FromString("http")).text(), "\"http\"");
  EXPECT_EQ(BadValue(Time::FromUnix(0)).text(), "\"1970-01-01T00:00:00Z\"");
  EXPECT_EQ(BadValue(std::optional<Time>()).text(), "null");
  EXPECT_EQ(BadValue::Of(Duration::FromSeconds(1)).text(), "\"1s\"");
  EXPECT_EQ(BadValue::Json("{}").text(), "{}");
  EXPECT_EQ(Invalid(Path("x"), BadValue::Omitted(), "why").Text(), "x: Invalid value: why");
}

// What is beyond a limit is dropped, one by one and of other lists.
TEST(ErrorListTest, Full) {
  const Path path("x");
  ErrorList errors;
  for (int i = 0; i < 9'999; ++i) errors.Add(Required(path, ""));
  EXPECT_FALSE(errors.full());
  ErrorList more;
  more.Add(Required(path, "last"));
  more.Add(Required(path, "dropped"));
  errors.Append(more);
  EXPECT_TRUE(errors.full());
  ASSERT_EQ(errors.size(), 10'001u);
  EXPECT_EQ(errors[9'999].detail, "last");
  EXPECT_EQ(errors.back().Text(),
            "<nil>: Invalid value: \"\": has too many errors: no more of them are told");
  ErrorList of_bytes;
  const std::string megabyte(size_t{1} << 20, 'a');
  for (int i = 0; i < 6; ++i) of_bytes.Add(Invalid(path, megabyte, ""));
  EXPECT_TRUE(of_bytes.full());
  ASSERT_EQ(of_bytes.size(), 5u);
  EXPECT_EQ(of_bytes.back().detail, kNoMoreErrors);
  // What is full already says so once.
  ErrorList all;
  all.Append(of_bytes);
  EXPECT_EQ(all.size(), 5u);
}

TEST(ErrorListTest, Aggregate) {
  Path path("x");
  ErrorList errors;
  EXPECT_EQ(errors.AggregateText(), "");
  errors.Add(Required(path, ""));
  EXPECT_EQ(errors.AggregateText(), "x: Required value");
  errors.Add(Required(path, ""));
  EXPECT_EQ(errors.AggregateText(), "x: Required value");
  ErrorList more;
  more.AddInvalid(path, "a", {"one", "two"});
  errors.Append(std::move(more));
  EXPECT_EQ(errors.size(), 4u);
  EXPECT_EQ(errors.AggregateText(),
            "[x: Required value, x: Invalid value: \"a\": one, x: Invalid value: \"a\": two]");
}

}  // namespace
}  // namespace podium::api::field
