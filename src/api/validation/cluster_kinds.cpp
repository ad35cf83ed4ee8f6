#include "api/validation/cluster_kinds.h"

#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "api/labels.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/resources.h"
#include "api/validation/scheduling.h"
#include "api/validation/unversioned_json.h"
#include "api/validation/workloads.h"

namespace podium::api {

using apps::v1::ControllerRevision;
using coordination::v1::Lease;
using field::ErrorList;
using field::Path;
using node::v1::RuntimeClass;
using scheduling::v1::PriorityClass;

namespace {

void CheckLease(const coordination::v1::LeaseSpec& spec, ErrorList* errors) {
  const Path path("spec");
  const auto& duration = spec.leaseDurationSeconds;
  if (duration && *duration <= 0) {
    errors->Add(
        field::Invalid(path.Child("leaseDurationSeconds"), *duration, "must be greater than 0"));
  }
  CheckNonnegative(spec.leaseTransitions, path.Child("leaseTransitions"), errors);
  if (spec.strategy) {
    // Upstream names the field twice.
    const Path strategy = path.Child("strategy");
    const Path at = strategy.Child("strategy");
    if (spec.strategy->contains('/')) {
      errors->AddInvalid(at, NamedString(spec.strategy), IsQualifiedName(*spec.strategy));
    } else if (*spec.strategy != "OldestEmulationVersion") {
      errors->Add(field::NotSupported(at, NamedString(spec.strategy), {"OldestEmulationVersion"}));
    }
  }
  const auto is_set = [](const std::optional<std::string>& value) {
    return value && !value->empty();
  };
  if (is_set(spec.preferredHolder) && !is_set(spec.strategy)) {
    errors->Add(field::Forbidden(path.Child("preferredHolder"),
                                 "may only be specified if `strategy` is defined"));
  }
}

// Why this is none of the two priorities of the system itself. Empty when it is.
std::string SystemPriorityProblem(const PriorityClass& priority) {
  const std::string& name = priority.metadata.name;
  int32_t value = 0;
  if (name == "system-node-critical") {
    value = 2000001000;
  } else if (name == "system-cluster-critical") {
    value = 2000000000;
  } else {
    return name + " is not a known system priority class";
  }
  if (priority.value != value) {
    return "value of " + name + " PriorityClass must be " + std::to_string(value);
  }
  return priority.globalDefault ? "globalDefault of " + name + " PriorityClass must be false" : "";
}

void CheckTolerations(const reflect::List<core::v1::Toleration>& tolerations, const Path& path,
                      ErrorList* errors) {
  errors->Append(ValidateTolerations(tolerations, path, {}));
  std::set<std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>> seen;
  for (size_t i = 0; i < tolerations.size(); ++i) {
    const auto& each = tolerations[i];
    if (seen.emplace(each.key, each.operator_, each.value, each.effect).second) continue;
    errors->Add(field::Duplicate(path.Index(i), UnversionedValue(each)));
  }
}

void CheckRevision(const ControllerRevision& revision, ErrorList* errors) {
  if (revision.data.is_null()) errors->Add(field::Required(Path("data"), "data is mandatory"));
  CheckNonnegative(revision.revision, Path("revision"), errors);
}

}  // namespace

ErrorList ValidateLease(const Lease& lease) {
  ErrorList errors = ValidateGenericObjectMeta(lease.metadata, Scope::kNamespaced,
                                               NameIsDNSSubdomain, Path("metadata"));
  CheckLease(lease.spec, &errors);
  return errors;
}

ErrorList ValidateLeaseUpdate(const Lease& lease, const Lease& old_lease) {
  ErrorList errors =
      ValidateGenericObjectMetaUpdate(lease.metadata, old_lease.metadata, Path("metadata"));
  CheckLease(lease.spec, &errors);
  return errors;
}

ErrorList ValidatePriorityClass(const PriorityClass& priority) {
  constexpr int32_t kHighest = 1000000000;
  ErrorList errors =
      ValidateObjectMeta(priority.metadata, Scope::kCluster, NameIsDNSSubdomain, Path("metadata"));
  if (priority.metadata.name.starts_with("system-")) {
    if (const std::string problem = SystemPriorityProblem(priority); !problem.empty()) {
      errors.Add(field::Forbidden(Path("metadata").Child("name"),
                                  "priority class names with 'system-' prefix are reserved for "
                                  "system use only. error: " +
                                      problem));
    }
  } else if (priority.value > kHighest) {
    errors.Add(field::Forbidden(Path("value"),
                                "maximum allowed value of a user defined priority is 1000000000"));
  }
  const auto& preemption = priority.preemptionPolicy;
  const Path path("preemptionPolicy");
  if (!preemption || IsOneOf(*preemption, {"PreemptLowerPriority", "Never"})) return errors;
  if (preemption->empty()) {
    errors.Add(field::Required(path, ""));
  } else {
    errors.Add(
        field::NotSupported(path, NamedString(preemption), {"PreemptLowerPriority", "Never"}));
  }
  return errors;
}

ErrorList ValidatePriorityClassUpdate(const PriorityClass& priority,
                                      const PriorityClass& old_priority) {
  ErrorList errors =
      ValidateObjectMetaUpdate(priority.metadata, old_priority.metadata, Path("metadata"));
  if (priority.value != old_priority.value) {
    errors.Add(field::Forbidden(Path("value"), "may not be changed in an update."));
  }
  CheckImmutable(priority.preemptionPolicy == old_priority.preemptionPolicy,
                 NamedString(priority.preemptionPolicy), Path("preemptionPolicy"), &errors);
  return errors;
}

ErrorList ValidateRuntimeClass(const RuntimeClass& runtime) {
  ErrorList errors = ValidateGenericObjectMeta(runtime.metadata, Scope::kCluster,
                                               NameIsDNSSubdomain, Path("metadata"));
  errors.AddInvalid(Path("handler"), runtime.handler, NameIsDNSLabel(runtime.handler, false));
  if (runtime.overhead) {
    errors.Append(ValidateOverhead(runtime.overhead->podFixed, Path("overhead"), {}));
  }
  if (runtime.scheduling) {
    const Path path("scheduling");
    errors.Append(ValidateLabels(runtime.scheduling->nodeSelector, path.Child("nodeSelector")));
    CheckTolerations(runtime.scheduling->tolerations, path.Child("tolerations"), &errors);
  }
  return errors;
}

ErrorList ValidateRuntimeClassUpdate(const RuntimeClass& runtime, const RuntimeClass& old_runtime) {
  ErrorList errors = ValidateRuntimeClass(runtime);
  errors.Append(
      ValidateGenericObjectMetaUpdate(runtime.metadata, old_runtime.metadata, Path("metadata")));
  CheckImmutable(runtime.handler == old_runtime.handler, runtime.handler, Path("handler"), &errors);
  return errors;
}

ErrorList ValidateControllerRevision(const ControllerRevision& revision) {
  ErrorList errors = ValidateObjectMeta(revision.metadata, Scope::kNamespaced, NameIsDNSSubdomain,
                                        Path("metadata"));
  CheckRevision(revision, &errors);
  return errors;
}

ErrorList ValidateControllerRevisionUpdate(const ControllerRevision& revision,
                                           const ControllerRevision& old_revision) {
  ErrorList errors =
      ValidateObjectMetaUpdate(revision.metadata, old_revision.metadata, Path("metadata"));
  errors.Append(ValidateControllerRevision(revision));
  CheckImmutable(revision.data == old_revision.data, field::BadValue::Json(revision.data.text),
                 Path("data"), &errors);
  return errors;
}

}  // namespace podium::api
