#include "api/labels.h"

#include <algorithm>

#include "api/names.h"
#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::api {
namespace labels {
namespace {

bool HasOneValue(Operator op) {
  return op == Operator::kEquals || op == Operator::kDoubleEquals || op == Operator::kNotEquals;
}
bool IsSet(Operator op) { return op == Operator::kIn || op == Operator::kNotIn; }
bool IsUnary(Operator op) { return op == Operator::kExists || op == Operator::kDoesNotExist; }
bool IsOrder(Operator op) { return op == Operator::kGreaterThan || op == Operator::kLessThan; }

std::string_view OperatorText(Operator op) {
  switch (op) {
    case Operator::kIn:
      return " in ";
    case Operator::kNotIn:
      return " notin ";
    case Operator::kEquals:
      return "=";
    case Operator::kDoubleEquals:
      return "==";
    case Operator::kNotEquals:
      return "!=";
    case Operator::kGreaterThan:
      return ">";
    case Operator::kLessThan:
      return "<";
    case Operator::kExists:
    case Operator::kDoesNotExist:
      return "";
  }
  return "";
}

void CheckValueCount(Operator op, const reflect::List<std::string>& values, const field::Path& path,
                     field::ErrorList* errors) {
  const char* problem = nullptr;
  if (IsSet(op) && values.empty()) {
    problem = "for 'in', 'notin' operators, values set can't be empty";
  } else if (HasOneValue(op) && values.size() != 1) {
    problem = "exact-match compatibility requires one single value";
  } else if (IsUnary(op) && !values.empty()) {
    problem = "values set must be empty for exists and does not exist";
  } else if (IsOrder(op) && values.size() != 1) {
    problem = "for 'Gt', 'Lt' operators, exactly one value is required";
  }
  if (problem) errors->Add(field::Invalid(path, values, problem));
}

}  // namespace

Result<Requirement> Requirement::Create(std::string key, Operator op,
                                        reflect::List<std::string> values,
                                        const field::Path& path) {
  field::ErrorList errors;
  if (Messages messages = IsQualifiedName(key); !messages.empty()) {
    errors.Add(field::Invalid(path.Child("key"), key, Join(messages, "; ")));
  }
  field::Path values_path = path.Child("values");
  CheckValueCount(op, values, values_path, &errors);
  for (size_t i = 0; IsOrder(op) && i < values.size(); ++i) {
    if (reflect::ParseGoInt(values[i]).ok()) continue;
    errors.Add(field::Invalid(values_path.Index(i), values[i],
                              "for 'Gt', 'Lt' operators, the value must be an integer"));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    Messages messages = IsValidLabelValue(values[i]);
    if (messages.empty()) continue;
    errors.Add(field::Invalid(values_path.Index(i).Key(key), values[i], Join(messages, "; ")));
  }
  if (!errors.empty()) return Error(Code::kInvalidArgument, errors.AggregateText());
  return Requirement(std::move(key), op, std::move(values));
}

bool Requirement::Matches(const Set& labels) const {
  auto found = labels.find(key_);
  bool exists = found != labels.end();
  switch (op_) {
    case Operator::kIn:
    case Operator::kEquals:
    case Operator::kDoubleEquals:
      return exists && std::ranges::find(values_, found->second) != values_.end();
    case Operator::kNotIn:
    case Operator::kNotEquals:
      return !exists || std::ranges::find(values_, found->second) == values_.end();
    case Operator::kExists:
      return exists;
    case Operator::kDoesNotExist:
      return !exists;
    case Operator::kGreaterThan:
    case Operator::kLessThan: {
      if (!exists) return false;
      Result<int64_t> have = reflect::ParseGoInt(found->second);
      Result<int64_t> want = reflect::ParseGoInt(values_.front());
      if (!have.ok() || !want.ok()) return false;
      return op_ == Operator::kGreaterThan ? *have > *want : *have < *want;
    }
  }
  return false;
}

std::string Requirement::String() const {
  std::string out = op_ == Operator::kDoesNotExist ? "!" + key_ : key_;
  out += OperatorText(op_);
  if (IsUnary(op_)) return out;
  reflect::List<std::string> sorted = values_;
  std::ranges::sort(sorted);
  std::string joined = Join(sorted, ",");
  return IsSet(op_) ? out + "(" + joined + ")" : out + joined;
}

Selector Selector::Nothing() {
  Selector selector;
  selector.nothing_ = true;
  return selector;
}

Selector Selector::FromSet(const Set& labels) {
  Selector selector;
  for (const auto& [key, value] : labels) {
    selector.requirements_.push_back(Requirement(key, Operator::kEquals, {value}));
  }
  return selector;
}

bool Selector::Matches(const Set& labels) const {
  return !nothing_ && std::ranges::all_of(requirements_, [&](const Requirement& requirement) {
    return requirement.Matches(labels);
  });
}

std::string Selector::String() const { return Join(requirements_, ",", &Requirement::String); }

std::optional<std::string> Selector::RequiresExactMatch(std::string_view label) const {
  auto found = std::ranges::find(requirements_, label, &Requirement::key);
  if (found == requirements_.end() || found->values().size() != 1) return {};
  bool exact = found->op() == Operator::kEquals || found->op() == Operator::kDoubleEquals ||
               found->op() == Operator::kIn;
  return exact ? std::optional(found->values().front()) : std::nullopt;
}

void Selector::Add(std::vector<Requirement> requirements) {
  if (nothing_) return;
  for (Requirement& requirement : requirements) {
    auto at = std::ranges::upper_bound(requirements_, requirement.key(), {}, &Requirement::key);
    requirements_.insert(at, std::move(requirement));
  }
}

}  // namespace labels

field::ErrorList ValidateLabelName(std::string_view name, const field::Path& path) {
  field::ErrorList errors;
  errors.AddInvalid(path, name, IsQualifiedName(name));
  return errors;
}

field::ErrorList ValidateLabels(const labels::Set& labels, const field::Path& path) {
  field::ErrorList errors;
  for (const auto& [key, value] : labels) {
    errors.Append(ValidateLabelName(key, path));
    errors.AddInvalid(path, value, IsValidLabelValue(value));
  }
  return errors;
}

}  // namespace podium::api
