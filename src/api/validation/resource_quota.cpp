#include "api/validation/resource_quota.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/names.h"
#include "api/resource_names.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/resources.h"
#include "api/validation/unversioned_json.h"
#include "api/validation/workloads.h"

namespace podium::api {

using core::v1::ResourceQuota;
using core::v1::ResourceQuotaSpec;
using field::ErrorList;
using field::Path;

namespace {

using Scopes = std::set<std::string_view>;

bool IsStandardScope(std::string_view scope) {
  return IsOneOf(scope,
                 {"BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating",
                  "PriorityClass", "Terminating", "VolumeAttributesClass"});
}

// Whether objects in the scope can use the resource at all.
bool ScopeCounts(std::string_view scope, std::string_view resource) {
  if (scope == "BestEffort") return resource == "pods";
  if (scope == "VolumeAttributesClass") {
    return IsOneOf(resource, {"persistentvolumeclaims", "requests.storage"});
  }
  if (!IsStandardScope(scope)) return true;
  return IsOneOf(resource, {"pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu",
                            "requests.memory"});
}

// Which of the limited resources do not go with a scope.
class Misfits {
 public:
  explicit Misfits(const reflect::Map<Quantity>& hard) {
    for (const auto& [resource, amount] : hard) {
      if (IsStandardQuotaResourceName(resource)) resources_.push_back(resource);
    }
  }
  // Upstream tells of each resource with the same words.
  void Check(std::string_view scope, const field::BadValue& shown, const Path& path,
             ErrorList* errors) const {
    for (std::string_view resource : resources_) {
      if (ScopeCounts(scope, resource) || errors->full()) continue;
      errors->Add(field::Invalid(path, shown, "unsupported scope applied to resource"));
    }
  }

 private:
  std::vector<std::string_view> resources_;
};

void CheckConflicts(const ResourceQuotaSpec& spec, const Scopes& scopes, const Path& path,
                    ErrorList* errors) {
  const auto refuse = [&](std::string_view a, std::string_view b) {
    if (scopes.contains(a) && scopes.contains(b)) {
      errors->Add(field::Invalid(path, spec.scopes, "conflicting scopes"));
    }
  };
  refuse("BestEffort", "NotBestEffort");
  refuse("Terminating", "NotTerminating");
}

void CheckScopes(const ResourceQuotaSpec& spec, const Path& path, ErrorList* errors) {
  const Misfits misfits(spec.hard);
  const field::BadValue shown = spec.scopes;
  for (const std::string& scope : spec.scopes) {
    if (errors->full()) return;
    if (!IsStandardScope(scope)) errors->Add(field::Invalid(path, shown, "unsupported scope"));
    misfits.Check(scope, shown, path, errors);
  }
  CheckConflicts(spec, Scopes(spec.scopes.begin(), spec.scopes.end()), path, errors);
}

void CheckScopeSelector(const ResourceQuotaSpec& spec, const Path& path, ErrorList* errors) {
  if (!spec.scopeSelector) return;
  Scopes scopes;
  const Misfits misfits(spec.hard);
  const field::BadValue selector = UnversionedValue(*spec.scopeSelector);
  // Upstream's paths name the list, not the expression at fault.
  const Path op = path.Child("operator");
  for (const auto& expression : spec.scopeSelector->matchExpressions) {
    if (errors->full()) return;
    if (!IsStandardScope(expression.scopeName)) {
      errors->Add(field::Invalid(path.Child("scopeName"), NamedString(expression.scopeName),
                                 "unsupported scope"));
    }
    misfits.Check(expression.scopeName, selector, path, errors);
    const field::BadValue shown = NamedString(expression.operator_);
    if (IsOneOf(expression.scopeName, {"BestEffort", "NotBestEffort", "Terminating",
                                       "NotTerminating", "CrossNamespacePodAffinity"}) &&
        expression.operator_ != "Exists") {
      errors->Add(field::Invalid(
          op, shown,
          "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
          "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
          "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"));
    }
    if (IsOneOf(expression.operator_, {"In", "NotIn"})) {
      if (expression.values.empty()) {
        errors->Add(field::Required(
            path.Child("values"),
            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"));
      }
    } else if (IsOneOf(expression.operator_, {"Exists", "DoesNotExist"})) {
      if (!expression.values.empty()) {
        errors->Add(field::Invalid(
            path.Child("values"), expression.values,
            "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"));
      }
    } else {
      errors->Add(field::Invalid(op, shown, "not a valid selector operator"));
    }
    scopes.insert(expression.scopeName);
  }
  CheckConflicts(spec, scopes, path, errors);
}

void CheckAmounts(const reflect::Map<Quantity>& amounts, const Path& path, ErrorList* errors) {
  for (const auto& [name, value] : amounts) {
    const Path at = path.Key(name);
    errors->Append(ValidateResourceName(name, at));
    if (!name.contains('/') && !IsStandardQuotaResourceName(name)) {
      errors->Add(field::Invalid(at, NamedString(name), "must be a standard resource for quota"));
    }
    errors->Append(ValidateResourceQuantityValue(name, value, at));
  }
}

void CheckSpec(const ResourceQuotaSpec& spec, const Path& path, ErrorList* errors) {
  CheckAmounts(spec.hard, path.Child("hard"), errors);
  CheckScopes(spec, path.Child("scopes"), errors);
  CheckScopeSelector(spec, path.Child("scopeSelector").Child("matchExpressions"), errors);
}

void CheckStatus(const core::v1::ResourceQuotaStatus& status, const Path& path, ErrorList* errors) {
  CheckAmounts(status.hard, path.Child("hard"), errors);
  CheckAmounts(status.used, path.Child("used"), errors);
}

}  // namespace

ErrorList ValidateResourceQuota(const ResourceQuota& quota) {
  ErrorList errors =
      ValidateObjectMeta(quota.metadata, Scope::kNamespaced, NameIsDNSSubdomain, Path("metadata"));
  CheckSpec(quota.spec, Path("spec"), &errors);
  CheckStatus(quota.status, Path("status"), &errors);
  return errors;
}

ErrorList ValidateResourceQuotaUpdate(const ResourceQuota& quota, const ResourceQuota& old_quota) {
  ErrorList errors = ValidateObjectMetaUpdate(quota.metadata, old_quota.metadata, Path("metadata"));
  CheckSpec(quota.spec, Path("spec"), &errors);
  const auto scopes_of = [](const ResourceQuota& of) {
    return Scopes(of.spec.scopes.begin(), of.spec.scopes.end());
  };
  CheckImmutable(scopes_of(quota) == scopes_of(old_quota), quota.spec.scopes,
                 Path("spec").Child("scopes"), &errors);
  return errors;
}

ErrorList ValidateResourceQuotaStatusUpdate(const ResourceQuota& quota,
                                            const ResourceQuota& old_quota) {
  ErrorList errors = ValidateObjectMetaUpdate(quota.metadata, old_quota.metadata, Path("metadata"));
  if (quota.metadata.resourceVersion.empty()) {
    errors.Add(field::Required(Path("resourceVersion"), ""));
  }
  CheckStatus(quota.status, Path("status"), &errors);
  return errors;
}

}  // namespace podium::api
