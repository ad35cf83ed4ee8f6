#include "api/validation/definition_versions.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "api/structural/schema_path.h"
#include "api/validation/common.h"
#include "reflect/go_text.h"
#include "reflect/schema/structural.h"

namespace podium::api {

using apiextensions::v1::CustomResourceColumnDefinition;
using apiextensions::v1::CustomResourceSubresources;
using apiextensions::v1::CustomResourceValidation;
using field::ErrorList;
using field::Path;
using reflect::Structural;

namespace {

// What is wrong with the text, in upstream's words.
std::vector<std::string> WarningProblems(const std::string& text) {
  constexpr size_t kLongest = 256;
  std::vector<std::string> problems;
  if (text.size() > kLongest) problems.emplace_back("must be <= 256 characters long");
  if (text.empty()) problems.emplace_back("must not be an empty string");
  std::optional<size_t> bad;
  reflect::ForEachRune(text, [&](size_t at, char32_t rune) {
    if (!bad && !reflect::IsGoPrintable(rune)) bad = at;
  });
  const std::string printable = "must only contain printable UTF-8 characters";
  if (bad) {
    problems.push_back(printable + "; non-printable character found at index " +
                       std::to_string(*bad));
  }
  if (!reflect::IsUtf8(text)) problems.push_back(printable);
  return problems;
}

void CheckWarning(const DefinitionView::Version& version, const Path& path, ErrorList* errors) {
  if (!version.deprecationWarning) return;
  if (!version.deprecated) {
    errors->Add(field::Invalid(path, version.deprecationWarning,
                               "can only be set for deprecated versions"));
    return;
  }
  errors->AddInvalid(path, version.deprecationWarning,
                     WarningProblems(*version.deprecationWarning));
}

// Whether the text can be a path of names with dots before them; upstream asks no more of it.
bool CheckSimplePath(const std::string& text, const Path& path, ErrorList* errors) {
  if (text.starts_with('.')) return true;
  errors->Add(field::Invalid(path, text, "must be a simple json path starting with ."));
  return false;
}

void CheckReplicasPath(const std::string& text, const std::string& start, const Path& path,
                       ErrorList* errors) {
  if (text.empty()) {
    errors->Add(field::Required(path, ""));
  } else if (CheckSimplePath(text, path, errors) && !text.starts_with(start + ".")) {
    errors->Add(field::Invalid(path, text, "should be a json path under " + start));
  }
}

void CheckSubresources(const CustomResourceSubresources* subresources, const Path& path,
                       ErrorList* errors) {
  if (!subresources || !subresources->scale) return;
  const auto& scale = *subresources->scale;
  CheckReplicasPath(scale.specReplicasPath, ".spec", path.Child("scale.specReplicasPath"), errors);
  CheckReplicasPath(scale.statusReplicasPath, ".status", path.Child("scale.statusReplicasPath"),
                    errors);
  const std::string selector = scale.labelSelectorPath.value_or("");
  const Path selector_path = path.Child("scale.labelSelectorPath");
  if (selector.empty() || !CheckSimplePath(selector, selector_path, errors)) return;
  if (!selector.starts_with(".spec.") && !selector.starts_with(".status.")) {
    errors->Add(field::Invalid(selector_path, selector,
                               "should be a json path under either .spec or .status"));
  }
}

void CheckColumn(const CustomResourceColumnDefinition& column, const Path& path,
                 ErrorList* errors) {
  if (column.name.empty()) errors->Add(field::Required(path.Child("name"), ""));
  const Path type = path.Child("type");
  constexpr std::string_view kTypes = "must be one of boolean,date,integer,number,string";
  if (column.type.empty()) {
    errors->Add(field::Required(type, kTypes));
  } else if (!IsOneOf(column.type, {"boolean", "date", "integer", "number", "string"})) {
    errors->Add(field::Invalid(type, column.type, kTypes));
  }
  if (!column.format.empty() && !IsOneOf(column.format, {"byte", "date", "date-time", "double",
                                                         "float", "int32", "int64", "password"})) {
    errors->Add(
        field::Invalid(path.Child("format"), column.format,
                       "must be one of byte,date,date-time,double,float,int32,int64,password"));
  }
  const Path json_path = path.Child("JSONPath");
  if (column.jsonPath.empty()) {
    errors->Add(field::Required(json_path, ""));
  } else {
    CheckSimplePath(column.jsonPath, json_path, errors);
  }
}

void CheckColumns(const DefinitionView::Columns* columns, const Path& path, ErrorList* errors) {
  if (!columns) return;
  for (size_t i = 0; i < columns->size(); ++i) CheckColumn((*columns)[i], path.Index(i), errors);
}

void CheckSelectableFields(const DefinitionView::SelectableFields& fields, const Structural& schema,
                           const Path& path, ErrorList* errors) {
  constexpr int64_t kMost = 8;
  std::set<std::string> paths;
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string& text = fields[i].jsonPath;
    const Path element = path.Index(i);
    const Path at = element.Child("jsonPath");
    if (text.empty()) {
      errors->Add(field::Required(at, ""));
      continue;
    }
    const auto found = FindSchemaPath(schema, text, Brackets::kForbidden);
    if (!found.ok()) {
      errors->Add(field::Invalid(at, text, "is an invalid path: " + found.error().message()));
      continue;
    }
    if (found->root == "metadata") {
      errors->Add(field::Invalid(at, text, "must not point to fields in metadata"));
    }
    if (!found->schema || !IsOneOf(found->schema->type, {"boolean", "integer", "string"})) {
      errors->Add(field::Invalid(
          at, text,
          "must point to a field of type string, boolean or integer. Enum string fields and "
          "strings with formats are allowed."));
    }
    if (!paths.insert(found->text).second) errors->Add(field::Duplicate(at, text));
  }
  const auto count = static_cast<int64_t>(paths.size());
  if (count > kMost) errors->Add(field::TooMany(path, count, kMost));
}

// `missing`: what to say where there is no schema to find the fields in.
void CheckSelectableFields(const DefinitionView::SelectableFields* fields,
                           const CustomResourceValidation* validation, std::string_view missing,
                           const Path& path, ErrorList* errors) {
  if (!fields || fields->empty()) return;
  const Path fields_path = path.Child("selectableFields");
  if (!validation || !validation->openAPIV3Schema) {
    errors->Add(field::Invalid(fields_path, "", missing));
    return;
  }
  const auto json = SchemaJson(*validation->openAPIV3Schema);
  const auto schema = json.ok() ? reflect::ParseStructural(*json) : json.error();
  if (!schema.ok()) {
    errors->Add(field::Invalid(path.Child("schema.openAPIV3Schema"), "", schema.error().message()));
    return;
  }
  CheckSelectableFields(*fields, **schema, fields_path, errors);
}

bool HasStatus(const CustomResourceSubresources* subresources) {
  return subresources && subresources->status;
}

bool VersionHasStatus(const DefinitionView& view, std::string_view name) {
  if (view.subresources.is_shared) return HasStatus(view.subresources.shared);
  return HasStatus(view.Named(name).subresources.get());
}

}  // namespace

