#include "api/validation/admission_rules.h"

#include <algorithm>
#include <cstdint>
#include <set>

#include "api/names.h"
#include "api/validation/common.h"
#include "reflect/go_trim.h"

namespace podium::api {

using field::ErrorList;
using field::Path;

namespace {

using Names = reflect::List<std::string>;

bool Has(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// At least one name, and only one when that stands for all.
void CheckNames(const Names& names, std::string_view others, const Path& path, ErrorList* errors) {
  if (names.empty()) errors->Add(field::Required(path, ""));
  if (names.size() > 1 && Has(names, "*")) {
    errors->Add(field::Invalid(path, names,
                               "if '*' is present, must not specify other " + std::string(others)));
  }
}

// "pods", "pods/status", "pods/*", "*/status", "*", "*/*".
void CheckResources(const Names& resources, const Path& path, ErrorList* errors) {
  if (resources.empty()) errors->Add(field::Required(path, ""));
  std::set<std::string_view> with_any_subresource;
  std::set<std::string_view> of_any_resource;
  bool other_without_subresource = false;
  for (size_t i = 0; i < resources.size(); ++i) {
    const std::string_view each = resources[i];
    const auto refuse = [&](const std::string& present) {
      errors->Add(
          field::Invalid(path.Index(i), each,
                         "if '" + present + "' is present, must not specify " + resources[i]));
    };
    if (each.empty()) {
      errors->Add(field::Required(path.Index(i), ""));
      continue;
    }
    const size_t slash = each.find('/');
    if (slash == std::string_view::npos) {
      other_without_subresource = each != "*";  // the last one counts, upstream too
      continue;
    }
    const std::string_view resource = each.substr(0, slash);
    const std::string_view subresource = each.substr(slash + 1);
    if (with_any_subresource.contains(resource)) refuse(std::string(resource) + "/*");
    if (of_any_resource.contains(subresource)) refuse("*/" + std::string(subresource));
    if (subresource == "*") with_any_subresource.insert(resource);
    if (resource == "*") of_any_resource.insert(subresource);
  }
  if (resources.size() > 1 && Has(resources, "*/*")) {
    errors->Add(
        field::Invalid(path, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (other_without_subresource && Has(resources, "*")) {
    errors->Add(
        field::Invalid(path, resources,
                       "if '*' is present, must not specify other resources without subresources"));
  }
}

}  // namespace

void CheckOneOf(const std::optional<std::string>& value,
                std::initializer_list<std::string_view> allowed, const Path& path,
                ErrorList* errors) {
  if (value && !IsOneOf(*value, allowed)) {
    errors->Add(field::NotSupported(path, NamedString(*value), allowed));
  }
}

void CheckAdmissionRuleParts(const AdmissionRule& rule, const Path& path, ErrorList* errors) {
  const Path operations = path.Child("operations");
  CheckNames(rule.operations, "operations", operations, errors);
  for (size_t i = 0; i < rule.operations.size(); ++i) {
    CheckOneOf(rule.operations[i], {"*", "CONNECT", "CREATE", "DELETE", "UPDATE"},
               operations.Index(i), errors);
  }
  CheckNames(rule.groups, "API groups", path.Child("apiGroups"), errors);
  const Path versions = path.Child("apiVersions");
  CheckNames(rule.versions, "API versions", versions, errors);
  for (size_t i = 0; i < rule.versions.size(); ++i) {
    if (rule.versions[i].empty()) errors->Add(field::Required(versions.Index(i), ""));
  }
  CheckResources(rule.resources, path.Child("resources"), errors);
  CheckOneOf(rule.scope, {"*", "Cluster", "Namespaced"}, path.Child("scope"), errors);
}

void CheckMatchConditions(
    const reflect::List<admissionregistration::v1::MatchCondition>& conditions, const Path& path,
    ErrorList* errors) {
  constexpr int64_t kMost = 64;
  const auto count = static_cast<int64_t>(conditions.size());
  if (count > kMost) errors->Add(field::TooMany(path, count, kMost));
  std::set<std::string_view> names;
  for (size_t i = 0; i < conditions.size(); ++i) {
    const auto& [name, expression] = conditions[i];
    const Path at = path.Index(i);
    if (reflect::TrimGoSpace(expression).empty()) {
      errors->Add(field::Required(at.Child("expression"), ""));
    }
    if (name.empty()) {
      errors->Add(field::Required(at.Child("name"), ""));
      continue;
    }
    errors->AddInvalid(at.Child("name"), name, IsQualifiedName(name));
    if (!names.insert(name).second) errors->Add(field::Duplicate(at.Child("name"), name));
  }
}

}  // namespace podium::api
