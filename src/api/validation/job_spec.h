// The rules of JobSpec that Jobs and CronJobs share: all but those of the selector. Private to the
// rules of batch/v1.
#pragma once

#include "api/field_errors.h"
#include "api/types/batch_v1.h"
#include "api/validation/pod_options.h"

namespace podium::api {

void CheckJobSpec(const batch::v1::JobSpec& spec, const field::Path& path,
                  const PodValidationOptions& options, field::ErrorList* errors);

// Part of it: which pod failures count, and when enough indexes are done; job_policies.cpp.
void CheckPodFailurePolicy(const batch::v1::JobSpec& spec, const field::Path& path,
                           field::ErrorList* errors);
void CheckSuccessPolicy(const batch::v1::JobSpec& spec, const field::Path& path,
                        field::ErrorList* errors);

bool IsIndexed(const batch::v1::JobSpec& spec);

}  // namespace podium::api
