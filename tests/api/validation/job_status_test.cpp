#include "api/validation/job.h"
#include "api/validation/workload_cases.h"

namespace podium::api {
namespace {

using batch::v1::Job;

constexpr char kJob[] = R"({
  "metadata": {"name": "j", "namespace": "n", "uid": "u", "resourceVersion": "1"},
  "spec": {"template": {"spec": {"restartPolicy": "Never",
                                 "containers": [{"name": "c", "image": "i"}]}}}})";

const std::string kStart = "status.startTime=\"2026-01-01T00:00:00Z\"";     // NOLINT: a test's
const std::string kEnd = "status.completionTime=\"2026-01-02T00:00:00Z\"";  // NOLINT: likewise

// The edit that sets these conditions to True.
std::string Conditions(std::initializer_list<const char*> types) {
  std::string list;
  for (const char* type : types) {
    list +=
        (list.empty() ? "" : ",") + std::string("{\"type\":\"") + type + "\",\"status\":\"True\"}";
  }
  return "status.conditions=[" + list + "]";
}

// Rows of a status that replaces that of `old_json`.
void ExpectStatus(const std::string& old_json, const std::vector<ErrorCase>& cases) {
  const auto old_job = Load<Job>(old_json);
  ExpectErrors(old_json, cases, [&](const std::string& json) {
    return Texts(ValidateJobStatusUpdate(Load<Job>(json), old_job));
  });
}

std::string Invalid(const std::string& field, const std::string& detail) {
  return "status." + field + ": Invalid value: " + detail;
}

TEST(JobStatus, Counters) {
  ExpectStatus(
      kJob,
      {{{}, {}},
       {{"status.active=3", "status.ready=2", "status.terminating=1", "status.succeeded=4",
         "status.failed=5"},
        {}},
       {{"status.active=-1", "status.ready=-1", "status.terminating=-1", "status.succeeded=-1",
         "status.failed=-1"},
        {std::string("status.active") + kNegative, std::string("status.succeeded") + kNegative,
         std::string("status.failed") + kNegative, std::string("status.ready") + kNegative,
         std::string("status.terminating") + kNegative,
         Invalid("failed", "-1: cannot decrease the failed counter"),
         Invalid("succeeded", "-1: cannot decrease the succeeded counter")}},
       {{"status.active=1", "status.ready=2"},
        {Invalid("ready", "2: cannot set more ready pods than active")}}});
  const std::string counted = Edited(kJob, {"status.succeeded=2", "status.failed=2"});
  ExpectStatus(counted, {{{"status.succeeded=1", "status.failed=1"},
                          {Invalid("failed", "1: cannot decrease the failed counter"),
                           Invalid("succeeded", "1: cannot decrease the succeeded counter")}}});
  // An indexed Job that scales down loses what succeeded above its size.
  ExpectStatus(Edited(counted, {"spec.completionMode=\"Indexed\"", "spec.completions=1",
                                "spec.parallelism=1"}),
               {{{"status.succeeded=1"}, {}}});
}

TEST(JobStatus, UncountedPods) {
  const std::string pods = "status.uncountedTerminatedPods";
  ExpectStatus(
      kJob,
      {{{pods + R"(={"succeeded":["a"],"failed":["b"]})"}, {}},
       {{pods + R"(={"succeeded":["a","","a"],"failed":["b","a",""]})"},
        {pods + ".succeeded[1]: Invalid value: \"\": must not be empty",
         pods + ".succeeded[2]: Duplicate value: \"a\"",
         pods + ".failed[1]: Duplicate value: \"a\"",
         pods + ".failed[2]: Invalid value: \"\": must not be empty"}},
       {{Conditions({"SuccessCriteriaMet", "Complete"}), kStart, kEnd,
         pods + R"(={"succeeded":["a"]})"},
        {Invalid("uncountedTerminatedPods",
                 "{\"Succeeded\":[\"a\"],\"Failed\":null}: must be empty for finished job")}}});
}

