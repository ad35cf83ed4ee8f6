// Labels and label selectors (upstream's k8s.io/apimachinery/pkg/labels, and what
// pkg/apis/meta/v1 and its validation say of them, release 1.36).
//
// A selector as text, in kubectl's -l and the API's labelSelector parameter:
//   a=b, a==b, a!=b     equal, not equal (or without the label)
//   a in (b,c)          one of; also notin. Values may be empty: (b,)
//   a, !a               has the label, has it not
//   a>5, a<5            a number, compared as such
//   a=b,!c,d in (e,f)   all of them
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/field_errors.h"
#include "base/result.h"
#include "reflect/values.h"

namespace podium::api::meta::v1 {
struct LabelSelector;
struct LabelSelectorRequirement;
}  // namespace podium::api::meta::v1

namespace podium::api::labels {

using Set = reflect::Map<std::string>;

enum class Operator {
  kIn,
  kNotIn,
  kEquals,
  kDoubleEquals,  // means kEquals, and is printed as it was written
  kNotEquals,
  kExists,
  kDoesNotExist,
  kGreaterThan,
  kLessThan,
};

class Requirement {
 public:
  // kInvalidArgument with upstream's message, which names fields below `path`, when the key or a
  // value is no valid label or the number of values does not fit the operator.
  static Result<Requirement> Create(std::string key, Operator op, reflect::List<std::string> values,
                                    const field::Path& path = field::Path());

  const std::string& key() const { return key_; }
  Operator op() const { return op_; }
  // As given; printed in order.
  const reflect::List<std::string>& values() const { return values_; }

  bool Matches(const Set& labels) const;
  std::string String() const;
  friend bool operator==(const Requirement&, const Requirement&) = default;

 private:
  friend class Selector;
  Requirement(std::string key, Operator op, reflect::List<std::string> values)
      : key_(std::move(key)), op_(op), values_(std::move(values)) {}

  std::string key_;
  Operator op_;
  reflect::List<std::string> values_;
};

// Requirements that all must hold, sorted by key; or nothing. Immutable but for assignment and Add.
class Selector {
 public:
  // Everything.
  Selector() = default;
  static Selector Everything() { return {}; }
  static Selector Nothing();
  // Exactly these labels. They are not checked.
  static Selector FromSet(const Set& labels);
  // kInvalidArgument with upstream's message.
  static Result<Selector> Parse(std::string_view text);

  bool Matches(const Set& labels) const;
  // Restricts nothing.
  bool Empty() const { return !nothing_ && requirements_.empty(); }
  bool MatchesNothing() const { return nothing_; }
  // The canonical text, which Parse reads; "" for everything and, as upstream, for nothing.
  std::string String() const;
  const std::vector<Requirement>& requirements() const { return requirements_; }
  // The one value that the label must have, if the selector says so.
  std::optional<std::string> RequiresExactMatch(std::string_view label) const;
  void Add(std::vector<Requirement> requirements);

  friend bool operator==(const Selector&, const Selector&) = default;

 private:
  std::vector<Requirement> requirements_;
  bool nothing_ = false;
};

// The selector that the API struct means. An absent one selects nothing, an empty one everything.
Result<Selector> LabelSelectorAsSelector(const meta::v1::LabelSelector* selector);
inline Result<Selector> LabelSelectorAsSelector(
    const reflect::Box<meta::v1::LabelSelector>& selector) {
  return LabelSelectorAsSelector(selector.get());
}

}  // namespace podium::api::labels

namespace podium::api {

// Errors stand at `path` itself, for keys and values alike, as upstream's do.
field::ErrorList ValidateLabelName(std::string_view name, const field::Path& path);
field::ErrorList ValidateLabels(const labels::Set& labels, const field::Path& path);

struct LabelSelectorOptions {
  // Values of match expressions are not checked: for updates of objects that have bad ones.
  bool allow_invalid_label_values = false;
  // For access reviews, whose selectors may come from a newer release.
  bool allow_unknown_operator = false;
};
field::ErrorList ValidateLabelSelector(const meta::v1::LabelSelector& selector,
                                       const field::Path& path,
                                       const LabelSelectorOptions& options = {});
field::ErrorList ValidateLabelSelectorRequirement(
    const meta::v1::LabelSelectorRequirement& requirement, const field::Path& path,
    const LabelSelectorOptions& options = {});
// Whether a match expression has a value that is no valid label value.
bool HasInvalidLabelValue(const meta::v1::LabelSelector& selector);

}  // namespace podium::api
