// Field selectors (upstream's k8s.io/apimachinery/pkg/fields): kubectl's --field-selector and the
// API's fieldSelector parameter.
//
//   metadata.name=x, a==b    the field has this value
//   status.phase!=Running    it has not
//   a=b,c!=d                 all of them
// In values, a comma, an equals sign and a backslash are written \, \= \\. Which fields a kind
// offers is for its owner to say.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace podium::api::fields {

struct Requirement {
  std::string field;
  std::string value;
  bool negated = false;

  std::string String() const;
  friend bool operator==(const Requirement&, const Requirement&) = default;
};

class Selector {
 public:
  // Everything.
  Selector() = default;
  explicit Selector(std::vector<Requirement> requirements)
      : requirements_(std::move(requirements)) {}
  // kInvalidArgument with upstream's message. Requirements are sorted by their text.
  static Result<Selector> Parse(std::string_view text);

  // `get` takes a field's name as a std::string_view and returns its value, "" for an absent one,
  // as something that compares with a string.
  template <class Get>
  bool Matches(Get&& get) const {
    return std::ranges::all_of(requirements_, [&](const Requirement& requirement) {
      return (get(std::string_view(requirement.field)) == requirement.value) != requirement.negated;
    });
  }
  bool Empty() const { return requirements_.empty(); }
  const std::vector<Requirement>& requirements() const { return requirements_; }
  // The one value that the field must have, if the selector says so.
  std::optional<std::string> RequiresExactMatch(std::string_view field) const;
  // The canonical text, which Parse reads.
  std::string String() const;

  friend bool operator==(const Selector&, const Selector&) = default;

 private:
  std::vector<Requirement> requirements_;
};

// The value with its special characters escaped, and the reverse.
std::string EscapeValue(std::string_view value);
Result<std::string> UnescapeValue(std::string_view text);

}  // namespace podium::api::fields