TEST(JobStatus, Complete) {
  ExpectStatus(
      kJob,
      {{{Conditions({"SuccessCriteriaMet", "Complete"}), kStart, kEnd}, {}},
       {{Conditions({"Complete"}), kStart, kEnd},
        {Invalid("conditions",
                 "cannot set Complete=True condition without the SuccessCriteriaMet=true "
                 "condition")}},
       {{Conditions({"SuccessCriteriaMet", "Complete"}), kStart},
        {"status.completionTime: Required value: completionTime is required for Complete jobs"}},
       {{kStart, kEnd},
        {Invalid("completionTime",
                 "\"2026-01-02T00:00:00Z\": cannot set completionTime when there is no "
                 "Complete=True condition")}},
       {{Conditions({"SuccessCriteriaMet", "Complete"}), kEnd},
        {"status.startTime: Required value: startTime is required for finished job"}},
       {{Conditions({"SuccessCriteriaMet", "Complete"}), kEnd,
         "status.startTime=\"2026-01-03T00:00:00Z\""},
        {Invalid("completionTime",
                 "\"2026-01-02T00:00:00Z\": must be equal to or after `startTime`")}},
       {{Conditions({"SuccessCriteriaMet", "Complete"}), kStart, kEnd, "status.active=1",
         "status.terminating=1"},
        {Invalid("active", "1: active>0 is invalid for finished job"),
         Invalid("terminating", "1: terminating>0 is invalid for finished job")}},
       {{Conditions({"SuccessCriteriaMet", "Complete", "FailureTarget", "Failed"}), kStart, kEnd},
        {Invalid("conditions", "cannot set Complete=True and Failed=true conditions"),
         Invalid("conditions", "cannot set Complete=True and FailureTarget=true conditions"),
         Invalid("conditions", "cannot set SuccessCriteriaMet=True and Failed=true conditions"),
         Invalid("conditions",
                 "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions")}}});
  // A suspended Job of no pods never starts.
  ExpectStatus(Edited(kJob, {"spec.suspend=true", "spec.completions=0"}),
               {{{Conditions({"SuccessCriteriaMet", "Complete"}), kEnd}, {}}});
}

TEST(JobStatus, Failed) {
  ExpectStatus(kJob, {{{Conditions({"FailureTarget", "Failed"}), kStart}, {}},
                      {{Conditions({"Failed"}), kStart},
                       {Invalid("conditions",
                                "cannot set Failed=True condition without the FailureTarget=true "
                                "condition")}}});
}

TEST(JobStatus, SuccessPolicy) {
  const std::string policy = Edited(kJob, {"spec.completionMode=\"Indexed\"", "spec.completions=1",
                                           R"(spec.successPolicy.rules=[{"succeededCount":1}])"});
  ExpectStatus(policy,
               {{{Conditions({"SuccessCriteriaMet"}), kStart}, {}},
                {{Conditions({"Complete"}), kStart, kEnd},
                 {Invalid("conditions",
                          "cannot set Complete=True condition without the SuccessCriteriaMet=true "
                          "condition"),
                  Invalid("conditions",
                          "cannot set Complete=True for Job with SuccessPolicy unless "
                          "SuccessCriteriaMet=True")}}});
}

TEST(JobStatus, Indexes) {
  ExpectStatus(
      Edited(kJob, {"spec.completionMode=\"Indexed\"", "spec.completions=5",
                    "spec.backoffLimitPerIndex=1"}),
      {{{"status.completedIndexes=\"0-2\"", "status.failedIndexes=\"3\""}, {}},
       {{"status.completedIndexes=\"5\""},
        {Invalid("completedIndexes",
                 "\"5\": error parsing completedIndexes: too large index: \"5\"")}},
       {{"status.failedIndexes=\"x\""},
        {Invalid("failedIndexes",
                 "\"x\": error parsing failedIndexes: cannot convert string to integer for index: "
                 "\"x\"")}},
       {{"status.completedIndexes=\"0-2\"", "status.failedIndexes=\"2\""},
        {Invalid("failedIndexes",
                 "\"2\": failedIndexes and completedIndexes overlap at index: 2")}}});
  ExpectStatus(
      kJob, {{{"status.completedIndexes=\"0\"", "status.failedIndexes=\"\""},
              {Invalid("completedIndexes",
                       "\"0\": cannot set non-empty completedIndexes when non-indexed completion "
                       "mode"),
               Invalid("failedIndexes",
                       "\"\": cannot set non-null failedIndexes when backoffLimitPerIndex is "
                       "null")}}});
}

