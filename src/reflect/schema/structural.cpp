#include "reflect/schema/structural.h"

#include <algorithm>
#include <cmath>

#include "reflect/number_text.h"

namespace podium::reflect {
namespace {

Error Unsupported(std::string_view word) {
  return Error(Code::kInvalidArgument,
               "OpenAPIV3Schema '" + std::string(word) + "' is not supported");
}

Error WrongType(std::string_view word, std::string_view expected) {
  return Error(Code::kInvalidArgument, std::string(word) + ": expected " + std::string(expected));
}

// Whether a word that must not be used is there, and more than an empty value.
bool IsUsed(const JsonValue& value) {
  if (value.is_null()) return false;
  if (value.is_string()) return !value.string().empty();
  if (value.is_object()) return !value.object().empty();
  return true;
}

class Reader {
 public:
  explicit Reader(const StructuralLimits& limits) : limits_(limits) {}

  Result<void> Read(const JsonValue& schema, Structural* out) {
    if (!schema.is_object()) return WrongType("schema", "an object");
    if (++schemas_ > limits_.max_schemas || depth_ >= limits_.max_depth) {
      return Error(Code::kResourceExhausted, "the schema is too large");
    }
    ++depth_;
    for (const auto& [word, value] : schema.object()) {
      // null is what is not there, but for a default or an enum's value.
      if (value.is_null()) continue;
      TRY_VOID(ReadWord(word, value, out));
    }
    --depth_;
    return {};
  }

 private:
  struct Strings {
    std::string_view word;
    std::string Structural::* member;
  };
  struct Bools {
    std::string_view word;
    bool Structural::* member;
  };
  struct Doubles {
    std::string_view word;
    std::optional<double> Structural::* member;
  };
  struct Integers {
    std::string_view word;
    std::optional<int64_t> Structural::* member;
  };
  struct Lists {
    std::string_view word;
    std::vector<Structural> Structural::* member;
  };
  struct StringLists {
    std::string_view word;
    std::vector<std::string> Structural::* member;
  };
  struct OptionalStrings {
    std::string_view word;
    std::optional<std::string> Structural::* member;
  };

  static constexpr Strings kStrings[] = {{"type", &Structural::type},
                                         {"title", &Structural::title},
                                         {"description", &Structural::description},
                                         {"format", &Structural::format}};
  static constexpr Bools kBools[] = {
      {"nullable", &Structural::nullable},
      {"exclusiveMaximum", &Structural::exclusive_maximum},
      {"exclusiveMinimum", &Structural::exclusive_minimum},
      {"uniqueItems", &Structural::unique_items},
      {"x-kubernetes-embedded-resource", &Structural::embedded_resource},
      {"x-kubernetes-int-or-string", &Structural::int_or_string}};
  static constexpr Doubles kDoubles[] = {{"maximum", &Structural::maximum},
                                         {"minimum", &Structural::minimum},
                                         {"multipleOf", &Structural::multiple_of}};
  static constexpr Integers kIntegers[] = {{"maxLength", &Structural::max_length},
                                           {"minLength", &Structural::min_length},
                                           {"maxItems", &Structural::max_items},
                                           {"minItems", &Structural::min_items},
                                           {"maxProperties", &Structural::max_properties},
                                           {"minProperties", &Structural::min_properties}};
  static constexpr Lists kLists[] = {{"allOf", &Structural::all_of},
                                     {"anyOf", &Structural::any_of},
                                     {"oneOf", &Structural::one_of}};
  static constexpr StringLists kStringLists[] = {
      {"required", &Structural::required},
      {"x-kubernetes-list-map-keys", &Structural::list_map_keys}};
  static constexpr OptionalStrings kOptionalStrings[] = {
      {"x-kubernetes-list-type", &Structural::list_type},
      {"x-kubernetes-map-type", &Structural::map_type}};

  Result<void> ReadWord(std::string_view word, const JsonValue& value, Structural* out) {
    TRY(const bool plain, ReadPlain(word, value, out));
    if (plain) return {};
    for (const Lists& row : kLists) {
      if (row.word == word) return ReadSchemas(word, value, &(out->*row.member));
    }
    if (word == "properties") return ReadProperties(value, out);
    if (word == "items") return ReadItems(value, out);
    if (word == "additionalProperties") return ReadAdditional(value, out);
    if (word == "not") {
      out->not_ = std::make_unique<Structural>();
      return Read(value, out->not_.get());
    }
    if (word == "default") {
      out->default_value = value;
      return {};
    }
    if (word == "enum") {
      if (!value.is_array()) return WrongType(word, "a list");
      out->enum_values = value.array();
      return {};
    }
    if (word == "pattern") return ReadPattern(value, out);
    return ReadRareWord(word, value, out);
  }

  // True when the word is one of the tables'.
  static Result<bool> ReadPlain(std::string_view word, const JsonValue& value, Structural* out) {
    for (const Strings& row : kStrings) {
      if (row.word != word) continue;
      if (!value.is_string()) return WrongType(word, "a string");
      out->*row.member = value.string();
      return true;
    }
    for (const Bools& row : kBools) {
      if (row.word != word) continue;
      if (!value.is_bool()) return WrongType(word, "a boolean");
      out->*row.member = value.boolean();
      return true;
    }
    for (const OptionalStrings& row : kOptionalStrings) {
      if (row.word != word) continue;
      if (!value.is_string()) return WrongType(word, "a string");
      out->*row.member = value.string();
      return true;
    }
    return ReadNumberOrStrings(word, value, out);
  }

