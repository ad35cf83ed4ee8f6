#include "api/validation/job_spec.h"

#include <string>
#include <string_view>

#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/pod_template.h"
#include "api/validation/unversioned_json.h"
#include "api/validation/workloads.h"

namespace podium::api {
namespace {

using batch::v1::JobSpec;

constexpr int32_t kMaxIndexedParallelism = 100'000;
constexpr int32_t kMaxFailedIndexes = 100'000;
// Above so many completions, a backoff limit per index costs too much unless others are low.
constexpr int32_t kManyCompletions = 100'000;
constexpr int32_t kMaxParallelismOfMany = 10'000;
constexpr int32_t kMaxFailedIndexesOfMany = 10'000;
constexpr size_t kMaxManagedBy = 63;

std::string AtMost(int32_t limit) {
  return "must be less than or equal to " + std::to_string(limit);
}

void CheckCounts(const JobSpec& spec, const field::Path& path, field::ErrorList* errors) {
  CheckNonnegative(spec.parallelism, path.Child("parallelism"), errors);
  CheckNonnegative(spec.completions, path.Child("completions"), errors);
  CheckNonnegative(spec.activeDeadlineSeconds, path.Child("activeDeadlineSeconds"), errors);
  CheckNonnegative(spec.backoffLimit, path.Child("backoffLimit"), errors);
  CheckNonnegative(spec.ttlSecondsAfterFinished, path.Child("ttlSecondsAfterFinished"), errors);
  CheckNonnegative(spec.backoffLimitPerIndex, path.Child("backoffLimitPerIndex"), errors);
  CheckNonnegative(spec.maxFailedIndexes, path.Child("maxFailedIndexes"), errors);
  if (spec.maxFailedIndexes && !spec.backoffLimitPerIndex) {
    errors->Add(
        field::Required(path.Child("backoffLimitPerIndex"), "when maxFailedIndexes is specified"));
  }
}

void CheckManyCompletions(const JobSpec& spec, const field::Path& path, field::ErrorList* errors) {
  if (!spec.completions || *spec.completions <= kManyCompletions || !spec.backoffLimitPerIndex) {
    return;
  }
  const field::Path max_failed = path.Child("maxFailedIndexes");
  constexpr std::string_view kWhen =
      " when completions are above 100000 and used with backoff limit per index";
  if (!spec.maxFailedIndexes) {
    errors->Add(field::Required(max_failed, "must be specified when completions is above 100000"));
  }
  if (spec.parallelism && *spec.parallelism > kMaxParallelismOfMany) {
    errors->Add(field::Invalid(path.Child("parallelism"), *spec.parallelism,
                               AtMost(kMaxParallelismOfMany).append(kWhen)));
  }
  if (spec.maxFailedIndexes && *spec.maxFailedIndexes > kMaxFailedIndexesOfMany) {
    errors->Add(field::Invalid(max_failed, *spec.maxFailedIndexes,
                               AtMost(kMaxFailedIndexesOfMany).append(kWhen)));
  }
}

void CheckIndexed(const JobSpec& spec, const field::Path& path, field::ErrorList* errors) {
  if (!spec.completions) {
    errors->Add(field::Required(path.Child("completions"), "when completion mode is Indexed"));
  }
  if (spec.parallelism && *spec.parallelism > kMaxIndexedParallelism) {
    errors->Add(
        field::Invalid(path.Child("parallelism"), *spec.parallelism,
                       AtMost(kMaxIndexedParallelism) + " when completion mode is Indexed"));
  }
  const field::Path max_failed = path.Child("maxFailedIndexes");
  if (spec.completions && spec.maxFailedIndexes && *spec.maxFailedIndexes > *spec.completions) {
    errors->Add(field::Invalid(max_failed, *spec.maxFailedIndexes,
                               "must be less than or equal to completions"));
  }
  if (spec.maxFailedIndexes && *spec.maxFailedIndexes > kMaxFailedIndexes) {
    errors->Add(field::Invalid(max_failed, *spec.maxFailedIndexes, AtMost(kMaxFailedIndexes)));
  }
  CheckManyCompletions(spec, path, errors);
}

void CheckCompletionMode(const JobSpec& spec, const field::Path& path, field::ErrorList* errors) {
  const auto& mode = spec.completionMode;
  if (mode && !IsOneOf(*mode, {"NonIndexed", "Indexed"})) {
    errors->Add(field::NotSupported(path.Child("completionMode"), NamedString(mode),
                                    {"NonIndexed", "Indexed"}));
  }
  if (IsIndexed(spec)) CheckIndexed(spec, path, errors);
  if (mode && *mode != "NonIndexed") return;
  constexpr std::string_view kIndexedOnly = "requires indexed completion mode";
  if (spec.backoffLimitPerIndex) {
    errors->Add(field::Invalid(path.Child("backoffLimitPerIndex"), *spec.backoffLimitPerIndex,
                               kIndexedOnly));
  }
  if (spec.maxFailedIndexes) {
    errors->Add(
        field::Invalid(path.Child("maxFailedIndexes"), *spec.maxFailedIndexes, kIndexedOnly));
  }
}

void CheckReplacementPolicy(const JobSpec& spec, const field::Path& path,
                            field::ErrorList* errors) {
  const auto& policy = spec.podReplacementPolicy;
  if (!policy || *policy == "Failed") return;
  if (spec.podFailurePolicy) {
    errors->Add(field::NotSupported(path, NamedString(policy), {"Failed"}));
  } else if (*policy != "TerminatingOrFailed") {
    errors->Add(field::NotSupported(path, NamedString(policy), {"Failed", "TerminatingOrFailed"}));
  }
}

void CheckRestartPolicy(const JobSpec& spec, const field::Path& path, field::ErrorList* errors) {
  const std::string& policy = spec.template_.spec.restartPolicy;
  if (policy.empty() || policy == "Always") {
    // Always may be what defaulting made of nothing.
    errors->Add(field::Required(path, "valid values: \"OnFailure\", \"Never\""));
  } else if (!IsOneOf(policy, {"OnFailure", "Never"})) {
    errors->Add(field::NotSupported(path, NamedString(policy), {"OnFailure", "Never"}));
  } else if (spec.podFailurePolicy && policy != "Never") {
    errors->Add(field::Invalid(path, NamedString(policy),
                               "only \"Never\" is supported when podFailurePolicy is specified"));
  }
}

}  // namespace

bool IsIndexed(const JobSpec& spec) { return spec.completionMode == "Indexed"; }

void CheckJobSpec(const JobSpec& spec, const field::Path& path, const PodValidationOptions& options,
                  field::ErrorList* errors) {
  CheckCounts(spec, path, errors);
  if (spec.managedBy) {
    const field::Path managed_by = path.Child("managedBy");
    errors->Append(IsDomainPrefixedPath(managed_by, *spec.managedBy));
    if (spec.managedBy->size() > kMaxManagedBy) {
      errors->Add(field::TooLong(managed_by, kMaxManagedBy));
    }
  }
  CheckCompletionMode(spec, path, errors);
  if (spec.podFailurePolicy) CheckPodFailurePolicy(spec, path.Child("podFailurePolicy"), errors);
  if (spec.successPolicy) {
    const field::Path success = path.Child("successPolicy");
    if (IsIndexed(spec)) {
      CheckSuccessPolicy(spec, success, errors);
    } else {
      errors->Add(field::Invalid(success, UnversionedValue(*spec.successPolicy),
                                 "requires indexed completion mode"));
    }
  }
  CheckReplacementPolicy(spec, path.Child("podReplacementPolicy"), errors);
  const field::Path pod_template = path.Child("template");
  errors->Append(ValidatePodTemplateSpec(spec.template_, pod_template, options));
  CheckRestartPolicy(spec, pod_template.Child("spec").Child("restartPolicy"), errors);
}

}  // namespace podium::api
