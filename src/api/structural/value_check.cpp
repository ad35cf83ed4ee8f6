// Whether a value meets a schema: what kube-openapi's SchemaValidator does, and what apiextensions
// makes of its errors. The validators stand in its order, as the order of errors shows, and count
// matches as it does, as that decides which branch of an anyOf is blamed.
#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "api/structural/custom_resource.h"
#include "api/structural/formats.h"
#include "api/structural/numbers.h"
#include "api/structural/old_values.h"
#include "api/structural/value_type.h"
#include "reflect/json.h"
#include "reflect/number_text.h"
#include "reflect/utf8.h"

namespace podium::api {
namespace {

using field::BadValue;
using field::Path;
using reflect::JsonValue;
using reflect::Number;
using reflect::Structural;

// Bytes of the texts of errors until the rest of the errors is one. A path may be as long as the
// value, or an enum as the schema, and stand in the message of every element of a list. Less than
// what a list of errors takes, so that the last one has room.
constexpr size_t kMaxMessages = size_t{3} << 20;

// The error and the message that tells it from others.
struct Finding {
  std::string message;
  field::Error error;
};

// What came of one value and one schema.
struct Outcome {
  std::vector<Finding> findings;
  std::set<std::string> messages;
  size_t matches = 0;

  bool valid() const { return findings.empty(); }
  void Add(std::string message, field::Error error) {
    if (messages.insert(message).second) {
      findings.push_back({std::move(message), std::move(error)});
    }
  }
  void Merge(Outcome other) {
    matches += other.matches;
    if (findings.empty()) {
      findings = std::move(other.findings);
      messages = std::move(other.messages);
      return;
    }
    for (Finding& finding : other.findings)
      Add(std::move(finding.message), std::move(finding.error));
  }
};

int64_t RuneCount(std::string_view text) {
  int64_t count = 0;
  reflect::ForEachRune(text, [&](size_t, char32_t) { ++count; });
  return count;
}

class Validator {
 public:
  explicit Validator(const Path& path) : root_(path) {}

  Outcome Value(const Structural& schema, const JsonValue& value, const JsonValue* old) {
    const size_t bytes_before = message_bytes_;
    Outcome outcome = NewValue(schema, value, old);
    // What was wrong before may stay so.
    if (!outcome.valid() && old && Equivalent(value, *old)) {
      outcome.findings.clear();
      outcome.messages.clear();
      message_bytes_ = bytes_before;
    }
    return outcome;
  }

 private:
  Outcome NewValue(const Structural& schema, const JsonValue& value, const JsonValue* old) {
    Outcome out;
    const bool null = value.is_null();
    if (null || schema.int_or_string || !schema.type.empty() || !FormatOf(schema).empty()) {
      Type(schema, value, &out);
      if (!null) ++out.matches;
    }
    if (null) {
      Enum(schema, value, &out);
      return out;
    }
    out.Merge(Junctors(schema, value, old));
    ++out.matches;
    if (value.is_string()) {
      String(schema, value.string(), &out);
      ++out.matches;
      if (!FormatOf(schema).empty() && IsKnownFormat(schema.format)) {
        Format(schema, value.string(), &out);
        ++out.matches;
      }
    }
    if (value.is_number()) {
      Numeric(schema, value, &out);
      out.matches += 2;
    }
    if (value.is_array()) {
      List(schema, value, old, &out);
      out.matches += 2;
    }
    Enum(schema, value, &out);
    ++out.matches;
    if (value.is_object()) {
      Object(schema, value, old, &out);
      ++out.matches;
    }
    ++out.matches;
    return out;
  }

  // Where the errors of kube-openapi's `name` stand.
  std::string FieldOf(std::string_view name) const {
    if (name.empty() || name == ".") return root_.String();
    if (name.starts_with('.')) name.remove_prefix(1);
    return root_.Child(name).String();
  }