ErrorList ValidateDefinitionVersion(const DefinitionView& view, size_t index,
                                    const SchemaRequirements& requirements, const Path& path) {
  const DefinitionView::Version& version = view.spec.versions[index];
  ErrorList errors;
  CheckWarning(version, path.Child("deprecationWarning"), &errors);
  const CustomResourceValidation* schema = view.SchemaOf(version);
  if (schema) {
    errors.Append(ValidateDefinitionSchema(*schema, VersionHasStatus(view, version.name),
                                           requirements, path.Child("schema")));
  }
  CheckSubresources(view.SubresourcesOf(version), path.Child("subresources"), &errors);
  CheckColumns(view.ColumnsOf(version), path.Child("additionalPrinterColumns"), &errors);
  CheckSelectableFields(view.FieldsOf(version), schema,
                        "selectableFields may only be set when version.schema.openAPIV3Schema is "
                        "not included",
                        path, &errors);
  return errors;
}

ErrorList ValidateSharedParts(const DefinitionView& view, const SchemaRequirements& requirements,
                              const Path& path) {
  ErrorList errors;
  if (const CustomResourceValidation* schema = view.schema.shared) {
    const bool has_status = std::ranges::any_of(view.spec.versions, [](const auto& version) {
      return HasStatus(version.subresources.get());
    });
    errors.Append(
        ValidateDefinitionSchema(*schema, has_status, requirements, path.Child("validation")));
  }
  CheckSubresources(view.subresources.shared, path.Child("subresources"), &errors);
  CheckColumns(view.columns.shared, path.Child("additionalPrinterColumns"), &errors);
  CheckSelectableFields(view.selectable_fields.shared, view.schema.shared,
                        "selectableFields may only be set when validations.schema is included",
                        path, &errors);
  return errors;
}

}  // namespace podium::api
