#include "api/table/custom_columns.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "reflect/json_value.h"
#include "support/cpu_time.h"

namespace podium::api {
namespace {

using Column = apiextensions::v1::CustomResourceColumnDefinition;

// 2026-01-01T01:00:00Z
const Time kNow = Time::FromUnix(1767229200);

reflect::JsonValue Json(const std::string& text) {
  auto value = reflect::ParseJson(text);
  EXPECT_TRUE(value.ok()) << text;
  return *std::move(value);
}

Column ColumnOf(const char* type, const char* path) {
  Column column;
  column.name = "C";
  column.type = type;
  column.jsonPath = path;
  return column;
}

std::string Cell(const char* type, const char* path, const std::string& spec) {
  const Column column = ColumnOf(type, path);
  const auto cells = CustomColumns(std::span(&column, 1))
                         .CellsOf(Json(R"({"metadata":{"name":"the"},"spec":)" + spec + "}"), kNow);
  if (cells.size() != 2) {
    ADD_FAILURE() << "not a path: " << path;
    return {};
  }
  EXPECT_EQ(cells[0].text, "\"the\"");
  return cells[1].text;
}

TEST(CustomColumnsTest, CellsOfEachType) {
  const struct {
    const char* type;
    const char* value;
    const char* cell;
  } cases[] = {
      {"string", R"("text")", R"("text")"},
      {"string", R"("a\n\"b")", R"("a\n\"b")"},
      {"string", "5", R"("5")"},
      {"string", "0.5", R"("0.5")"},
      {"string", "1e6", R"("1e+06")"},
      {"string", "true", R"("true")"},
      {"string", R"(["b",{"d":1,"c":2}])", R"("[\"b\",{\"c\":2,\"d\":1}]")"},
      {"string", "{}", R"("{}")"},
      {"string", "null", R"("\u003cno value\u003e")"},
      {"integer", "5", "5"},
      {"integer", "-9223372036854775808", "-9223372036854775808"},
      {"integer", "2.9", "2"},
      {"integer", "-2.9", "-2"},
      {"integer", "1e30", "-9223372036854775808"},
      {"integer", "9223372036854775808", "-9223372036854775808"},
      {"integer", R"("5")", "null"},
      {"integer", "true", "null"},
      {"integer", "null", "null"},
      {"number", "5", "5"},
      {"number", "2.50", "2.5"},
      {"number", "1e-7", "1e-7"},
      {"number", "1e999", "null"},
      {"number", R"("5")", "null"},
      {"boolean", "true", "true"},
      {"boolean", "false", "false"},
      {"boolean", R"("true")", "null"},
      {"boolean", "1", "null"},
      {"date", R"("2026-01-01T00:00:00Z")", R"("60m")"},
      {"date", R"("2026-01-01T02:00:00+02:00")", R"("60m")"},
      {"date", R"("2026-01-01T02:00:00Z")", R"("\u003cinvalid\u003e")"},
      {"date", R"("0001-01-01T00:00:00Z")", R"("\u003cunknown\u003e")"},
      {"date", R"("0001-01-02T00:00:00Z")", R"("292y")"},
      {"date", R"("9999-12-31T23:59:59Z")", R"("\u003cinvalid\u003e")"},
      {"date", R"("yesterday")", R"("\u003cinvalid\u003e")"},
      {"date", R"("")", R"("\u003cunknown\u003e")"},
      {"date", R"("null")", R"("\u003cunknown\u003e")"},
      {"date", "1767225600", "null"},
      {"other", R"("text")", "null"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(Cell(each.type, ".spec.v", R"({"v":)" + std::string(each.value) + "}"), each.cell)
        << each.type << ' ' << each.value;
    EXPECT_EQ(Cell(each.type, ".spec.v", "{}"), "null") << each.type;
    EXPECT_EQ(Cell(each.type, ".spec.v", "null"), "null") << each.type;
    EXPECT_EQ(Cell(each.type, ".spec.v", R"("no object")"), "null") << each.type;
  }
}

TEST(CustomColumnsTest, OfSeveralValuesTheFirst) {
  EXPECT_EQ(Cell("string", ".spec.list[*].a", R"({"list":[{"a":"x"},{"a":"y"}]})"), R"("x")");
  EXPECT_EQ(Cell("string", ".spec.list[*].a", R"({"list":[]})"), "null");
  EXPECT_EQ(Cell("integer", ".spec.list[7]", R"({"list":[1]})"), "null");
  EXPECT_EQ(Cell("string", R"(.spec.list[?(@.type=="Ready")].status)",
                 R"({"list":[{"type":"A","status":"x"},{"type":"Ready","status":"y"}]})"),
            R"("y")");
}

TEST(CustomColumnsTest, Definitions) {
  Column ready = ColumnOf("string", ".status.ready");
  ready.name = "Ready";
  ready.format = "byte";
  ready.priority = 1;
  Column described = ready;
  described.description = "What it is.";
  const std::vector<Column> columns = {ready, described, ColumnOf("string", ".a[")};
  const CustomColumns custom(columns);
  const auto& definitions = custom.definitions();
  ASSERT_EQ(definitions.size(), 3U);
  EXPECT_EQ(definitions[0].name, "Name");
  EXPECT_EQ(definitions[0].type, "string");
  EXPECT_EQ(definitions[0].format, "name");
  EXPECT_NE(definitions[0].description, "");
  EXPECT_EQ(definitions[1].name, "Ready");
  EXPECT_EQ(definitions[1].format, "byte");
  EXPECT_EQ(definitions[1].priority, 1);
  EXPECT_EQ(definitions[1].description,
            "Custom resource definition column (in JSONPath format): .status.ready");
  EXPECT_EQ(definitions[2].description, "What it is.");
  EXPECT_EQ(custom.CellsOf(Json("{}"), kNow).size(), 3U);
  EXPECT_EQ(custom.CellsOf(Json("[]"), kNow)[0].text, "\"\"");
}

TEST(CustomColumnsTest, WithoutColumnsTheAge) {
  const CustomColumns custom({});
  ASSERT_EQ(custom.definitions().size(), 2U);
  EXPECT_EQ(custom.definitions()[1].name, "Age");
  EXPECT_EQ(custom.definitions()[1].type, "date");
  EXPECT_NE(custom.definitions()[1].description, "");
  const auto cells = custom.CellsOf(
      Json(R"({"metadata":{"name":"n","creationTimestamp":"2026-01-01T00:59:00Z"}})"), kNow);
  ASSERT_EQ(cells.size(), 2U);
  EXPECT_EQ(cells[0].text, "\"n\"");
  EXPECT_EQ(cells[1].text, "\"60s\"");
  EXPECT_EQ(custom.CellsOf(Json("{}"), kNow)[1].text, "null");
}

// A path may name every part of an object; how much one evaluation may meet is limited.
TEST(CustomColumnsTest, HostilePathsEnd) {
  std::string list = "[0";
  for (int i = 0; i < 3'000; ++i) list += ",0";
  const std::string spec = R"({"list":)" + list + "]}";
  const auto start = podium::testing::CpuTime();
  Cell("string", ".spec..list[*]", spec);
  Cell("string", R"(.spec.list[?(@.spec)])", spec);
  Cell("string", ".*.*.*", spec);
  EXPECT_LT(podium::testing::CpuTime() - start, std::chrono::seconds(5));
}

}  // namespace
}  // namespace podium::api
