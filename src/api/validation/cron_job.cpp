#include "api/validation/cron_job.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "api/cron_schedule.h"
#include "api/names.h"
#include "api/time_zones.h"
#include "api/validation/common.h"
#include "api/validation/job.h"
#include "api/validation/object_meta.h"
#include "api/validation/workloads.h"
#include "base/ascii.h"
#include "base/text.h"

namespace podium::api {
namespace {

// Jobs are named after their CronJob with a dash and ten digits of time, and names of Jobs have at
// most 63 characters.
constexpr size_t kMaxName = 52;

void CheckSchedule(const std::string& text, bool may_have_zone, bool has_time_zone,
                   const field::Path& path, field::ErrorList* errors) {
  if (text.empty()) {
    errors->Add(field::Required(path, ""));
    return;
  }
  const Result<CronSchedule> schedule = CronSchedule::Parse(text);
  if (!schedule.ok()) errors->Add(field::Invalid(path, text, schedule.error().message()));
  if (!text.contains("TZ")) return;
  if (!may_have_zone) {
    errors->Add(field::Invalid(path, text,
                               "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
  } else if (has_time_zone) {
    errors->Add(
        field::Invalid(path, text, "cannot use both timeZone field and TZ or CRON_TZ in schedule"));
  }
}

// A part of a zone's name between slashes. Digits and plus are of old names only.
bool IsZonePart(std::string_view part) {
  if (part.empty() || part.size() > 14 || part == "." || part == ".." || part.starts_with('-')) {
    return false;
  }
  return std::ranges::all_of(
      part, [](char c) { return IsLetterOrDigit(c) || std::string_view(".-_+").contains(c); });
}

bool IsZoneName(std::string_view name) { return std::ranges::all_of(Split(name, '/'), IsZonePart); }

void CheckTimeZone(const std::string& zone, const field::Path& path, field::ErrorList* errors) {
  if (zone.empty()) {
    errors->Add(
        field::Invalid(path, NamedString(zone), "timeZone must be nil or non-empty string"));
    return;
  }
  if (!IsZoneName(zone)) {
    errors->Add(field::Invalid(path, NamedString(zone), "unknown time zone " + zone));
    return;
  }
  if (EqualsIgnoringCase(zone, "local")) {
    errors->Add(field::Invalid(
        path, NamedString(zone),
        "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"));
  }
  const Result<void> found = CheckLocation(zone);
  if (!found.ok()) errors->Add(field::Invalid(path, NamedString(zone), found.error().message()));
}

void CheckConcurrencyPolicy(const std::string& policy, const field::Path& path,
                            field::ErrorList* errors) {
  if (policy.empty()) {
    errors->Add(field::Required(path, ""));
  } else if (!IsOneOf(policy, {"Allow", "Forbid", "Replace"})) {
    errors->Add(field::NotSupported(path, NamedString(policy), {"Allow", "Forbid", "Replace"}));
  }
}

// The rules are templates over the versions of the kind, which have the same fields. `old_spec` is
// null for a new object.
template <class CronJobSpec>
void CheckSpec(const CronJobSpec& spec, const CronJobSpec* old_spec, const field::Path& path,
               field::ErrorList* errors) {
  const bool may_have_zone = old_spec != nullptr && old_spec->schedule.contains("TZ");
  CheckSchedule(spec.schedule, may_have_zone, spec.timeZone.has_value(), path.Child("schedule"),
                errors);
  CheckNonnegative(spec.startingDeadlineSeconds, path.Child("startingDeadlineSeconds"), errors);
  if (spec.timeZone && (old_spec == nullptr || old_spec->timeZone != spec.timeZone)) {
    CheckTimeZone(*spec.timeZone, path.Child("timeZone"), errors);
  }
  CheckConcurrencyPolicy(spec.concurrencyPolicy, path.Child("concurrencyPolicy"), errors);
  const PodValidationOptions options = PodValidationOptionsForTemplate(
      old_spec == nullptr ? nullptr : &old_spec->jobTemplate.spec.template_);
  errors->Append(ValidateJobTemplateSpec(spec.jobTemplate.spec,
                                         path.Child("jobTemplate").Child("spec"), options));
  CheckNonnegative(spec.successfulJobsHistoryLimit, path.Child("successfulJobsHistoryLimit"),
                   errors);
  CheckNonnegative(spec.failedJobsHistoryLimit, path.Child("failedJobsHistoryLimit"), errors);
}

template <class CronJob>
field::ErrorList Validate(const CronJob& cron_job) {
  const field::Path root;
  const field::Path metadata = root.Child("metadata");
  field::ErrorList errors =
      ValidateObjectMeta(cron_job.metadata, Scope::kNamespaced, NameIsDNSSubdomain, metadata);
  CheckSpec<decltype(cron_job.spec)>(cron_job.spec, nullptr, root.Child("spec"), &errors);
  if (cron_job.metadata.name.size() > kMaxName) {
    errors.Add(field::Invalid(metadata.Child("name"), cron_job.metadata.name,
                              "must be no more than 52 characters"));
  }
  return errors;
}

template <class CronJob>
field::ErrorList ValidateUpdate(const CronJob& cron_job, const CronJob& old_job) {
  const field::Path root;
  field::ErrorList errors =
      ValidateObjectMetaUpdate(cron_job.metadata, old_job.metadata, root.Child("metadata"));
  CheckSpec(cron_job.spec, &old_job.spec, root.Child("spec"), &errors);
  return errors;
}

}  // namespace

field::ErrorList ValidateCronJob(const batch::v1::CronJob& cron_job) { return Validate(cron_job); }
field::ErrorList ValidateCronJob(const batch::v1beta1::CronJob& cron_job) {
  return Validate(cron_job);
}

field::ErrorList ValidateCronJobUpdate(const batch::v1::CronJob& cron_job,
                                       const batch::v1::CronJob& old_job) {
  return ValidateUpdate(cron_job, old_job);
}
field::ErrorList ValidateCronJobUpdate(const batch::v1beta1::CronJob& cron_job,
                                       const batch::v1beta1::CronJob& old_job) {
  return ValidateUpdate(cron_job, old_job);
}

}  // namespace podium::api
