#include "cli/table_printer.h"

#include <algorithm>
#include <utility>

#include "api/printed_text.h"
#include "api/scheme.h"
#include "api/table/table.h"
#include "base/text.h"
#include "cli/agent_client.h"
#include "cli/json_members.h"
#include "reflect/go_value_text.h"
#include "reflect/json.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

constexpr std::string_view kNone = "<none>";

std::string ValueText(const JsonValue& cell) {
  if (cell.is_null()) return {};
  if (cell.is_string()) return CellText(cell.string());
  return CellText(reflect::GoText(cell));
}

int PriorityOf(const JsonValue& column) {
  const JsonValue* priority = column.Find("priority");
  return priority && priority->is_number() && priority->number() != "0" ? 1 : 0;
}

// "app.kubernetes.io/name" is headed NAME.
std::string LabelHeading(std::string_view label) {
  return UpperCase(label.substr(label.rfind('/') + 1));
}

std::vector<std::string> HeadingsOf(const JsonValue& columns, const TableOptions& options) {
  std::vector<std::string> out;
  if (options.with_event) out.emplace_back("EVENT");
  if (options.with_namespace) out.emplace_back("NAMESPACE");
  for (const JsonValue& column : columns.array()) {
    if (options.wide || PriorityOf(column) == 0) {
      out.push_back(EscapedText(UpperCase(TextOf(column, "name"))));
    }
  }
  for (const std::string& label : options.label_columns) out.push_back(LabelHeading(label));
  if (options.show_labels) out.emplace_back("LABELS");
  return out;
}

std::string LabelsText(const JsonValue* labels) {
  if (!labels || !labels->is_object() || labels->object().empty()) return std::string(kNone);
  std::vector<std::string> parts;
  for (const auto& [key, value] : labels->object()) {
    parts.push_back(key + "=" + (value.is_string() ? value.string() : ""));
  }
  std::ranges::sort(parts);
  return Join(parts, ",");
}

std::vector<std::string> CellsOf(const JsonValue& columns, const JsonValue& row,
                                 const TableOptions& options, std::string_view event) {
  std::vector<std::string> out;
  if (options.with_event) {
    // As wide as the longest of them.
    out.emplace_back(event);
    out.back().resize(std::max(event.size(), std::string_view("MODIFIED").size()), ' ');
  }
  const JsonValue* object = row.Find("object");
  static const JsonValue kNothing;
  if (!object) object = &kNothing;
  if (options.with_namespace) {
    out.push_back(EscapedText(TextAt(*object, {"metadata", "namespace"})));
  }
  const auto& cells = ElementsOf(row, "cells");
  for (size_t i = 0; i < columns.array().size(); ++i) {
    const JsonValue& column = columns.array()[i];
    if (!options.wide && PriorityOf(column) != 0) continue;
    std::string text = i < cells.size() ? ValueText(cells[i]) : "";
    const bool named = TextOf(column, "format") == "name" && TextOf(column, "type") == "string";
    if (named && !options.kind_prefix.empty()) text.insert(0, options.kind_prefix + "/");
    out.push_back(std::move(text));
  }
  const JsonValue* labels = ValueAt(*object, {"metadata", "labels"});
  for (const std::string& label : options.label_columns) {
    const JsonValue* value = labels ? labels->Find(label) : nullptr;
    out.push_back(value && value->is_string() ? EscapedText(value->string()) : std::string());
  }
  if (options.show_labels) out.push_back(EscapedText(LabelsText(labels)));
  return out;
}

Result<JsonValue> DefaultRow(const JsonValue& object) {
  JsonValue::Array cells;
  cells.push_back(JsonValue::String(std::string(TextAt(object, {"metadata", "name"}))));
  const auto created = api::Time::Parse(TextAt(object, {"metadata", "creationTimestamp"}));
  const api::Time then = created.ok() ? *created : api::Time();
  cells.push_back(JsonValue::String(api::Ago(then, Today())));
  JsonValue row = JsonValue::Of(JsonValue::Object());
  row.Set("cells", JsonValue::Of(std::move(cells)));
  row.Set("object", object);
  return row;
}

