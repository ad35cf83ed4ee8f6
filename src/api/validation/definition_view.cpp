#include "api/validation/definition_view.h"

#include <algorithm>
#include <string>
#include <utility>

#include "api/validation/common.h"
#include "api/validation/unversioned_json.h"
#include "reflect/json.h"

namespace podium::api {

using apiextensions::v1::CustomResourceDefinitionSpec;
using apiextensions::v1::CustomResourceValidation;
using apiextensions::v1::JSONSchemaProps;
using reflect::JsonValue;

namespace {

// Numbers and the members of values as Go prints what it has read.
constexpr reflect::JsonPrintOptions kAsGo{.sort_keys = true, .canonical_numbers = true};

constexpr SchemaWord kWords[] = {
    {"id", "ID", SchemaWord::Form::kString},
    {"$schema", "Schema", SchemaWord::Form::kString},
    {"$ref", "Ref", SchemaWord::Form::kValue},
    {"description", "Description", SchemaWord::Form::kString, true},
    {"type", "Type", SchemaWord::Form::kString, true},
    {"nullable", "Nullable", SchemaWord::Form::kBool},
    {"format", "Format", SchemaWord::Form::kString, true},
    {"title", "Title", SchemaWord::Form::kString, true},
    {"default", "Default", SchemaWord::Form::kValue},
    {"maximum", "Maximum", SchemaWord::Form::kValue, true},
    {"exclusiveMaximum", "ExclusiveMaximum", SchemaWord::Form::kBool, true},
    {"minimum", "Minimum", SchemaWord::Form::kValue, true},
    {"exclusiveMinimum", "ExclusiveMinimum", SchemaWord::Form::kBool, true},
    {"maxLength", "MaxLength", SchemaWord::Form::kValue, true},
    {"minLength", "MinLength", SchemaWord::Form::kValue, true},
    {"pattern", "Pattern", SchemaWord::Form::kString, true},
    {"maxItems", "MaxItems", SchemaWord::Form::kValue, true},
    {"minItems", "MinItems", SchemaWord::Form::kValue, true},
    {"uniqueItems", "UniqueItems", SchemaWord::Form::kBool, true},
    {"multipleOf", "MultipleOf", SchemaWord::Form::kValue, true},
    {"enum", "Enum", SchemaWord::Form::kValue},
    {"maxProperties", "MaxProperties", SchemaWord::Form::kValue},
    {"minProperties", "MinProperties", SchemaWord::Form::kValue},
    {"required", "Required", SchemaWord::Form::kValue, true},
    {"items", "Items", SchemaWord::Form::kItems, true},
    {"allOf", "AllOf", SchemaWord::Form::kSchemas},
    {"oneOf", "OneOf", SchemaWord::Form::kSchemas},
    {"anyOf", "AnyOf", SchemaWord::Form::kSchemas},
    {"not", "Not", SchemaWord::Form::kSchema},
    {"properties", "Properties", SchemaWord::Form::kSchemaMap, true},
    {"additionalProperties", "AdditionalProperties", SchemaWord::Form::kSchemaOrBool},
    {"patternProperties", "PatternProperties", SchemaWord::Form::kSchemaMap},
    {"dependencies", "Dependencies", SchemaWord::Form::kDependencies},
    {"additionalItems", "AdditionalItems", SchemaWord::Form::kSchemaOrBool},
    {"definitions", "Definitions", SchemaWord::Form::kSchemaMap},
    {"externalDocs", "ExternalDocs", SchemaWord::Form::kDocs, true},
    {"example", "Example", SchemaWord::Form::kValue, true},
    {"x-kubernetes-preserve-unknown-fields", "XPreserveUnknownFields", SchemaWord::Form::kValue,
     true},
    {"x-kubernetes-embedded-resource", "XEmbeddedResource", SchemaWord::Form::kBool},
    {"x-kubernetes-int-or-string", "XIntOrString", SchemaWord::Form::kBool},
    {"x-kubernetes-list-map-keys", "XListMapKeys", SchemaWord::Form::kValue},
    {"x-kubernetes-list-type", "XListType", SchemaWord::Form::kValue},
    {"x-kubernetes-map-type", "XMapType", SchemaWord::Form::kValue},
    {"x-kubernetes-validations", "XValidations", SchemaWord::Form::kRules, true},
};
constexpr SchemaWord kRuleWords[] = {
    {"rule", "Rule", SchemaWord::Form::kString},
    {"message", "Message", SchemaWord::Form::kString},
    {"messageExpression", "MessageExpression", SchemaWord::Form::kString},
    {"reason", "Reason", SchemaWord::Form::kValue},
    {"fieldPath", "FieldPath", SchemaWord::Form::kString},
    {"optionalOldSelf", "OptionalOldSelf", SchemaWord::Form::kValue},
};
constexpr SchemaWord kDocsWords[] = {
    {"description", "Description", SchemaWord::Form::kString},
    {"url", "URL", SchemaWord::Form::kString},
};

// What is printed where there is nothing.
std::string_view ZeroOf(SchemaWord::Form form) {
  if (form == SchemaWord::Form::kString) return "\"\"";
  return form == SchemaWord::Form::kBool ? "false" : "null";
}

class Writer {
 public:
  explicit Writer(std::string* out) : out_(*out) {}