  static Result<bool> ReadNumberOrStrings(std::string_view word, const JsonValue& value,
                                          Structural* out) {
    for (const Doubles& row : kDoubles) {
      if (row.word != word) continue;
      if (!value.is_number()) return WrongType(word, "a number");
      const double number = ReadJsonNumber(value.number()).AsDouble();
      if (!std::isfinite(number)) return WrongType(word, "a number that fits into a double");
      out->*row.member = number;
      return true;
    }
    for (const Integers& row : kIntegers) {
      if (row.word != word) continue;
      const Number number = value.is_number() ? ReadJsonNumber(value.number()) : Number();
      if (!number.is_integer) return WrongType(word, "an integer");
      out->*row.member = number.integer;
      return true;
    }
    for (const StringLists& row : kStringLists) {
      if (row.word != word) continue;
      if (!value.is_array()) return WrongType(word, "a list");
      for (const JsonValue& element : value.array()) {
        if (!element.is_string()) return WrongType(word, "a list of strings");
        (out->*row.member).push_back(element.string());
      }
      return true;
    }
    return false;
  }

  Result<void> ReadSchemas(std::string_view word, const JsonValue& value,
                           std::vector<Structural>* out) {
    if (!value.is_array()) return WrongType(word, "a list");
    for (const JsonValue& schema : value.array()) TRY_VOID(Read(schema, &out->emplace_back()));
    return {};
  }

  Result<void> ReadProperties(const JsonValue& value, Structural* out) {
    if (!value.is_object()) return WrongType("properties", "an object");
    for (const auto& [name, schema] : value.object()) {
      TRY_VOID(Read(schema, &out->properties[name]));
    }
    return {};
  }

  Result<void> ReadItems(const JsonValue& value, Structural* out) {
    if (value.is_array()) {
      if (value.array().empty()) return {};
      return Error(Code::kInvalidArgument,
                   "OpenAPIV3Schema 'items' must be a schema, but is an array");
    }
    out->items = std::make_unique<Structural>();
    return Read(value, out->items.get());
  }

  Result<void> ReadAdditional(const JsonValue& value, Structural* out) {
    out->has_additional_properties = true;
    if (value.is_bool()) {
      out->allows_additional_properties = value.boolean();
      return {};
    }
    out->allows_additional_properties = true;
    out->additional_properties = std::make_unique<Structural>();
    return Read(value, out->additional_properties.get());
  }

  static Result<void> ReadPattern(const JsonValue& value, Structural* out) {
    if (!value.is_string()) return WrongType("pattern", "a string");
    out->pattern.text = value.string();
    if (out->pattern.text.empty()) return {};
    auto regexp = Regexp::Compile(out->pattern.text);
    if (regexp.ok()) {
      out->pattern.regexp = std::make_shared<const Regexp>(*std::move(regexp));
    } else {
      out->pattern.problem = regexp.error().message();
    }
    return {};
  }

  static Result<void> ReadRareWord(std::string_view word, const JsonValue& value, Structural* out) {
    if (word == "x-kubernetes-preserve-unknown-fields") {
      if (!value.is_bool()) return WrongType(word, "a boolean");
      if (!value.boolean()) {
        return Error(Code::kInvalidArgument,
                     "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or "
                     "undefined");
      }
      out->preserve_unknown_fields = true;
      return {};
    }
    if (word == "x-kubernetes-validations") {
      if (!value.is_array()) return WrongType(word, "a list");
      out->has_validations = !value.array().empty();
      return {};
    }
    if (word == "externalDocs") {
      out->has_external_docs = true;
      return {};
    }
    // For people.
    if (word == "example") return {};
    if (word == "$schema")
      return IsUsed(value) ? Result<void>(Unsupported("schema")) : Result<void>();
    for (const std::string_view forbidden :
         {"id", "$ref", "patternProperties", "dependencies", "additionalItems", "definitions"}) {
      if (word == forbidden)
        return IsUsed(value) ? Result<void>(Unsupported(word)) : Result<void>();
    }
    return Error(Code::kInvalidArgument, "unknown word " + std::string(word) + " in a schema");
  }

  const StructuralLimits& limits_;
  size_t schemas_ = 0;
  size_t depth_ = 0;
};

}  // namespace

const Structural* Structural::SchemaOf(std::string_view member) const {
  const auto property = properties.find(member);
  return property != properties.end() ? &property->second : additional_properties.get();
}

Result<std::unique_ptr<Structural>> ParseStructural(const JsonValue& schema,
                                                    const StructuralLimits& limits) {
  auto out = std::make_unique<Structural>();
  TRY_VOID(Reader(limits).Read(schema, out.get()));
  return out;
}

bool HasCelRules(const Structural& schema) {
  const auto any = [](const std::vector<Structural>& schemas) {
    return std::ranges::any_of(schemas, HasCelRules);
  };
  const auto has = [](const std::unique_ptr<Structural>& inner) {
    return inner && HasCelRules(*inner);
  };
  return schema.has_validations || has(schema.items) || has(schema.additional_properties) ||
         has(schema.not_) || any(schema.all_of) || any(schema.any_of) || any(schema.one_of) ||
         std::ranges::any_of(schema.properties,
                             [](const auto& property) { return HasCelRules(property.second); });
}

}  // namespace podium::reflect
