// Rules for CronJob (upstream's pkg/apis/batch/validation, release 1.36), of batch/v1 and of
// batch/v1beta1, which has the same fields. The objects have their defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/batch_v1.h"
#include "api/types/batch_v1beta1.h"

namespace podium::api {

// A new object.
field::ErrorList ValidateCronJob(const batch::v1::CronJob& cron_job);
field::ErrorList ValidateCronJob(const batch::v1beta1::CronJob& cron_job);

// One that replaces `old_job`. A long name or a zone in the schedule, both refused today, may stay.
field::ErrorList ValidateCronJobUpdate(const batch::v1::CronJob& cron_job,
                                       const batch::v1::CronJob& old_job);
field::ErrorList ValidateCronJobUpdate(const batch::v1beta1::CronJob& cron_job,
                                       const batch::v1beta1::CronJob& old_job);

}  // namespace podium::api
