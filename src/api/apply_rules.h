// What server-side apply has to know of each resource beyond its types: the fields that writers
// through it or a subresource do not own, and where the scale subresource finds the number of
// replicas. For reflect/apply (field_manager.h, scale_fields.h).
//
// Semantics are those of upstream's registry strategies (GetResetFields, GetResetFieldsFilter),
// release 1.36: what a strategy resets on a write (status on the main resource, spec on status) is
// taken out of the writer's set, so that it is nobody's and no conflict.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "api/resource.h"
#include "reflect/apply/field_set.h"
#include "reflect/apply/scale_fields.h"

namespace podium::api {

// For FieldManagerHooks::filter. Empty where nothing is reset.
using FieldFilter =
    std::function<reflect::FieldSet(std::string_view api_version, const reflect::FieldSet& fields)>;

// Of writes to the resource, or to a subresource of it ("" for the object itself), in every version
// that is served.
FieldFilter OwnedFields(const Resource& resource, std::string_view subresource);

// Of a custom resource. `has_status`: it has the status subresource.
FieldFilter CustomOwnedFields(const std::string& api_version, bool has_status,
                              std::string_view subresource);

// Empty when the resource has no scale subresource.
reflect::ReplicasPaths ReplicasPathsOf(const Resource& resource);

// A version of a custom resource.
struct CustomScale {
  std::string api_version;
  std::string_view
      spec_replicas_path;  // ".spec.replicas"; empty when there is no scale subresource
};
reflect::ReplicasPaths CustomReplicasPaths(std::span<const CustomScale> versions);

}  // namespace podium::api