TEST(JobStatus, WhatWasReachedStays) {
  const std::string complete =
      Edited(kJob, {Conditions({"SuccessCriteriaMet", "Complete"}), kStart, kEnd});
  ExpectStatus(complete,
               {{{}, {}},
                {{"status.conditions", "status.completionTime"},
                 {Invalid("conditions", "cannot disable the terminal Complete=True condition"),
                  Invalid("conditions", "cannot disable the SuccessCriteriaMet=True condition")}},
                {{"status.active=1", "status.terminating=1"},
                 {Invalid("active", "1: active>0 is invalid for finished job"),
                  Invalid("terminating", "1: terminating>0 is invalid for finished job")}},
                {{"status.startTime"},
                 {"status.startTime: Required value: startTime is required for finished job",
                  Invalid("startTime", "null: field is immutable for unsuspended job once set")}},
                {{R"(status.uncountedTerminatedPods={"failed":["a"]})"},
                 {Invalid("uncountedTerminatedPods",
                          "{\"Succeeded\":null,\"Failed\":[\"a\"]}: must be empty for finished "
                          "job")}},
                {{"status.completionTime=\"2026-01-03T00:00:00Z\""},
                 {Invalid("completionTime", "\"2026-01-03T00:00:00Z\": field is immutable")}}});
  ExpectStatus(
      Edited(kJob, {Conditions({"FailureTarget", "Failed"}), kStart}),
      {{{"status.conditions"},
        {Invalid("conditions", "cannot disable the terminal Failed=True condition"),
         Invalid("conditions", "cannot disable the terminal FailureTarget=True condition")}}});
  // From before there was SuccessCriteriaMet.
  ExpectStatus(Edited(kJob, {Conditions({"Complete"}), kStart, kEnd}),
               {{{}, {}},
                {{Conditions({"SuccessCriteriaMet", "Complete"})},
                 {Invalid("conditions",
                          "cannot set SuccessCriteriaMet=True for Job already has Complete=true "
                          "conditions")}}});
}

TEST(JobStatus, StartTime) {
  const std::string later = "status.startTime=\"2026-02-01T00:00:00Z\"";
  ExpectStatus(kJob, {{{kStart}, {}}});
  const std::string started = Edited(kJob, {kStart});
  ExpectStatus(started,
               {{{later},
                 {Invalid("startTime",
                          "\"2026-02-01T00:00:00Z\": field is immutable for unsuspended "
                          "job once set")}},
                {{"status.startTime"},
                 {Invalid("startTime", "null: field is immutable for unsuspended job once set")}}});
  ExpectStatus(Edited(started, {"spec.suspend=true"}), {{{"status.startTime"}, {}}});
  // A Job that resumes says so: its condition Suspended turns from True to False.
  ExpectStatus(
      Edited(started, {Conditions({"Suspended"})}),
      {{{later, R"(status.conditions=[{"type":"Suspended","status":"False"}])"}, {}},
       {{later, R"(status.conditions=[{"type":"Suspended","status":"Unknown"}])"},
        {Invalid("startTime",
                 "\"2026-02-01T00:00:00Z\": field is immutable for unsuspended job once set")}},
       {{later, "status.conditions"},
        {Invalid("startTime",
                 "\"2026-02-01T00:00:00Z\": field is immutable for unsuspended job once set")}}});
}

// Faults that were there before do not hold up other changes.
TEST(JobStatus, OldFaultsStay) {
  ExpectStatus(Edited(kJob, {Conditions({"Failed", "Complete"}), "status.active=1",
                             "status.completedIndexes=\"0\"", "status.failedIndexes=\"0\""}),
               {{{"status.succeeded=1"}, {}}});
}

TEST(JobStatus, Metadata) {
  ExpectStatus(kJob, {{{"metadata.name=\"k\""},
                       {"metadata.name: Invalid value: \"k\": field is immutable"}}});
}

}  // namespace
}  // namespace podium::api
