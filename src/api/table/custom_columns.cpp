#include "api/table/custom_columns.h"

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "api/descriptions.h"
#include "api/printed_text.h"
#include "reflect/json.h"
#include "reflect/number_text.h"

namespace podium::api {
namespace {

using apiextensions::v1::CustomResourceColumnDefinition;
using meta::v1::ObjectMeta;
using reflect::JsonValue;
using reflect::Number;

constexpr std::string_view kNull = "null";

std::string_view MetadataDescription(std::string_view name) {
  const reflect::Type& type = reflect::TypeOf<ObjectMeta>();
  for (const reflect::Field& field : type.fields) {
    if (field.name() == name) return DescriptionOf(type, field);
  }
  return {};
}

std::string Quoted(std::string_view text) {
  std::string out;
  reflect::AppendJsonString(text, &out);
  return out;
}

// What a template prints of the value; upstream's word for null is text/template's.
std::string TextCell(const JsonValue& value) {
  if (value.is_null()) return Quoted("<no value>");
  static const auto kWhole = reflect::JsonPath::Parse("{@}");
  std::string text;
  if (!kWhole.ok() || !kWhole->Execute(value, &text).ok()) return std::string(kNull);
  return Quoted(text);
}

// As Go converts on amd64: what does not fit is the smallest number.
int64_t Truncated(double value) {
  constexpr double kLimit = 0x1p63;
  if (value >= -kLimit && value < kLimit) return static_cast<int64_t>(value);
  return std::numeric_limits<int64_t>::min();
}

std::string NumberCell(std::string_view type, const JsonValue& value) {
  const Number number = reflect::ReadJsonNumber(value.number());
  if (type == "integer") {
    return std::to_string(number.is_integer ? number.integer : Truncated(number.floating));
  }
  // JSON has no word for what overflows.
  if (!std::isfinite(number.AsDouble())) return std::string(kNull);
  std::string out;
  reflect::AppendFloatJson(number.AsDouble(), &out);
  return out;
}

std::string DateCell(const std::string& text, Time now) {
  if (text.empty() || text == kNull) return Quoted(kUnknown);
  const auto time = Time::Parse(text);
  return Quoted(time.ok() ? Ago(*time, now) : "<invalid>");
}

std::string CellOf(std::string_view type, const JsonValue& value, Time now) {
  if (type == "string") return TextCell(value);
  if (value.is_number() && (type == "integer" || type == "number")) return NumberCell(type, value);
  if (value.is_bool() && type == "boolean") return value.boolean() ? "true" : "false";
  if (value.is_string() && type == "date") return DateCell(value.string(), now);
  return std::string(kNull);
}

CustomResourceColumnDefinition AgeColumn() {
  CustomResourceColumnDefinition column;
  column.name = "Age";
  column.type = "date";
  column.description = MetadataDescription("creationTimestamp");
  column.jsonPath = ".metadata.creationTimestamp";
  return column;
}

std::string NameOf(const JsonValue& object) {
  const JsonValue* metadata = object.Find("metadata");
  const JsonValue* name = metadata ? metadata->Find("name") : nullptr;
  return name && name->is_string() ? name->string() : std::string();
}

}  // namespace

CustomColumns::CustomColumns(std::span<const CustomResourceColumnDefinition> columns) {
  static const CustomResourceColumnDefinition kAge = AgeColumn();
  if (columns.empty()) columns = std::span(&kAge, 1);
  definitions_.push_back({.name = "Name",
                          .type = "string",
                          .format = "name",
                          .description = std::string(MetadataDescription("name"))});
  for (const CustomResourceColumnDefinition& column : columns) {
    auto path = reflect::JsonPath::Parse('{' + column.jsonPath + '}');
    if (!path.ok()) break;
    paths_.push_back(*std::move(path));
    definitions_.push_back(
        {.name = column.name,
         .type = column.type,
         .format = column.format,
         .description =
             column.description.empty()
                 ? "Custom resource definition column (in JSONPath format): " + column.jsonPath
                 : column.description,
         .priority = column.priority});
  }
}

reflect::List<reflect::RawJson> CustomColumns::CellsOf(const JsonValue& object, Time now) const {
  reflect::List<reflect::RawJson> out;
  out.push_back({Quoted(NameOf(object))});
  for (size_t i = 0; i < paths_.size(); ++i) {
    const auto found = paths_[i].Find(object, {.allow_missing_keys = true});
    // Of several values the first one is shown.
    if (!found.ok() || found->sets.empty() || found->sets[0].empty()) {
      out.push_back({std::string(kNull)});
      continue;
    }
    const JsonValue* value = found->sets[0][0];
    out.push_back({value ? CellOf(definitions_[i + 1].type, *value, now) : std::string(kNull)});
  }
  return out;
}

}  // namespace podium::api
