// Updates of a Job's status. Whoever manages the Job writes it, so a finished Job must stay
// finished, and what is new must fit together. A rule runs only when a field it looks at changes,
// so that an older fault does not hold up the rest.
#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "api/validation/common.h"
#include "api/validation/job.h"
#include "api/validation/job_indexes.h"
#include "api/validation/job_spec.h"
#include "api/validation/object_meta.h"
#include "api/validation/unversioned_json.h"
#include "api/validation/workloads.h"

namespace podium::api {
namespace {

using batch::v1::Job;
using batch::v1::JobStatus;

bool Has(const JobStatus& status, std::string_view type, std::string_view value) {
  return std::ranges::any_of(status.conditions, [&](const batch::v1::JobCondition& condition) {
    return condition.type == type && condition.status == value;
  });
}
bool IsTrue(const JobStatus& status, std::string_view type) { return Has(status, type, "True"); }

// The conditions that rules ask for.
struct Conditions {
  explicit Conditions(const JobStatus& status)
      : complete(IsTrue(status, "Complete")),
        failed(IsTrue(status, "Failed")),
        failure_target(IsTrue(status, "FailureTarget")),
        success_criteria_met(IsTrue(status, "SuccessCriteriaMet")) {}

  bool finished() const { return complete || failed; }

  bool complete;
  bool failed;
  bool failure_target;
  bool success_criteria_met;
};

// What an update changes.
struct Changes {
  Changes(const Job& job, const Job& old_job, const Conditions& is, const Conditions& was)
      : finished(is.finished() != was.finished()),
        complete(is.complete != was.complete),
        failed(is.failed != was.failed),
        failure_target(is.failure_target != was.failure_target),
        success_criteria_met(is.success_criteria_met != was.success_criteria_met),
        completed_indexes(job.status.completedIndexes != old_job.status.completedIndexes),
        failed_indexes(job.status.failedIndexes != old_job.status.failedIndexes),
        active(job.status.active != old_job.status.active),
        start_time(job.status.startTime != old_job.status.startTime),
        completion_time(job.status.completionTime != old_job.status.completionTime),
        uncounted(!(job.status.uncountedTerminatedPods == old_job.status.uncountedTerminatedPods)),
        ready(job.status.ready != old_job.status.ready),
        terminating(job.status.terminating != old_job.status.terminating) {}

  bool finished, complete, failed, failure_target, success_criteria_met;
  bool completed_indexes, failed_indexes;
  bool active, start_time, completion_time, uncounted, ready, terminating;
};

class StatusUpdate {
 public:
  StatusUpdate(const Job& job, const Job& old_job, field::ErrorList* errors)
      : job_(job),
        old_job_(old_job),
        is_(job.status),
        was_(old_job.status),
        changed_(job, old_job, is_, was_),
        errors_(errors) {}

  // In upstream's order.
  void Check() {
    CheckCounters();
    CheckUncountedPods();
    CheckCompletion();
    CheckFinished();
    CheckIndexes();
    CheckPodCounts();
    CheckSuccessCriteria();
    CheckTransition();
  }

 private:
  const JobStatus& status() const { return job_.status; }
  const JobStatus& old_status() const { return old_job_.status; }

  void Invalid(std::string_view name, const field::BadValue& value, std::string_view detail) {
    errors_->Add(field::Invalid(path_.Child(name), value, detail));
  }
  void Conflict(bool wrong, std::string_view detail) {
    if (wrong) Invalid("conditions", field::BadValue::Omitted(), detail);
  }

  void CheckCounters() {
    CheckNonnegative(status().active, path_.Child("active"), errors_);
    CheckNonnegative(status().succeeded, path_.Child("succeeded"), errors_);
    CheckNonnegative(status().failed, path_.Child("failed"), errors_);
    CheckNonnegative(status().ready, path_.Child("ready"), errors_);
    CheckNonnegative(status().terminating, path_.Child("terminating"), errors_);
  }

  // Each pod is in one list, once.
  void CheckUncountedPods() {
    if (!status().uncountedTerminatedPods) return;
    const field::Path pods = path_.Child("uncountedTerminatedPods");
    std::set<std::string_view> seen;
    const auto check = [&](const reflect::List<std::string>& uids, const field::Path& path) {
      for (size_t i = 0; i < uids.size(); ++i) {
        if (uids[i].empty()) {
          errors_->Add(field::Invalid(path.Index(i), NamedString(uids[i]), "must not be empty"));
        } else if (!seen.insert(uids[i]).second) {
          errors_->Add(field::Duplicate(path.Index(i), NamedString(uids[i])));
        }
      }
    };
    check(status().uncountedTerminatedPods->succeeded, pods.Child("succeeded"));
    check(status().uncountedTerminatedPods->failed, pods.Child("failed"));
  }

  void CheckCompletion() {
    if (changed_.complete || changed_.failed) {
      Conflict(is_.complete && is_.failed, "cannot set Complete=True and Failed=true conditions");
    }
    if (changed_.complete || changed_.failure_target) {
      Conflict(is_.complete && is_.failure_target,
               "cannot set Complete=True and FailureTarget=true conditions");
    }
    const auto& completion = status().completionTime;
    if (changed_.complete || changed_.completion_time) {
      if (completion && !is_.complete) {
        Invalid("completionTime", completion,
                "cannot set completionTime when there is no Complete=True condition");
      }
      if (!completion && is_.complete) {
        errors_->Add(field::Required(path_.Child("completionTime"),
                                     "completionTime is required for Complete jobs"));
      }
    }
    if ((changed_.start_time || changed_.completion_time) && status().startTime && completion &&
        *completion < *status().startTime) {
      Invalid("completionTime", completion, "must be equal to or after `startTime`");
    }
  }

