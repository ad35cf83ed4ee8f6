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

namespace podium::api {
namespace {

using batch::v1::CronJob;
using batch::v1::CronJobSpec;

// Jobs are named after their CronJob with a dash and ten digits of time, and names of Jobs have at
// most 63 characters.
constexpr size_t kMaxName = 52;

void CheckSchedule(const CronJobSpec& spec, bool may_have_zone, const field::Path& path,
                   field::ErrorList* errors) {
  if (spec.schedule.empty()) {
    errors->Add(field::Required(path, ""));
    return;
  }
  const Result<CronSchedule> schedule = CronSchedule::Parse(spec.schedule);
  if (!schedule.ok()) errors->Add(field::Invalid(path, spec.schedule, schedule.error().message()));
  if (spec.schedule.find("TZ") == std::string::npos) return;
  if (!may_have_zone) {
    errors->Add(field::Invalid(path, spec.schedule,
                               "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
  } else if (spec.timeZone) {
    errors->Add(field::Invalid(path, spec.schedule,
                               "cannot use both timeZone field and TZ or CRON_TZ in schedule"));
  }
}

// A part of a zone's name between slashes. Digits and plus are of old names only.
bool IsZonePart(std::string_view part) {
  if (part.empty() || part.size() > 14 || part == "." || part == ".." || part.starts_with('-')) {
    return false;
  }
  return std::ranges::all_of(part, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_+").contains(c);
  });
}

bool IsZoneName(std::string_view name) {
  for (size_t start = 0; start <= name.size();) {
    const size_t end = std::min(name.find('/', start), name.size());
    if (!IsZonePart(name.substr(start, end - start))) return false;
    start = end + 1;
  }
  return true;
}

bool IsLocal(std::string_view name) {
  return std::ranges::equal(name, std::string_view("local"), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b;
  });
}

void CheckTimeZone(const std::string& zone, const field::Path& path, field::ErrorList* errors) {
  if (zone.empty()) {
    errors->Add(
        field::Invalid(path, NamedString(zone), "timeZone must be nil or non-empty string"));
    return;
  }
  const std::string unknown = "unknown time zone " + zone;
  if (!IsZoneName(zone)) {
    errors->Add(field::Invalid(path, NamedString(zone), unknown));
    return;
  }
  if (IsLocal(zone)) {
    errors->Add(field::Invalid(
        path, NamedString(zone),
        "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"));
  }
  if (zone != "Local" && !IsTimeZone(zone)) {
    errors->Add(field::Invalid(path, NamedString(zone), unknown));
  }
}

void CheckConcurrencyPolicy(const std::string& policy, const field::Path& path,
                            field::ErrorList* errors) {
  if (policy.empty()) {
    errors->Add(field::Required(path, ""));
  } else if (!IsOneOf(policy, {"Allow", "Forbid", "Replace"})) {
    errors->Add(field::NotSupported(path, NamedString(policy), {"Allow", "Forbid", "Replace"}));
  }
}

// `old_spec` is null for a new object.
void CheckSpec(const CronJobSpec& spec, const CronJobSpec* old_spec, const field::Path& path,
               field::ErrorList* errors) {
  const bool may_have_zone =
      old_spec != nullptr && old_spec->schedule.find("TZ") != std::string::npos;
  CheckSchedule(spec, may_have_zone, path.Child("schedule"), errors);
  CheckNonnegative(spec.startingDeadlineSeconds, path.Child("startingDeadlineSeconds"), errors);
  if (spec.timeZone && (old_spec == nullptr || old_spec->timeZone != spec.timeZone)) {
    CheckTimeZone(*spec.timeZone, path.Child("timeZone"), errors);
  }
  CheckConcurrencyPolicy(spec.concurrencyPolicy, path.Child("concurrencyPolicy"), errors);
  const PodValidationOptions options = PodValidationOptionsForTemplate(
      old_spec == nullptr ? nullptr : &old_spec->jobTemplate.spec.template_);
  errors->Append(ValidateJobTemplateSpec(spec.jobTemplate, path.Child("jobTemplate"), options));
  CheckNonnegative(spec.successfulJobsHistoryLimit, path.Child("successfulJobsHistoryLimit"),
                   errors);
  CheckNonnegative(spec.failedJobsHistoryLimit, path.Child("failedJobsHistoryLimit"), errors);
}

}  // namespace

field::ErrorList ValidateCronJob(const CronJob& cron_job) {
  const field::Path root;
  const field::Path metadata = root.Child("metadata");
  field::ErrorList errors =
      ValidateObjectMeta(cron_job.metadata, Scope::kNamespaced, NameIsDNSSubdomain, metadata);
  CheckSpec(cron_job.spec, nullptr, root.Child("spec"), &errors);
  if (cron_job.metadata.name.size() > kMaxName) {
    errors.Add(field::Invalid(metadata.Child("name"), cron_job.metadata.name,
                              "must be no more than 52 characters"));
  }
  return errors;
}

field::ErrorList ValidateCronJobUpdate(const CronJob& cron_job, const CronJob& old_job) {
  const field::Path root;
  field::ErrorList errors =
      ValidateObjectMetaUpdate(cron_job.metadata, old_job.metadata, root.Child("metadata"));
  CheckSpec(cron_job.spec, &old_job.spec, root.Child("spec"), &errors);
  return errors;
}

}  // namespace podium::api
