// Paths to fields, as people, field selectors, the downward API and validation write them.
//
//   spec.nodeName                fields, joined by dots
//   spec.containers[0].image     an element of a list
//   metadata.labels['a.b/c']     an entry of a map; \' and \\ stand for ' and \ in the quotes
//   metadata.annotations[a/b]    the same in upstream's validation errors
//   data.key                     the same, where the key holds no dot or bracket
//
// The empty path is the whole object.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace podium::reflect {

struct PathStep {
  // A field's name or a map's key. For [3] it is "3", which a map takes as its key.
  std::string name;
  // The element of a list that is meant; only where the step is a number in brackets.
  std::optional<size_t> index;

  friend bool operator==(const PathStep&, const PathStep&) = default;
};

class FieldPath {
 public:
  FieldPath() = default;
  explicit FieldPath(std::vector<PathStep> steps) : steps_(std::move(steps)) {}

  // kInvalidArgument: `field path "a..b": offset 2: expected a name`.
  static Result<FieldPath> Parse(std::string_view text);

  const std::vector<PathStep>& steps() const { return steps_; }
  bool empty() const { return steps_.empty(); }

  // A text that Parse reads as an equal path: names of letters, digits, _, - and $ with dots, all
  // others in quotes.
  std::string Text() const;

  friend bool operator==(const FieldPath&, const FieldPath&) = default;

 private:
  std::vector<PathStep> steps_;
};

// Appends one step to a path's text.
void AppendPathName(std::string_view name, std::string* out);
void AppendPathIndex(size_t index, std::string* out);

}  // namespace podium::reflect
