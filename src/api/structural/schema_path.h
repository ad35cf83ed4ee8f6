// Paths below a schema, as selectable fields and rules in CEL name them: .spec.replicas,
// .labels['app.kubernetes.io/name'] (upstream's ValidFieldPath of
// k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel, release 1.36).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "reflect/schema/structural.h"

namespace podium::api {

struct SchemaPath {
  std::string text;  // as field paths print: spec.replicas, and [a] for a key of a map
  std::string root;  // the first part of that
  // What the path leads to, a part of the tree that was asked; null where that is a map's value
  // that may be anything.
  const reflect::Structural* schema = nullptr;
};

enum class Brackets { kForbidden, kAllowed };

// kInvalidArgument with upstream's text ("does not refer to a valid field") when the path has
// another form, or leads to nothing that the schema names. Elements of lists have no path.
Result<SchemaPath> FindSchemaPath(const reflect::Structural& schema, std::string_view path,
                                  Brackets brackets);

}  // namespace podium::api
