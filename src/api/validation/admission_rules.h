// What webhooks and policies of admission have in common: which requests they are asked about.
// Internal to the folder. Source: upstream's pkg/apis/admissionregistration/validation, release
// 1.36.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "api/field_errors.h"
#include "api/types/admissionregistration_v1.h"

namespace podium::api {

// An absent value passes.
void CheckOneOf(const std::optional<std::string>& value,
                std::initializer_list<std::string_view> allowed, const field::Path& path,
                field::ErrorList* errors);

// A rule with operations, named or not.
struct AdmissionRule {
  const reflect::List<std::string>& operations;
  const reflect::List<std::string>& groups;
  const reflect::List<std::string>& versions;
  const reflect::List<std::string>& resources;
  const std::optional<std::string>& scope;
};
void CheckAdmissionRuleParts(const AdmissionRule& rule, const field::Path& path,
                             field::ErrorList* errors);
template <class Rule>
void CheckAdmissionRule(const Rule& rule, const field::Path& path, field::ErrorList* errors) {
  CheckAdmissionRuleParts(
      {rule.operations, rule.apiGroups, rule.apiVersions, rule.resources, rule.scope}, path,
      errors);
}

// At most 64, each with an expression and a name of its own. Expressions are not compiled.
void CheckMatchConditions(
    const reflect::List<admissionregistration::v1::MatchCondition>& conditions,
    const field::Path& path, field::ErrorList* errors);

}  // namespace podium::api