  // Whether there is no room for one more error, which is then one of the rest.
  bool IsFull(Outcome* out) const {
    if (message_bytes_ < kMaxMessages) return false;
    const std::string rest(field::kNoMoreErrors);
    out->Add(rest, {field::ErrorType::kInvalid, root_.String(), BadValue("").text(), rest});
    return true;
  }
  void Add(std::string message, field::Error error, Outcome* out) {
    message_bytes_ += error.field.size() + error.bad_value.size() + error.detail.size();
    out->Add(std::move(message), std::move(error));
  }
  void AddAt(std::string_view name, std::string_view problem, field::ErrorType type,
             const BadValue& value, Outcome* out) {
    if (IsFull(out)) return;
    std::string message = std::string(name) + " in body " + std::string(problem);
    field::Error error{type, FieldOf(name), value.text(), message};
    Add(std::move(message), std::move(error), out);
  }
  void AddInvalid(std::string_view problem, const BadValue& value, Outcome* out) {
    AddAt(path_, problem, field::ErrorType::kInvalid, value, out);
  }
  // Of no single value.
  void AddWhole(std::string_view problem, Outcome* out) {
    if (IsFull(out)) return;
    std::string message = reflect::GoQuoted(path_) + " " + std::string(problem);
    field::Error error{field::ErrorType::kInvalid, root_.String(), BadValue("").text(), message};
    Add(std::move(message), std::move(error), out);
  }
  // One whose text tells less than its message.
  void AddOther(std::string_view problem, field::Error error, Outcome* out) {
    if (IsFull(out)) return;
    error.field = FieldOf(path_);
    Add(path_ + " in body " + std::string(problem), std::move(error), out);
  }

  void AddType(std::string_view wanted, std::string_view got, Outcome* out) {
    AddAt(path_, "must be of type " + std::string(wanted) + ": " + reflect::GoQuoted(got),
          field::ErrorType::kTypeInvalid, got, out);
  }

  void Type(const Structural& schema, const JsonValue& value, Outcome* out) {
    const ValueType actual = TypeOfValue(value);
    const bool typed = schema.int_or_string || !schema.type.empty();
    if (value.is_null()) {
      if (typed && !schema.nullable) return AddType(TypeText(schema), actual.type, out);
      ++out->matches;
      return;
    }
    const bool whole_float = actual.type == "number" && AllowsType(schema, "integer") &&
                             IsNearlyWhole(reflect::ReadJsonNumber(value.number()).AsDouble());
    const bool integer_for_number = actual.type == "integer" && AllowsType(schema, "number");
    const bool fits = AllowsType(schema, actual.type) || whole_float || integer_for_number;
    const std::string_view format = FormatOf(schema);
    const bool text_or_list = value.is_string() || value.is_array();
    if (!text_or_list && !format.empty() && !fits && format != actual.format) {
      return AddType(format, actual.format, out);
    }
    const bool numeric = AllowsType(schema, "number") || AllowsType(schema, "integer");
    // Formats of strings are another validator's, and it lets lists pass.
    if (!(text_or_list && !format.empty() && !numeric) && !fits) {
      return AddType(TypeText(schema), actual.type, out);
    }
    ++out->matches;
  }

  void AnyOf(const Structural& schema, const JsonValue& value, const JsonValue* old, Outcome* out) {
    std::optional<Outcome> best;
    for (const Structural& branch : schema.any_of) {
      Outcome outcome = Value(branch, value, old);
      if (outcome.valid()) return out->Merge(std::move(outcome));
      if (!best || outcome.matches > best->matches) best = std::move(outcome);
    }
    AddWhole("must validate at least one schema (anyOf)", out);
    out->Merge(*std::move(best));
  }

  void OneOf(const Structural& schema, const JsonValue& value, const JsonValue* old, Outcome* out) {
    std::optional<Outcome> best;
    std::optional<Outcome> first;
    size_t valid = 0;
    for (const Structural& branch : schema.one_of) {
      Outcome outcome = Value(branch, value, old);
      if (outcome.valid()) {
        if (++valid == 1) first = std::move(outcome);
      } else if (valid == 0 && (!best || outcome.matches > best->matches)) {
        best = std::move(outcome);
      }
    }
    if (valid == 1) return out->Merge(*std::move(first));
    AddWhole("must validate one and only one schema (oneOf). " +
                 (valid == 0 ? "Found none valid"
                             : "Found " + std::to_string(valid) + " valid alternatives"),
             out);
    if (valid == 0) out->Merge(*std::move(best));
  }

  Outcome Junctors(const Structural& schema, const JsonValue& value, const JsonValue* old) {
    Outcome out;
    if (!schema.any_of.empty()) AnyOf(schema, value, old, &out);
    if (!schema.one_of.empty()) OneOf(schema, value, old, &out);
    size_t valid = 0;
    for (const Structural& branch : schema.all_of) {
      Outcome outcome = Value(branch, value, old);
      if (outcome.valid()) ++valid;
      out.Merge(std::move(outcome));
    }
    if (valid < schema.all_of.size()) {
      AddWhole(std::string("must validate all the schemas (allOf)") +
                   (valid == 0 ? ". None validated" : ""),
               &out);
    }
    if (schema.not_ && Value(*schema.not_, value, old).valid()) {
      AddWhole("must not validate the schema (not)", &out);
    }
    ++out.matches;
    return out;
  }

