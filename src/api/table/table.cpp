#include "api/table/table.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "api/descriptions.h"
#include "api/object_meta.h"
#include "api/scheme.h"
#include "api/table/cells.h"
#include "api/types/flowcontrol_v1.h"
#include "reflect/copy.h"
#include "reflect/field_access.h"
#include "reflect/field_path.h"
#include "reflect/json.h"

namespace podium::api {
namespace {

using meta::v1::ObjectMeta;
using meta::v1::TableColumnDefinition;
using meta::v1::TableRow;
using reflect::FieldPath;
using reflect::Type;

const CellMaker* FindMaker(const Type& type) {
  for (const auto makers : {WorkloadCells(), CoreCells(), PolicyCells(), OtherCells()}) {
    const auto found = std::ranges::find(makers, &type, &CellMaker::type);
    if (found != makers.end()) return &*found;
  }
  return nullptr;
}

// A cell that shows a field as it is, or what it is made of first, is described as the field is.
std::string_view DescriptionOf(std::string_view cell, const Type& type) {
  const size_t end =
      cell.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.");
  std::string_view path = cell.substr(0, end);
  // age(metadata.creationTimestamp), len(data), "see pod".
  if (end != std::string_view::npos && cell[end] == '(') {
    path = cell.substr(end + 1);
    path = path.substr(0, path.find_first_of("), +"));
  }
  const Type* at = &type;
  std::string_view found;
  while (at && !path.empty()) {
    const size_t dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    const auto field =
        std::ranges::find(at->fields, name, [](const auto& each) { return each.name(); });
    if (field == at->fields.end()) return {};
    found = api::DescriptionOf(*at, *field);
    at = field->type;
  }
  return found;
}

Result<std::vector<meta::v1::TableRowCondition>> ConditionsOf(const TableColumns& columns,
                                                              const Type& type,
                                                              const void* object) {
  std::vector<meta::v1::TableRowCondition> out;
  for (const RowCondition& condition : columns.conditions) {
    const size_t equals = condition.when.find('=');
    TRY(const FieldPath path, FieldPath::Parse(condition.when.substr(0, equals)));
    TRY(const std::string text, reflect::FieldText(type, object, path));
    if (text != condition.when.substr(equals + 1)) continue;
    out.push_back({.type = std::string(condition.type),
                   .status = std::string(condition.status),
                   .reason = std::string(condition.reason),
                   .message = std::string(condition.message)});
  }
  return out;
}

Result<std::string> ObjectPart(const reflect::Object& object, const void* decoded,
                               IncludeObject include) {
  if (include == IncludeObject::kNone) return std::string();
  if (include == IncludeObject::kObject) return object.json();
  meta::v1::PartialObjectMetadata part;
  part.kind = "PartialObjectMetadata";
  part.apiVersion = "meta.k8s.io/v1";
  const ObjectMeta* metadata = FindObjectMeta(*object.type(), decoded);
  if (metadata) part.metadata = reflect::Copy(*metadata);
  return reflect::ToJson(part);
}

// A list stands in the order of keys, by namespace and name, but for the one kind whose printer
// sorts it.
Result<std::vector<const reflect::Object*>> Sorted(const Type& type,
                                                   std::span<const reflect::ObjectPtr> objects) {
  std::vector<const reflect::Object*> out;
  for (const reflect::ObjectPtr& object : objects) out.push_back(object.get());
  using flowcontrol::v1::FlowSchema;
  if (&type != &reflect::TypeOf<FlowSchema>()) return out;
  std::vector<std::pair<std::pair<int32_t, std::string>, const reflect::Object*>> keyed;
  for (const reflect::Object* object : out) {
    TRY(const FlowSchema* schema, object->As<FlowSchema>());
    keyed.push_back({{schema->spec.matchingPrecedence, schema->metadata.name}, object});
  }
  std::ranges::sort(keyed, {}, [](const auto& each) { return each.first; });
  for (size_t i = 0; i < out.size(); ++i) out[i] = keyed[i].second;
  return out;
}

}  // namespace

Result<IncludeObject> ParseIncludeObject(std::string_view text) {
  if (text.empty() || text == "Metadata") return IncludeObject::kMetadata;
  if (text == "None") return IncludeObject::kNone;
  if (text == "Object") return IncludeObject::kObject;
  return Error(Code::kInvalidArgument,
               "unrecognized includeObject value: \"" + std::string(text) + '"');
}

reflect::List<TableColumnDefinition> ColumnDefinitions(const TableColumns& columns,
                                                       const Type* type) {
  reflect::List<TableColumnDefinition> out;
  for (const Column& column : columns.columns) {
    out.push_back({.name = std::string(column.name),
                   .type = std::string(column.type),
                   .format = std::string(column.format),
                   .description = std::string(type ? DescriptionOf(column.cell, *type) : ""),
                   .priority = column.priority});
  }
  return out;
}

reflect::List<reflect::RawJson> CellsOf(const Type& type, const void* object, Time now) {
  Cells cells(now);
  if (const CellMaker* maker = FindMaker(type)) {
    maker->make(object, &cells);
  } else if (const ObjectMeta* metadata = FindObjectMeta(type, object)) {
    cells.Text(metadata->name);
    cells.Text(metadata->creationTimestamp.String());
  }
  return cells.Take();
}

Result<TableRow> TableRowOf(const TableColumns& columns, const Type& type, const void* object,
                            Time now) {
  TableRow row;
  row.cells = CellsOf(type, object, now);
  TRY(row.conditions, ConditionsOf(columns, type, object));
  return row;
}

Result<TableRow> TableRowOf(const reflect::Object& object, IncludeObject include, Time now) {
  TRY(const void* decoded, object.decoded());
  const Type& type = *object.type();
  const auto version = ParseApiVersion(object.header().api_version);
  if (!version) return Error(Code::kInvalidArgument, "bad apiVersion");
  TRY(TableRow row, TableRowOf(ColumnsOf(version->group, version->version, object.header().kind),
                               type, decoded, now));
  TRY(row.object.text, ObjectPart(object, decoded, include));
  return row;
}

Result<meta::v1::Table> TableOf(const Resource& resource,
                                std::span<const reflect::ObjectPtr> objects, IncludeObject include,
                                Time now) {
  meta::v1::Table table;
  table.kind = "Table";
  table.apiVersion = "meta.k8s.io/v1";
  table.columnDefinitions =
      ColumnDefinitions(ColumnsOf(resource.group, resource.version, resource.kind), resource.type);
  TRY(const auto sorted, Sorted(*resource.type, objects));
  for (const reflect::Object* object : sorted) {
    TRY(TableRow row, TableRowOf(*object, include, now));
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace podium::api
