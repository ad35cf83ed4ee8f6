#include "api/time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <ctime>

namespace podium::api {
namespace {

using Form = reflect::JsonScalar::Form;
using namespace std::string_view_literals;

constexpr int64_t kYear0 = -62167219200;
constexpr int64_t kYear10000 = 253402300800;

TEST(TimeTest, ParseAndPrint) {
  struct Case {
    const char* text;
    int64_t unix_seconds;
    const char* want;
  };
  const Case cases[] = {
      {"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"},
      {"2006-01-02T15:04:05Z", 1136214245, "2006-01-02T15:04:05Z"},
      {"2006-01-02T15:04:05+07:00", 1136189045, "2006-01-02T08:04:05Z"},
      {"2006-01-02T15:04:05-07:30", 1136241245, "2006-01-02T22:34:05Z"},
      {"2006-01-02T15:04:05.999999999Z", 1136214245, "2006-01-02T15:04:05Z"},
      {"2006-01-02T15:04:05,5Z", 1136214245, "2006-01-02T15:04:05Z"},
      {"2006-01-02T15:04:05.1234567890123Z", 1136214245, "2006-01-02T15:04:05Z"},
      {"1969-12-31T23:59:59.5Z", -1, "1969-12-31T23:59:59Z"},
      {"2006-01-02T5:04:05Z", 1136178245, "2006-01-02T05:04:05Z"},
      {"2006-01-02T00:00:00+24:60", 1136070000, "2005-12-31T23:00:00Z"},
      {"2024-02-29T00:00:00Z", 1709164800, "2024-02-29T00:00:00Z"},
      {"2000-02-29T00:00:00Z", 951782400, "2000-02-29T00:00:00Z"},
      {"0001-01-01T00:00:00Z", kZeroTimeUnixSeconds, "0001-01-01T00:00:00Z"},
      {"0000-01-01T00:00:00Z", kYear0, "0000-01-01T00:00:00Z"},
      {"9999-12-31T23:59:59Z", kYear10000 - 1, "9999-12-31T23:59:59Z"},
  };
  for (const Case& c : cases) {
    Result<Time> time = Time::Parse(c.text);
    ASSERT_TRUE(time.ok()) << time.error().message();
    EXPECT_EQ(time->unix_seconds(), c.unix_seconds) << c.text;
    EXPECT_EQ(time->String(), c.want) << c.text;
  }
}

TEST(TimeTest, ParseErrors) {
  struct Case {
    const char* text;
    const char* want;  // after `parsing time "text"`
  };
  const Case cases[] = {
      {"", R"( as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006")"},
      {"yesterday", R"( as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006")"},
      {"206-01-02", R"( as "2006-01-02T15:04:05Z07:00": cannot parse "206-01-02" as "2006")"},
      {"2006", R"( as "2006-01-02T15:04:05Z07:00": cannot parse "" as "-")"},
      {"2006-1-02T15:04:05Z",
       R"( as "2006-01-02T15:04:05Z07:00": cannot parse "1-02T15:04:05Z" as "01")"},
      {"2006-13-02T15:04:05Z", ": month out of range"},
      {"2006-00-02T15:04:05Z", ": month out of range"},
      {"2006-01-02", R"( as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T")"},
      {"2006-01-02 15:04:05Z",
       R"( as "2006-01-02T15:04:05Z07:00": cannot parse " 15:04:05Z" as "T")"},
      {"2006-01-32T15:04:05Z", ": day out of range"},
      {"2006-01-00T15:04:05Z", ": day out of range"},
      {"2023-02-29T15:04:05Z", ": day out of range"},
      {"1900-02-29T15:04:05Z", ": day out of range"},
      {"2006-01-02T24:04:05Z", ": hour out of range"},
      {"2006-01-02T15:60:05Z", ": minute out of range"},
      {"2006-01-02T15:04:60Z", ": second out of range"},
      {"2006-01-02T15:4:05Z", R"( as "2006-01-02T15:04:05Z07:00": cannot parse "4:05Z" as "04")"},
      {"2006-01-02T15:04:05", R"( as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00")"},
      {"2006-01-02T15:04:05.Z",
       R"( as "2006-01-02T15:04:05Z07:00": cannot parse ".Z" as "Z07:00")"},
      {"2006-01-02T15:04:05z", R"( as "2006-01-02T15:04:05Z07:00": cannot parse "z" as "Z07:00")"},
      {"2006-01-02T15:04:05+0700",
       R"( as "2006-01-02T15:04:05Z07:00": cannot parse "+0700" as "Z07:00")"},
      {"2006-01-02T15:04:05 07:00",
       R"( as "2006-01-02T15:04:05Z07:00": cannot parse " 07:00" as "Z07:00")"},
      {"2006-01-02T15:04:05+25:00", ": time zone offset hour out of range"},
      {"2006-01-02T15:04:05+07:61", ": time zone offset minute out of range"},
      {"2006-01-02T15:04:05ZZ", R"(: extra text: "Z")"},
      {"0000-01-01T00:00:00+00:01", ": year out of range"},
      {"9999-12-31T23:59:59-00:01", ": year out of range"},
  };
  for (const Case& c : cases) {
    Result<Time> time = Time::Parse(c.text);
    ASSERT_FALSE(time.ok()) << c.text;
    EXPECT_EQ(time.error().message(), "parsing time \"" + std::string(c.text) + "\"" + c.want);
  }
}

TEST(TimeTest, Json) {
  const reflect::Leaf& leaf = *reflect::TypeOf<Time>().leaf;
  struct Case {
    Form form;
    const char* text;
    const char* want;     // JSON, or null
    const char* problem;  // when there is no JSON
  };
  const Case cases[] = {
      {Form::kNull, "", "null", ""},
      {Form::kString, "0001-01-01T00:00:00Z", "null", ""},
      {Form::kString, "2006-01-02T15:04:05+07:00", "\"2006-01-02T08:04:05Z\"", ""},
      {Form::kString, "", nullptr,
       R"(parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006")"},
      {Form::kNumber, "5", nullptr, "json: cannot unmarshal number into Go value of type string"},
      {Form::kTrue, "", nullptr, "json: cannot unmarshal bool into Go value of type string"},
  };
  for (const Case& c : cases) {
    Time time = Time::FromUnix(5);
    std::string problem;
    ASSERT_EQ(leaf.from_json({c.form, c.text}, &time, &problem), c.want != nullptr);
    EXPECT_EQ(problem, c.problem);
    if (!c.want) continue;
    std::string json;
    leaf.to_json(&time, &json);
    EXPECT_EQ(json, c.want);
  }
}

template <class T>
std::string ToProto(const T& value) {
  std::string bytes;
  reflect::TypeOf<T>().leaf->to_proto(&value, &bytes);
  return bytes;
}

template <class T>
bool FromProto(std::string_view bytes, T* value) {
  std::string problem;
  bool ok = reflect::TypeOf<T>().leaf->from_proto(bytes, value, &problem);
  EXPECT_EQ(problem.empty(), ok);
  return ok;
}

TEST(TimeTest, Protobuf) {
  EXPECT_EQ(ToProto(Time()), "");
  EXPECT_EQ(ToProto(Time::FromUnix(5)), "\x08\x05\x10\x00"sv);
  EXPECT_EQ(ToProto(Time::FromUnix(-1)), "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\x00"sv);
  Time time = Time::FromUnix(1);
  ASSERT_TRUE(FromProto(""sv, &time));
  EXPECT_TRUE(time.IsZero());
  ASSERT_TRUE(FromProto("\x08\x05\x10\x07"sv, &time));
  EXPECT_EQ(time, Time::FromUnix(5));
  ASSERT_TRUE(FromProto("\x10\x00"sv, &time));
  EXPECT_EQ(time, Time::FromUnix(0));
  EXPECT_FALSE(FromProto("\x08"sv, &time));
  // Year 292277026596.
  EXPECT_FALSE(FromProto("\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"sv, &time));
  EXPECT_FALSE(FromProto("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv, &time));
}

RC_GTEST_PROP(TimeProperty, AgreesWithTheCLibrary, ()) {
  int64_t seconds = *rc::gen::inRange<int64_t>(kYear0, kYear10000);
  time_t c_time = seconds;
  tm parts;
  RC_ASSERT(gmtime_r(&c_time, &parts) != nullptr);
  char text[64];
  snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900,
           parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  RC_ASSERT(Time::FromUnix(seconds).String() == text);
  RC_ASSERT(*Time::Parse(text) == Time::FromUnix(seconds));
}

TEST(MicroTimeTest, ParseAndPrint) {
  struct Case {
    const char* text;
    int64_t unix_micros;
    const char* want;
  };
  const Case cases[] = {
      {"2006-01-02T15:04:05.123456Z", 1136214245123456, "2006-01-02T15:04:05.123456Z"},
      {"2006-01-02T15:04:05.000000+07:00", 1136189045000000, "2006-01-02T08:04:05.000000Z"},
      {"1969-12-31T23:59:59.999999Z", -1, "1969-12-31T23:59:59.999999Z"},
      {"0001-01-01T00:00:00.000000Z", -62135596800000000, "0001-01-01T00:00:00.000000Z"},
      {"9999-12-31T23:59:59.999999Z", 253402300799999999, "9999-12-31T23:59:59.999999Z"},
  };
  for (const Case& c : cases) {
    Result<MicroTime> time = MicroTime::Parse(c.text);
    ASSERT_TRUE(time.ok()) << time.error().message();
    EXPECT_EQ(time->unix_micros(), c.unix_micros) << c.text;
    EXPECT_EQ(time->String(), c.want) << c.text;
  }
  EXPECT_TRUE(MicroTime::Parse("0001-01-01T00:00:00.000000Z")->IsZero());
  EXPECT_FALSE(MicroTime::Parse("0001-01-01T00:00:00.000001Z")->IsZero());
}

TEST(MicroTimeTest, ParseErrors) {
  constexpr const char* kAs = " as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse ";
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"2006-01-02T15:04:05Z", "\"Z\" as \".000000\""},
      {"2006-01-02T15:04:05.12345Z", "\".12345Z\" as \".000000\""},
      {"2006-01-02T15:04:05.1234567Z", "\"7Z\" as \"Z07:00\""},
  };
  for (const Case& c : cases) {
    Result<MicroTime> time = MicroTime::Parse(c.text);
    ASSERT_FALSE(time.ok()) << c.text;
    EXPECT_EQ(time.error().message(),
              "parsing time \"" + std::string(c.text) + "\"" + kAs + c.want);
  }
}

TEST(MicroTimeTest, Protobuf) {
  EXPECT_EQ(ToProto(MicroTime()), "");
  EXPECT_EQ(ToProto(MicroTime::FromUnixMicros(5000007)), "\x08\x05\x10\xd8\x36"sv);
  MicroTime time;
  ASSERT_TRUE(FromProto("\x08\x05\x10\xd9\x36"sv, &time));  // 7001 ns
  EXPECT_EQ(time.unix_micros(), 5000007);
  MicroTime before = MicroTime::FromUnixMicros(-1);
  ASSERT_TRUE(FromProto(ToProto(before), &time));
  EXPECT_EQ(time, before);
  ASSERT_TRUE(FromProto(""sv, &time));
  EXPECT_TRUE(time.IsZero());
}

TEST(DurationTest, ParseAndPrint) {
  struct Case {
    const char* text;
    int64_t nanos;
    const char* want;
  };
  const Case cases[] = {
      {"0", 0, "0s"},
      {"-0", 0, "0s"},
      {"0s", 0, "0s"},
      {"5s", 5'000'000'000, "5s"},
      {"+5s", 5'000'000'000, "5s"},
      {"-5.5s", -5'500'000'000, "-5.5s"},
      {"1h15m30.918s", 4'530'918'000'000, "1h15m30.918s"},
      {"1.5h", 5'400'000'000'000, "1h30m0s"},
      {"60s", 60'000'000'000, "1m0s"},
      {"1h", 3'600'000'000'000, "1h0m0s"},
      {".5s", 500'000'000, "500ms"},
      {"5.s", 5'000'000'000, "5s"},
      {"1500us", 1'500'000, "1.5ms"},
      {"1\u00b5s", 1'000, "1\u00b5s"},
      {"1.5\u03bcs", 1'500, "1.5\u00b5s"},
      {"999ns", 999, "999ns"},
      {"10ms", 10'000'000, "10ms"},
      {"3000000h", 0, nullptr},
      {"9223372036854775807ns", INT64_MAX, "2562047h47m16.854775807s"},
      {"-9223372036854775808ns", INT64_MIN, "-2562047h47m16.854775808s"},
      {"0.3333333333333333333h", 1'200'000'000'000, "20m0s"},
      {"0.100000000000000000000h", 360'000'000'000, "6m0s"},
      {"52763797000ns", 52'763'797'000, "52.763797s"},
  };
  for (const Case& c : cases) {
    Result<Duration> duration = Duration::Parse(c.text);
    ASSERT_EQ(duration.ok(), c.want != nullptr) << c.text;
    if (!c.want) continue;
    EXPECT_EQ(duration->nanos(), c.nanos) << c.text;
    EXPECT_EQ(duration->String(), c.want) << c.text;
  }
}

TEST(DurationTest, ParseErrors) {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"", R"(time: invalid duration "")"},
      {"-", R"(time: invalid duration "-")"},
      {"s", R"(time: invalid duration "s")"},
      {".", R"(time: invalid duration ".")"},
      {".s", R"(time: invalid duration ".s")"},
      {"--1s", R"(time: invalid duration "--1s")"},
      {"1s-", R"(time: unknown unit "s-" in duration "1s-")"},
      {"3", R"(time: missing unit in duration "3")"},
      {"1.5", R"(time: missing unit in duration "1.5")"},
      {"1d", R"(time: unknown unit "d" in duration "1d")"},
      {"1 s", R"(time: unknown unit " s" in duration "1 s")"},
      {"3000000h", R"(time: invalid duration "3000000h")"},
      {"9223372036854775808ns", R"(time: invalid duration "9223372036854775808ns")"},
      {"99999999999999999999ns", R"(time: invalid duration "99999999999999999999ns")"},
      {"2562047h48m", R"(time: invalid duration "2562047h48m")"},
      {"-9223372036854775808ns1ns", R"(time: invalid duration "-9223372036854775808ns1ns")"},
  };
  for (const Case& c : cases) {
    Result<Duration> duration = Duration::Parse(c.text);
    ASSERT_FALSE(duration.ok()) << c.text;
    EXPECT_EQ(duration.error().message(), c.want);
  }
}

TEST(DurationTest, JsonAndProtobuf) {
  const reflect::Leaf& leaf = *reflect::TypeOf<Duration>().leaf;
  Duration duration;
  std::string problem;
  ASSERT_TRUE(leaf.from_json({Form::kString, "90s"}, &duration, &problem));
  std::string json;
  leaf.to_json(&duration, &json);
  EXPECT_EQ(json, "\"1m30s\"");
  json.clear();
  duration = Duration();
  leaf.to_json(&duration, &json);
  EXPECT_EQ(json, "\"0s\"");
  EXPECT_FALSE(leaf.from_json({Form::kNull, ""}, &duration, &problem));
  EXPECT_EQ(problem, "time: invalid duration \"\"");
  EXPECT_FALSE(leaf.from_json({Form::kNumber, "5"}, &duration, &problem));
  EXPECT_EQ(problem, "json: cannot unmarshal number into Go value of type string");

  EXPECT_EQ(ToProto(Duration()), "\x08\x00"sv);
  EXPECT_EQ(ToProto(Duration::FromNanos(-1)), "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv);
  ASSERT_TRUE(FromProto("\x08\x05"sv, &duration));
  EXPECT_EQ(duration.nanos(), 5);
  EXPECT_FALSE(FromProto("\x08"sv, &duration));
}

RC_GTEST_PROP(DurationProperty, TextIsAFixpoint, (int64_t nanos)) {
  Duration duration = Duration::FromNanos(nanos);
  std::string text = duration.String();
  Result<Duration> again = Duration::Parse(text);
  RC_ASSERT(again.ok());
  RC_ASSERT(*again == duration);
}

}  // namespace
}  // namespace podium::api