  // The first of these that fails.
  void String(const Structural& schema, const std::string& text, Outcome* out) {
    const int64_t length = schema.max_length || schema.min_length ? RuneCount(text) : 0;
    if (schema.max_length && length > *schema.max_length) {
      return AddOther("should be at most " + std::to_string(*schema.max_length) + " chars long",
                      field::TooLong(Path(), *schema.max_length), out);
    }
    if (schema.min_length && length < *schema.min_length) {
      return AddInvalid("should be at least " + std::to_string(*schema.min_length) + " chars long",
                        text, out);
    }
    const reflect::SchemaPattern& pattern = schema.pattern;
    if (pattern.text.empty()) return;
    const std::optional<bool> matches = pattern.regexp ? pattern.regexp->Match(text) : false;
    if (matches.value_or(false) || IsFull(out)) return;
    std::string problem = "should match '" + pattern.text;
    if (!pattern.regexp) problem += ", but pattern is invalid: " + pattern.problem;
    problem += '\'';
    if (!matches) problem += ", which takes too long to find out";
    AddInvalid(problem, text, out);
  }

  void Format(const Structural& schema, const std::string& text, Outcome* out) {
    if (!HasFormat(schema.format, text)) AddType(schema.format, text, out);
  }

  // Integers are compared with the bounds cut off to integers, as upstream does.
  void Numeric(const Structural& schema, const JsonValue& value, Outcome* out) {
    const Number number = reflect::ReadJsonNumber(value.number());
    const BadValue bad = BadJsonValue(value);
    if (schema.multiple_of) MultipleOf(number, *schema.multiple_of, bad, out);
    const auto bound_text = [&](double bound) {
      return number.is_integer ? std::to_string(Whole(bound)) : DoubleText(bound);
    };
    // -1, 0 or 1.
    const auto compare = [&](double bound) {
      if (number.is_integer) {
        const int64_t whole = Whole(bound);
        return number.integer < whole ? -1 : number.integer > whole ? 1 : 0;
      }
      return number.floating < bound ? -1 : number.floating > bound ? 1 : 0;
    };
    if (schema.minimum) {
      const int order = compare(*schema.minimum);
      if (order < 0 || (order == 0 && schema.exclusive_minimum)) {
        AddInvalid("should be greater than " +
                       std::string(schema.exclusive_minimum ? "" : "or equal to ") +
                       bound_text(*schema.minimum),
                   bad, out);
      }
    }
    if (schema.maximum) {
      const int order = compare(*schema.maximum);
      if (order > 0 || (order == 0 && schema.exclusive_maximum)) {
        AddInvalid("should be less than " +
                       std::string(schema.exclusive_maximum ? "" : "or equal to ") +
                       bound_text(*schema.maximum),
                   bad, out);
      }
    }
  }

  void MultipleOf(const Number& number, double factor, const BadValue& bad, Outcome* out) {
    if (factor < 0) {
      if (IsFull(out)) return;
      std::string message =
          "factor MultipleOf declared for " + path_ + " must be positive: " +
          (number.is_integer ? std::to_string(Whole(factor)) : DoubleText(factor));
      field::Error error{field::ErrorType::kInvalid, FieldOf(path_),
                         number.is_integer ? std::to_string(Whole(factor)) : DoubleText(factor),
                         message};
      return Add(std::move(message), std::move(error), out);
    }
    // Where the factor is no integer (upstream divides by zero below one), by its value.
    const bool whole = number.is_integer && std::trunc(factor) == factor && factor >= 1;
    bool multiple = false;
    if (whole) {
      multiple = number.integer % Whole(factor) == 0;
    } else {
      const double value = number.AsDouble();
      multiple = factor > 0 && IsNearlyWhole(factor < 1 ? 1 / factor * value : value / factor);
    }
    if (multiple) return;
    AddInvalid(
        "should be a multiple of " + (whole ? std::to_string(Whole(factor)) : DoubleText(factor)),
        bad, out);
  }

  void List(const Structural& schema, const JsonValue& value, const JsonValue* old, Outcome* out) {
    const JsonValue::Array& elements = value.array();
    const OldElements old_elements(schema, old);
    const size_t size = path_.size();
    for (size_t i = 0; schema.items && i < elements.size(); ++i) {
      path_ += '[' + std::to_string(i) + ']';
      out->Merge(Value(*schema.items, elements[i], old_elements.Find(elements[i])));
      path_.resize(size);
    }
    const auto count = static_cast<int64_t>(elements.size());
    if (schema.min_items && count < *schema.min_items) {
      AddInvalid("should have at least " + std::to_string(*schema.min_items) + " items", count,
                 out);
    }
    if (schema.max_items && count > *schema.max_items) {
      AddOther("should have at most " + std::to_string(*schema.max_items) + " items",
               field::TooMany(Path(), count, *schema.max_items), out);
    }
    if (schema.unique_items && HasDuplicates(elements)) {
      AddInvalid("shouldn't contain duplicates", "", out);
    }
  }