  void CheckFinished() {
    if (changed_.failed || changed_.failed_indexes) {
      Conflict(is_.failed && !is_.failure_target,
               "cannot set Failed=True condition without the FailureTarget=true condition");
    }
    if (changed_.complete || changed_.success_criteria_met) {
      Conflict(is_.complete && !is_.success_criteria_met,
               "cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
    }
    if (!is_.finished()) return;
    if ((changed_.finished || changed_.active) && status().active > 0) {
      Invalid("active", status().active, "active>0 is invalid for finished job");
    }
    // A suspended Job of no pods is complete before it starts.
    const bool never_starts = job_.spec.suspend == true && job_.spec.completions == 0;
    if ((changed_.finished || changed_.start_time) && !never_starts && !status().startTime) {
      errors_->Add(
          field::Required(path_.Child("startTime"), "startTime is required for finished job"));
    }
    const auto& uncounted = status().uncountedTerminatedPods;
    if ((changed_.finished || changed_.uncounted) && uncounted &&
        uncounted->failed.size() + uncounted->succeeded.size() > 0) {
      Invalid("uncountedTerminatedPods", UnversionedValue(*uncounted),
              "must be empty for finished job");
    }
  }

  void CheckIndexes() {
    const auto& completions = job_.spec.completions;
    const auto& failed = status().failedIndexes;
    if (changed_.completed_indexes && completions) {
      const Result<int32_t> count = CountIndexes(status().completedIndexes, *completions);
      if (!count.ok()) {
        Invalid("completedIndexes", status().completedIndexes,
                "error parsing completedIndexes: " + count.error().message());
      }
    }
    if (changed_.failed_indexes && completions && job_.spec.backoffLimitPerIndex && failed) {
      const Result<int32_t> count = CountIndexes(*failed, *completions);
      if (!count.ok()) {
        Invalid("failedIndexes", NamedString(*failed),
                "error parsing failedIndexes: " + count.error().message());
      }
    }
    if (changed_.completed_indexes && !status().completedIndexes.empty() && !IsIndexed(job_.spec)) {
      Invalid("completedIndexes", status().completedIndexes,
              "cannot set non-empty completedIndexes when non-indexed completion mode");
    }
    // Jobs that are not indexed have no limit per index.
    if (changed_.failed_indexes && failed && !job_.spec.backoffLimitPerIndex) {
      Invalid("failedIndexes", *failed,
              "cannot set non-null failedIndexes when backoffLimitPerIndex is null");
    }
    if ((changed_.failed_indexes || changed_.completed_indexes) && completions && failed) {
      const Result<void> disjoint =
          CheckIndexesDisjoint(status().completedIndexes, *failed, *completions);
      if (!disjoint.ok()) Invalid("failedIndexes", *failed, disjoint.error().message());
    }
  }

  void CheckPodCounts() {
    const auto& terminating = status().terminating;
    if ((changed_.finished || changed_.terminating) && is_.finished() &&
        terminating.value_or(0) > 0) {
      Invalid("terminating", terminating, "terminating>0 is invalid for finished job");
    }
    if ((changed_.ready || changed_.active) && status().ready.value_or(0) > status().active &&
        status().ready) {
      Invalid("ready", *status().ready, "cannot set more ready pods than active");
    }
  }

  void CheckSuccessCriteria() {
    Conflict(is_.success_criteria_met && is_.failed,
             "cannot set SuccessCriteriaMet=True and Failed=true conditions");
    Conflict(is_.success_criteria_met && is_.failure_target,
             "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
    Conflict(job_.spec.successPolicy && !is_.success_criteria_met && is_.complete,
             "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True");
  }

  // What was reached stays.
  void CheckTransition() {
    Conflict(was_.failed && !is_.failed, "cannot disable the terminal Failed=True condition");
    Conflict(was_.complete && !is_.complete, "cannot disable the terminal Complete=True condition");
    Conflict(was_.failure_target && !is_.failure_target,
             "cannot disable the terminal FailureTarget=True condition");
    if (status().failed < old_status().failed) {
      Invalid("failed", status().failed, "cannot decrease the failed counter");
    }
    // An indexed Job may be scaled down.
    const bool scales = IsIndexed(job_.spec) && job_.spec.completions == job_.spec.parallelism;
    if (!scales && status().succeeded < old_status().succeeded) {
      Invalid("succeeded", status().succeeded, "cannot decrease the succeeded counter");
    }
    if (status().completionTime && old_status().completionTime && changed_.completion_time) {
      Invalid("completionTime", status().completionTime, kFieldImmutable);
    }
    // A Job that resumes starts anew; its condition says False, and does not just go away.
    const bool resumes = IsTrue(old_status(), "Suspended") && Has(status(), "Suspended", "False");
    if (old_status().startTime && changed_.start_time && !resumes &&
        !job_.spec.suspend.value_or(false)) {
      Invalid("startTime", status().startTime, "field is immutable for unsuspended job once set");
    }
    Conflict(was_.success_criteria_met && !is_.success_criteria_met,
             "cannot disable the SuccessCriteriaMet=True condition");
    Conflict(was_.complete && !was_.success_criteria_met && is_.success_criteria_met,
             "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions");
  }

  const Job& job_;
  const Job& old_job_;
  const Conditions is_;
  const Conditions was_;
  const Changes changed_;
  field::ErrorList* errors_;
  const field::Path path_{"status"};
};

}  // namespace

field::ErrorList ValidateJobStatusUpdate(const Job& job, const Job& old_job) {
  field::ErrorList errors =
      ValidateObjectMetaUpdate(job.metadata, old_job.metadata, field::Path("metadata"));
  StatusUpdate(job, old_job, &errors).Check();
  return errors;
}

}  // namespace podium::api
