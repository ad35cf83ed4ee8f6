// Fields as people type them behind a resource: pod.spec.containers, deploy.spec.template.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/resource.h"
#include "base/result.h"
#include "reflect/type.h"

namespace podium::cli {

// A place in the API: a resource, and the way from its type to one of its fields.
struct FieldPlace {
  const api::Resource* resource = nullptr;
  std::vector<const reflect::Field*> fields;  // empty: the resource itself

  // The type that the way leads to, or null: the last field holds no struct.
  const reflect::Type* type() const;
};

// Resolves "pod.spec.containers": plural, singular or short name, or the kind, in upper or lower
// case, then names of fields. Lists and maps are passed through, and what stands in brackets is
// passed over, so that paths of messages (spec.containers[0].image) serve as well. `api_version`
// chooses among groups and versions; empty takes the one that is preferred. kNotFound names the
// part that is not there, and what may have been meant.
Result<FieldPlace> FindFieldPlace(std::string_view path, std::string_view api_version);

// Whether the type has fields of its own for people to name.
bool HasFields(const reflect::Field& field);

// For completion: all that `typed` may be continued to, by one name. A single one that has fields
// comes a second time with a dot behind it.
std::vector<std::string> FieldPathsFrom(std::string_view typed);

}  // namespace podium::cli
