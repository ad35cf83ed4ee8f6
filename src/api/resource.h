// What the API serves and how it is shown: resources, their subresources and printing columns. The
// tables themselves are generated from schema/resources.table and schema/columns.table into
// "api/types/resources.h" and "api/types/columns.h"; scheme.h looks things up in them.
//
// Everything here is constant and lives as long as the program.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "reflect/type.h"

namespace podium::api {

struct Subresource {
  std::string_view name;  // "status", "exec"
  // The kind that is read and written there, with its own group-version: policy/v1 Eviction.
  std::string_view group;
  std::string_view version;
  std::string_view kind;
  std::span<const std::string_view> verbs;
};

struct Resource {
  std::string_view group;  // "" for core
  std::string_view version;
  std::string_view plural;    // "pods"
  std::string_view singular;  // "pod"; may be empty (metrics)
  std::string_view kind;      // "Pod"
  bool namespaced;
  std::span<const std::string_view> short_names;
  std::span<const std::string_view> categories;
  std::span<const std::string_view> verbs;
  std::span<const std::string_view> field_selectors;  // paths; all that are supported
  std::span<const Subresource> subresources;
  std::string_view storage_version_hash;  // of discovery; may be empty
  // The version of the group that objects are stored in. Where it is not `version`, this resource
  // is a converted view.
  std::string_view stored_version;
  const reflect::Type* type;

  bool HasVerb(std::string_view verb) const;
  // Null when there is none of that name.
  const Subresource* FindSubresource(std::string_view name) const;
};

// A word that people may call a resource by: plural, singular or short name.
struct ResourceName {
  std::string_view name;
  uint16_t resource;  // index into kResources
};

// A column of a Table, as server-side printing makes it.
struct Column {
  std::string_view name;    // "Nominated Node"
  std::string_view type;    // OpenAPI: string, integer, boolean, date
  std::string_view format;  // "name" for the column that holds the object's name, else empty
  int32_t priority;         // 0: always shown; above: in wide output only
  std::string_view cell;    // how the cell is made, for people; terms: schema/columns.table
};

// A condition that a row gets while its object meets `when`.
struct RowCondition {
  std::string_view when;  // "status.phase=Succeeded"
  std::string_view type;
  std::string_view status;
  std::string_view reason;
  std::string_view message;
};

struct TableColumns {
  std::string_view group;
  std::string_view version;
  std::string_view kind;
  std::span<const Column> columns;
  std::span<const RowCondition> conditions;
  std::string_view list_order;                    // for people; empty: by namespace and name
  std::span<const std::string_view> extra_cells;  // cells behind the columns, unannounced
};

}  // namespace podium::api
