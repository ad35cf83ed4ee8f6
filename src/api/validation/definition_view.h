// A CustomResourceDefinition as upstream's rules see it: in the unversioned form, where what all
// versions have in common stands once, beside them. Paths and values of errors are of that form.
// Internal to the folder.
#pragma once

#include <map>
#include <span>
#include <string_view>

#include "api/field_errors.h"
#include "api/types/apiextensions_v1.h"
#include "base/result.h"
#include "reflect/json_value.h"

namespace podium::api {

// A part of the versions: what they share, or nothing, and then each has its own.
template <class T>
struct SharedPart {
  bool is_shared = false;
  const T* shared = nullptr;
  const T* Of(const T* own) const { return is_shared ? nullptr : own; }
};

struct DefinitionView {
  using Version = apiextensions::v1::CustomResourceDefinitionVersion;
  using Columns = reflect::List<apiextensions::v1::CustomResourceColumnDefinition>;
  using SelectableFields = reflect::List<apiextensions::v1::SelectableField>;

  // The spec must outlive the view.
  explicit DefinitionView(const apiextensions::v1::CustomResourceDefinitionSpec& spec);

  // Of the version itself; null where the versions share it.
  const apiextensions::v1::CustomResourceValidation* SchemaOf(const Version& version) const {
    return schema.Of(version.schema.get());
  }
  const apiextensions::v1::CustomResourceSubresources* SubresourcesOf(
      const Version& version) const {
    return subresources.Of(version.subresources.get());
  }
  const Columns* ColumnsOf(const Version& version) const {
    return columns.Of(&version.additionalPrinterColumns);
  }
  const SelectableFields* FieldsOf(const Version& version) const {
    return selectable_fields.Of(&version.selectableFields);
  }

  // The versions as errors show them.
  field::BadValue Versions() const;
  // The first one of the name, which must be there. Of two with one name upstream, too, takes it.
  const Version& Named(std::string_view name) const { return *named.find(name)->second; }

  const apiextensions::v1::CustomResourceDefinitionSpec& spec;
  SharedPart<apiextensions::v1::CustomResourceValidation> schema;
  SharedPart<apiextensions::v1::CustomResourceSubresources> subresources;
  SharedPart<Columns> columns;
  SharedPart<SelectableFields> selectable_fields;
  std::map<std::string_view, const Version*> named;
};

// The schema as a JSON value. kInvalidArgument when a value in it has no JSON form.
Result<reflect::JsonValue> SchemaJson(const apiextensions::v1::JSONSchemaProps& schema);

// A word of schemas, with the name that it has in the unversioned form.
struct SchemaWord {
  enum class Form {
    kString,
    kBool,
    kValue,  // a number, a list of strings, any JSON
    kSchema,
    kSchemas,
    kSchemaMap,
    kItems,
    kSchemaOrBool,
    kDependencies,
    kDocs,
    kRules,
  };
  std::string_view name;
  std::string_view go_name;
  Form form;
  // Whether the schema of a whole object with the status subresource may say it.
  bool at_root = false;
};

// All of them, in the order of the unversioned form.
std::span<const SchemaWord> SchemaWords();

// A schema, or its items, given as JSON, as errors show it.
field::BadValue UnversionedSchema(const reflect::JsonValue& schema);
field::BadValue UnversionedItems(const reflect::JsonValue& items);

}  // namespace podium::api
