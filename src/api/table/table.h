// Tables: objects as rows and columns, as the server prints them for `kubectl get` (meta.k8s.io/v1
// Table; upstream's k8s.io/kubernetes/pkg/printers/internalversion and, for kinds of other servers,
// their own printers; release 1.36). Which columns a kind has is data (schema/columns.table, found
// by ColumnsOf); here is how their cells are made. Pure.
//
// Objects are given as they are stored: those of a version that is a view of another one
// (Resource::stored_version) are converted first.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "api/resource.h"
#include "api/time.h"
#include "api/types/meta_v1.h"
#include "base/result.h"
#include "reflect/object.h"
#include "reflect/type.h"

namespace podium::api {

// What a row carries of its object.
enum class IncludeObject : uint8_t { kNone, kMetadata, kObject };
// TableOptions.includeObject: None, Metadata, Object, or "" for Metadata. kInvalidArgument.
Result<IncludeObject> ParseIncludeObject(std::string_view text);

// What stands above the cells. Descriptions are those of the fields that cells show as they are.
reflect::List<meta::v1::TableColumnDefinition> ColumnDefinitions(const TableColumns& columns,
                                                                 const reflect::Type* type);

// The cells of an object of this type, one for each of the kind's columns and behind them its extra
// ones: JSON strings, integers and booleans.
reflect::List<reflect::RawJson> CellsOf(const reflect::Type& type, const void* object, Time now);

// A row without its object, whose kind's columns these are.
Result<meta::v1::TableRow> TableRowOf(const TableColumns& columns, const reflect::Type& type,
                                      const void* object, Time now);

// The object's type is known. Errors: as of its decoding.
Result<meta::v1::TableRow> TableRowOf(const reflect::Object& object, IncludeObject include,
                                      Time now);

// `objects` are of the kind; in the order that upstream prints lists of it.
Result<meta::v1::Table> TableOf(const Resource& resource,
                                std::span<const reflect::ObjectPtr> objects, IncludeObject include,
                                Time now);

}  // namespace podium::api