  static bool HasDuplicates(const JsonValue::Array& elements) {
    std::set<std::string> seen;
    return !std::ranges::all_of(elements, [&](const JsonValue& element) {
      return seen.insert(ToText(element, {.sort_keys = true, .canonical_numbers = true})).second;
    });
  }

  void Enum(const Structural& schema, const JsonValue& value, Outcome* out) {
    const auto is_value = [&](const JsonValue& allowed) { return EqualsEnumValue(value, allowed); };
    if (schema.enum_values.empty() || std::ranges::any_of(schema.enum_values, is_value)) return;
    if (IsFull(out)) return;
    std::vector<std::string> supported;
    std::string all;
    for (const JsonValue& allowed : schema.enum_values) {
      supported.push_back(allowed.is_string() ? allowed.string()
                                              : ToText(allowed, {.sort_keys = true}));
      all += ' ' + supported.back();
    }
    AddOther("should be one of" + all, field::NotSupported(Path(), BadJsonValue(value), supported),
             out);
  }

  void Object(const Structural& schema, const JsonValue& value, const JsonValue* old,
              Outcome* out) {
    const auto count = static_cast<int64_t>(value.object().size());
    if (schema.min_properties && count < *schema.min_properties) {
      return AddInvalid(
          "should have at least " + std::to_string(*schema.min_properties) + " properties", count,
          out);
    }
    if (schema.max_properties && count > *schema.max_properties) {
      return AddOther(
          "should have at most " + std::to_string(*schema.max_properties) + " properties",
          field::TooMany(Path(), count, *schema.max_properties), out);
    }
    const SortedMembers members(&value);
    const SortedMembers old_members(old);
    const size_t size = path_.size();
    for (const auto* member : members) {
      if (!schema.has_additional_properties || schema.properties.contains(member->key)) continue;
      if (!schema.allows_additional_properties) {
        if (IsFull(out)) continue;
        std::string message = path_ + '.' + member->key + " in body is a forbidden property";
        field::Error error{field::ErrorType::kInvalid, FieldOf(path_), BadValue(member->key).text(),
                           message};
        Add(std::move(message), std::move(error), out);
      } else if (schema.additional_properties) {
        path_ += '.' + member->key;
        out->Merge(
            Value(*schema.additional_properties, member->value, old_members.Find(member->key)));
        path_.resize(size);
      }
    }
    for (const auto* member : members) {
      const auto property = schema.properties.find(member->key);
      if (property == schema.properties.end()) continue;
      if (size > 0) path_ += '.';
      path_ += member->key;
      out->Merge(Value(property->second, member->value, old_members.Find(member->key)));
      path_.resize(size);
    }
    for (const std::string& name : schema.required) {
      if (members.Find(name) != nullptr) continue;
      if (IsFull(out)) return;
      const std::string at = path_ + '.' + name;
      Add(at + " in body is required", {field::ErrorType::kRequired, FieldOf(at), "", ""}, out);
    }
  }

  const Path& root_;
  std::string path_;  // as kube-openapi writes it: spec.list[0].name, .key of the root's own map
  size_t message_bytes_ = 0;
};

field::ErrorList Errors(Outcome outcome) {
  field::ErrorList errors;
  for (Finding& finding : outcome.findings) errors.Add(std::move(finding.error));
  return errors;
}

}  // namespace

BadValue BadJsonValue(const JsonValue& value) {
  switch (value.kind()) {
    case JsonValue::Kind::kNull:
      return nullptr;
    case JsonValue::Kind::kString:
      return value.string();
    case JsonValue::Kind::kNumber:
      return BadValue::Json(NumberText(reflect::ReadJsonNumber(value.number())));
    default:
      return BadValue::Json(ToText(value, {.sort_keys = true, .canonical_numbers = true}));
  }
}

field::ErrorList ValidateCustomResource(const Structural& schema, const JsonValue& value,
                                        const Path& path) {
  return Errors(Validator(path).Value(schema, value, nullptr));
}

field::ErrorList ValidateCustomResourceUpdate(const Structural& schema, const JsonValue& value,
                                              const JsonValue& old_value, const Path& path) {
  return Errors(Validator(path).Value(schema, value, &old_value));
}

}  // namespace podium::api
