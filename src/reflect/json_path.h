// JSONPath templates, as kubectl -o jsonpath, jsonpath-as-json, custom-columns and --sort-by take
// them: upstream's k8s.io/client-go/util/jsonpath with its messages and its corner cases.
//
//   {.metadata.name}                         fields; \. stands for a dot in a name
//   {.items[0]['metadata.name']}             elements, fields in brackets
//   {.items[-1]} {.items[1:5:2]} {.items[*]}  from the end, slices with a step, all
//   {.items[*]['kind', 'metadata.name']}     unions
//   {..name} {.metadata.*}                   at any depth, every member
//   {.items[?(@.status.phase=="Running")]}   filters: == != < <= > >=, or the path alone: it exists
//   {range .items[*]}{.metadata.name}{"\n"}{end}   loops; text stands between the braces
//
// The data is a tree of JSON, whose numbers are integers where they can be, as in upstream's
// untyped objects: comparing an integer with a fraction is an error there and here. Members are met
// in the order of the tree where upstream's is random, and beyond ASCII every character may begin a
// name.
//
// Hostile templates cost bounded time: what one evaluation may touch is limited.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reflect/json_value.h"

namespace podium::reflect {

struct JsonPathNode;

struct JsonPathOptions {
  // A field that is nowhere gives nothing rather than the error "name is not found". kubectl's
  // default.
  bool allow_missing_keys = false;
  // Values that one evaluation may meet.
  size_t max_values = size_t{4} << 20;
};

// What a template found: a set of values for each text and each {..} met. Points into the data, the
// template and itself.
struct JsonPathResults {
  // Null where there is no value at all: a loop over null.
  using Values = std::vector<const JsonValue*>;
  std::vector<Values> sets;
  std::deque<JsonValue> made;  // values that are in neither
};

class JsonPath {
 public:
  // kInvalidArgument with upstream's message: "unclosed action".
  static Result<JsonPath> Parse(std::string_view text);

  JsonPath(JsonPath&&) noexcept;
  JsonPath& operator=(JsonPath&&) noexcept;
  ~JsonPath();

  // kInvalidArgument with upstream's message ("hello is not found"); kResourceExhausted at the
  // limit.
  Result<JsonPathResults> Find(const JsonValue& data, const JsonPathOptions& options = {}) const;

  // Appends what -o jsonpath prints: within a set a space between values; strings bare, null as
  // <nil>, objects and lists as JSON with sorted keys. Errors as of Find; *out is then unchanged.
  Result<void> Execute(const JsonValue& data, std::string* out,
                       const JsonPathOptions& options = {}) const;
  // Appends what -o jsonpath-as-json prints: each set as an indented list on lines of its own.
  Result<void> ExecuteAsJson(const JsonValue& data, std::string* out,
                             const JsonPathOptions& options = {}) const;
  // What a cell of -o custom-columns shows: values in Go's form (map[a:1 b:[x y]]) with commas
  // between them, <none> where there are none. Control characters are the printer's concern.
  Result<std::string> Cell(const JsonValue& data) const;

 private:
  explicit JsonPath(std::unique_ptr<JsonPathNode> root);

  std::unique_ptr<JsonPathNode> root_;
};

// The relaxed form of custom-columns and --sort-by: metadata.name, .metadata.name, {metadata.name}
// and {.metadata.name} become {.metadata.name}. Empty stays empty.
Result<std::string> RelaxedJsonPath(std::string_view expression);

// A value as Go's fmt prints it: map[a:1 b:[x y]], <nil>, 1e+06.
void AppendGoValue(const JsonValue& value, std::string* out);

}  // namespace podium::reflect
