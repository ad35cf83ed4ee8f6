// Tables of custom resources: their columns are what the definition says of the version
// (additionalPrinterColumns), and cells are found by JSONPath (upstream's
// k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor, release 1.36).
#pragma once

#include <span>
#include <vector>

#include "api/time.h"
#include "api/types/apiextensions_v1.h"
#include "api/types/meta_v1.h"
#include "reflect/json_path.h"
#include "reflect/json_value.h"
#include "reflect/values.h"

namespace podium::api {

// Of one version of a definition. Does not change once made: any thread.
class CustomColumns {
 public:
  // Without columns a table has the age. Those from the first bad path on are left out, as upstream
  // does: validation lets no definition have one.
  explicit CustomColumns(
      std::span<const apiextensions::v1::CustomResourceColumnDefinition> columns);

  // The name stands first.
  const reflect::List<meta::v1::TableColumnDefinition>& definitions() const { return definitions_; }

  // One cell for each definition: JSON of the column's type, or null where the object has no value
  // at the path, or has one of another type; a date is shown as how long ago that was.
  reflect::List<reflect::RawJson> CellsOf(const reflect::JsonValue& object, Time now) const;

 private:
  reflect::List<meta::v1::TableColumnDefinition> definitions_;
  std::vector<reflect::JsonPath> paths_;  // of all definitions but the first
};

}  // namespace podium::api