  void Struct(std::span<const SchemaWord> words, const JsonValue& value) {
    char mark = '{';
    for (const SchemaWord& word : words) {
      out_ += std::exchange(mark, ',');
      out_.append("\"").append(word.go_name).append("\":");
      const JsonValue* member = value.Find(word.name);
      if (member && !member->is_null()) {
        Word(word.form, *member);
      } else {
        out_ += ZeroOf(word.form);
      }
    }
    out_ += '}';
  }

  void Schema(const JsonValue& schema) { Struct(kWords, schema); }

  void Items(const JsonValue& items) {
    Either(items.is_array(), items, "JSONSchemas", [&] { Schemas(items); });
  }

 private:
  using Form = SchemaWord::Form;

  void Word(Form form, const JsonValue& value) {
    switch (form) {
      case Form::kString:
      case Form::kBool:
      case Form::kValue:
        return PrintJson(value, kAsGo, &out_);
      case Form::kSchema:
        return Schema(value);
      case Form::kSchemas:
        return Schemas(value);
      case Form::kSchemaMap:
        return Map(value, [&](const JsonValue& schema) { Schema(schema); });
      case Form::kItems:
        return Items(value);
      case Form::kSchemaOrBool:
        out_ += value.is_bool() && !value.boolean() ? "{\"Allows\":false," : "{\"Allows\":true,";
        out_ += "\"Schema\":";
        if (value.is_object()) {
          Schema(value);
        } else {
          out_ += "null";
        }
        out_ += '}';
        return;
      case Form::kDependencies:
        return Map(value, [&](const JsonValue& each) {
          Either(each.is_array(), each, "Property", [&] { PrintJson(each, kAsGo, &out_); });
        });
      case Form::kDocs:
        return Struct(kDocsWords, value);
      case Form::kRules:
        return List(value, [&](const JsonValue& rule) { Struct(kRuleWords, rule); });
    }
  }

  template <class Other>
  void Either(bool is_other, const JsonValue& schema, std::string_view name, Other write_other) {
    out_ += "{\"Schema\":";
    if (is_other) {
      out_ += "null";
    } else {
      Schema(schema);
    }
    out_.append(",\"").append(name).append("\":");
    if (is_other) {
      write_other();
    } else {
      out_ += "null";
    }
    out_ += '}';
  }

  void Schemas(const JsonValue& schemas) {
    List(schemas, [&](const JsonValue& schema) { Schema(schema); });
  }

  template <class Write>
  void List(const JsonValue& list, Write write) {
    char mark = '[';
    for (const JsonValue& element : list.array()) {
      out_ += std::exchange(mark, ',');
      write(element);
    }
    if (mark == '[') out_ += mark;
    out_ += ']';
  }

  template <class Write>
  void Map(const JsonValue& map, Write write) {
    char mark = '{';
    for (const auto& [key, value] : map.object()) {
      out_ += std::exchange(mark, ',');
      reflect::AppendJsonString(key, &out_);
      out_ += ':';
      write(value);
    }
    if (mark == '{') out_ += mark;
    out_ += '}';
  }

