// What structural schemas say about themselves and about values, in upstream's words
// (k8s.io/apiextensions-apiserver/pkg/apiserver/schema and .../validation,
// k8s.io/kube-openapi/pkg/validation, release 1.36).
//
// A server that stores a custom resource asks in this order: PruneValue and DropNulls and
// ApplyDefaults (reflect/schema/structural.h), CoerceMetadata, then the three Validate functions,
// whose errors it joins. One that stores a definition asks ValidateStructural and ValidateDefaults
// for each version; rules in CEL are nobody's here (reflect::HasCelRules).
//
// Upstream walks members in the random order of Go's maps; here it is the order of their names.
// Time is linear in schema times value at the worst: each part of a value is seen once by every
// schema that is for it. All errors are returned, each once; of ValidateCustomResource
// those of the first four megabytes of messages, and one that stands for the rest.
#pragma once

#include "api/field_errors.h"
#include "reflect/json_value.h"
#include "reflect/schema/structural.h"

namespace podium::api {

// What keeps the schema from being structural, sorted by text as upstream does. `path` is that of
// the schema: spec.versions[0].schema.openAPIV3Schema.
field::ErrorList ValidateStructural(const reflect::Structural& schema, const field::Path& path);

// That each default is a value that the schema keeps and allows. With `require_pruned` unknown
// members are errors, as they are when a definition is written. `is_root`: the schema is that of a
// whole object.
field::ErrorList ValidateDefaults(const reflect::Structural& schema, bool is_root,
                                  bool require_pruned, const field::Path& path);

// That a value meets the schema. The paths of errors stand below `path`; of a whole object that is
// Path(), and problems that are no single value's, as of anyOf, have the path "<nil>".
field::ErrorList ValidateCustomResource(const reflect::Structural& schema,
                                        const reflect::JsonValue& value, const field::Path& path);

// The same for a value that replaces another one: what has not changed may stay as it is, wrong or
// not. Elements of lists go together by their keys, or by their place where the list has no type.
field::ErrorList ValidateCustomResourceUpdate(const reflect::Structural& schema,
                                              const reflect::JsonValue& value,
                                              const reflect::JsonValue& old_value,
                                              const field::Path& path);

// That no element comes twice in the lists that are sets or maps.
field::ErrorList ValidateListSetsAndMaps(const reflect::Structural& schema,
                                         const reflect::JsonValue& value, const field::Path& path);

// That embedded resources, and with `is_root` the value itself, have a kind, an apiVersion and
// metadata as objects have them.
field::ErrorList ValidateEmbeddedMetadata(const reflect::Structural& schema,
                                          const reflect::JsonValue& value, bool is_root,
                                          const field::Path& path);

// Gives the metadata of embedded resources, and with `is_root` of the value itself, the form of
// ObjectMeta, without members that that does not have. What cannot be read is an error, the first
// one; with `drop_invalid` it is dropped instead.
field::ErrorList CoerceMetadata(const reflect::Structural& schema, bool is_root, bool drop_invalid,
                                const field::Path& path, reflect::JsonValue* value);

// A value as messages print it.
field::BadValue BadJsonValue(const reflect::JsonValue& value);

}  // namespace podium::api
