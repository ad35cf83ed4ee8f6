// Structural schemas: the OpenAPI v3 schemas of custom resources, as upstream's apiextensions
// server takes them (k8s.io/apiextensions-apiserver/pkg/apiserver/schema), read once and then asked
// about many values.
//
// Here is the tree and what it does to values that are right or wrong: dropping unknown members,
// dropping nulls, filling in defaults. Whether a schema is structural and whether a value meets it
// are questions with field errors for an answer: api/structural/.
//
// Trees are immutable once made, but for PruneDefaults; any thread may use them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reflect/json_value.h"
#include "reflect/regexp/regexp.h"
#include "reflect/values.h"

namespace podium::reflect {

// A pattern with what became of it. Patterns that Go would not compile are kept: the check of the
// schema names them, and no string matches them.
struct SchemaPattern {
  std::string text;  // empty: none
  std::shared_ptr<const Regexp> regexp;
  std::string problem;  // why there is no regexp
};

// One schema: upstream's Structural and NestedValueValidation, which differ in what the check of a
// schema allows them to hold.
struct Structural {
  // What shapes the value.
  std::string type;  // "": any
  std::string title;
  std::string description;
  bool nullable = false;
  std::optional<JsonValue> default_value;  // never null
  bool has_external_docs = false;
  std::unique_ptr<Structural> items;
  Map<Structural> properties;
  bool has_additional_properties = false;
  bool allows_additional_properties = false;          // false only for `false` itself
  std::unique_ptr<Structural> additional_properties;  // null for true and false

  // x-kubernetes-...
  bool preserve_unknown_fields = false;
  bool embedded_resource = false;
  bool int_or_string = false;
  std::vector<std::string> list_map_keys;
  std::optional<std::string> list_type;
  std::optional<std::string> map_type;
  bool has_validations = false;  // rules in CEL, which nothing here evaluates

  // What the value is checked for.
  std::string format;
  std::optional<double> maximum;
  std::optional<double> minimum;
  std::optional<double> multiple_of;
  bool exclusive_maximum = false;
  bool exclusive_minimum = false;
  bool unique_items = false;
  std::optional<int64_t> max_length;
  std::optional<int64_t> min_length;
  std::optional<int64_t> max_items;
  std::optional<int64_t> min_items;
  std::optional<int64_t> max_properties;
  std::optional<int64_t> min_properties;
  SchemaPattern pattern;
  std::vector<JsonValue> enum_values;
  std::vector<std::string> required;
  std::vector<Structural> all_of;
  std::vector<Structural> any_of;
  std::vector<Structural> one_of;
  std::unique_ptr<Structural> not_;

  // The schema of a member: its own, or that of all others; null when there is none.
  const Structural* SchemaOf(std::string_view member) const;
};

struct StructuralLimits {
  size_t max_depth = 100;
  size_t max_schemas = 50'000;
};

// `schema` is spec.versions[].schema.openAPIV3Schema.
//
// kInvalidArgument with upstream's text where it holds what no schema of a custom resource may hold
// ("OpenAPIV3Schema '$ref' is not supported"), and where a word has a value of another JSON type or
// is none that there is. kResourceExhausted at a limit.
Result<std::unique_ptr<Structural>> ParseStructural(const JsonValue& schema,
                                                    const StructuralLimits& limits = {});

// Whether any schema of the tree has x-kubernetes-validations: rules in CEL are not evaluated, and
// who stores a definition must say so to whoever wrote it.
bool HasCelRules(const Structural& schema);

struct SchemaPruneOptions {
  // The value is a whole object: its apiVersion, kind and metadata stay.
  bool is_resource_root = true;
  // Paths that are returned at most; everything is dropped in any case.
  size_t max_paths = 100;
};

// Drops the members that no schema names, at every depth, but for those below
// x-kubernetes-preserve-unknown-fields. A null schema drops all members of objects. Returns the
// paths, as FieldPath writes them, in the order of the value.
std::vector<std::string> PruneValue(const Structural* schema, JsonValue* value,
                                    const SchemaPruneOptions& options = {});

// Drops nulls that the schema does not allow and has no default for.
void DropNulls(const Structural& schema, JsonValue* value);

struct DefaultLimits {
  // Of all that is filled in: 32 for each value, and the bytes of keys and texts. A default stands
  // in every element of a list, and holds lists whose elements have defaults: in a few of them,
  // more than any memory has.
  size_t max_bytes = size_t{16} << 20;
};

// Fills in defaults, also in place of nulls that are not allowed, outside before inside, so that a
// default is completed by those below it. DropNulls comes first. kResourceExhausted at the limit;
// the value then has some of its defaults.
Result<void> ApplyDefaults(const Structural& schema, JsonValue* value,
                           const DefaultLimits& limits = {});

// Drops from the defaults of the whole tree what the schema itself would drop from them, as
// upstream does when it begins to serve a definition that was stored before that was checked.
void PruneDefaults(Structural* schema);

}  // namespace podium::reflect
