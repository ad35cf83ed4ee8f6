// Descriptors made at run time, for custom resources: from the structural OpenAPI v3 schema of a
// CustomResourceDefinition, types that the engine reads, writes, copies, compares, walks and prunes
// like generated ones.
//
//   TRY(const auto types, RuntimeTypes::FromSchema(schema, {"example.com", "v1", "CronTab"}));
//   AnyObject object(types->root());
//   const auto problems = DecodeJson(json, types->root(), object.get());
//
// What a schema becomes:
//   type: object with properties     a struct, boxed in its field
//   additionalProperties             a map
//   x-kubernetes-preserve-unknown-fields   the struct keeps unknown members as JSON;
//                                    without properties, or without a type: any JSON
//   x-kubernetes-embedded-resource   a struct with apiVersion, kind and metadata as well
//   type: object with none of these  a struct without fields
//   type: array                      a list
//   type: string, boolean            string, bool
//   type: integer, number            a number as upstream's untyped objects hold it (leaf)
//   x-kubernetes-int-or-string       an integer or a string (leaf)
//   nullable                         null is kept and told from absent; otherwise null is absent
// The object itself has kind, apiVersion and metadata before its properties.
//
// Custom resources know no zero values: 0, "", [] and {} are there when they were written, and come
// back so. What a schema says about values (minimum, pattern, enum, rules) is for validation;
// Facts hold its defaults, enums and list keys. There is no protobuf.
//
// Storage: optionals for scalars, boxes for objects, lists and maps of boxes. Where the JSON of a
// value is not that of a C++ type of its own (a list in a list, a nullable), a transparent type
// with one field stands between. Code that walks does not see it; code that asks by path does not
// either.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reflect/json_value.h"
#include "reflect/type.h"

namespace podium::reflect {

struct RuntimeTypeName {
  std::string group;
  std::string version;
  std::string kind;
};

struct RuntimeTypeOptions {
  // The type of metadata, in the object and in embedded resources (ObjectMeta); when null, metadata
  // is any JSON. Must outlive the types.
  const Type* object_meta = nullptr;
  // Nesting of the schema, and the fields of all objects in it; a field takes some 300 bytes.
  size_t max_depth = 100;
  size_t max_fields = 20'000;
};

// The types of one version of a custom resource. Immutable; must outlive every object made by them.
class RuntimeTypes {
 public:
  // `schema` is spec.versions[].schema.openAPIV3Schema.
  //
  // kInvalidArgument, with the place in the schema, when it is not structural: a type missing or
  // unknown, an array without items, properties beside additionalProperties. kUnsupported for a
  // property whose name is longer than 255 bytes. kResourceExhausted at a limit.
  static Result<std::shared_ptr<const RuntimeTypes>> FromSchema(
      const JsonValue& schema, const RuntimeTypeName& name, const RuntimeTypeOptions& options = {});

  RuntimeTypes(const RuntimeTypes&) = delete;
  RuntimeTypes& operator=(const RuntimeTypes&) = delete;
  ~RuntimeTypes();

  const Type& root() const { return *root_; }

 private:
  struct Arena;

  RuntimeTypes();

  std::unique_ptr<Arena> arena_;
  const Type* root_ = nullptr;

  friend class RuntimeTypeBuilder;
};

// What an object of such a type lacks: required fields that are not there, and elements that are
// null where the schema does not allow it. Paths as FieldPath writes them, in the order of a walk.
struct MissingValue {
  std::string path;
  bool is_null = false;  // an element that is null; else a required field

  friend bool operator==(const MissingValue&, const MissingValue&) = default;
};
std::vector<MissingValue> FindMissing(const Type& type, const void* object);

}  // namespace podium::reflect