  std::string& out_;
};

field::BadValue Written(const JsonValue& value, void (Writer::*write)(const JsonValue&)) {
  std::string json;
  (Writer(&json).*write)(value);
  return field::BadValue::Json(std::move(json));
}

template <class T>
bool Same(const T& a, const T& b) {
  return reflect::Equal(a, b);
}
template <class T>
bool Same(const reflect::List<T>& a, const reflect::List<T>& b) {
  return SameLists(a, b);
}
// Defaults and the like are kept as text, but it is their values that count.
bool Same(const CustomResourceValidation& a, const CustomResourceValidation& b) {
  if (reflect::Equal(a, b)) return true;
  if (!a.openAPIV3Schema || !b.openAPIV3Schema) return false;
  const auto a_json = SchemaJson(*a.openAPIV3Schema);
  const auto b_json = SchemaJson(*b.openAPIV3Schema);
  return a_json.ok() && b_json.ok() && reflect::Equivalent(*a_json, *b_json);
}

template <class T, class Versions, class Part>
SharedPart<T> Shared(const Versions& versions, Part part_of) {
  SharedPart<T> part;
  if (versions.empty()) return part;
  const T* first = part_of(versions.front());
  part.is_shared = std::ranges::all_of(versions, [&](const auto& version) {
    const T* other = part_of(version);
    return first && other ? Same(*first, *other) : first == other;
  });
  if (part.is_shared) part.shared = first;
  return part;
}

// The value as the unversioned form shows it; nothing when there is none.
template <class T>
std::string ValueText(const T* value) {
  return value ? UnversionedValue(*value).text() : "null";
}

std::string SchemaText(const CustomResourceValidation* validation) {
  if (!validation) return "null";
  std::string schema = "null";
  if (validation->openAPIV3Schema) {
    if (const auto json = SchemaJson(*validation->openAPIV3Schema); json.ok()) {
      schema = UnversionedSchema(*json).text();
    }
  }
  return "{\"OpenAPIV3Schema\":" + schema + "}";
}

}  // namespace

DefinitionView::DefinitionView(const CustomResourceDefinitionSpec& spec)
    : spec(spec),
      schema(Shared<CustomResourceValidation>(
          spec.versions, [](const Version& version) { return version.schema.get(); })),
      subresources(Shared<apiextensions::v1::CustomResourceSubresources>(
          spec.versions, [](const Version& version) { return version.subresources.get(); })),
      columns(Shared<Columns>(
          spec.versions, [](const Version& version) { return &version.additionalPrinterColumns; })),
      selectable_fields(Shared<SelectableFields>(
          spec.versions, [](const Version& version) { return &version.selectableFields; })) {
  for (const Version& version : spec.versions) named.emplace(version.name, &version);
}

field::BadValue DefinitionView::Versions() const {
  if (spec.versions.empty()) {
    return spec.versions.present ? field::BadValue::Json("[]") : field::BadValue(nullptr);
  }
  std::string json;
  for (const Version& version : spec.versions) {
    json += json.empty() ? '[' : ',';
    const auto add = [&](std::string_view name, const std::string& text) {
      json.append(json.back() == '{' ? "\"" : ",\"").append(name).append("\":").append(text);
    };
    json += '{';
    add("Name", NamedString(version.name).text());
    add("Served", version.served ? "true" : "false");
    add("Storage", version.storage ? "true" : "false");
    add("Deprecated", version.deprecated ? "true" : "false");
    add("DeprecationWarning", field::BadValue(version.deprecationWarning).text());
    add("Schema", SchemaText(SchemaOf(version)));
    add("Subresources", ValueText(SubresourcesOf(version)));
    add("AdditionalPrinterColumns", ValueText(ColumnsOf(version)));
    add("SelectableFields", ValueText(FieldsOf(version)));
    json += '}';
  }
  return field::BadValue::Json(json + "]");
}

Result<JsonValue> SchemaJson(const JSONSchemaProps& schema) {
  TRY(const std::string json, reflect::ToJson(schema));
  return reflect::ParseJson(json);
}

std::span<const SchemaWord> SchemaWords() { return kWords; }

field::BadValue UnversionedSchema(const JsonValue& schema) {
  return Written(schema, &Writer::Schema);
}

field::BadValue UnversionedItems(const JsonValue& items) { return Written(items, &Writer::Items); }

}  // namespace podium::api
