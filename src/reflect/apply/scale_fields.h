// Who owns the number of replicas of an object, between its managedFields and those of its scale
// subresource, whose kind is another one (autoscaling/v1 Scale).
//
// Semantics are those of upstream's managedfields.ScaleHandler (apimachinery v0.36). A write to
// the scale goes over the Scale that ManagedFieldsOfScale gives, by a FieldManager of subresource
// "scale"; what that leaves goes back by ManagedFieldsAfterScale.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "reflect/apply/field_set.h"
#include "reflect/json_value.h"

namespace podium::reflect {

// Where an object has the number, by its version: {"apps/v1": .spec.replicas}. The path is empty in
// a version that has no scale subresource; all that are served are there.
using ReplicasPaths = std::map<std::string, FieldPathElements, std::less<>>;

// The metadata.managedFields of the Scale, from those of the object (null when there are none):
// who owns the number, in the version of Scale. Null when nobody does. Errors are those of
// CheckManagedFields.
Result<JsonValue> ManagedFieldsOfScale(const JsonValue* entries, const ReplicasPaths& paths);

// The object's after a write to the scale left `scale_entries`. Who does not own the number there
// does not own it here either; who does, but not here, has an entry of his own in `api_version`.
// Entries of versions that are not known are dropped.
Result<JsonValue> ManagedFieldsAfterScale(const JsonValue* entries, const JsonValue* scale_entries,
                                          const std::string& api_version,
                                          const ReplicasPaths& paths);

}  // namespace podium::reflect
