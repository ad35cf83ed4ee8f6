// Rules for Job (upstream's pkg/apis/batch/validation and pkg/registry/batch/job, release 1.36).
// The objects have their defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/batch_v1.h"
#include "api/validation/pod_options.h"

namespace podium::api {

// What a server does to a new Job before it validates and stores it, unless manualSelector is set:
// labels of the template and the selector that tell the Job's pods from all others. The uid is set.
void GenerateJobSelector(batch::v1::Job* job);

// A new object, as it is after GenerateJobSelector, whether that was done or not. A Job that has no
// uid yet is checked as if it had one.
field::ErrorList ValidateJob(const batch::v1::Job& job);

// One that replaces `old_job`. The template may change in part while the Job is suspended and has
// no active pods.
field::ErrorList ValidateJobUpdate(const batch::v1::Job& job, const batch::v1::Job& old_job);

// The same through the status subresource. Most rules look only at what changes.
field::ErrorList ValidateJobStatusUpdate(const batch::v1::Job& job, const batch::v1::Job& old_job);

// The spec of a template from which a CronJob makes Jobs: no selector yet.
field::ErrorList ValidateJobTemplateSpec(const batch::v1::JobSpec& spec, const field::Path& path,
                                         const PodValidationOptions& options);

}  // namespace podium::api