Result<JsonValue> RowOf(const JsonValue& object, const reflect::Type* type) {
  if (!type) return DefaultRow(object);
  TRY(const auto decoded, reflect::Object::FromJson(ToText(object), type));
  TRY(const auto row, api::TableRowOf(*decoded, api::IncludeObject::kNone, Today()));
  TRY(const std::string json, reflect::ToJson(row));
  TRY(JsonValue value, reflect::ParseJson(json));
  value.Set("object", object);
  return value;
}

JsonValue ColumnsFor(std::string_view api_version, std::string_view kind,
                     const reflect::Type* type) {
  const auto version = api::ParseApiVersion(api_version);
  const auto& columns =
      api::ColumnsOf(type && version ? version->group : "", type && version ? version->version : "",
                     type ? kind : std::string_view());
  JsonValue::Array out;
  for (const auto& definition : api::ColumnDefinitions(columns, type)) {
    const auto json = reflect::ToJson(definition);
    auto value = json.ok() ? reflect::ParseJson(*json) : Result<JsonValue>(JsonValue());
    if (value.ok()) out.push_back(*std::move(value));
  }
  return JsonValue::Of(std::move(out));
}

}  // namespace

bool IsTable(const JsonValue& answer) {
  return TextOf(answer, "kind") == "Table" &&
         TextOf(answer, "apiVersion").starts_with("meta.k8s.io/");
}

Result<JsonValue> TableOfObjects(const JsonValue& answer) {
  std::string kind(TextOf(answer, "kind"));
  const JsonValue* items = answer.Find("items");
  const bool list = items && items->is_array() && kind.ends_with("List");
  if (list) kind.resize(kind.size() - 4);
  const std::string version(TextOf(answer, "apiVersion"));
  const reflect::Type* type = api::FindType(version, kind);
  JsonValue table = JsonValue::Of(JsonValue::Object());
  table.Set("kind", JsonValue::String("Table"));
  table.Set("apiVersion", JsonValue::String("meta.k8s.io/v1"));
  if (const JsonValue* metadata = answer.Find("metadata"); list && metadata) {
    table.Set("metadata", *metadata);
  }
  table.Set("columnDefinitions", ColumnsFor(version, kind, type));
  JsonValue::Array rows;
  if (!list) {
    TRY(JsonValue row, RowOf(answer, type));
    rows.push_back(std::move(row));
  } else {
    for (JsonValue item : items->array()) {
      if (!item.is_object()) continue;
      // Items of typed lists do not say what they are.
      if (TextOf(item, "kind").empty()) item.Set("kind", JsonValue::String(kind));
      if (TextOf(item, "apiVersion").empty()) item.Set("apiVersion", JsonValue::String(version));
      TRY(JsonValue row, RowOf(item, type));
      rows.push_back(std::move(row));
    }
  }
  table.Set("rows", JsonValue::Of(std::move(rows)));
  return table;
}

void TablePrinter::Add(const JsonValue& table, const TableOptions& options,
                       std::string_view event) {
  const JsonValue* columns = table.Find("columnDefinitions");
  const bool fresh = columns && columns->is_array() && !columns->array().empty();
  if (fresh) columns_ = *columns;
  if (!columns_.is_array()) columns_ = JsonValue::Of(JsonValue::Array());
  std::vector<std::string> headings = HeadingsOf(columns_, options);
  const auto& rows = ElementsOf(table, "rows");
  if (options.headings && !rows.empty() && headings != headings_) text_.AddRow(headings);
  if (!rows.empty()) headings_ = std::move(headings);
  for (const JsonValue& row : rows) text_.AddRow(CellsOf(columns_, row, options, event));
}

void TablePrinter::Restart() {
  text_.ForgetWidths();
  headings_.clear();
  columns_ = JsonValue();
}

}  // namespace podium::cli
